// SPDX-License-Identifier: Apache-2.0
// How tunnels come back after something was lost that IKEv1 does not acknowledge, and what must not
// be mixed up on the way. Each of these was found by the simulation (tests/sim).
#include "control/ike/message.h"
#include "control/ike/state.h"
#include "tests/support/two_gateways.h"

#include <gtest/gtest.h>

#include <numeric>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

bool is_informational(const SendDatagram& send) {
    return parse_header(send.payload)->exchange == ExchangeType::Informational;
}

class Recovery : public test::TwoGateways {};

// --- deletes that get lost ----------------------------------------------------------------------

TEST_F(Recovery, LostDeleteIsRepeatedWhenThePeerSendsIntoTheHole) {
    up();
    network.tap = [](const SendDatagram& send) { return !is_informational(send); };
    network.give(a, ClearPhase2{});
    network.run_for(1s);
    ASSERT_EQ(b.installed.size(), 2U);
    network.tap = nullptr;
    network.give(a, UnknownSpi{test::kLeft, test::kRight, b.outbound().spi});
    network.run_for(1s);
    EXPECT_TRUE(b.installed.empty());
}

TEST_F(Recovery, UnknownSpisOfStrangersAreNotAnswered) {
    std::size_t sent = 0;
    network.tap = [&](const SendDatagram&) { return ++sent != 0; };
    network.give(a, UnknownSpi{test::kLeft, {203, 0, 113, 5}, Spi{77}});
    network.give(a, UnknownSpi{test::kLeft, test::kRight, Spi{77}}); // no ISAKMP SA
    EXPECT_EQ(sent, 0U);
}

TEST_F(Recovery, InvalidSpiRecoveryBringsAPeerBackThatKnowsMoreThanWe) {
    EngineConfig config = test::left_config();
    config.invalid_spi_recovery = true;
    up();
    const Spi lost = b.outbound().spi;
    a.crash();
    network.give(a, Reconfigure{std::make_shared<const EngineConfig>(config)});
    network.give(a, UnknownSpi{test::kLeft, {203, 0, 113, 5}, lost}); // in no entry
    network.run_for(1s);
    EXPECT_TRUE(a.engine.isakmp_sas().empty());
    network.give(a, UnknownSpi{test::kLeft, test::kRight, lost});
    network.run_for(2s);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
    EXPECT_TRUE(b.installed.empty()) << "INITIAL-CONTACT";
}

TEST_F(Recovery, FloodOfUnknownSpisIsAnsweredWithinABudget) {
    up();
    std::size_t sent = 0;
    network.tap = [&](const SendDatagram&) { return ++sent != 0; };
    for (std::uint32_t spi = 1; spi <= 1'000; ++spi)
        network.give(a, UnknownSpi{test::kLeft, test::kRight, Spi{spi}});
    EXPECT_GT(sent, 0U);
    EXPECT_LE(sent, 20U);
    EXPECT_EQ(b.installed.size(), 2U);
}

/// Ours ends at a NAT that does not know us yet. When the peer has come by its own, what waited
/// goes on under that.
TEST_F(Recovery, FlowsDoNotWaitForAPhase1ThatGoesNowhere) {
    const auto with_two_flows = [](EngineConfig config, const char* local, const char* remote) {
        config.connections.front().flows.push_back(
            {PolicyId{1}, {test::range(local), test::range(remote), 0, {}, {}}, 20});
        return std::make_shared<const EngineConfig>(config);
    };
    network.give(a, Reconfigure{with_two_flows(test::left_config(), "10.1.0.0/16", "10.3.0.0/16")});
    network.give(b,
                 Reconfigure{with_two_flows(test::right_config(), "10.3.0.0/16", "10.1.0.0/16")});
    network.tap = [](const SendDatagram& send) {
        const bool first = parse_header(send.payload)->cookies.responder.value == 0;
        return !first || send.local.address != test::kLeft;
    };
    network.give(a, test::initiate(PolicyId{1}));
    network.run_for(1s);
    network.give(b, test::initiate(PolicyId{0}));
    network.run_for(2s);
    EXPECT_EQ(a.installed.size(), 4U);
    EXPECT_EQ(b.installed.size(), 4U);
    network.run_for(60s);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
}

/// The peer has lost its ISAKMP SA and its delete never came: quick modes under it stay unanswered,
/// whether or not keepalives are configured.
TEST_F(Recovery, UnansweredQuickModePutsTheIsakmpSaInDoubt) {
    up();
    b.crash();
    network.give(a, ClearPhase2{});
    network.give(a, test::initiate());
    network.run_for(40s);
    EXPECT_TRUE(a.engine.isakmp_sas().empty());
    EXPECT_EQ(a.failures(Failure::DeadPeer), 1U);
    network.give(a, test::initiate());
    network.run_for(1s);
    EXPECT_EQ(a.installed.size(), 2U);
    EXPECT_EQ(b.installed.size(), 2U);
}

/// We name no group and took the peer's; when we renew the pair it insists on it.
TEST_F(Recovery, PairIsRenewedInTheGroupThatThePeerAskedFor) {
    EngineConfig theirs = test::right_config();
    theirs.connections.front().pfs = Group::Ecp256;
    network.give(b, Reconfigure{std::make_shared<const EngineConfig>(theirs)});
    network.give(b, test::initiate());
    network.run_for(1s);
    ASSERT_EQ(a.installed.size(), 2U);
    for (std::uint64_t pairs = 2; pairs <= 3; ++pairs) { // also what we have renewed before
        network.give(a, SaLimitReached{a.engine.child_sas().back().outbound_sa, false});
        network.run_for(40s);
        EXPECT_EQ(a.engine.counters().phase2_established, pairs);
    }
    EXPECT_EQ(a.failures(Failure::Phase2Refused), 0U);
    for (const ChildSaView& child : a.engine.child_sas())
        EXPECT_EQ(child.pfs, Group::Ecp256);
}

/// It answers at first, and cannot be heard otherwise; then it loses the ISAKMP SA as well.
TEST_F(Recovery, UnansweredQuickModeIsInDoubtMoreThanOnce) {
    up();
    network.give(a, ClearPhase2{});
    network.run_for(1s);
    network.tap = [](const SendDatagram& send) {
        return send.local.address == test::kLeft || is_informational(send);
    };
    network.give(a, test::initiate());
    network.run_for(10s); // asked once, and answered
    EXPECT_EQ(a.engine.counters().dpd_sent, 1U);
    b.crash();
    network.run_for(30s);
    EXPECT_TRUE(a.engine.isakmp_sas().empty());
    EXPECT_EQ(a.failures(Failure::DeadPeer), 1U);
}

/// Notifications are not acknowledged either: a copy of the question brings the same refusal.
TEST_F(Recovery, LostRefusalIsRepeatedForACopy) {
    EngineConfig other = test::right_config();
    other.connections.front().transforms = {{"OTHER", EspCipher::AesGcm256, EspMac::None}};
    network.give(b, Reconfigure{std::make_shared<EngineConfig>(other)});
    bool lost = false;
    network.tap = [&](const SendDatagram& send) {
        return !is_informational(send) || std::exchange(lost, true);
    };
    network.give(a, test::initiate());
    network.run_for(1s);
    EXPECT_EQ(a.failures(Failure::Phase2Refused), 0U);
    network.run_for(1s);
    EXPECT_EQ(a.failures(Failure::Phase2Refused), 1U);
    EXPECT_EQ(b.failures(Failure::NoPhase2Proposal), 1U) << "one question, however often it comes";
}

/// Whoever cannot be asked by DPD is told, in case it lives and only could not answer.
TEST_F(Recovery, PeerWithoutDpdHearsOfTheEndOfItsIsakmpSa) {
    network.tap = [](SendDatagram& send) {
        constexpr std::uint8_t kDpdId[] = {0xaf, 0xca, 0xd7, 0x13}; // how it begins (RFC 3706 5.1)
        const auto found = std::ranges::search(send.payload, kDpdId);
        if (!found.empty())
            found.front() ^= 0xff;
        return true;
    };
    up();
    network.tap = [](const SendDatagram& send) {
        return parse_header(send.payload)->exchange != ExchangeType::QuickMode;
    };
    network.give(a, ClearPhase2{});
    network.give(a, test::initiate());
    network.run_for(55s);
    EXPECT_TRUE(a.engine.isakmp_sas().empty());
    EXPECT_TRUE(b.engine.isakmp_sas().empty());
}

/// One of two ISAKMP SAs is gone on the other side alone, without a word that arrived. The tunnel
/// stays up, whichever it is: the other one answers.
TEST(OneOfTwo, SilentIsakmpSaTakesNoTunnelAlong) {
    std::uint64_t dead = 0;
    for (const std::size_t which : {0U, 1U}) {
        Network network{11};
        Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
        Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
        b.spis.begin_at(Spi{0x20000000});
        network.give(a, test::initiate());
        network.give(b, test::initiate());
        network.run_for(30s); // and of two pairs one is left
        ASSERT_EQ(b.engine.isakmp_sas().size(), 2U);
        ASSERT_EQ(a.installed.size(), 2U);
        const ConnId gone = b.engine.isakmp_sas()[which].conn_id;
        network.tap = [](const SendDatagram&) { return false; };
        network.give(b, ClearPhase1{.peer = {}, .conn_id = gone});
        network.tap = nullptr;
        network.give(a, PeerSilent{a.engine.child_sas().front().outbound_sa});
        network.run_for(60s);
        dead += a.failures(Failure::DeadPeer);
        EXPECT_EQ(a.installed.size(), 2U);
    }
    EXPECT_EQ(dead, 1U) << "only the newest is asked";
}

/// It was true when it was said; what has come up on the other side since is not to be forgotten
/// without a word.
TEST_F(Recovery, InitialContactEndsAnOlderSaAloud) {
    up();
    b.crash();
    const auto deletes = a.engine.counters().deletes_out;
    network.give(b, test::initiate());
    network.run_for(1s);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(a.engine.counters().deletes_out, deletes + 1);
}

/// Within a minute of whatever an exchange was caught in, something fresh has begun.
TEST(Retransmission, EndsBeforeAMinuteIsOver) {
    EXPECT_LE(std::accumulate(kRetransmitGaps.begin(), kRetransmitGaps.end(), 0U), 50U);
}

/// Message 3 has no answer, and with nothing to negotiate nothing else would miss it.
TEST(AggressiveRecovery, LostMessageThreeIsSentAgain) {
    Network network{13};
    EngineConfig ours = test::left_config();
    ours.aggressive_peers.push_back({test::kRight, ours.keys.front().key, {}});
    EngineConfig theirs = test::right_config();
    theirs.aggressive = AggressiveMode::Enabled;
    Gateway& a = network.add("left", test::kLeft, ours, 1);
    Gateway& b = network.add("right", test::kRight, theirs, 2);
    network.give(a, test::initiate());
    network.run_for(1s);
    // A rekey of phase 1 alone.
    std::size_t lost = 0;
    network.tap = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        return header->exchange != ExchangeType::Aggressive || !header->encrypted() || lost++ != 0;
    };
    network.run_for(23h);
    ASSERT_GT(lost, 1U);
    EXPECT_EQ(a.engine.counters().phase1_established, b.engine.counters().phase1_established);
}

// --- NAT ----------------------------------------------------------------------------------------

constexpr Ipv4Address kOutside{198, 51, 100, 7};
constexpr Ipv4Address kFirst{192, 168, 7, 11};
constexpr Ipv4Address kSecond{192, 168, 7, 12};

/// Two spokes with the addresses of a private network, and a hub that sees one address.
class BehindNat : public ::testing::Test {
  protected:
    BehindNat() {
        nat.hide(kFirst);
        nat.hide(kSecond);
    }

    static EngineConfig hub_config() {
        EngineConfig config =
            test::gateway_config(test::kRight, kOutside, "10.2.0.0/16", "10.1.0.0/16");
        Connection second = config.connections.front();
        second.name = "VPNMAP 20";
        second.flows = {
            {PolicyId{1}, {test::range("10.2.0.0/16"), test::range("10.3.0.0/16"), 0, {}, {}}, 10}};
        config.connections.push_back(second);
        return config;
    }

    void up() {
        network.give(first, test::initiate());
        network.give(second, test::initiate());
        network.run_for(1s);
        ASSERT_EQ(first.installed.size(), 2U);
        ASSERT_EQ(second.installed.size(), 2U);
        ASSERT_EQ(hub.installed.size(), 4U);
    }

    [[nodiscard]] ChildSaView current(PolicyId policy) const {
        for (const ChildSaView& child : hub.engine.child_sas())
            if (child.policy == policy && child.current)
                return child;
        return {};
    }

    Network network{12};
    test::Nat& nat{network.add_nat(kOutside)};
    Gateway& hub{network.add("hub", test::kRight, hub_config(), 3)};
    Gateway& first{
        network.add("first",
                    kFirst,
                    test::gateway_config(kFirst, test::kRight, "10.1.0.0/16", "10.2.0.0/16"),
                    4)};
    Gateway& second{
        network.add("second",
                    kSecond,
                    test::gateway_config(kSecond, test::kRight, "10.3.0.0/16", "10.2.0.0/16"),
                    5)};
};

/// The hub cannot know whom to ask for what: it does not ask the same one for ever.
TEST_F(BehindNat, HubFindsThePeerThatHasTheFlow) {
    up();
    network.give(hub, ClearPhase2{});
    network.run_for(1s);
    ASSERT_TRUE(first.installed.empty() && second.installed.empty());
    for (unsigned seconds = 0; seconds < 20; ++seconds) {
        network.give(hub, Initiate{"VPNMAP 10", PolicyId{0}});
        network.give(hub, Initiate{"VPNMAP 20", PolicyId{1}});
        network.run_for(1s);
    }
    EXPECT_EQ(first.installed.size(), 2U);
    EXPECT_EQ(second.installed.size(), 2U);
}

TEST_F(BehindNat, HubRekeysWithThePeerThatHasTheFlow) {
    up();
    for (const PolicyId policy : {PolicyId{0}, PolicyId{1}})
        network.give(hub, SaLimitReached{current(policy).outbound_sa, false});
    network.run_for(60s);
    EXPECT_EQ(hub.installed.size(), 4U);
    EXPECT_EQ(hub.failures(Failure::ProxyRefused), 0U);
    EXPECT_EQ(first.failures(Failure::ProxyMismatch), 0U);
    EXPECT_EQ(second.failures(Failure::ProxyMismatch), 0U);
}

/// Each spoke chooses its SPIs alone: here both choose the same numbers.
TEST_F(BehindNat, DeleteOfOneSpokeLeavesTheOthersPair) {
    up();
    ASSERT_EQ(current(PolicyId{0}).outbound_spi, current(PolicyId{1}).outbound_spi);
    for (Gateway* spoke : {&second, &first}) {
        network.give(*spoke, ClearPhase2{});
        network.run_for(1s);
        EXPECT_TRUE(spoke->installed.empty());
        EXPECT_EQ(hub.installed.size(), spoke == &second ? 2U : 0U);
    }
}

TEST_F(BehindNat, HubTellsTheRightSpokeOfADelete) {
    up();
    network.give(hub, SaLimitReached{current(PolicyId{0}).outbound_sa, true});
    network.run_for(10ms);
    EXPECT_EQ(second.installed.size(), 2U);
    network.run_for(1s);
    EXPECT_EQ(first.installed.size(), 2U); // made anew at once
    EXPECT_EQ(hub.installed.size(), 4U);
}

/// An SA's endpoints never change in the dataplane: a peer that moved needs a fresh pair.
TEST_F(BehindNat, RebindingMovesTheTunnelToANewPair) {
    up();
    const ChildSaView before = current(PolicyId{0});
    nat.rebind();
    network.give(first, SaLimitReached{SaId{}, false});
    const Endpoint moved = nat.outwards({kFirst, kNatPort});
    ASSERT_NE(moved, before.remote);
    network.give(hub, PeerMovedTo{before.inbound_sa, moved});
    network.run_for(1s);
    const ChildSaView after = current(PolicyId{0});
    EXPECT_NE(after.outbound_spi, before.outbound_spi);
    EXPECT_EQ(after.remote, moved);
    EXPECT_EQ(hub.installed.at(after.outbound_sa).remote, moved);
    EXPECT_EQ(current(PolicyId{1}).inbound_sa, SaId{before.inbound_sa.value + 2});
}

/// The mapping changes while message 3 is on its way: a packet by the new inbound SA tells.
TEST_F(BehindNat, PairIsBornWhereThePeerHasMovedTo) {
    network.give(first, test::initiate());
    network.tap = [&](const SendDatagram& send) {
        return parse_header(send.payload)->exchange != ExchangeType::QuickMode ||
               first.installed.empty();
    };
    network.run_for(900ms);
    network.tap = nullptr;
    ASSERT_EQ(hub.installed.size(), 1U);
    nat.rebind();
    const Endpoint moved = nat.outwards({kFirst, kNatPort});
    network.give(hub, PeerMovedTo{hub.installed.begin()->first, moved});
    network.run_for(5s);
    EXPECT_EQ(hub.outbound().remote, moved);
}

/// Nobody answers the hub at the translator's port 500. What waits there holds up no rekey.
TEST_F(BehindNat, PhaseOneToNobodyDelaysNoFreshPair) {
    network.give(hub, test::initiate());
    up();
    nat.rebind();
    const Endpoint moved = nat.outwards({kFirst, kNatPort});
    network.give(hub, PeerMovedTo{current(PolicyId{0}).inbound_sa, moved});
    network.run_for(1s);
    EXPECT_EQ(hub.installed.at(current(PolicyId{0}).outbound_sa).remote, moved);
}

/// An answer is no longer than its question, and there is room for DPD by the longest hash.
TEST_F(BehindNat, AggressiveModeLeavesRoomForDpd) {
    EngineConfig config = first.config;
    config.phase1.front().hash = HashAlgorithm::Sha512;
    config.aggressive_peers.push_back({test::kRight, config.keys.front().key, {}});
    network.give(first, Reconfigure{std::make_shared<EngineConfig>(config)});
    config = hub.config;
    config.phase1.front().hash = HashAlgorithm::Sha512;
    config.aggressive = AggressiveMode::Enabled;
    network.give(hub, Reconfigure{std::make_shared<EngineConfig>(config)});
    network.give(first, test::initiate());
    network.run_for(2s);
    ASSERT_EQ(first.engine.isakmp_sas().size(), 1U);
    EXPECT_TRUE(first.engine.isakmp_sas().front().nat_traversal);
    EXPECT_TRUE(first.engine.isakmp_sas().front().dpd);
}

/// NAT-D payloads are not authenticated. Damage to one is no reason to disagree for a day.
TEST_F(Recovery, DamagedNatDiscoveryLeavesBothOfOneMind) {
    for (const Ipv4Address damaged : {test::kLeft, test::kRight}) {
        network.tap = [&](SendDatagram& send) {
            const auto message = parse_clear(send.payload);
            const bool meant = send.local.address == damaged && message &&
                               message->find(PayloadType::KeyExchange) != nullptr;
            if (meant)
                send.payload.back() ^= 1;
            return true;
        };
        network.give(a, test::initiate());
        network.run_for(2s);
        ASSERT_EQ(a.installed.size(), 2U);
        ASSERT_EQ(b.installed.size(), 2U);
        EXPECT_EQ(a.outbound().remote.port, b.outbound().remote.port);
        network.give(a, Shutdown{});
        network.run_for(1s);
    }
}

// --- both at once -------------------------------------------------------------------------------

/// Two negotiations with one peer are told apart by their cookies, whatever arrives in which order;
/// in the end there is one usable pair each way, and nothing more happens.
TEST(BothAtOnce, OneThousandTimesOnePairEachWayWithoutFlapping) {
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::SeededRng dice{seed};
        Network network{seed,
                        {.loss_percent = dice.below(20),
                         .double_percent = dice.below(20),
                         .delay_ms = 1 + dice.below(100),
                         .jitter_ms = dice.below(300)}};
        Gateway& a = network.add("left", test::kLeft, test::left_config(), 2 * seed);
        Gateway& b = network.add("right", test::kRight, test::right_config(), 2 * seed + 1);
        b.spis.begin_at(Spi{0x20000000});
        network.give(a, test::initiate());
        network.run_for(std::chrono::milliseconds{dice.below(200)});
        network.give(b, test::initiate());
        network.run_for(100s);
        network.set_weather({});
        network.run_for(100s);
        const std::uint64_t made = a.engine.counters().phase2_established;
        EXPECT_LE(made, 4U); // each side one, and once more where a loss made the peer let go
        ASSERT_EQ(a.engine.child_sas().size(), 1U);
        ASSERT_EQ(b.engine.child_sas().size(), 1U);
        EXPECT_EQ(a.inbound().key, b.outbound().key);
        EXPECT_EQ(b.inbound().key, a.outbound().key);
        EXPECT_LE(a.engine.isakmp_sas().size(), 2U);
        network.run_for(1000s);
        EXPECT_EQ(a.engine.counters().phase2_established, made);
        if (::testing::Test::HasFailure())
            return;
    }
}

} // namespace
} // namespace adit::ike
