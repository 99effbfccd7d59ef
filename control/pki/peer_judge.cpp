// SPDX-License-Identifier: Apache-2.0
#include "control/pki/peer_judge.h"

#include "control/pki/authorities.h"
#include "control/pki/signature.h"

#include <algorithm>
#include <cctype>

namespace adit::pki {

using ike::CertificateFault;
using ike::IdType;
using ike::Judgement;

namespace {

std::unexpected<Fault> refuse(CertificateFault kind, std::string evidence) {
    return std::unexpected(Fault{kind, std::move(evidence)});
}

// --- what came ----------------------------------------------------------------------------------

using Certificates = std::vector<Certificate>;

/// RFC 4945 3.3.5: PKCS #7 as a bag of certificates; what it signs, if anything, is not looked at.
Status add_pkcs7(Certificates& to, ByteView der) {
    const unsigned char* at = der.data();
    const Pkcs7 bag{d2i_PKCS7(nullptr, &at, static_cast<long>(der.size()))};
    if (bag == nullptr || !PKCS7_type_is_signed(bag.get()) || bag->d.sign == nullptr)
        return fail(ErrorCode::Malformed, "not PKCS #7 signed data (" + library_error() + ")");
    STACK_OF(X509)* inside = bag->d.sign->cert;
    for (int i = 0; i < sk_X509_num(inside) && to.size() <= ike::kMaxCertificates; ++i)
        to.push_back(share(sk_X509_value(inside, i)));
    return {};
}

std::expected<Certificates, Fault> unpack(const std::vector<ike::CertificateBody>& bodies) {
    Certificates all;
    for (std::size_t i = 0; i < bodies.size() && all.size() <= ike::kMaxCertificates; ++i) {
        const ByteView der = bodies[i].data;
        Status added;
        if (bodies[i].encoding == ike::CertificateEncoding::Pkcs7X509)
            added = add_pkcs7(all, der);
        else if (auto one = certificate_of_der(der))
            all.push_back(std::move(*one));
        else
            added = std::unexpected(std::move(one).error());
        if (!added)
            return refuse(CertificateFault::Malformed,
                          "certificate number " + std::to_string(i + 1) + ": " +
                              added.error().text);
    }
    if (all.empty())
        return refuse(CertificateFault::NoCertificate, "the peer sent no certificate");
    if (all.size() > ike::kMaxCertificates)
        return refuse(CertificateFault::TooMany,
                      "more than " + std::to_string(ike::kMaxCertificates) + " certificates");
    return all;
}

/// The peer's own among those it sent, in whatever order: the one with its name, else the first
/// that is no CA's.
X509* end_entity(const Certificates& all, const ike::Identity& identity) {
    const auto named = std::ranges::find_if(
        all, [&](const Certificate& one) { return holds_name(one.get(), identity); });
    if (named != all.end())
        return named->get();
    const auto leaf = std::ranges::find_if(
        all, [](const Certificate& one) { return X509_check_ca(one.get()) == 0; });
    return leaf != all.end() ? leaf->get() : all.front().get();
}

CertificateStack stack_of(const Certificates& all) {
    CertificateStack stack{sk_X509_new_null()};
    ENSURE(stack != nullptr);
    for (const Certificate& one : all)
        ENSURE(sk_X509_push(stack.get(), one.get()) > 0);
    return stack;
}

// --- names --------------------------------------------------------------------------------------

bool is_subject(X509* certificate, const Bytes& der) {
    const unsigned char* at = der.data();
    const Name name{d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size()))};
    library_error();
    return name != nullptr && at == der.data() + der.size() &&
           X509_NAME_cmp(name.get(), X509_get_subject_name(certificate)) == 0;
}

bool equal_without_case(ByteView left, ByteView right) {
    return std::ranges::equal(left, right, [](std::uint8_t a, std::uint8_t b) {
        return std::tolower(a) == std::tolower(b);
    });
}

bool has_host(X509* certificate, const Bytes& host) {
    constexpr unsigned kExactly =
        X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    const std::string text = to_text(host);
    // OpenSSL would take a leading dot for "any host below".
    if (text.empty() || text.front() == '.')
        return false;
    if (X509_check_host(certificate, text.data(), text.size(), kExactly, nullptr) == 1)
        return true;
    X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_unstructuredName, -1);
    if (at < 0)
        return false;
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return equal_without_case(
        {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))}, host);
}

// --- judging ------------------------------------------------------------------------------------

/// RFC 4945 5.1.3.2: a certificate that limits its key's usage must allow signatures.
std::expected<void, Fault> check_usage(X509* certificate) {
    constexpr std::uint32_t kSigns = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    // No such extension: all bits are set.
    if ((X509_get_key_usage(certificate) & kSigns) == 0)
        return refuse(CertificateFault::KeyUsage,
                      "certificate of " + text_of(X509_get_subject_name(certificate)) +
                          ": its key usage allows no signatures");
    return {};
}

class OpenSslJudge final : public ike::PeerJudge {
  public:
    OpenSslJudge(std::vector<std::shared_ptr<const Authorities>> authorities, Clock clock)
        : authorities_(std::move(authorities)), clock_(std::move(clock)) {}

    [[nodiscard]] Judgement judge(const ike::PeerProof& proof) const override {
        Judgement judgement;
        if (const auto proved = prove(proof, judgement); !proved) {
            judgement.fault = proved.error().kind;
            judgement.evidence = proved.error().evidence;
        }
        return judgement;
    }

  private:
    std::expected<void, Fault> prove(const ike::PeerProof& proof, Judgement& judgement) const {
        const Certificates all = TRY(unpack(proof.certificates));
        X509* own = end_entity(all, proof.identity);
        judgement.trustpoint = TRY(trusted_by(own, all));
        TRY_VOID(check_usage(own));
        if (!holds_name(own, proof.identity))
            return refuse(CertificateFault::WrongIdentity,
                          "the peer names itself " + to_string(proof.identity) +
                              ", which the certificate of " + text_of(X509_get_subject_name(own)) +
                              " does not hold");
        return check_signature(own, proof);
    }

    /// The trustpoint whose CA vouches for it. When none does, the fault of the one that at least
    /// knows the CA says more than that of the others.
    std::expected<std::string, Fault> trusted_by(X509* own, const Certificates& all) const {
        const CertificateStack others = stack_of(all);
        const WallTime now = clock_();
        std::optional<Fault> best;
        for (const auto& authorities : authorities_) {
            auto fault = authorities->check(own, others.get(), now);
            if (!fault)
                return authorities->trustpoint();
            if (!best || best->kind == CertificateFault::UnknownCa)
                best = std::move(fault);
        }
        if (!best)
            return refuse(CertificateFault::UnknownCa, "no trustpoint has a CA certificate");
        return std::unexpected(std::move(*best));
    }

    static std::expected<void, Fault> check_signature(X509* own, const ike::PeerProof& proof) {
        EVP_PKEY* key = X509_get0_pubkey(own);
        const auto scheme = key == nullptr ? std::nullopt : scheme_of(key);
        if (scheme != proof.scheme)
            return refuse(CertificateFault::WrongKey,
                          std::string{"the certificate's key is "} +
                              (scheme ? name(*scheme) : "of a kind we do not use") + ", " +
                              name(proof.scheme) + " was agreed");
        if (!verifies(key, proof.scheme, proof.hash, proof.signature))
            return refuse(CertificateFault::BadSignature,
                          "the signature does not belong to this exchange and the key of " +
                              text_of(X509_get_subject_name(own)));
        return {};
    }

    std::vector<std::shared_ptr<const Authorities>> authorities_;
    Clock clock_;
};

} // namespace

std::shared_ptr<const ike::PeerJudge>
make_judge(std::vector<std::shared_ptr<const Authorities>> authorities, Clock clock) {
    return std::make_shared<const OpenSslJudge>(std::move(authorities), std::move(clock));
}

bool holds_name(X509* certificate, const ike::Identity& identity) {
    switch (identity.type) {
    case IdType::DerDn:
        return is_subject(certificate, identity.data);
    case IdType::Fqdn:
        return has_host(certificate, identity.data);
    case IdType::UserFqdn: {
        const std::string text = to_text(identity.data);
        return X509_check_email(certificate, text.data(), text.size(), 0) == 1;
    }
    case IdType::Ipv4Address:
    case IdType::Ipv6Address:
        return X509_check_ip(certificate, identity.data.data(), identity.data.size(), 0) == 1;
    default:
        return false;
    }
}

} // namespace adit::pki
