// SPDX-License-Identifier: Apache-2.0
#include "control/peer_history.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

using std::chrono::seconds;

constexpr Ipv4Address kPeer{192, 0, 2, 20};
constexpr Endpoint kPlain{Ipv4Address{192, 0, 2, 1}, 500};
constexpr Endpoint kFloated{Ipv4Address{192, 0, 2, 1}, 4500};

Instant at(int second) {
    return Instant{seconds{1000 + second}};
}

class PeerHistoryTest : public ::testing::Test {
  protected:
    cli::PeerRecord record() { return history.records(kPeer).at(0); }

    void receive(Endpoint local, const char* datagram, int second) {
        history.received(local, kPeer, as_bytes(datagram), at(second));
    }

    PeerHistory history{[](Ipv4Address peer) { return peer == kPeer; }};
};

TEST_F(PeerHistoryTest, CountsUntilSomethingNewComes) {
    history.sent(kPlain, kPeer, at(0));
    history.sent(kPlain, kPeer, at(1));
    EXPECT_EQ(record().plain.unanswered, 2U);
    EXPECT_EQ(record().plain.first_unanswered, at(0));
    receive(kPlain, "MM2", 2);
    EXPECT_EQ(record().plain.unanswered, 0U);
    history.sent(kFloated, kPeer, at(3));
    receive(kPlain, "MM2", 4); // the same again: it did not hear us
    EXPECT_EQ(record().floated.unanswered, 1U);
    EXPECT_EQ(record().repeats, 1U);
    receive(kFloated, "MM6", 5);
    EXPECT_EQ(record().floated.unanswered, 0U);
    EXPECT_EQ(record().repeats, 0U);
    EXPECT_EQ(record().floated.sent, 1U);
}

TEST_F(PeerHistoryTest, TakesCausesAndSessionsFromTheLog) {
    history.logged({Severity::Warning,
                    "VPNDIAG",
                    "CAUSE",
                    "peer 192.0.2.20: p2-proxy: they ask for x: y",
                    "192.0.2.20"},
                   at(0));
    history.logged({Severity::Notice,
                    "CRYPTO",
                    "SESSION_STATUS",
                    "Crypto tunnel is UP.  Peer 192.0.2.20:500       Id: x",
                    "192.0.2.20"},
                   at(1));
    history.logged({Severity::Notice, "SYS", "CONFIG_I", "Configured", ""}, at(2));
    ASSERT_EQ(record().events.size(), 2U);
    EXPECT_EQ(record().events[0].code, "p2-proxy");
    EXPECT_EQ(record().events[0].text, "they ask for x: y");
    EXPECT_EQ(record().events[1].code, "up");
}

TEST_F(PeerHistoryTest, TheSameAgainIsOneEvent) {
    history.note(kPeer, "no-reply", "message 1", at(0));
    history.note(kPeer, "up", "it works", at(1));
    history.note(kPeer, "no-reply", "message 1", at(2));
    ASSERT_EQ(record().events.size(), 2U);
    EXPECT_EQ(record().events[1].code, "no-reply");
    EXPECT_EQ(record().events[1].count, 2U);
    EXPECT_EQ(record().events[1].first, at(0));
    EXPECT_EQ(record().events[1].last, at(2));
}

TEST_F(PeerHistoryTest, EventsAndStrangersAreBounded) {
    for (int i = 0; i < 100; ++i)
        history.note(kPeer, "notify", std::to_string(i), at(i));
    EXPECT_EQ(record().events.size(), PeerHistory::kMaxEvents);
    EXPECT_EQ(record().events.back().text, "99");
    for (std::uint32_t i = 0; i < 3 * PeerHistory::kMaxStrangers; ++i)
        history.note(Ipv4Address{0x0a000000 + i}, "local-config", "no key", at(0));
    EXPECT_EQ(history.records(std::nullopt).size(), PeerHistory::kMaxStrangers + 1);
    EXPECT_EQ(record().events.back().text, "99") << "a flood of strangers costs no peer its record";
}

TEST_F(PeerHistoryTest, StrangersTrafficAloneIsNotRemembered) {
    history.received(kPlain, Ipv4Address{198, 51, 100, 1}, as_bytes("x"), at(0));
    EXPECT_TRUE(history.records(std::nullopt).empty());
}

} // namespace
} // namespace adit
