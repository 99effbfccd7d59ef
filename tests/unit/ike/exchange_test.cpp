// SPDX-License-Identifier: Apache-2.0
// Whole exchanges between two engines, as dialogues: both roles, every suite, every way to fail.
#include "control/ike/message.h"
#include "control/ike/payload_notify.h"
#include "control/ike/proposal.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;

class Exchange : public ::testing::Test {
  protected:
    Gateway& left(EngineConfig config = test::left_config()) {
        return network.add("left", test::kLeft, std::move(config), 1);
    }

    Gateway& right(EngineConfig config = test::right_config()) {
        return network.add("right", test::kRight, std::move(config), 2);
    }

    void settle(Duration time = std::chrono::seconds{3}) { network.run_for(time); }

    Network network{7};
};

/// Each outbound SA of one side is an inbound SA of the other, with the same keys.
void expect_agreement(const Gateway& one, const Gateway& other) {
    for (const auto& [sa, out] : one.installed) {
        if (out.inbound)
            continue;
        const auto twin = std::ranges::find_if(other.installed, [&](const auto& entry) {
            return entry.second.inbound && entry.second.spi == out.spi;
        });
        ASSERT_NE(twin, other.installed.end()) << one.name << " sends to nobody";
        EXPECT_EQ(out.key, twin->second.key);
        EXPECT_EQ(out.mac_key, twin->second.mac_key);
        EXPECT_EQ(out.cipher, twin->second.cipher);
        EXPECT_EQ(out.selector.local, twin->second.selector.remote);
        EXPECT_EQ(out.selector.remote, twin->second.selector.local);
    }
}

void expect_tunnel(const Gateway& one, const Gateway& other, std::size_t pairs = 1) {
    EXPECT_EQ(one.installed.size(), 2 * pairs) << one.name;
    EXPECT_EQ(other.installed.size(), 2 * pairs) << other.name;
    expect_agreement(one, other);
    expect_agreement(other, one);
    EXPECT_EQ(one.engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(other.engine.isakmp_sas().size(), 1U);
}

TEST_F(Exchange, MainModeAndQuickModeMakeATunnel) {
    Gateway& a = left();
    Gateway& b = right();
    std::vector<std::string> dialogue;
    network.tap = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        dialogue.push_back((send.local.address == test::kLeft ? "-> " : "<- ") +
                           name(header->exchange) + (header->encrypted() ? "*" : ""));
        return true;
    };
    network.give(a, test::initiate());
    settle();
    const std::vector<std::string> expected = {"-> Main mode",
                                               "<- Main mode",
                                               "-> Main mode",
                                               "<- Main mode",
                                               "-> Main mode*",
                                               "<- Main mode*",
                                               "-> Quick mode*",
                                               "<- Quick mode*",
                                               "-> Quick mode*"};
    EXPECT_EQ(dialogue, expected);
    expect_tunnel(a, b);
    EXPECT_EQ(a.engine.isakmp_sas().front().state, "QM_IDLE");
    EXPECT_EQ(a.engine.isakmp_sas().front().conn_id, ConnId{1001});
    EXPECT_EQ(b.engine.isakmp_sas().front().peer_identity, "192.0.2.1");
    EXPECT_EQ(a.engine.child_sas().front().inbound_sa, SaId{2001});
    EXPECT_EQ(a.engine.child_sas().front().outbound_sa, SaId{2002});
    EXPECT_TRUE(
        a.logged({"%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP  .  Peer 192.0.2.20:500"}));
}

TEST_F(Exchange, InboundIsInstalledBeforeTheMessageThatUsesIt) {
    Gateway& a = left();
    Gateway& b = right();
    network.tap = [&](const SendDatagram& send) {
        if (parse_header(send.payload)->exchange != ExchangeType::QuickMode)
            return true;
        const bool from_left = send.local.address == test::kLeft;
        const Gateway& sender = from_left ? a : b;
        const bool first = a.installed.empty() && b.installed.empty();
        const auto has = [](const Gateway& gateway, bool inbound) {
            return std::ranges::any_of(
                gateway.installed, [&](const auto& sa) { return sa.second.inbound == inbound; });
        };
        // Message 1 offers an SPI nobody can use yet.
        EXPECT_TRUE(has(sender, true) || (from_left && first));
        EXPECT_FALSE(has(sender, false)) << "outbound comes after the message";
        return true;
    };
    network.give(a, test::initiate());
    settle();
    expect_tunnel(a, b);
}

struct Suite {
    CipherAlgorithm cipher;
    HashAlgorithm hash;
    Group group;
};

std::vector<Suite> every_suite() {
    std::vector<Suite> suites;
    for (const CipherInfo& cipher : kCiphers)
        for (const HashInfo& hash : kHashes)
            for (const Group group : {Group::Modp1024, Group::Ecp256})
                suites.push_back({cipher.cipher, hash.hash, group});
    for (const Group group : {Group::Modp1536,
                              Group::Modp2048,
                              Group::Modp3072,
                              Group::Modp4096,
                              Group::Ecp384,
                              Group::Ecp521})
        suites.push_back({CipherAlgorithm::AesCbc128, HashAlgorithm::Sha1, group});
    return suites;
}

TEST_F(Exchange, EverySuiteIsNegotiatedWithAndWithoutPfs) {
    for (const Suite& suite : every_suite())
        for (const bool pfs : {false, true}) {
            SCOPED_TRACE(name(info(suite.cipher).wire) + " " + name(info(suite.hash).wire) + " " +
                         name(suite.group) + (pfs ? " PFS" : ""));
            Network here{11};
            EngineConfig ours = test::left_config();
            EngineConfig theirs = test::right_config();
            for (EngineConfig* config : {&ours, &theirs}) {
                config->phase1.front().cipher = suite.cipher;
                config->phase1.front().hash = suite.hash;
                config->phase1.front().group = suite.group;
                if (pfs)
                    config->connections.front().pfs = suite.group;
            }
            Gateway& a = here.add("left", test::kLeft, ours, 1);
            Gateway& b = here.add("right", test::kRight, theirs, 2);
            here.give(a, test::initiate());
            here.run_for(std::chrono::seconds{2});
            expect_tunnel(a, b);
            EXPECT_EQ(a.engine.child_sas().front().pfs,
                      pfs ? std::optional{suite.group} : std::nullopt);
        }
}

TEST_F(Exchange, EveryEspSuiteIsNegotiated) {
    for (const EspCipherInfo& cipher : kEspCiphers)
        for (const EspMacInfo& mac : kEspMacs) {
            if (!is_sound(cipher.cipher, mac.mac))
                continue;
            SCOPED_TRACE(std::string{cipher.config_name} + " " + mac.config_name);
            Network here{11};
            EngineConfig ours = test::left_config();
            EngineConfig theirs = test::right_config();
            for (EngineConfig* config : {&ours, &theirs})
                config->connections.front().transforms = {{"TS", cipher.cipher, mac.mac, false}};
            Gateway& a = here.add("left", test::kLeft, ours, 1);
            Gateway& b = here.add("right", test::kRight, theirs, 2);
            here.give(a, test::initiate());
            here.run_for(std::chrono::seconds{2});
            expect_tunnel(a, b);
            const auto& sa = a.installed.begin()->second;
            EXPECT_EQ(sa.key.size(), cipher.key_bytes + cipher.salt_bytes);
            EXPECT_EQ(sa.mac_key.size(), mac.key_bytes);
        }
}

TEST_F(Exchange, ResponderChoosesItsFirstPolicyAndTransformThatIsOffered) {
    EngineConfig ours = test::left_config();
    const Phase1Policy strong = ours.phase1.front();
    Phase1Policy weak = strong;
    weak.cipher = CipherAlgorithm::TripleDesCbc;
    weak.hash = HashAlgorithm::Md5;
    weak.group = Group::Modp1024;
    ours.phase1 = {weak, strong};
    ours.connections.front().transforms = {{"A", EspCipher::AesCbc128, EspMac::HmacSha1_96, false},
                                           {"B", EspCipher::AesGcm256, EspMac::None, false}};
    EngineConfig theirs = test::right_config();
    theirs.phase1 = {strong, weak};
    theirs.connections.front().transforms = {
        {"X", EspCipher::AesGcm256, EspMac::None, false},
        {"Y", EspCipher::AesCbc128, EspMac::HmacSha1_96, false}};
    Gateway& a = left(ours);
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle();
    expect_tunnel(a, b);
    EXPECT_EQ(a.engine.isakmp_sas().front().policy->group, Group::Ecp256);
    EXPECT_EQ(a.engine.child_sas().front().cipher, EspCipher::AesGcm256);
}

TEST_F(Exchange, EachAccessListLineIsItsOwnPair) {
    EngineConfig ours = test::left_config();
    EngineConfig theirs = test::right_config();
    for (std::uint32_t i = 1; i < 40; ++i) {
        const std::string net = "10." + std::to_string(10 + i) + ".0.0/16";
        ours.connections.front().flows.push_back(
            {PolicyId{i},
             {test::range(net.c_str()), test::range("10.2.0.0/16"), 6, {}, {443, 443}},
             i});
        theirs.connections.front().flows.push_back(
            {PolicyId{i},
             {test::range("10.2.0.0/16"), test::range(net.c_str()), 6, {443, 443}, {}},
             i});
    }
    Gateway& a = left(ours);
    Gateway& b = right(theirs);
    network.give(a, test::initiate(kNoPolicy));
    settle();
    expect_tunnel(a, b, 40);
    EXPECT_EQ(b.engine.counters().phase1_established, 1U);
}

TEST_F(Exchange, LifetimesAreTheShorterOfBoth) {
    EngineConfig theirs = test::right_config();
    theirs.connections.front().lifetime = std::chrono::seconds{600};
    theirs.connections.front().lifetime_kilobytes = 1000;
    theirs.phase1.front().lifetime = std::chrono::seconds{900};
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle();
    const auto child = b.engine.child_sas().front();
    EXPECT_EQ(child.expires - child.established_at, std::chrono::seconds{600});
    EXPECT_EQ(child.lifetime_kilobytes, 1000U);
    const auto isakmp = b.engine.isakmp_sas().front();
    EXPECT_EQ(*isakmp.expires - *isakmp.established_at, std::chrono::seconds{900});
}

// --- failures: each with its own name, no state left ---------------------------------------------

TEST_F(Exchange, WrongKeyIsNamedByBothSides) {
    EngineConfig theirs = test::right_config();
    theirs.keys.front().key = test::secret("wrong");
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    EXPECT_EQ(a.failures(Failure::PresharedKeyMismatch), 1U);
    EXPECT_EQ(b.failures(Failure::PresharedKeyMismatch), 1U);
    EXPECT_TRUE(
        b.logged({"%CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from 192.0.2.1 failed its sanity "
                  "check or is malformed"}));
    EXPECT_TRUE(b.logged({"%VPNDIAG-4-CAUSE: peer 192.0.2.1: psk-mismatch:"}));
    EXPECT_TRUE(a.logged({"%VPNDIAG-4-CAUSE: peer 192.0.2.20: psk-mismatch:"}));
    EXPECT_TRUE(a.logged(
        {"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main mode failed with peer at 192.0.2.20"}));
    EXPECT_TRUE(a.is_empty());
    EXPECT_TRUE(b.is_empty());
}

TEST_F(Exchange, MissingKeyIsNamed) {
    EngineConfig theirs = test::right_config();
    theirs.keys.clear();
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    EXPECT_GE(b.failures(Failure::NoPresharedKey), 1U);
    EXPECT_TRUE(b.logged({"%CRYPTO-3-IKMP_NO_PRESHARED_KEY: Pre-shared key for remote peer at "
                          "192.0.2.1 is missing"}));
    EXPECT_EQ(a.failures(Failure::Phase1Refused), 1U);
    EXPECT_TRUE(a.is_empty());
    EXPECT_TRUE(b.is_empty());
}

TEST_F(Exchange, NoCommonPolicyNamesBothSidesValues) {
    EngineConfig theirs = test::right_config();
    theirs.phase1.front().hash = HashAlgorithm::Sha1;
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    EXPECT_GE(b.failures(Failure::NoPhase1Proposal), 1U);
    EXPECT_TRUE(b.logged({"p1-policy",
                          "they offer AES-CBC-256/SHA2-256/ECP-256",
                          "we accept AES-CBC-256/SHA/ECP-256"}));
    EXPECT_EQ(a.failures(Failure::Phase1Refused), 1U);
    EXPECT_TRUE(a.logged({"p1-notify", "NO-PROPOSAL-CHOSEN", "we offered"}));
    EXPECT_TRUE(a.is_empty());
    EXPECT_TRUE(b.is_empty());
}

void expect_phase2_failure(Gateway& a, Gateway& b, Failure here, Failure there) {
    EXPECT_EQ(a.failures(here), 1U);
    EXPECT_EQ(b.failures(there), 1U);
    for (Gateway* gateway : {&a, &b}) {
        EXPECT_TRUE(gateway->installed.empty());
        EXPECT_TRUE(gateway->engine.child_sas().empty());
        EXPECT_EQ(gateway->spis.in_use(), 0U);
    }
    EXPECT_TRUE(b.logged(
        {"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 192.0.2.1"}));
}

TEST_F(Exchange, NoCommonTransformNamesBothSidesValues) {
    EngineConfig theirs = test::right_config();
    theirs.connections.front().transforms.front().mac = EspMac::HmacSha1_96;
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    expect_phase2_failure(a, b, Failure::Phase2Refused, Failure::NoPhase2Proposal);
    EXPECT_TRUE(b.logged({"p2-transform", "they offer ESP_AES-256/HMAC-SHA2-256", "we accept"}));
    EXPECT_TRUE(a.logged({"p2-transform", "we offered ESP_AES-256/HMAC-SHA2-256"}));
}

TEST_F(Exchange, PfsThatOnlyOneSideWantsIsNamed) {
    EngineConfig theirs = test::right_config();
    theirs.connections.front().pfs = Group::Modp2048;
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    expect_phase2_failure(a, b, Failure::Phase2Refused, Failure::PfsMismatch);
}

TEST_F(Exchange, ForeignProxyIdentitiesNameTheNearestLine) {
    EngineConfig theirs = test::right_config();
    theirs.connections.front().flows.front().selector.remote = test::range("10.1.0.0/24");
    Gateway& a = left();
    Gateway& b = right(theirs);
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    expect_phase2_failure(a, b, Failure::ProxyRefused, Failure::ProxyMismatch);
    EXPECT_TRUE(b.logged({"p2-proxy",
                          "they ask for local 10.2.0.0/255.255.0.0/0/0 remote "
                          "10.1.0.0/255.255.0.0/0/0",
                          "access list 101, line 10",
                          "10.1.0.0/255.255.255.0/0/0",
                          "differs in their side"}));
    EXPECT_TRUE(a.logged({"p2-proxy", "INVALID-ID-INFORMATION", "10.1.0.0/255.255.0.0/0/0"}));
}

TEST_F(Exchange, SilentPeerIsGivenUpWithinAMinuteUnderOneCookie) {
    Gateway& a = left();
    std::vector<Cookie> cookies;
    network.tap = [&](const SendDatagram& send) {
        cookies.push_back(parse_header(send.payload)->cookies.initiator);
        return false;
    };
    network.give(a, test::initiate());
    settle(std::chrono::seconds{61});
    EXPECT_EQ(a.failures(Failure::Phase1Timeout), 1U);
    EXPECT_TRUE(a.logged({"no-reply", "message 1 sent 19 times"}));
    EXPECT_TRUE(a.is_empty());
    EXPECT_EQ(cookies.size(), 19U);
    EXPECT_EQ(std::ranges::count(cookies, cookies.front()), 19);
    network.give(a, test::initiate());
    settle(std::chrono::milliseconds{10});
    EXPECT_NE(cookies.back(), cookies.front()) << "the next negotiation has its own cookie";
}

TEST_F(Exchange, QuickModeWithoutAnswerEndsAlone) {
    Gateway& a = left();
    Gateway& b = right();
    network.tap = [&](const SendDatagram& send) {
        return parse_header(send.payload)->exchange != ExchangeType::QuickMode;
    };
    network.give(a, test::initiate());
    settle(std::chrono::seconds{70});
    EXPECT_EQ(a.failures(Failure::Phase2Timeout), 1U);
    EXPECT_TRUE(a.logged({"p2-no-answer"}));
    EXPECT_TRUE(a.installed.empty());
    EXPECT_EQ(a.spis.in_use(), 0U);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
    EXPECT_TRUE(b.installed.empty());
}

TEST_F(Exchange, LostQuickModeEndLeavesNothingInstalledHalfway) {
    Gateway& a = left();
    Gateway& b = right();
    int quick_modes = 0;
    network.tap = [&](const SendDatagram& send) {
        if (parse_header(send.payload)->exchange != ExchangeType::QuickMode)
            return true;
        return ++quick_modes < 3; // message 3 and all after it are lost
    };
    network.give(a, test::initiate());
    settle(std::chrono::seconds{70});
    EXPECT_EQ(b.failures(Failure::Phase2Timeout), 1U);
    EXPECT_TRUE(b.installed.empty());
    EXPECT_TRUE(a.installed.empty()) << "the initiator is told";
}

TEST_F(Exchange, FullSpiTableIsRefused) {
    Gateway& a = left();
    Gateway& b = right();
    b.spis.limit = 0;
    network.give(a, test::initiate());
    settle(std::chrono::minutes{2});
    EXPECT_EQ(b.failures(Failure::InstallRefused), 1U);
    EXPECT_TRUE(a.installed.empty());
}

TEST_F(Exchange, DataplaneRefusalTakesThePairDownOnBothSides) {
    Gateway& a = left();
    Gateway& b = right();
    network.give(a, test::initiate());
    settle();
    network.give(a, InstallFinished{SaId{2002}, false, "no room"});
    settle();
    EXPECT_EQ(a.failures(Failure::InstallRefused), 1U);
    EXPECT_TRUE(a.installed.empty());
    EXPECT_TRUE(b.installed.empty());
}

// --- duplicates, forgeries -----------------------------------------------------------------------

TEST_F(Exchange, DuplicatesAreAnsweredFromStoreOnceASecond) {
    Gateway& a = left();
    Gateway& b = right();
    std::vector<SendDatagram> from_left;
    std::vector<Bytes> from_right;
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kLeft)
            from_left.push_back({send.local, send.remote, send.payload});
        else
            from_right.push_back(send.payload);
        return true;
    };
    network.give(a, test::initiate());
    settle();
    ASSERT_EQ(from_left.size(), 5U);
    ASSERT_EQ(from_right.size(), 4U);
    const auto jobs_before = b.engine.counters().phase2_established;
    from_right.clear();
    const Bytes qm1 = from_left[3].payload;
    const Bytes mm5 = from_left[2].payload;
    for (int i = 0; i < 5; ++i)
        network.give_datagram(b, {test::kLeft, 500}, 500, mm5);
    EXPECT_EQ(from_right.size(), 1U) << "message 6 again, once";
    for (int i = 0; i < 5; ++i)
        network.give_datagram(b, {test::kLeft, 500}, 500, qm1);
    EXPECT_EQ(from_right.size(), 1U) << "message 3 has come: message 2 is not said again";
    EXPECT_EQ(b.engine.counters().phase2_established, jobs_before);
    expect_tunnel(a, b);
}

TEST_F(Exchange, SameMessageIdWithOtherContentIsDropped) {
    Gateway& a = left();
    Gateway& b = right();
    std::vector<Bytes> quick;
    network.tap = [&](const SendDatagram& send) {
        if (parse_header(send.payload)->exchange == ExchangeType::QuickMode)
            quick.push_back(send.payload);
        return true;
    };
    network.give(a, test::initiate());
    settle(std::chrono::seconds{100}); // quick mode itself is forgotten, its id is not
    const std::size_t sent = quick.size();
    Bytes other = quick.front();
    other.back() ^= 1;
    network.give_datagram(b, {test::kLeft, 500}, 500, other);
    network.give_datagram(b, {test::kLeft, 500}, 500, quick.front());
    EXPECT_EQ(quick.size(), sent);
    expect_tunnel(a, b);
}

TEST_F(Exchange, AnswersAreNeverLongerThanTheirQuestions) {
    Gateway& a = left();
    right();
    std::vector<std::size_t> sizes;
    network.tap = [&](const SendDatagram& send) {
        sizes.push_back(send.payload.size());
        return true;
    };
    network.give(a, test::initiate());
    settle();
    ASSERT_GE(sizes.size(), 2U);
    EXPECT_LE(sizes[1], sizes[0]);
}

TEST_F(Exchange, ResponderNeverRetransmitsToAnUnprovedAddress) {
    Gateway& a = left();
    right();
    int answers = 0;
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kRight)
            return ++answers, false; // the answer never arrives, and the initiator is muted below
        return true;
    };
    network.give(a, test::initiate());
    network.run_for(std::chrono::milliseconds{500});
    a.engine = Engine(
        std::make_shared<const EngineConfig>(test::left_config()), a.rng, a.spis, a.policies);
    settle(std::chrono::minutes{2});
    EXPECT_EQ(answers, 1);
}

TEST_F(Exchange, ForgedRefusalDelaysNothing) {
    Gateway& a = left();
    Gateway& b = right();
    network.tap = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        if (send.local.address == test::kRight || header->cookies.responder.value != 0)
            return true;
        // Somebody who sees message 1 is faster than the peer.
        Header forged = *header;
        forged.exchange = ExchangeType::Informational;
        forged.message_id = MessageId{1};
        MessageBuilder message;
        message.add(PayloadType::Notification,
                    build_notification({ProtocolId::Isakmp, NotifyType::NoProposalChosen, {}, {}}));
        network.give_datagram(a, {test::kRight, 500}, 500, message.clear(forged));
        return true;
    };
    network.give(a, test::initiate());
    settle();
    expect_tunnel(a, b);
}

TEST_F(Exchange, ClearDeleteIsIgnored) {
    Gateway& a = left();
    Gateway& b = right();
    network.give(a, test::initiate());
    settle();
    const auto sa = b.engine.isakmp_sas().front();
    const CookiePair cookies{sa.initiator_cookie, sa.responder_cookie};
    Header header;
    header.cookies = cookies;
    header.exchange = ExchangeType::Informational;
    header.message_id = MessageId{77};
    MessageBuilder message;
    message.add(PayloadType::Delete, build_delete(ProtocolId::Isakmp, {cookies_as_spi(cookies)}));
    network.give_datagram(b, {test::kLeft, 500}, 500, message.clear(header));
    EXPECT_EQ(b.failures(Failure::NotEncrypted), 1U);
    EXPECT_TRUE(
        b.logged({"%CRYPTO-6-IKMP_NOT_ENCRYPTED: IKE packet from 192.0.2.1 was not encrypted "
                  "and it should've been."}));
    expect_tunnel(a, b);
}

TEST_F(Exchange, AggressiveModeIsRefusedByName) {
    Gateway& b = right();
    Header header;
    header.cookies.initiator = Cookie{1};
    header.exchange = ExchangeType::Aggressive;
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, offer_phase1(test::left_config().phase1));
    network.give_datagram(b, {test::kLeft, 500}, 500, message.clear(header));
    EXPECT_EQ(b.failures(Failure::UnexpectedMessage), 1U);
    EXPECT_TRUE(b.logged({"aggressive mode is refused"}));
    EXPECT_TRUE(b.logged({"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Aggressive mode failed with "
                          "peer at 192.0.2.1"}));
    EXPECT_TRUE(b.is_empty());
}

TEST_F(Exchange, UnknownCookiesAreNamed) {
    Gateway& b = right();
    Header header;
    header.cookies = {Cookie{1}, Cookie{2}};
    header.exchange = ExchangeType::Informational;
    MessageBuilder message;
    network.give_datagram(b, {test::kLeft, 500}, 500, message.clear(header));
    EXPECT_EQ(b.failures(Failure::UnknownCookies), 1U);
    EXPECT_TRUE(
        b.logged({"%CRYPTO-4-IKMP_NO_SA: IKE message from 192.0.2.1 has no SA and is not an "
                  "initialization offer"}));
}

TEST_F(Exchange, DegeneratePublicValuesAreRefusedBeforeArithmetic) {
    for (const std::size_t kind : {0U, 1U, 2U, 3U, 4U}) {
        Network here{3};
        EngineConfig ours = test::left_config();
        EngineConfig theirs = test::right_config();
        ours.phase1.front().group = theirs.phase1.front().group = Group::Modp1024;
        Gateway& a = here.add("left", test::kLeft, ours, 1);
        Gateway& b = here.add("right", test::kRight, theirs, 2);
        const std::vector<Bytes> values = {
            Bytes(128, 0), Bytes(128, 0xff), Bytes(127, 5), Bytes(129, 5), Bytes{}};
        here.tap = [&](const SendDatagram& send) {
            const auto message = parse_clear(send.payload);
            if (send.local.address != test::kLeft || !message ||
                message->find(PayloadType::KeyExchange) == nullptr)
                return true;
            MessageBuilder forged;
            forged.add(PayloadType::KeyExchange, values[kind]);
            forged.add(PayloadType::Nonce, Bytes(32, 1));
            here.give_datagram(b, {test::kLeft, 500}, 500, forged.clear(message->header));
            return false;
        };
        here.give(a, test::initiate());
        here.run_for(std::chrono::seconds{1});
        EXPECT_EQ(b.failures(Failure::BadKeyExchange), 1U) << kind;
        here.run_for(std::chrono::minutes{3});
        EXPECT_TRUE(b.is_empty());
    }
}

} // namespace
} // namespace adit::ike
