// SPDX-License-Identifier: Apache-2.0
#include "control/pki/trustpoint.h"

#include "control/pki/authorities.h"
#include "control/pki/certificate_info.h"
#include "control/pki/peer_judge.h"
#include "control/pki/pem_file.h"
#include "control/pki/signature.h"

#include <algorithm>

namespace adit::pki {

namespace {

std::vector<CertificateInfo> describe_all(const std::vector<Certificate>& certificates) {
    std::vector<CertificateInfo> infos;
    for (const Certificate& certificate : certificates)
        infos.push_back(describe(certificate.get()));
    return infos;
}

/// Each certificate behind our own must have issued the one in front of it.
Status check_order(const std::string& path, const std::vector<Certificate>& chain) {
    for (std::size_t i = 1; i < chain.size(); ++i)
        if (X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK)
            return fail(ErrorCode::Invalid,
                        path + ": certificate number " + std::to_string(i + 1) +
                            " has not issued the one in front of it; our own comes first, each "
                            "issuer behind what it issued");
    return {};
}

Result<std::shared_ptr<const ike::OwnCertificate>> read_own(const TrustpointFiles& files,
                                                            const std::vector<Certificate>& chain) {
    TRY_VOID(check_order(files.certificate_file, chain));
    Key key = TRY(read_private_key(files.key_file));
    X509* own = chain.front().get();
    if (X509_check_private_key(own, key.get()) != 1) {
        library_error();
        return fail(ErrorCode::Invalid,
                    files.key_file + ": is not the key of the first certificate in " +
                        files.certificate_file);
    }
    auto signing = signing_key(std::move(key));
    if (!signing)
        return fail(signing.error().code, files.key_file + ": " + signing.error().text);
    auto made = std::make_shared<ike::OwnCertificate>();
    made->trustpoint = files.name;
    made->key = std::move(*signing);
    made->subject = der_of(X509_get_subject_name(own));
    for (const Certificate& one : chain) {
        made->issuers.push_back(der_of(X509_get_issuer_name(one.get())));
        // Who trusts a root has it; sending it helps nobody.
        if (&one == &chain.front() || X509_self_signed(one.get(), 0) != 1)
            made->chain.push_back(der_of(one.get()));
    }
    made->addresses = addresses_in(own);
    return made;
}

} // namespace

Result<std::shared_ptr<const Trustpoint>> load(const TrustpointFiles& files) {
    auto made = std::make_shared<Trustpoint>();
    made->files = files;
    std::vector<Crl> crls;
    if (!files.crl_file.empty())
        crls = TRY(read_crls(files.crl_file));
    for (const Crl& crl : crls)
        made->crls.push_back(describe(crl.get()));
    if (!files.ca_file.empty()) {
        const auto anchors = TRY(read_certificates(files.ca_file));
        made->authorities = describe_all(anchors);
        for (const Certificate& anchor : anchors)
            made->authority_names.push_back(der_of(X509_get_subject_name(anchor.get())));
        made->anchors =
            std::make_shared<const Authorities>(files.name, anchors, crls, files.revocation);
    }
    if (files.certificate_file.empty())
        return made;
    if (files.key_file.empty())
        return fail(ErrorCode::Invalid, "certificate-file without key-file");
    const auto chain = TRY(read_certificates(files.certificate_file));
    made->own = describe_all(chain);
    made->credential = TRY(read_own(files, chain));
    return made;
}

Status check_file(FileKind kind, const std::string& path) {
    switch (kind) {
    case FileKind::Certificates:
        TRY(read_certificates(path));
        break;
    case FileKind::PrivateKey: {
        const auto usable = signing_key(TRY(read_private_key(path)));
        if (!usable)
            return fail(usable.error().code, path + ": " + usable.error().text);
        break;
    }
    case FileKind::Crls:
        TRY(read_crls(path));
        break;
    }
    return {};
}

ike::Credentials credentials_of(const std::vector<std::shared_ptr<const Trustpoint>>& trustpoints,
                                std::function<WallTime()> clock) {
    ike::Credentials all;
    std::vector<std::shared_ptr<const Authorities>> anchors;
    for (const auto& trustpoint : trustpoints) {
        if (trustpoint->credential != nullptr)
            all.own.push_back(trustpoint->credential);
        if (trustpoint->anchors == nullptr)
            continue;
        anchors.push_back(trustpoint->anchors);
        for (const Bytes& name : trustpoint->authority_names)
            if (std::ranges::find(all.authorities, name) == all.authorities.end())
                all.authorities.push_back(name);
    }
    if (!anchors.empty())
        all.judge = make_judge(std::move(anchors), std::move(clock));
    return all;
}

} // namespace adit::pki
