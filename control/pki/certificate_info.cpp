// SPDX-License-Identifier: Apache-2.0
#include "control/pki/certificate_info.h"

#include <openssl/objects.h>

#include <array>
#include <cctype>
#include <ctime>

namespace adit::pki {

namespace {

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

struct FreePoints {
    void operator()(CRL_DIST_POINTS* points) const { CRL_DIST_POINTS_free(points); }
};

/// Names out of a certificate go to terminals: printable ASCII only, and not for ever.
std::string printable(const ASN1_STRING* value) {
    constexpr std::size_t kShown = 256;
    const ByteView octets{ASN1_STRING_get0_data(value),
                          static_cast<std::size_t>(ASN1_STRING_length(value))};
    std::string text;
    for (const std::uint8_t octet : octets.first(std::min(octets.size(), kShown)))
        text += octet < 0x20 || octet > 0x7e ? '?' : static_cast<char>(octet);
    return text;
}

std::string general_name(const GENERAL_NAME* name) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(name, &type);
    switch (type) {
    case GEN_DNS:
        return "dns " + printable(static_cast<const ASN1_STRING*>(value));
    case GEN_EMAIL:
        return "email " + printable(static_cast<const ASN1_STRING*>(value));
    case GEN_URI:
        return printable(static_cast<const ASN1_STRING*>(value));
    case GEN_IPADD: {
        const auto* octets = static_cast<const ASN1_STRING*>(value);
        if (ASN1_STRING_length(octets) != 4)
            return "ip (IPv6)";
        return "ip " +
               to_string(Ipv4Address{load_be<std::uint32_t>(ASN1_STRING_get0_data(octets))});
    }
    case GEN_DIRNAME:
        return "directory " + text_of(static_cast<const X509_NAME*>(value));
    default:
        return "other";
    }
}

std::vector<std::string> alternative_names(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::vector<std::string> texts;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
        texts.push_back(general_name(sk_GENERAL_NAME_value(names.get(), i)));
    return texts;
}

std::vector<std::string> crl_points(const X509* certificate) {
    const std::unique_ptr<CRL_DIST_POINTS, FreePoints> points{static_cast<CRL_DIST_POINTS*>(
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr))};
    std::vector<std::string> texts;
    for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
        const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
        constexpr int kFullName = 0; // RFC 5280 4.2.1.13
        if (point->distpoint == nullptr || point->distpoint->type != kFullName)
            continue;
        const GENERAL_NAMES* names = point->distpoint->name.fullname;
        for (int j = 0; j < sk_GENERAL_NAME_num(names); ++j)
            texts.push_back(general_name(sk_GENERAL_NAME_value(names, j)));
    }
    return texts;
}

/// IOS's words for the key usage extension.
std::string usage_of(X509* certificate) {
    constexpr std::uint32_t kSigns = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    constexpr std::uint32_t kEncrypts = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
    const std::uint32_t usage = X509_get_key_usage(certificate);
    const bool issues = X509_check_ca(certificate) != 0;
    if (issues && (usage & kSigns) == 0)
        return "Signature";
    if ((usage & kSigns) != 0 && (usage & kEncrypts) == 0)
        return "Signature";
    if ((usage & kSigns) == 0 && (usage & kEncrypts) != 0)
        return "Encryption";
    return "General Purpose";
}

std::string key_of(const X509* certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr)
        return "unknown";
    const char* type = EVP_PKEY_get0_type_name(key);
    return std::string{type == nullptr ? "unknown" : type} + " " +
           std::to_string(EVP_PKEY_get_bits(key)) + " bit";
}

std::string fingerprint(const X509* certificate, const EVP_MD* digest) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
    unsigned int length = 0;
    ENSURE(X509_digest(certificate, digest, octets.data(), &length) == 1);
    std::string hex = to_hex(ByteView{octets}.first(length));
    for (char& c : hex)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return hex;
}

WallTime time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return {};
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

} // namespace

std::vector<Ipv4Address> addresses_in(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::vector<Ipv4Address> addresses;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_IPADD || ASN1_STRING_length(name->d.iPAddress) != 4)
            continue;
        const std::uint8_t* octets = ASN1_STRING_get0_data(name->d.iPAddress);
        addresses.push_back(Ipv4Address{load_be<std::uint32_t>(octets)});
    }
    return addresses;
}

CertificateInfo describe(X509* certificate) {
    CertificateInfo info;
    info.serial = serial_text(X509_get0_serialNumber(certificate));
    info.issuer = rdns_of(X509_get_issuer_name(certificate));
    info.subject = rdns_of(X509_get_subject_name(certificate));
    info.alternative_names = alternative_names(certificate);
    info.crl_points = crl_points(certificate);
    info.not_before = time_text(X509_get0_notBefore(certificate));
    info.not_after = time_text(X509_get0_notAfter(certificate));
    info.expires = time_of(X509_get0_notAfter(certificate));
    info.usage = usage_of(certificate);
    info.key = key_of(certificate);
    info.signature = OBJ_nid2ln(X509_get_signature_nid(certificate));
    info.sha1 = fingerprint(certificate, EVP_sha1());
    info.sha256 = fingerprint(certificate, EVP_sha256());
    info.authority = X509_check_ca(certificate) != 0;
    return info;
}

CrlInfo describe(X509_CRL* crl) {
    CrlInfo info;
    info.issuer = rdns_of(X509_CRL_get_issuer(crl));
    info.last_update = time_text(X509_CRL_get0_lastUpdate(crl));
    if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl))
        info.next_update = time_text(next);
    const int revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
    info.revoked = revoked < 0 ? 0 : static_cast<std::size_t>(revoked);
    return info;
}

} // namespace adit::pki
