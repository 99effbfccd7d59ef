// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_pki.h"

#include "control/cli/show_text.h"

#include <algorithm>

namespace adit::cli {

namespace {

using pki::CertificateInfo;
using pki::TrustpointStatus;

void append_lines(std::string& out, const char* indent, const std::vector<std::string>& lines) {
    for (const std::string& line : lines)
        append(out, "%s%s\n", indent, line.c_str());
}

/// Routers show the name a certificate is for above its parts.
void append_names(std::string& out, const CertificateInfo& certificate) {
    constexpr std::string_view kDns = "dns ";
    for (const std::string& name : certificate.alternative_names)
        if (name.starts_with(kDns)) {
            append(out, "    Name: %s\n", name.c_str() + kDns.size());
            return;
        }
}

void append_verbose(std::string& out, const CertificateInfo& certificate) {
    append(out, "  Subject Key Info:\n    Public Key Algorithm: %s\n", certificate.key.c_str());
    append(out, "  Signature Algorithm: %s\n", certificate.signature.c_str());
    append(out, "  Fingerprint SHA1: %s\n", certificate.sha1.c_str());
    append(out, "  Fingerprint SHA256: %s\n", certificate.sha256.c_str());
    if (certificate.alternative_names.empty())
        return;
    out += "  Subject Alternative Names:\n";
    append_lines(out, "    ", certificate.alternative_names);
}

void append_certificate(std::string& out,
                        const Snapshot& snapshot,
                        const CertificateInfo& certificate,
                        const std::string& trustpoint,
                        const std::string& file,
                        CertificateForm form) {
    if (!out.empty())
        out += '\n';
    out += certificate.authority ? "CA Certificate\n" : "Certificate\n";
    append(out, "  Status: %s\n", certificate.expires < snapshot.wall ? "Expired" : "Available");
    append(out, "  Certificate Serial Number (hex): %s\n", certificate.serial.c_str());
    append(out, "  Certificate Usage: %s\n", certificate.usage.c_str());
    out += "  Issuer: \n";
    append_lines(out, "    ", certificate.issuer);
    out += "  Subject: \n";
    append_names(out, certificate);
    append_lines(out, "    ", certificate.subject);
    if (!certificate.crl_points.empty()) {
        out += "  CRL Distribution Points: \n";
        append_lines(out, "    ", certificate.crl_points);
    }
    out += "  Validity Date: \n";
    append(out, "    start date: %s\n", certificate.not_before.c_str());
    append(out, "    end   date: %s\n", certificate.not_after.c_str());
    if (form == CertificateForm::Verbose)
        append_verbose(out, certificate);
    append(out, "  Associated Trustpoints: %s\n", trustpoint.c_str());
    append(out, "  Storage: file:%s\n", file.c_str());
}

} // namespace

std::string show_pki_certificates(const Snapshot& snapshot,
                                  const std::string& trustpoint,
                                  CertificateForm form) {
    std::string out;
    for (const TrustpointStatus& status : snapshot.trustpoints) {
        if (status.loaded == nullptr || (!trustpoint.empty() && status.files.name != trustpoint))
            continue;
        for (const CertificateInfo& own : status.loaded->own)
            append_certificate(
                out, snapshot, own, status.files.name, status.files.certificate_file, form);
        for (const CertificateInfo& authority : status.loaded->authorities)
            append_certificate(
                out, snapshot, authority, status.files.name, status.files.ca_file, form);
    }
    return out;
}

std::string show_pki_trustpoints(const Snapshot& snapshot) {
    std::string out;
    for (const TrustpointStatus& status : snapshot.trustpoints) {
        append(out, "Trustpoint %s:\n", status.files.name.c_str());
        const pki::Trustpoint* loaded = status.loaded.get();
        if (loaded != nullptr && !loaded->authorities.empty()) {
            const CertificateInfo& authority = loaded->authorities.front();
            out += "    Subject Name: \n";
            append_lines(out, "    ", authority.subject);
            append(out, "          Serial Number (hex): %s\n", authority.serial.c_str());
        }
        if (loaded != nullptr && loaded->credential != nullptr)
            out += "    Certificate configured.\n";
        if (!status.problem.empty())
            append(out, "    Problem: %s\n", status.problem.c_str());
        out += '\n';
    }
    return out;
}

std::string show_pki_crls(const Snapshot& snapshot) {
    std::string out;
    for (const TrustpointStatus& status : snapshot.trustpoints) {
        if (status.loaded == nullptr)
            continue;
        for (const pki::CrlInfo& crl : status.loaded->crls) {
            out += "CRL Issuer Name: \n";
            append_lines(out, "    ", crl.issuer);
            append(out, "    LastUpdate: %s\n", crl.last_update.c_str());
            if (!crl.next_update.empty())
                append(out, "    NextUpdate: %s\n", crl.next_update.c_str());
            append(out, "    Revoked certificates: %zu\n", crl.revoked);
            append(out, "    Retrieved from: file:%s\n\n", status.files.crl_file.c_str());
        }
    }
    return out;
}

} // namespace adit::cli
