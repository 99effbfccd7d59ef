// SPDX-License-Identifier: Apache-2.0
#include "control/ike/credentials.h"

#include <algorithm>
#include <array>

namespace adit::ike {

namespace {

struct FaultName {
    CertificateFault fault;
    const char* name;
};

constexpr std::array kFaultNames = {
    FaultName{CertificateFault::NoCertificate, "no-certificate"},
    FaultName{CertificateFault::Malformed, "malformed"},
    FaultName{CertificateFault::TooMany, "too-many-certificates"},
    FaultName{CertificateFault::UnknownCa, "unknown-ca"},
    FaultName{CertificateFault::Expired, "expired"},
    FaultName{CertificateFault::NotYetValid, "not-yet-valid"},
    FaultName{CertificateFault::Revoked, "revoked"},
    FaultName{CertificateFault::NoCrl, "no-crl"},
    FaultName{CertificateFault::CrlExpired, "crl-expired"},
    FaultName{CertificateFault::CrlInvalid, "crl-invalid"},
    FaultName{CertificateFault::BadCertificateSignature, "bad-certificate-signature"},
    FaultName{CertificateFault::NotACa, "issuer-is-no-ca"},
    FaultName{CertificateFault::TooLong, "chain-too-long"},
    FaultName{CertificateFault::KeyUsage, "not-for-signatures"},
    FaultName{CertificateFault::WeakKey, "weak-key"},
    FaultName{CertificateFault::WrongKey, "wrong-kind-of-key"},
    FaultName{CertificateFault::Other, "certificate-refused"},
    FaultName{CertificateFault::WrongIdentity, "identity-not-in-certificate"},
    FaultName{CertificateFault::BadSignature, "bad-signature"},
};

constexpr bool names_are_in_order() {
    for (std::size_t i = 0; i < kFaultNames.size(); ++i)
        if (static_cast<std::size_t>(kFaultNames[i].fault) != i)
            return false;
    return kFaultNames.size() == static_cast<std::size_t>(CertificateFault::Count_);
}

static_assert(names_are_in_order(), "name() indexes by enumerator");

} // namespace

const char* name(CertificateFault fault) {
    return kFaultNames.at(static_cast<std::size_t>(fault)).name;
}

const char* name(SignatureScheme scheme) {
    switch (scheme) {
    case SignatureScheme::RsaRaw:
        return "RSA";
    case SignatureScheme::EcdsaP256:
        return "ECDSA P-256";
    case SignatureScheme::EcdsaP384:
        return "ECDSA P-384";
    case SignatureScheme::EcdsaP521:
        return "ECDSA P-521";
    }
    return "";
}

std::optional<SignatureScheme> scheme_of(AuthMethod method) {
    switch (method) {
    case AuthMethod::RsaSignature:
        return SignatureScheme::RsaRaw;
    case AuthMethod::EcdsaSha256:
        return SignatureScheme::EcdsaP256;
    case AuthMethod::EcdsaSha384:
        return SignatureScheme::EcdsaP384;
    case AuthMethod::EcdsaSha512:
        return SignatureScheme::EcdsaP521;
    default:
        return std::nullopt;
    }
}

std::shared_ptr<const OwnCertificate> choose_own(const Credentials& credentials,
                                                 SignatureScheme scheme,
                                                 const std::vector<Bytes>& wanted_authorities) {
    std::shared_ptr<const OwnCertificate> first;
    for (const auto& own : credentials.own) {
        if (own->key->scheme() != scheme)
            continue;
        const bool wanted = std::ranges::any_of(wanted_authorities, [&](const Bytes& authority) {
            return std::ranges::find(own->issuers, authority) != own->issuers.end();
        });
        if (wanted)
            return own;
        if (first == nullptr)
            first = own;
    }
    return first;
}

} // namespace adit::ike
