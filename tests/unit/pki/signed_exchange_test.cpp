// SPDX-License-Identifier: Apache-2.0
// Whole exchanges between two engines that prove themselves by signature, with real certificates.
#include "control/ike/message.h"
#include "control/ike/transitions.h"
#include "control/pki/authorities.h"
#include "control/pki/peer_judge.h"
#include "control/pki/signature.h"
#include "tests/support/ike_network.h"
#include "tests/support/test_ca.h"

#include <gtest/gtest.h>

namespace adit::pki {
namespace {

using ike::Authentication;
using ike::EngineConfig;
using ike::Failure;
using test::Entity;
using test::Gateway;
using test::issue;
using test::KeyPair;
using test::kTestNow;
using test::make_ca;
using test::Network;

std::vector<Certificate> anchors_of(const Entity& ca) {
    std::vector<Certificate> anchors;
    anchors.push_back(share(ca.certificate.get()));
    return anchors;
}

/// As control/pki makes it from files.
ike::Credentials credentials(const Entity& own,
                             const Entity& trusted,
                             const std::vector<const Entity*>& intermediates = {}) {
    auto certificate = std::make_shared<ike::OwnCertificate>();
    certificate->trustpoint = "TP";
    EVP_PKEY_up_ref(own.pair.key.get());
    certificate->key = *signing_key(Key{own.pair.key.get()});
    certificate->chain.push_back(own.der());
    for (const Entity* one : intermediates)
        certificate->chain.push_back(one->der());
    certificate->subject = own.subject();
    auto authorities = std::make_shared<const Authorities>(
        "TP", anchors_of(trusted), std::vector<Crl>{}, Revocation::None);
    return {{certificate}, {trusted.subject()}, make_judge({authorities}, [] { return kTestNow; })};
}

class SignedExchange : public testing::Test {
  protected:
    static EngineConfig by_signature(EngineConfig config,
                                     ike::Credentials its,
                                     Authentication method = Authentication::EcdsaSignature) {
        config.phase1 = {{10,
                          ike::CipherAlgorithm::AesCbc256,
                          ike::HashAlgorithm::Sha256,
                          ike::Group::Ecp256,
                          std::chrono::hours{24},
                          method}};
        config.keys.clear();
        config.credentials = std::move(its);
        return config;
    }

    static Entity
    made(const std::string& name, const Entity& issuer, KeyPair pair = KeyPair::ec()) {
        return issue(std::move(pair),
                     {.common_name = name, .key_usage = "critical,digitalSignature"},
                     &issuer);
    }

    void meet(ike::Credentials lefts,
              ike::Credentials rights,
              Authentication method = Authentication::EcdsaSignature) {
        start(by_signature(test::left_config(), std::move(lefts), method),
              by_signature(test::right_config(), std::move(rights), method));
    }

    /// The left side begins in aggressive mode, which the right one answers.
    void meet_aggressively(ike::Credentials lefts,
                           ike::Credentials rights,
                           Authentication method = Authentication::EcdsaSignature) {
        EngineConfig theirs = by_signature(test::right_config(), std::move(rights), method);
        theirs.aggressive = ike::AggressiveMode::Enabled;
        start(aggressive(by_signature(test::left_config(), std::move(lefts), method)),
              std::move(theirs));
    }

    /// Begins in that mode.
    static EngineConfig aggressive(EngineConfig config) {
        config.profiles.push_back({.name = "ANY",
                                   .matches = {{ike::IdentityMatch::Kind::Any}},
                                   .initiate_aggressive = true});
        config.connections.front().profile = "ANY";
        return config;
    }

    void start(EngineConfig lefts, EngineConfig rights) {
        left = &network.add("left", test::kLeft, std::move(lefts), 1);
        right = &network.add("right", test::kRight, std::move(rights), 2);
    }

    void initiate() {
        network.tap = [&](const ike::SendDatagram& send) {
            const auto header = ike::parse_header(send.payload);
            if (header && header->exchange == ike::ExchangeType::Aggressive)
                ++aggressive_messages;
            return true;
        };
        network.give(*left, test::initiate());
        network.run_for(std::chrono::seconds{5});
    }

    void expect_tunnel() const {
        ASSERT_EQ(left->engine.isakmp_sas().size(), 1U);
        ASSERT_EQ(right->engine.isakmp_sas().size(), 1U);
        EXPECT_TRUE(left->engine.isakmp_sas().front().established);
        EXPECT_EQ(left->installed.size(), 2U);
        EXPECT_EQ(right->installed.size(), 2U);
    }

    /// Nobody sends or receives, and the one whose check failed says why.
    void expect_refused_by(const Gateway& who, Failure failure, const char* reason) const {
        EXPECT_EQ(who.failures(failure), 1U) << reason;
        EXPECT_TRUE(who.logged({"VPNDIAG", reason})) << reason;
        EXPECT_TRUE(left->installed.empty());
        EXPECT_TRUE(right->installed.empty());
    }

    const Entity root = make_ca("Root");
    Network network{7};
    Gateway* left{nullptr};
    Gateway* right{nullptr};
    std::size_t aggressive_messages{0};
};

TEST_F(SignedExchange, EcdsaMakesATunnel) {
    meet(credentials(made("left", root), root), credentials(made("right", root), root));
    initiate();
    expect_tunnel();
    EXPECT_EQ(left->engine.isakmp_sas().front().peer_identity, "cn=right,o=Example");
    EXPECT_EQ(right->engine.isakmp_sas().front().peer_identity, "cn=left,o=Example");
}

/// With the address in the certificate too, so that the address would do.
TEST_F(SignedExchange, WeCallOurselvesBySubjectWhenTold) {
    ike::Credentials lefts = credentials(made("left", root), root);
    auto own = std::make_shared<ike::OwnCertificate>(*lefts.own.front());
    own->addresses = {test::kLeft};
    lefts.own = {own};
    EngineConfig config = by_signature(test::left_config(), std::move(lefts));
    config.self = {ike::IdType::DerDn, ""};
    left = &network.add("left", test::kLeft, std::move(config), 1);
    right = &network.add("right",
                         test::kRight,
                         by_signature(test::right_config(), credentials(made("right", root), root)),
                         2);
    initiate();
    expect_tunnel();
    EXPECT_EQ(right->engine.isakmp_sas().front().peer_identity, "cn=left,o=Example");
}

TEST_F(SignedExchange, RsaMakesATunnel) {
    meet(credentials(made("left", root, KeyPair::rsa()), root),
         credentials(made("right", root, KeyPair::rsa()), root),
         Authentication::RsaSignature);
    initiate();
    expect_tunnel();
}

TEST_F(SignedExchange, IntermediatesTravelWithTheCertificate) {
    const Entity intermediate = make_ca("Intermediate", &root);
    meet(credentials(made("left", intermediate), root, {&intermediate}),
         credentials(made("right", intermediate), root, {&intermediate}));
    initiate();
    expect_tunnel();
}

TEST_F(SignedExchange, LossAndDoublingChangeNothing) {
    network.set_weather({.loss_percent = 20, .double_percent = 20, .jitter_ms = 200});
    meet(credentials(made("left", root), root), credentials(made("right", root), root));
    network.give(*left, test::initiate());
    network.run_for(std::chrono::seconds{60});
    EXPECT_TRUE(left->engine.isakmp_sas().front().established);
    EXPECT_EQ(right->installed.size(), 2U);
}

TEST_F(SignedExchange, TheResponderRefusesAnUnknownCa) {
    const Entity other = make_ca("Other");
    meet(credentials(made("left", other), root), credentials(made("right", root), root));
    initiate();
    expect_refused_by(*right, Failure::CertificateRefused, "unknown-ca");
    EXPECT_TRUE(left->logged({"INVALID-CERT-AUTHORITY"})) << "and tells why";
}

TEST_F(SignedExchange, TheInitiatorRefusesAnUnknownCa) {
    const Entity other = make_ca("Other");
    meet(credentials(made("left", root), root), credentials(made("right", other), root));
    initiate();
    expect_refused_by(*left, Failure::CertificateRefused, "unknown-ca");
}

/// A key that signs something else: whoever has the certificate alone can do no more.
class OtherKey final : public ike::SigningKey {
  public:
    [[nodiscard]] ike::SignatureScheme scheme() const override {
        return ike::SignatureScheme::EcdsaP256;
    }

    [[nodiscard]] Result<Bytes> sign(ByteView hash) const override {
        return pki::sign(pair_.key.get(), scheme(), hash);
    }

  private:
    KeyPair pair_ = KeyPair::ec();
};

ike::Credentials with_other_key(const ike::Credentials& all) {
    ike::Credentials changed = all;
    auto stolen = std::make_shared<ike::OwnCertificate>(*all.own.front());
    stolen->key = std::make_shared<const OtherKey>();
    changed.own = {stolen};
    return changed;
}

TEST_F(SignedExchange, ACertificateWithoutItsKeyProvesNothing) {
    meet(with_other_key(credentials(made("left", root), root)),
         credentials(made("right", root), root));
    initiate();
    expect_refused_by(*right, Failure::SignatureMismatch, "bad-signature");
    EXPECT_TRUE(right->logged({"IKMP_AUTH_FAIL", "Authentication method 9 failed with host"}));
}

TEST_F(SignedExchange, NorDoesAResponders) {
    meet(credentials(made("left", root), root),
         with_other_key(credentials(made("right", root), root)));
    initiate();
    expect_refused_by(*left, Failure::SignatureMismatch, "bad-signature");
}

TEST_F(SignedExchange, WithoutACertificateNoPolicyOfSignaturesIsOffered) {
    meet({}, credentials(made("right", root), root));
    initiate();
    EXPECT_TRUE(left->logged({"no certificate for signatures"}));
    EXPECT_TRUE(left->engine.isakmp_sas().empty());
}

TEST_F(SignedExchange, WithoutACertificateNoneIsAccepted) {
    meet(credentials(made("left", root), root), {});
    initiate();
    EXPECT_EQ(right->installed.size(), 0U);
    EXPECT_TRUE(right->engine.isakmp_sas().empty());
    EXPECT_TRUE(left->logged({"NO-PROPOSAL-CHOSEN"}));
}

TEST_F(SignedExchange, AggressiveModeMakesATunnel) {
    meet_aggressively(credentials(made("left", root), root),
                      credentials(made("right", root), root));
    initiate();
    expect_tunnel();
    EXPECT_EQ(aggressive_messages, 3U);
    EXPECT_EQ(left->engine.isakmp_sas().front().peer_identity, "cn=right,o=Example");
    EXPECT_EQ(right->engine.isakmp_sas().front().peer_identity, "cn=left,o=Example");
}

TEST_F(SignedExchange, AggressiveModeByRsaThroughLoss) {
    network.set_weather({.loss_percent = 20, .double_percent = 20, .jitter_ms = 200});
    meet_aggressively(credentials(made("left", root, KeyPair::rsa()), root),
                      credentials(made("right", root, KeyPair::rsa()), root),
                      Authentication::RsaSignature);
    network.give(*left, test::initiate());
    network.run_for(std::chrono::seconds{60});
    EXPECT_TRUE(left->engine.isakmp_sas().front().established);
    EXPECT_EQ(right->installed.size(), 2U);
}

TEST_F(SignedExchange, AggressiveModeWithSignaturesIsOffUnlessEnabled) {
    const ike::Credentials ours = credentials(made("left", root), root);
    start(aggressive(by_signature(test::left_config(), ours)),
          aggressive(by_signature(test::right_config(), ours)));
    initiate();
    EXPECT_GE(right->failures(Failure::UnexpectedMessage), 1U); // one for each transmission
    EXPECT_TRUE(right->engine.isakmp_sas().empty());
    EXPECT_TRUE(right->logged({"aggressive mode is refused"}));
}

TEST_F(SignedExchange, TheResponderOfAggressiveModeRefusesAnUnknownCa) {
    const Entity other = make_ca("Other");
    meet_aggressively(credentials(made("left", other), root),
                      credentials(made("right", root), root));
    initiate();
    expect_refused_by(*right, Failure::CertificateRefused, "unknown-ca");
}

TEST_F(SignedExchange, TheInitiatorOfAggressiveModeRefusesAStolenCertificate) {
    meet_aggressively(credentials(made("left", root), root),
                      with_other_key(credentials(made("right", root), root)));
    initiate();
    expect_refused_by(*left, Failure::SignatureMismatch, "bad-signature");
}

TEST_F(SignedExchange, TheResponderOfAggressiveModeRefusesAStolenCertificate) {
    meet_aggressively(with_other_key(credentials(made("left", root), root)),
                      credentials(made("right", root), root));
    initiate();
    expect_refused_by(*right, Failure::SignatureMismatch, "bad-signature");
}

/// SECURITY A2: what a message holds must not choose how it is judged.
TEST_F(SignedExchange, AHashInPlaceOfASignatureIsNoProof) {
    meet(credentials(made("left", root), root), credentials(made("right", root), root));
    for (const ike::Row& row : ike::transitions()) {
        if (row.state == ike::State::ResponderMm4 || row.state == ike::State::InitiatorMm5) {
            EXPECT_TRUE(row.event != ike::Happening::Received ||
                        row.exchange != ike::ExchangeType::IdentityProtection ||
                        (row.proof == ike::Proof::Hash) ==
                            row.required.contains(ike::PayloadType::Hash));
        }
    }
    EXPECT_EQ(ike::find_row(ike::ExchangeType::IdentityProtection,
                            ike::Role::Responder,
                            ike::State::ResponderMm4,
                            ike::Happening::Received,
                            ike::Proof::Signature,
                            {ike::PayloadType::Identification, ike::PayloadType::Hash}),
              nullptr);
    EXPECT_EQ(ike::find_row(ike::ExchangeType::IdentityProtection,
                            ike::Role::Responder,
                            ike::State::ResponderMm4,
                            ike::Happening::Received,
                            ike::Proof::Hash,
                            {ike::PayloadType::Identification, ike::PayloadType::Signature}),
              nullptr);
}

} // namespace
} // namespace adit::pki
