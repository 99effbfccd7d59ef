// SPDX-License-Identifier: Apache-2.0
#include "control/pki/peer_judge.h"

#include "control/pki/authorities.h"
#include "control/pki/signature.h"
#include "tests/support/test_ca.h"

#include <gtest/gtest.h>

namespace adit::pki {
namespace {

using ike::CertificateEncoding;
using ike::CertificateFault;
using ike::Identity;
using ike::IdType;
using ike::Judgement;
using ike::PeerProof;
using ike::SignatureScheme;
using test::Entity;
using test::issue;
using test::KeyPair;
using test::kTestNow;
using test::make_ca;
using test::make_crl;

const Bytes kExchangeHash(32, 0x11);

Identity fqdn(const std::string& name) {
    return {IdType::Fqdn, 0, 0, to_bytes(as_bytes(name))};
}

Identity user(const std::string& name) {
    return {IdType::UserFqdn, 0, 0, to_bytes(as_bytes(name))};
}

std::vector<Certificate> owned(const std::vector<const Entity*>& entities) {
    std::vector<Certificate> all;
    for (const Entity* entity : entities)
        all.push_back(share(entity->certificate.get()));
    return all;
}

/// Root and intermediate, a good certificate, and the proof it would come with.
class PeerJudgeTest : public testing::Test {
  protected:
    const Entity root = make_ca("Root");
    const Entity intermediate = make_ca("Intermediate", &root);
    const Entity peer = issue(KeyPair::ec(),
                              {.common_name = "gw",
                               .alternative_names = "DNS:gw.example.com,IP:192.0.2.1,"
                                                    "email:ops@example.com",
                               .key_usage = "critical,digitalSignature"},
                              &intermediate);

    static PeerProof proof_of(const Entity& entity,
                              const std::vector<const Entity*>& others = {},
                              Identity identity = fqdn("gw.example.com")) {
        PeerProof proof{SignatureScheme::EcdsaP256, std::move(identity), {}, kExchangeHash, {}};
        proof.certificates.push_back({CertificateEncoding::X509Signature, entity.der()});
        for (const Entity* other : others)
            proof.certificates.push_back({CertificateEncoding::X509Signature, other->der()});
        if (const auto signature = sign(entity.pair.key.get(), proof.scheme, kExchangeHash))
            proof.signature = *signature;
        return proof;
    }

    /// One trustpoint with these anchors, without CRLs.
    static Judgement judge(const PeerProof& proof, const std::vector<const Entity*>& anchors) {
        return judge(proof, anchors, {}, Revocation::None);
    }

    static Judgement judge(const PeerProof& proof,
                           const std::vector<const Entity*>& anchors,
                           const std::vector<Crl>& crls,
                           Revocation revocation = Revocation::ByCrl,
                           WallTime now = kTestNow) {
        auto authorities =
            std::make_shared<const Authorities>("TP", owned(anchors), crls, revocation);
        return make_judge({authorities}, [now] { return now; })->judge(proof);
    }

    static std::vector<Crl> crls_of(Crl first, Crl second) {
        std::vector<Crl> all;
        all.push_back(std::move(first));
        all.push_back(std::move(second));
        return all;
    }
};

#define EXPECT_FAULT(judgement_expression, wanted)                                                 \
    do {                                                                                           \
        const Judgement judgement_ = (judgement_expression);                                       \
        ASSERT_TRUE(judgement_.fault) << "accepted";                                               \
        EXPECT_STREQ(name(*judgement_.fault), name(wanted)) << judgement_.evidence;                \
        EXPECT_FALSE(judgement_.evidence.empty());                                                 \
    } while (false)

TEST_F(PeerJudgeTest, AcceptsAChainOfThreeInAnyOrder) {
    for (const auto& others : std::vector<std::vector<const Entity*>>{
             {&intermediate}, {&intermediate, &root}, {&root, &intermediate}}) {
        const Judgement judgement = judge(proof_of(peer, others), {&root});
        EXPECT_FALSE(judgement.fault) << judgement.evidence;
        EXPECT_EQ(judgement.trustpoint, "TP");
    }
    PeerProof reversed = proof_of(peer, {&intermediate});
    std::swap(reversed.certificates[0], reversed.certificates[1]);
    EXPECT_FALSE(judge(reversed, {&root}).fault);
}

TEST_F(PeerJudgeTest, AnIntermediateMayBeAnAnchor) {
    EXPECT_FALSE(judge(proof_of(peer), {&intermediate}).fault);
}

TEST_F(PeerJudgeTest, AcceptsPkcs7) {
    const Pkcs7 bag{PKCS7_new()};
    PKCS7_set_type(bag.get(), NID_pkcs7_signed);
    PKCS7_content_new(bag.get(), NID_pkcs7_data);
    PKCS7_add_certificate(bag.get(), intermediate.certificate.get());
    PKCS7_add_certificate(bag.get(), peer.certificate.get());
    unsigned char* der = nullptr;
    const int length = i2d_PKCS7(bag.get(), &der);
    ASSERT_GT(length, 0);
    PeerProof proof = proof_of(peer);
    proof.certificates = {{CertificateEncoding::Pkcs7X509, Bytes(der, der + length)}};
    OPENSSL_free(der);
    const Judgement judgement = judge(proof, {&root});
    EXPECT_FALSE(judgement.fault) << judgement.evidence;
    proof.certificates[0].data.resize(40);
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::Malformed);
}

TEST_F(PeerJudgeTest, EveryKindOfNameInTheCertificateCounts) {
    const std::vector<Identity> names = {fqdn("gw.example.com"),
                                         fqdn("GW.Example.COM"),
                                         user("ops@example.com"),
                                         {IdType::Ipv4Address, 17, 500, {192, 0, 2, 1}},
                                         {IdType::DerDn, 0, 0, peer.subject()}};
    for (const Identity& identity : names)
        EXPECT_FALSE(judge(proof_of(peer, {&intermediate}, identity), {&root}).fault)
            << to_string(identity);
}

TEST_F(PeerJudgeTest, NamesThatTheCertificateDoesNotHold) {
    Bytes longer = peer.subject();
    longer.push_back(0);
    const std::vector<Identity> names = {
        fqdn("example.com"),
        fqdn(".example.com"), // OpenSSL would take it for any host below
        fqdn("gw.example.com.evil.org"),
        fqdn("gw"), // the common name is no host name
        user("ops@example.org"),
        user("gw.example.com"),
        {IdType::Ipv4Address, 0, 0, {192, 0, 2, 2}},
        {IdType::DerDn, 0, 0, root.subject()},
        {IdType::DerDn, 0, 0, longer},
        {IdType::DerDn, 0, 0, {0x30, 0x80}},
        {IdType::KeyId, 0, 0, to_bytes(as_bytes("gw.example.com"))}};
    for (const Identity& identity : names)
        EXPECT_FAULT(judge(proof_of(peer, {&intermediate}, identity), {&root}),
                     CertificateFault::WrongIdentity);
}

TEST_F(PeerJudgeTest, ARoutersHostNameStandsInItsSubject) {
    const Entity router =
        issue(KeyPair::ec(), {.common_name = "R1", .unstructured_name = "r1.example.com"}, &root);
    EXPECT_FALSE(judge(proof_of(router, {}, fqdn("r1.example.com")), {&root}).fault);
    EXPECT_FAULT(judge(proof_of(router, {}, fqdn("r2.example.com")), {&root}),
                 CertificateFault::WrongIdentity);
}

TEST_F(PeerJudgeTest, WithoutCertificatesThereIsNoProof) {
    PeerProof proof = proof_of(peer);
    proof.certificates.clear();
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::NoCertificate);
}

TEST_F(PeerJudgeTest, TooManyCertificates) {
    EXPECT_FAULT(judge(proof_of(peer, std::vector<const Entity*>(10, &intermediate)), {&root}),
                 CertificateFault::TooMany);
}

TEST_F(PeerJudgeTest, DamageIsNamed) {
    PeerProof proof = proof_of(peer, {&intermediate});
    proof.certificates[1].data.push_back(0);
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::Malformed);
    proof.certificates[1].data.resize(100);
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::Malformed);
}

TEST_F(PeerJudgeTest, UnknownCa) {
    const Entity other = make_ca("Other root");
    EXPECT_FAULT(judge(proof_of(peer, {&intermediate}), {&other}), CertificateFault::UnknownCa);
    EXPECT_FAULT(judge(proof_of(peer, {&intermediate, &root}), {&other}),
                 CertificateFault::UnknownCa);
    // The intermediate is missing.
    EXPECT_FAULT(judge(proof_of(peer), {&root}), CertificateFault::UnknownCa);
    const Entity alone =
        issue(KeyPair::ec(), {.common_name = "gw", .alternative_names = "DNS:gw.example.com"});
    EXPECT_FAULT(judge(proof_of(alone), {&root}), CertificateFault::UnknownCa);
}

TEST_F(PeerJudgeTest, TheCaThatIsKnownSaysMoreThanOthers) {
    const Entity other = make_ca("Other root");
    const Entity old = issue(KeyPair::ec(), {.common_name = "old", .to_day = 0}, &root);
    const auto with = [](const Entity& ca, const char* name) {
        return std::make_shared<const Authorities>(
            name, owned({&ca}), std::vector<Crl>{}, Revocation::None);
    };
    for (const auto& all : {std::vector{with(root, "A"), with(other, "B")},
                            std::vector{with(other, "B"), with(root, "A")}}) {
        const auto judge = make_judge(all, [] { return kTestNow + std::chrono::hours{1}; });
        EXPECT_FAULT(judge->judge(proof_of(old)), CertificateFault::Expired);
        EXPECT_EQ(judge->judge(proof_of(peer, {&intermediate})).trustpoint, "A");
    }
}

TEST_F(PeerJudgeTest, DatesAreThoseOfTheClockPassedIn) {
    const PeerProof proof = proof_of(peer, {&intermediate});
    constexpr auto kDay = std::chrono::hours{24};
    EXPECT_FALSE(judge(proof, {&root}, {}, Revocation::None, kTestNow + 29 * kDay).fault);
    EXPECT_FAULT(judge(proof, {&root}, {}, Revocation::None, kTestNow + 31 * kDay),
                 CertificateFault::Expired);
    EXPECT_FAULT(judge(proof, {&root}, {}, Revocation::None, kTestNow - 2 * kDay),
                 CertificateFault::NotYetValid);
}

TEST_F(PeerJudgeTest, ACrlIsAskedOfEveryIssuerBelowTheAnchor) {
    const PeerProof proof = proof_of(peer, {&intermediate});
    EXPECT_FALSE(
        judge(proof, {&root}, crls_of(make_crl(root, {}), make_crl(intermediate, {}))).fault);
    EXPECT_FAULT(judge(proof, {&root}, {}), CertificateFault::NoCrl);
    std::vector<Crl> one;
    one.push_back(make_crl(intermediate, {}));
    EXPECT_FAULT(judge(proof, {&root}, one), CertificateFault::NoCrl);
    EXPECT_FALSE(judge(proof, {&intermediate}, one).fault) << "the anchor needs none";
}

TEST_F(PeerJudgeTest, Revoked) {
    const PeerProof proof = proof_of(peer, {&intermediate});
    EXPECT_FAULT(
        judge(proof, {&root}, crls_of(make_crl(root, {}), make_crl(intermediate, {&peer}))),
        CertificateFault::Revoked);
    EXPECT_FAULT(
        judge(proof, {&root}, crls_of(make_crl(root, {&intermediate}), make_crl(intermediate, {}))),
        CertificateFault::Revoked);
    EXPECT_FALSE(judge(proof,
                       {&root},
                       crls_of(make_crl(root, {}), make_crl(intermediate, {&peer})),
                       Revocation::None)
                     .fault);
}

TEST_F(PeerJudgeTest, CrlsThatCannotBeUsed) {
    const PeerProof proof = proof_of(peer, {&intermediate});
    EXPECT_FAULT(judge(proof, {&root}, crls_of(make_crl(root, {}), make_crl(intermediate, {}, -1))),
                 CertificateFault::CrlExpired);
    // Signed by somebody else in the CA's name.
    const Entity forger = make_ca("Intermediate", &root);
    EXPECT_FAULT(judge(proof, {&root}, crls_of(make_crl(root, {}), make_crl(forger, {}))),
                 CertificateFault::CrlInvalid);
}

TEST_F(PeerJudgeTest, ACertificateThatIsNoCaIssuesNothing) {
    const Entity fake = issue(
        KeyPair::ec(), {.common_name = "victim", .alternative_names = "DNS:gw.example.com"}, &peer);
    EXPECT_FAULT(judge(proof_of(fake, {&peer, &intermediate}), {&root}), CertificateFault::NotACa);
    const Entity limited = issue(KeyPair::ec(),
                                 {.common_name = "CA without certificate signing",
                                  .key_usage = "critical,digitalSignature",
                                  .constraints = "critical,CA:TRUE"},
                                 &root);
    const Entity below = issue(
        KeyPair::ec(), {.common_name = "gw", .alternative_names = "DNS:gw.example.com"}, &limited);
    const Judgement judgement = judge(proof_of(below, {&limited}), {&root});
    EXPECT_TRUE(judgement.fault);
}

TEST_F(PeerJudgeTest, PathLengthIsKept) {
    const Entity last = issue(KeyPair::ec(),
                              {.common_name = "last CA",
                               .key_usage = "critical,keyCertSign",
                               .constraints = "critical,CA:TRUE,pathlen:0"},
                              &root);
    const Entity beyond = make_ca("beyond", &last);
    const Entity leaf = issue(
        KeyPair::ec(), {.common_name = "gw", .alternative_names = "DNS:gw.example.com"}, &beyond);
    EXPECT_FAULT(judge(proof_of(leaf, {&beyond, &last}), {&root}), CertificateFault::NotACa);
}

TEST_F(PeerJudgeTest, LongChainsAreNotFollowed) {
    std::vector<Entity> cas;
    cas.push_back(make_ca("CA 0", &root));
    for (int i = 1; i < 7; ++i)
        cas.push_back(make_ca("CA " + std::to_string(i), &cas.back()));
    const Entity leaf = issue(KeyPair::ec(),
                              {.common_name = "gw", .alternative_names = "DNS:gw.example.com"},
                              &cas.back());
    std::vector<const Entity*> others;
    for (const Entity& ca : cas)
        others.push_back(&ca);
    const Judgement judgement = judge(proof_of(leaf, others), {&root});
    ASSERT_TRUE(judgement.fault);
    EXPECT_TRUE(judgement.fault == CertificateFault::TooLong ||
                judgement.fault == CertificateFault::UnknownCa)
        << judgement.evidence;
}

TEST_F(PeerJudgeTest, WeakDigestsAndKeysAreRefused) {
    const Entity sha1 = issue(
        KeyPair::ec(),
        {.common_name = "gw", .alternative_names = "DNS:gw.example.com", .digest = EVP_sha1()},
        &root);
    EXPECT_FAULT(judge(proof_of(sha1), {&root}), CertificateFault::WeakKey);
    const Entity small = issue(KeyPair::rsa(1024),
                               {.common_name = "gw", .alternative_names = "DNS:gw.example.com"},
                               &root);
    EXPECT_FAULT(judge(proof_of(small), {&root}), CertificateFault::WeakKey);
}

TEST_F(PeerJudgeTest, TheKeyMustBeForSignatures) {
    const Entity sealing = issue(KeyPair::ec(),
                                 {.common_name = "gw",
                                  .alternative_names = "DNS:gw.example.com",
                                  .key_usage = "critical,keyAgreement"},
                                 &root);
    EXPECT_FAULT(judge(proof_of(sealing), {&root}), CertificateFault::KeyUsage);
}

TEST_F(PeerJudgeTest, TheKeyMustBeOfTheAgreedKind) {
    PeerProof proof = proof_of(peer, {&intermediate});
    proof.scheme = SignatureScheme::RsaRaw;
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::WrongKey);
}

TEST_F(PeerJudgeTest, TheSignatureMustBeOfThisExchange) {
    PeerProof proof = proof_of(peer, {&intermediate});
    proof.hash[0] ^= 1;
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::BadSignature);
    proof = proof_of(peer, {&intermediate});
    proof.signature = *sign(intermediate.pair.key.get(), proof.scheme, kExchangeHash);
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::BadSignature);
    proof.signature.clear();
    EXPECT_FAULT(judge(proof, {&root}), CertificateFault::BadSignature);
}

TEST_F(PeerJudgeTest, WithoutAnchorsNobodyIsTrusted) {
    const auto judge = make_judge({}, [] { return kTestNow; });
    EXPECT_FAULT(judge->judge(proof_of(peer, {&intermediate})), CertificateFault::UnknownCa);
}

} // namespace
} // namespace adit::pki
