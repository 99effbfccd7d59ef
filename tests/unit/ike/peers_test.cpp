// SPDX-License-Identifier: Apache-2.0
// An entry with two peers: which of them a tunnel begins with, and when it is the other one's turn.
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

constexpr Ipv4Address kFirst{192, 0, 2, 20};
constexpr Ipv4Address kSecond{192, 0, 2, 21};

class TwoPeers : public ::testing::Test {
  protected:
    void begin(bool prefers_first, bool idle_to_first = false) {
        EngineConfig ours = test::left_config();
        Connection& connection = ours.connections.front();
        connection.peers = {kFirst, kSecond};
        connection.prefers_first = prefers_first;
        connection.idle_to_first = idle_to_first;
        ours.keys.push_back({{kSecond, 32}, test::secret("correct horse battery")});
        ours.dpd = Dpd{10s, 2s, true};
        near = &network.add("near", test::kLeft, ours, 1);
        add("first", kFirst);
        add("second", kSecond);
        network.tap = [this](const SendDatagram& send) {
            return !(is_gone(send.local.address) || is_gone(send.remote.address));
        };
        ask();
        EXPECT_EQ(peer(), kFirst);
    }

    void add(const char* name, Ipv4Address address) {
        network.add(name,
                    address,
                    test::gateway_config(address, test::kLeft, "10.2.0.0/16", "10.1.0.0/16"),
                    address.value);
    }

    bool is_gone(Ipv4Address address) const { return gone == address; }

    /// A packet asks for an SA.
    void ask() {
        network.give(*near, test::initiate());
        network.run_for(1s);
    }

    /// Whom packets go to.
    Ipv4Address peer() const {
        for (const ChildSaView& pair : near->engine.child_sas())
            if (pair.current)
                return pair.remote.address;
        return {};
    }

    void idle() {
        network.give(*near, PairIdle{near->engine.child_sas().front().inbound_sa});
        network.run_for(1s);
        EXPECT_TRUE(near->engine.child_sas().empty());
    }

    Network network{31};
    Gateway* near{nullptr};
    std::optional<Ipv4Address> gone;
};

TEST_F(TwoPeers, NextOneTakesOverWhenDpdFindsTheFirstDead) {
    begin(false);
    gone = kFirst;
    network.run_for(21s); // 10 until it is asked, five questions 2 s apart
    EXPECT_EQ(near->failures(Failure::DeadPeer), 1U);
    EXPECT_TRUE(near->engine.child_sas().empty());
    ask();
    EXPECT_EQ(peer(), kSecond);
    EXPECT_TRUE(std::ranges::any_of(near->log, [](const std::string& line) {
        return line.find("CRYPTO-5-PEER_SWITCH: VPNMAP 10: peer 192.0.2.20 does not answer, the "
                         "turn is that of 192.0.2.21") != std::string::npos;
    }));
}

TEST_F(TwoPeers, TurnStaysWithTheSecondUntilThatFails) {
    begin(false);
    gone = kFirst;
    network.run_for(21s);
    ask();
    gone.reset();
    network.give(*near, ClearPhase2{});
    network.give(*near, ClearPhase1{});
    network.run_for(1s);
    ask();
    EXPECT_EQ(peer(), kSecond);
    gone = kSecond;
    network.run_for(21s);
    ask();
    EXPECT_EQ(peer(), kFirst);
}

TEST_F(TwoPeers, DefaultPeerIsTriedFirstWheneverATunnelBegins) {
    begin(true);
    gone = kFirst;
    network.run_for(21s);
    ask();
    ASSERT_EQ(peer(), kSecond);
    gone.reset();
    ask(); // there is a pair: nothing begins
    EXPECT_EQ(peer(), kSecond);
    network.give(*near, ClearPhase2{});
    network.run_for(1s);
    ask();
    EXPECT_EQ(peer(), kFirst);
}

TEST_F(TwoPeers, DefaultPeerThatIsStillGoneGivesItsTurnAway) {
    begin(true);
    gone = kFirst;
    network.run_for(21s);
    ask();
    network.give(*near, ClearPhase2{});
    network.run_for(1s);
    ask();
    network.run_for(60s);
    EXPECT_EQ(peer(), kSecond);
}

TEST_F(TwoPeers, IdlePairIsDeletedWithNotice) {
    begin(false);
    Gateway* first = nullptr;
    network.for_each_gateway([&](Gateway& gateway) {
        if (gateway.address == kFirst)
            first = &gateway;
    });
    ASSERT_EQ(first->engine.child_sas().size(), 1U);
    idle();
    EXPECT_TRUE(first->engine.child_sas().empty());
    EXPECT_EQ(near->engine.isakmp_sas().size(), 1U);
}

TEST_F(TwoPeers, IdleTimeWithDefaultReturnsToTheFirst) {
    begin(false, true);
    gone = kFirst;
    network.run_for(21s);
    ask();
    ASSERT_EQ(peer(), kSecond);
    gone.reset();
    idle();
    ask();
    EXPECT_EQ(peer(), kFirst);
}

TEST_F(TwoPeers, IdleTimeAloneStaysWithTheSecond) {
    begin(false);
    gone = kFirst;
    network.run_for(21s);
    ask();
    gone.reset();
    idle();
    ask();
    EXPECT_EQ(peer(), kSecond);
}

} // namespace
} // namespace adit::ike
