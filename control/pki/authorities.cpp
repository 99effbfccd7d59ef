// SPDX-License-Identifier: Apache-2.0
#include "control/pki/authorities.h"

#include <array>

namespace adit::pki {

using ike::CertificateFault;

namespace {

struct ErrorRow {
    int error;
    CertificateFault fault;
};

constexpr std::array kErrors = {
    ErrorRow{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_CERT_UNTRUSTED, CertificateFault::UnknownCa},
    ErrorRow{X509_V_ERR_CERT_HAS_EXPIRED, CertificateFault::Expired},
    ErrorRow{X509_V_ERR_CERT_NOT_YET_VALID, CertificateFault::NotYetValid},
    ErrorRow{X509_V_ERR_CERT_REVOKED, CertificateFault::Revoked},
    ErrorRow{X509_V_ERR_UNABLE_TO_GET_CRL, CertificateFault::NoCrl},
    ErrorRow{X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, CertificateFault::NoCrl},
    ErrorRow{X509_V_ERR_CRL_HAS_EXPIRED, CertificateFault::CrlExpired},
    ErrorRow{X509_V_ERR_CRL_NOT_YET_VALID, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_CRL_SIGNATURE_FAILURE, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_DIFFERENT_CRL_SCOPE, CertificateFault::CrlInvalid},
    ErrorRow{X509_V_ERR_CERT_SIGNATURE_FAILURE, CertificateFault::BadCertificateSignature},
    ErrorRow{X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
             CertificateFault::BadCertificateSignature},
    ErrorRow{X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
             CertificateFault::BadCertificateSignature},
    ErrorRow{X509_V_ERR_INVALID_CA, CertificateFault::NotACa},
    ErrorRow{X509_V_ERR_KEYUSAGE_NO_CERTSIGN, CertificateFault::NotACa},
    ErrorRow{X509_V_ERR_PATH_LENGTH_EXCEEDED, CertificateFault::NotACa},
    ErrorRow{X509_V_ERR_CERT_CHAIN_TOO_LONG, CertificateFault::TooLong},
    ErrorRow{X509_V_ERR_EE_KEY_TOO_SMALL, CertificateFault::WeakKey},
    ErrorRow{X509_V_ERR_CA_KEY_TOO_SMALL, CertificateFault::WeakKey},
    ErrorRow{X509_V_ERR_CA_MD_TOO_WEAK, CertificateFault::WeakKey},
};

CertificateFault fault_of(int error) {
    for (const ErrorRow& row : kErrors)
        if (row.error == error)
            return row.fault;
    return CertificateFault::Other;
}

/// The anchor is trusted because the administrator says so: whether a CA has revoked itself is no
/// question a CRL can answer.
int accept_anchor_without_crl(int ok, X509_STORE_CTX* context) {
    const int error = X509_STORE_CTX_get_error(context);
    const bool about_crl = fault_of(error) == CertificateFault::NoCrl ||
                           fault_of(error) == CertificateFault::CrlExpired;
    const int last = sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1;
    if (ok == 1 || !about_crl || last == 0 || X509_STORE_CTX_get_error_depth(context) != last)
        return ok;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

std::string about(const X509* certificate) {
    if (certificate == nullptr)
        return "no certificate";
    return "certificate of " + text_of(X509_get_subject_name(certificate)) + ", issued by " +
           text_of(X509_get_issuer_name(certificate)) + ", serial number " +
           serial_text(X509_get0_serialNumber(certificate)) + ", valid from " +
           time_text(X509_get0_notBefore(certificate)) + " to " +
           time_text(X509_get0_notAfter(certificate));
}

std::string time_text(WallTime time) {
    ASN1_TIME* made = ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(time));
    std::string text = made == nullptr ? "?" : pki::time_text(made);
    ASN1_TIME_free(made);
    return text;
}

Fault fault_at(X509_STORE_CTX* context, WallTime now) {
    const int error = X509_STORE_CTX_get_error(context);
    const CertificateFault fault = fault_of(error);
    std::string evidence = about(X509_STORE_CTX_get_current_cert(context)) + ": " +
                           X509_verify_cert_error_string(error);
    if (fault == CertificateFault::Expired || fault == CertificateFault::NotYetValid ||
        fault == CertificateFault::CrlExpired)
        evidence += "; our clock says " + time_text(now);
    return {fault, std::move(evidence)};
}

/// OpenSSL also takes version 1 certificates for CAs; a peer must not bring such a one.
std::optional<Fault> check_intermediates(const STACK_OF(X509) * chain) {
    for (int i = 1; i + 1 < sk_X509_num(chain); ++i)
        if (X509* issuer = sk_X509_value(chain, i); X509_check_ca(issuer) != 1)
            return Fault{CertificateFault::NotACa, about(issuer) + ": not marked as a CA"};
    return std::nullopt;
}

} // namespace

Authorities::Authorities(std::string trustpoint,
                         const std::vector<Certificate>& anchors,
                         const std::vector<Crl>& crls,
                         Revocation revocation)
    : trustpoint_(std::move(trustpoint)), revocation_(revocation), store_(X509_STORE_new()) {
    ENSURE(store_ != nullptr);
    for (const Certificate& anchor : anchors)
        ENSURE(X509_STORE_add_cert(store_.get(), anchor.get()) == 1);
    for (const Crl& crl : crls)
        ENSURE(X509_STORE_add_crl(store_.get(), crl.get()) == 1);
}

std::optional<Fault>
Authorities::check(X509* certificate, STACK_OF(X509) * others, WallTime now) const {
    const StoreContext context{X509_STORE_CTX_new()};
    ENSURE(context != nullptr);
    ENSURE(X509_STORE_CTX_init(context.get(), store_.get(), certificate, others) == 1);
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
    X509_VERIFY_PARAM_set_depth(rules, kMaxIntermediates);
    X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;
    if (revocation_ == Revocation::ByCrl)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_VERIFY_PARAM_set_flags(rules, flags);
    X509_STORE_CTX_set_verify_cb(context.get(), accept_anchor_without_crl);
    const bool sound = X509_verify_cert(context.get()) == 1;
    library_error();
    if (!sound)
        return fault_at(context.get(), now);
    return check_intermediates(X509_STORE_CTX_get0_chain(context.get()));
}

} // namespace adit::pki
