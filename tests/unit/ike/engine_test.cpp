// SPDX-License-Identifier: Apache-2.0
// What happens to tunnels after they stand: deletes, dead peers, rekeys, NAT, new configurations,
// floods.
#include "control/ike/message.h"
#include "control/ike/proposal.h"
#include "tests/support/ike_network.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <set>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

class EngineLife : public ::testing::Test {
  protected:
    void up(EngineConfig ours = test::left_config(), EngineConfig theirs = test::right_config()) {
        a = &network.add("left", test::kLeft, std::move(ours), 1);
        b = &network.add("right", test::kRight, std::move(theirs), 2);
        network.give(*a, test::initiate());
        network.run_for(1s);
        ASSERT_EQ(a->installed.size(), 2U);
        ASSERT_EQ(b->installed.size(), 2U);
    }

    void expect_one_pair() {
        EXPECT_EQ(a->installed.size(), 2U);
        EXPECT_EQ(b->installed.size(), 2U);
        EXPECT_EQ(a->engine.isakmp_sas().size(), 1U);
        EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
        const auto ours = a->engine.child_sas();
        const auto theirs = b->engine.child_sas();
        ASSERT_EQ(ours.size(), 1U);
        ASSERT_EQ(theirs.size(), 1U);
        EXPECT_TRUE(ours.front().current);
        EXPECT_TRUE(theirs.front().current);
        EXPECT_EQ(ours.front().inbound_spi, theirs.front().outbound_spi);
        EXPECT_EQ(ours.front().outbound_spi, theirs.front().inbound_spi);
    }

    Network network{5};
    Gateway* a{nullptr};
    Gateway* b{nullptr};
};

// --- ends ----------------------------------------------------------------------------------------

TEST_F(EngineLife, ClearPhase2RemovesThePairOnBothSides) {
    up();
    network.give(*a, ClearPhase2{test::kRight});
    network.run_for(1s);
    EXPECT_TRUE(a->installed.empty());
    EXPECT_TRUE(b->installed.empty());
    EXPECT_EQ(a->engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
    EXPECT_TRUE(b->logged({"%CRYPTO-5-SESSION_STATUS: Crypto tunnel is DOWN."}));
}

TEST_F(EngineLife, ClearOfAnotherPeerTouchesNothing) {
    up();
    network.give(*a, ClearPhase2{Ipv4Address{203, 0, 113, 1}});
    network.give(*a, ClearPhase1{Ipv4Address{203, 0, 113, 1}, {}});
    network.give(*a, ClearPhase1{{}, ConnId{4711}});
    network.run_for(1s);
    expect_one_pair();
}

TEST_F(EngineLife, ClearPhase1EndsEverythingWithThePeer) {
    up();
    network.give(*b, ClearPhase1{});
    network.run_for(90s);
    EXPECT_TRUE(a->is_empty());
    EXPECT_TRUE(b->is_empty());
}

TEST_F(EngineLife, ShutdownTellsThePeer) {
    up();
    network.give(*a, Shutdown{});
    network.run_for(90s);
    EXPECT_TRUE(a->is_empty());
    EXPECT_TRUE(b->is_empty());
    EXPECT_EQ(b->engine.counters().deletes_in, 2U);
}

TEST_F(EngineLife, TunnelCanBeMadeAgainAfterItsEnd) {
    up();
    network.give(*a, ClearPhase1{});
    network.run_for(2s);
    network.give(*b, test::initiate());
    network.run_for(2s);
    expect_one_pair();
}

TEST_F(EngineLife, InitiatingWhatIsUpDoesNothing) {
    up();
    network.give(*a, test::initiate());
    network.give(*b, test::initiate());
    network.run_for(1s);
    expect_one_pair();
    EXPECT_EQ(a->engine.counters().phase2_established, 1U);
}

// --- dead peers ----------------------------------------------------------------------------------

EngineConfig with_dpd(EngineConfig config, bool periodic) {
    config.dpd = Dpd{10s, 3s, periodic};
    return config;
}

TEST_F(EngineLife, PeriodicDpdKeepsALivePeer) {
    up(with_dpd(test::left_config(), true));
    network.run_for(65s);
    EXPECT_EQ(a->engine.counters().dpd_sent, 6U);
    EXPECT_EQ(b->engine.counters().dpd_answered, 6U);
    expect_one_pair();
}

TEST_F(EngineLife, DeadPeerIsNamedAndRemoved) {
    up(with_dpd(test::left_config(), true));
    network.tap = [](const SendDatagram&) { return false; };
    network.run_for(100s);
    EXPECT_EQ(a->failures(Failure::DeadPeer), 1U);
    EXPECT_TRUE(a->logged({"no-reply", "5 DPD requests 3 s apart without an answer"}));
    EXPECT_TRUE(a->is_empty());
    EXPECT_EQ(b->installed.size(), 2U) << "nobody told the other side";
}

TEST_F(EngineLife, OnDemandDpdAsksOnlyWhenThePeerIsSilent) {
    up(with_dpd(test::left_config(), false));
    network.run_for(60s);
    EXPECT_EQ(a->engine.counters().dpd_sent, 0U);
    network.give(*a, PeerSilent{SaId{2002}});
    network.run_for(1s);
    EXPECT_EQ(a->engine.counters().dpd_sent, 1U);
    EXPECT_EQ(b->engine.counters().dpd_answered, 1U);
    network.run_for(60s);
    expect_one_pair();
}

// --- rekeying ------------------------------------------------------------------------------------

TEST_F(EngineLife, ChildIsReplacedBeforeItsEndWithoutAGap) {
    EngineConfig ours = test::left_config();
    EngineConfig theirs = test::right_config();
    ours.connections.front().lifetime = theirs.connections.front().lifetime = 300s;
    up(ours, theirs);
    std::set<Spi> seen;
    for (int second = 0; second < 1500; ++second) {
        network.run_for(1s);
        const auto children = a->engine.child_sas();
        EXPECT_TRUE(std::ranges::any_of(children, &ChildSaView::current)) << second;
        EXPECT_LE(children.size(), 2U);
        for (const ChildSaView& child : children) {
            seen.insert(child.inbound_spi);
            // The peer must be able to read what leaves by it.
            const bool readable = std::ranges::any_of(b->installed, [&](const auto& sa) {
                return sa.second.inbound && sa.second.spi == child.outbound_spi;
            });
            EXPECT_TRUE(readable || !child.current) << second;
        }
    }
    EXPECT_GE(seen.size(), 5U);
    EXPECT_EQ(a->engine.counters().phase1_established, 1U);
    EXPECT_EQ(b->failures(Failure::Phase2Timeout), 0U);
    network.run_for(30s);
    expect_one_pair();
}

TEST_F(EngineLife, VolumeLimitRekeys) {
    up();
    network.give(*a, SaLimitReached{SaId{2002}, false});
    network.run_for(30s);
    EXPECT_EQ(a->engine.counters().phase2_established, 2U);
    expect_one_pair();
}

TEST_F(EngineLife, HardLimitRemovesAndMakesAnew) {
    up();
    network.give(*a, SaLimitReached{SaId{2002}, true});
    network.run_for(30s);
    EXPECT_EQ(a->engine.counters().phase2_established, 2U);
    expect_one_pair();
}

TEST_F(EngineLife, RekeyOfBothSidesAtOnceEndsInOnePairOfBoth) {
    up();
    for (int round = 0; round < 100; ++round) {
        const SaId ours = a->engine.child_sas().back().outbound_sa;
        const SaId theirs = b->engine.child_sas().back().outbound_sa;
        network.give(*a, SaLimitReached{ours, false});
        network.give(*b, SaLimitReached{theirs, false});
        network.run_for(32s);
        ASSERT_LE(a->engine.child_sas().size(), 2U);
        expect_one_pair();
    }
}

TEST_F(EngineLife, IsakmpSaIsReplacedAndChildrenStay) {
    EngineConfig ours = test::left_config();
    EngineConfig theirs = test::right_config();
    ours.phase1.front().lifetime = theirs.phase1.front().lifetime = 600s;
    up(ours, theirs);
    const Spi before = a->engine.child_sas().front().inbound_spi;
    network.run_for(2000s);
    EXPECT_GE(a->engine.counters().phase1_established, 3U);
    EXPECT_EQ(a->engine.child_sas().front().inbound_spi, before);
    expect_one_pair();
    EXPECT_EQ(a->engine.child_sas().front().isakmp, a->engine.isakmp_sas().front().conn_id);
}

TEST_F(EngineLife, UnusedIsakmpSaExpires) {
    EngineConfig ours = test::left_config();
    ours.phase1.front().lifetime = 100s;
    up(ours);
    network.give(*a, ClearPhase2{});
    network.run_for(200s);
    EXPECT_TRUE(a->is_empty());
    EXPECT_TRUE(b->is_empty());
}

TEST_F(EngineLife, BothSidesInitiatingAtOnceEndInOnePair) {
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, test::right_config(), 2);
    network.give(*a, test::initiate());
    network.give(*b, test::initiate());
    network.run_for(40s);
    EXPECT_EQ(a->installed.size(), 2U);
    EXPECT_EQ(b->installed.size(), 2U);
    const auto ours = a->engine.child_sas();
    const auto theirs = b->engine.child_sas();
    ASSERT_EQ(ours.size(), 1U);
    ASSERT_EQ(theirs.size(), 1U);
    EXPECT_EQ(ours.front().inbound_spi, theirs.front().outbound_spi);
}

// --- restarts ------------------------------------------------------------------------------------

TEST_F(EngineLife, InitialContactClearsWhatTheRestartedPeerForgot) {
    up();
    network.run_for(10s);
    a->engine = Engine(
        std::make_shared<const EngineConfig>(test::left_config()), a->rng, a->spis, a->policies);
    a->installed.clear();
    network.give(*a, test::initiate());
    network.run_for(2s);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(b->installed.size(), 2U);
    EXPECT_EQ(a->installed.size(), 2U);
}

TEST_F(EngineLife, NextPeerOfTheListIsTriedWhenTheFirstIsSilent) {
    EngineConfig ours = test::left_config();
    const Ipv4Address nobody{198, 51, 100, 9};
    ours.connections.front().peers = {nobody, test::kRight};
    ours.keys.push_back({{nobody, 32}, test::secret("x")});
    a = &network.add("left", test::kLeft, ours, 1);
    b = &network.add("right", test::kRight, test::right_config(), 2);
    network.give(*a, test::initiate());
    network.run_for(63s);
    EXPECT_EQ(a->failures(Failure::Phase1Timeout), 1U);
    expect_one_pair();
}

// --- NAT -----------------------------------------------------------------------------------------

TEST_F(EngineLife, WithoutNatNothingFloats) {
    up();
    EXPECT_FALSE(a->engine.child_sas().front().udp_encapsulated);
    EXPECT_EQ(a->installed.begin()->second.remote.port, 0);
    EXPECT_EQ(network.keepalives, 0U);
}

TEST_F(EngineLife, EncapsulationMayBeWantedWithoutNat) {
    EngineConfig ours = test::left_config();
    ours.udp_always = true;
    up(ours, test::right_config());
    for (const Gateway* gateway : {a, b}) {
        EXPECT_TRUE(gateway->engine.child_sas().front().udp_encapsulated);
        EXPECT_EQ(gateway->installed.begin()->second.remote.port, 4500);
    }
    network.run_for(60s);
    EXPECT_GE(network.keepalives, 2U); // ours alone: the peer believes that we are behind a NAT
}

TEST_F(EngineLife, ResponderMayWantEncapsulation) {
    EngineConfig theirs = test::right_config();
    theirs.udp_always = true;
    up(test::left_config(), theirs);
    EXPECT_TRUE(a->engine.child_sas().front().udp_encapsulated);
    EXPECT_TRUE(b->engine.child_sas().front().udp_encapsulated);
}

/// The left side sits behind a translator that shows 203.0.113.7 and other ports.
TEST_F(EngineLife, BehindNatBothFloatAndTheMappingIsKept) {
    const Ipv4Address outside{203, 0, 113, 7};
    EngineConfig theirs = test::right_config();
    theirs.keys.front().peer = {outside, 32};
    theirs.connections.front().peers = {outside};
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, theirs, 2);
    const auto mapped = [](std::uint16_t port) {
        return static_cast<std::uint16_t>(port + 10'000);
    };
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kLeft) {
            network.give(
                *b,
                DatagramReceived{send.remote, {outside, mapped(send.local.port)}, send.payload});
            return false;
        }
        if (send.remote.address == outside) {
            network.give(*a,
                         DatagramReceived{
                             {test::kLeft, static_cast<std::uint16_t>(send.remote.port - 10'000)},
                             send.local,
                             send.payload});
            return false;
        }
        return true;
    };
    network.give(*a, test::initiate());
    network.run_for(1s);
    ASSERT_EQ(a->engine.child_sas().size(), 1U);
    ASSERT_EQ(b->engine.child_sas().size(), 1U);
    const ChildSaView ours = a->engine.child_sas().front();
    const ChildSaView theirs_view = b->engine.child_sas().front();
    EXPECT_TRUE(ours.udp_encapsulated);
    EXPECT_EQ(ours.remote, (Endpoint{test::kRight, 4500}));
    EXPECT_TRUE(theirs_view.udp_encapsulated);
    EXPECT_EQ(theirs_view.remote, (Endpoint{outside, 14'500}));
    EXPECT_EQ(b->engine.isakmp_sas().front().peer_identity, "192.0.2.1");
    network.run_for(61s);
    EXPECT_EQ(network.keepalives, 3U) << "only the side behind the NAT sends them";

    network.give(*b, PeerMovedTo{theirs_view.outbound_sa, {outside, 20'000}});
    EXPECT_EQ(b->engine.isakmp_sas().front().remote.port, 20'000);
    EXPECT_EQ(b->engine.child_sas().front().remote.port, 20'000);
}

TEST_F(EngineLife, TheOutboundHalfIsSeenOnceItIsThere) {
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, test::right_config(), 2);
    network.tap = [&](const SendDatagram& send) {
        const bool message3 = send.local.address == test::kLeft && !b->engine.child_sas().empty();
        return !message3; // lost
    };
    network.give(*a, test::initiate());
    network.run_for(1s);
    ASSERT_EQ(b->engine.child_sas().size(), 1U);
    EXPECT_EQ(b->engine.child_sas().front().outbound_spi, Spi{});
    EXPECT_EQ(b->installed.size(), 1U);
    network.tap = nullptr;
    network.run_for(5s);
    EXPECT_NE(b->engine.child_sas().front().outbound_spi, Spi{});
    EXPECT_EQ(b->installed.size(), 2U);
}

// --- new configurations --------------------------------------------------------------------------

TEST_F(EngineLife, SameConfigurationAgainChangesNothing) {
    up();
    EngineConfig again = test::left_config();
    again.generation = 2;
    network.give(*a, Reconfigure{std::make_shared<const EngineConfig>(again)});
    network.run_for(1s);
    expect_one_pair();
}

TEST_F(EngineLife, RemovedAccessListLineTakesItsPairAlong) {
    up();
    EngineConfig changed = test::left_config();
    changed.connections.front().flows.clear();
    network.give(*a, Reconfigure{std::make_shared<const EngineConfig>(changed)});
    network.run_for(1s);
    EXPECT_TRUE(a->installed.empty());
    EXPECT_TRUE(b->installed.empty());
    EXPECT_EQ(a->engine.isakmp_sas().size(), 1U);
}

TEST_F(EngineLife, ChangedKeyEndsTheIsakmpSaToo) {
    up();
    EngineConfig changed = test::left_config();
    changed.keys.front().key = test::secret("another");
    network.give(*a, Reconfigure{std::make_shared<const EngineConfig>(changed)});
    network.run_for(90s);
    EXPECT_TRUE(a->is_empty());
    EXPECT_TRUE(b->is_empty());
}

TEST_F(EngineLife, AnotherPeersConnectionMayComeAndGo) {
    up();
    EngineConfig changed = test::left_config();
    Connection other = changed.connections.front();
    other.name = "VPNMAP 20";
    other.peers = {Ipv4Address{203, 0, 113, 1}};
    other.flows.front().policy = PolicyId{1};
    changed.connections.push_back(other);
    network.give(*a, Reconfigure{std::make_shared<const EngineConfig>(changed)});
    network.run_for(1s);
    expect_one_pair();
}

// --- keys for a packet analyser ------------------------------------------------------------------

TEST_F(EngineLife, KeysAreExportedOnlyOnRequest) {
    up();
    EXPECT_TRUE(a->exported.empty());
    EXPECT_TRUE(a->debug.empty());
    a->engine.set_debug(true, true);
    network.give(*a, SaLimitReached{SaId{2002}, false});
    network.run_for(1s);
    ASSERT_EQ(a->exported.size(), 2U);
    EXPECT_EQ(a->exported.front().substr(0, 41),
              "\"IPv4\",\"192.0.2.20\",\"192.0.2.1\",\"0x100000");
    EXPECT_TRUE(std::ranges::any_of(a->debug, [](const std::string& line) {
        return line.starts_with("ISAKMP:(1001):beginning Quick Mode exchange, M-ID of ");
    }));
}

// --- strangers -----------------------------------------------------------------------------------

Bytes first_message(std::uint64_t cookie, const EngineConfig& config) {
    Header header;
    header.cookies.initiator = Cookie{cookie};
    header.exchange = ExchangeType::IdentityProtection;
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, offer_phase1(config.phase1));
    return message.clear(header);
}

TEST_F(EngineLife, FloodOfFirstMessagesLeavesRoomForThePeer) {
    EngineConfig theirs = test::right_config();
    theirs.keys.push_back({*parse_ipv4_prefix("0.0.0.0/0"), test::secret("anyone")});
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, theirs, 2);
    for (std::uint32_t i = 0; i < 20'000; ++i)
        network.give_datagram(
            *b, {Ipv4Address{0xc6336400U + i % 200}, 500}, 500, first_message(i + 1, theirs));
    EXPECT_LE(b->engine.isakmp_sas().size(), 1'000U);
    EXPECT_GT(b->failures(Failure::HalfOpenLimit), 18'000U);
    network.give(*a, test::initiate());
    network.run_for(1s);
    EXPECT_EQ(a->installed.size(), 2U);
    network.run_for(120s);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U) << "half-open exchanges are forgotten";
}

/// All tunnels of a large configuration at once: none fails for want of room, all come in time.
TEST(EngineLoad, AnswersToOursWaitForRoomForTheirJobs) {
    constexpr std::uint32_t kPeers = 1000;
    constexpr std::uint32_t kServed = 256; // by one engine that plays peers
    EngineConfig ours = test::left_config();
    const Connection first = ours.connections.front();
    ours.keys.front().peer.length = 0;
    ours.connections.clear();
    for (std::uint32_t i = 0; i < kPeers; ++i) {
        ours.connections.push_back(first);
        ours.connections.back().name += " " + std::to_string(i);
        ours.connections.back().peers = {Ipv4Address{test::kRight.value + i}};
    }
    Gateway us{"left", test::kLeft, ours, 1};
    std::unique_ptr<Gateway> peers;
    const Instant now{std::chrono::hours{1}};
    std::size_t jobs = 0;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
        if (i % kServed == 0)
            peers = std::make_unique<Gateway>("right", test::kRight, test::right_config(), i);
        Actions begun = us.engine.handle(
            Initiate{ours.connections[i].name, kNoPolicy, Initiate::Cause::Command}, now);
        auto& message1 = std::get<SendDatagram>(begun.front());
        Actions answered = peers->engine.handle(
            DatagramReceived{{test::kRight, 500}, message1.local, message1.payload}, now);
        auto& message2 = std::get<SendDatagram>(answered.front());
        for (const Action& action : us.engine.handle(
                 DatagramReceived{message1.local, message1.remote, message2.payload}, now))
            jobs += std::holds_alternative<StartJob>(action) ? 1 : 0;
    }
    EXPECT_EQ(jobs, 896U);
    EXPECT_EQ(us.engine.isakmp_sas().size(), kPeers);
    for (std::size_t i = 0; i < us.engine.counters().failures.size(); ++i)
        EXPECT_EQ(us.engine.counters().failures[i], 0U) << to_string(static_cast<Failure>(i));
}

/// Ten thousand a second in the peer's own name, while it waits for each of our answers.
TEST_F(EngineLife, FloodInThePeersNameDoesNotKeepItOut) {
    const EngineConfig theirs = test::right_config();
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, theirs, 2);
    std::uint64_t cookie = 0;
    const auto flood = [&](unsigned count) {
        for (unsigned i = 0; i < count; ++i)
            network.give_datagram(*b, {test::kLeft, 500}, 500, first_message(++cookie, theirs));
    };
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kLeft)
            flood(1'000);
        return parse_header(send.payload)->cookies.initiator.value >
               cookie; // ours, not the flood's
    };
    flood(Engine::kMaxUnanswered + 1'000);
    EXPECT_EQ(b->failures(Failure::HalfOpenLimit), 1'000U) << "the oldest made room";
    EXPECT_EQ(b->engine.isakmp_sas().size(), Engine::kMaxUnanswered);
    network.give(*a, test::initiate());
    network.run_for(2s);
    EXPECT_EQ(a->installed.size(), 2U);
    EXPECT_EQ(b->installed.size(), 2U);
    network.tap = nullptr;
    network.run_for(120s);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U) << "half-open exchanges are forgotten";
}

/// Strangers have a table of their own: they do not push out whom a crypto map names.
TEST_F(EngineLife, StrangersMakeRoomForStrangers) {
    EngineConfig theirs = test::right_config();
    theirs.keys.push_back({*parse_ipv4_prefix("0.0.0.0/0"), test::secret("anyone")});
    b = &network.add("right", test::kRight, theirs, 2);
    network.tap = [](const SendDatagram&) { return false; };
    network.give_datagram(*b, {test::kLeft, 500}, 500, first_message(1, theirs));
    for (std::uint32_t i = 0; i < Engine::kMaxUnanswered + 1'000; ++i) {
        network.give_datagram(
            *b, {Ipv4Address{0x0b000000U + (i << 8)}, 500}, 500, first_message(i + 2, theirs));
        if (i % 1'000 == 0)
            network.run_for(100ms);
    }
    EXPECT_EQ(b->failures(Failure::HalfOpenLimit), 1'000U);
    const auto sas = b->engine.isakmp_sas();
    EXPECT_EQ(sas.size(), Engine::kMaxUnanswered + 1);
    EXPECT_TRUE(std::ranges::any_of(
        sas, [](const IsakmpSaView& sa) { return sa.remote.address == test::kLeft; }));
}

TEST_F(EngineLife, SameInitiatorCookieFromElsewhereIsAnotherExchange) {
    EngineConfig theirs = test::right_config();
    theirs.keys.push_back({*parse_ipv4_prefix("0.0.0.0/0"), test::secret("anyone")});
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, theirs, 2);
    network.tap = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        if (send.local.address == test::kLeft && !header->encrypted()) {
            const std::uint64_t cookie = header->cookies.initiator.value;
            // From many addresses, and from the peer's own with other content.
            for (std::uint32_t i = 1; i < 20; ++i)
                network.give_datagram(*b,
                                      {Ipv4Address{203, 0, 113, static_cast<std::uint8_t>(i)}, 500},
                                      500,
                                      first_message(cookie, theirs));
            network.give_datagram(*b, {test::kLeft, 500}, 500, first_message(cookie, theirs));
        }
        return true;
    };
    network.give(*a, test::initiate());
    network.run_for(2s);
    EXPECT_EQ(a->installed.size(), 2U);
    EXPECT_EQ(b->installed.size(), 2U);
}

/// Every datagram another implementation ever said in a recorded exchange, damaged in every way.
TEST_F(EngineLife, DamagedRecordingsLeaveNothingBehind) {
    EngineConfig theirs = test::right_config();
    for (const CipherInfo& cipher : kCiphers) // what the recordings offer is acceptable
        theirs.phase1.push_back({1, cipher.cipher, HashAlgorithm::Sha1, Group::Modp2048, 1h});
    a = &network.add("left", test::kLeft, test::left_config(), 1);
    b = &network.add("right", test::kRight, theirs, 2);
    const auto give = [&](Bytes octets) {
        network.give_datagram(*b, {test::kLeft, 500}, 500, std::move(octets));
    };
    for (const auto& exchange : test::load_json("own/ike1_transcripts.json"))
        for (const auto& message : exchange.at("messages")) {
            const Bytes octets = test::unhex(message.at(1).get<std::string>());
            Bytes doubled = octets;
            doubled.insert(doubled.end(), octets.begin(), octets.end());
            give(std::move(doubled));
            for (std::size_t length = 0; length <= octets.size(); ++length)
                give({octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(length)});
            for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
                Bytes flipped = octets;
                flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << bit % 8));
                give(std::move(flipped));
            }
        }
    network.run_for(1s);
    network.give(*a, test::initiate());
    network.run_for(2s);
    EXPECT_EQ(a->installed.size(), 2U) << "the real peer is served all the same";
    network.run_for(120s);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
}

} // namespace
} // namespace adit::ike
