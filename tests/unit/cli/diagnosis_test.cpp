// SPDX-License-Identifier: Apache-2.0
// Which cause is named upon which evidence. That each evidence comes about by its fault is tested
// in tests/system/test_diagnose.py.
#include "control/cli/show_diagnose.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DiagnosisTest : public ::testing::Test {
  protected:
    DiagnosisTest() {
        snapshot.dataplane_attached = true;
        snapshot.isakmp.clear();
        for (FlowStatus& flow : snapshot.flows) {
            flow.children.clear();
            flow.counters.matches = 5;
        }
        snapshot.routes.push_back({RouteStatus::Source::Connected,
                                   Ipv4Prefix{Ipv4Address{192, 0, 2, 0}, 24},
                                   std::nullopt,
                                   "GigabitEthernet0/0",
                                   0,
                                   true});
        record.peer = test::kPeer;
    }

    void happened(const char* code, const char* text, seconds ago, std::uint32_t count = 1) {
        record.events.push_back({test::kNow - ago, test::kNow - ago, count, code, text});
    }

    void bring_up(std::uint64_t in, std::uint64_t out) {
        ChildSa child = test::sample_child();
        child.inbound.packets = in;
        child.outbound.packets = out;
        snapshot.flows.front().children = {child};
    }

    Diagnosis verdict() { return diagnose(snapshot, {record}).at(0); }

    Snapshot snapshot{test::sample()};
    PeerRecord record;
};

TEST_F(DiagnosisTest, NothingAskedYet) {
    snapshot.flows.front().counters.matches = 0;
    EXPECT_EQ(verdict().code, "no-traffic");
    EXPECT_EQ(verdict().condition, Condition::Idle);
}

TEST_F(DiagnosisTest, WithoutEvidenceNothingIsClaimed) {
    EXPECT_EQ(verdict().code, "unknown");
    EXPECT_EQ(verdict().confidence, Confidence::Possible);
}

TEST_F(DiagnosisTest, TheNewestRefusalDecides) {
    happened("psk-mismatch", "pre-shared key differs", seconds{60}, 3);
    EXPECT_EQ(verdict().code, "psk-mismatch");
    EXPECT_EQ(verdict().tries, 3U);
    EXPECT_THAT(verdict().there.at(0), HasSubstr("crypto isakmp key KEY address 192.0.2.1"));
    happened("p2-proxy", "they ask for another network", seconds{5});
    EXPECT_EQ(verdict().code, "p2-proxy");
    EXPECT_THAT(verdict().there.at(0),
                HasSubstr("permit ip 10.2.0.0 0.0.255.255 10.1.0.0 0.0.255.255"));
    EXPECT_THAT(verdict().there.at(2), HasSubstr("local_ts = 10.2.0.0/16"));
}

TEST_F(DiagnosisTest, WhatWasBeforeTheTunnelWasUpIsOver) {
    happened("psk-mismatch", "pre-shared key differs", seconds{60});
    happened("up", "Crypto tunnel is UP", seconds{50});
    EXPECT_EQ(verdict().code, "unknown");
}

TEST_F(DiagnosisTest, OldEventsDoNotExplainNow) {
    happened("psk-mismatch", "pre-shared key differs", seconds{3600});
    EXPECT_EQ(verdict().code, "unknown");
}

TEST_F(DiagnosisTest, SilenceIsNotARefusal) {
    happened("p1-notify", "peer says NO-PROPOSAL-CHOSEN", seconds{60});
    record.plain.unanswered = 2;
    record.plain.first_unanswered = test::kNow - seconds{20};
    EXPECT_EQ(verdict().code, "p1-notify");
    record.plain.unanswered = 3;
    EXPECT_EQ(verdict().code, "no-reply");
    EXPECT_EQ(verdict().confidence, Confidence::Likely);
    EXPECT_FALSE(verdict().alternatives.empty());
}

TEST_F(DiagnosisTest, SilenceOnPort4500Alone) {
    record.plain.last_received = test::kNow - seconds{20};
    record.floated.unanswered = 3;
    record.floated.first_unanswered = test::kNow - seconds{19};
    EXPECT_EQ(verdict().code, "one-way-4500");
    // Once there was an answer from there it is no filter on that port alone.
    record.floated.last_received = test::kNow - seconds{18};
    EXPECT_NE(verdict().code, "one-way-4500");
}

TEST_F(DiagnosisTest, AMessageAgainAndAgain) {
    record.plain.last_received = test::kNow - seconds{1};
    record.last_repeat = test::kNow - seconds{1};
    record.repeats = 1;
    EXPECT_EQ(verdict().code, "unknown");
    record.repeats = 2;
    EXPECT_EQ(verdict().code, "one-way-500");
}

TEST_F(DiagnosisTest, CrossingDeletesAreNoStaleSas) {
    happened("stale-sa", "Informational mode with cookies of no SA", seconds{5});
    EXPECT_EQ(verdict().code, "unknown");
    happened("invalid-spi", "192.0.2.20 -> 192.0.2.1, protocol 50", seconds{4});
    EXPECT_EQ(verdict().code, "stale-sa");
}

TEST_F(DiagnosisTest, APeerWithoutAKey) {
    config::Config config = *snapshot.config;
    config.isakmp_keys.clear();
    snapshot.config = std::make_shared<const config::Config>(std::move(config));
    EXPECT_EQ(verdict().code, "local-config");
    EXPECT_THAT(verdict().evidence.at(0).text, HasSubstr("192.0.2.20"));
}

TEST_F(DiagnosisTest, PacketsBothWaysAreWell) {
    bring_up(10, 10);
    EXPECT_EQ(verdict().condition, Condition::Up);
    EXPECT_EQ(show_diagnose(snapshot, {verdict()}, DiagnosesShown::Problems),
              "No tunnel has a problem\n");
}

TEST_F(DiagnosisTest, PacketsOneWayAreNot) {
    bring_up(0, 2);
    EXPECT_EQ(verdict().condition, Condition::Up) << "two packets may be on their way";
    bring_up(0, 3);
    EXPECT_EQ(verdict().code, "esp-blocked");
    EXPECT_EQ(verdict().confidence, Confidence::Likely);
    bring_up(3, 0);
    EXPECT_EQ(verdict().code, "no-return");
}

TEST_F(DiagnosisTest, SilenceAfterItWorked) {
    bring_up(100, 100);
    ChildSa& child = snapshot.flows.front().children.front();
    child.inbound.last_packet = test::kNow - seconds{20};
    child.outbound.last_packet = test::kNow - seconds{18};
    EXPECT_EQ(verdict().condition, Condition::Up) << "nobody sends any longer";
    child.outbound.last_packet = test::kNow - seconds{1};
    EXPECT_EQ(verdict().code, "esp-blocked");
    EXPECT_EQ(verdict().confidence, Confidence::Possible);
}

TEST_F(DiagnosisTest, DroppedPacketsOfATunnelThatIsUp) {
    bring_up(10, 10);
    happened("replay", "192.0.2.20 -> 192.0.2.1, protocol 50", seconds{3600});
    EXPECT_EQ(verdict().condition, Condition::Up) << "before these SAs";
    happened("replay", "192.0.2.20 -> 192.0.2.1, protocol 50", seconds{5});
    EXPECT_EQ(verdict().code, "replay");
    EXPECT_EQ(verdict().condition, Condition::Degraded);
}

TEST_F(DiagnosisTest, OurOwnTroubleComesFirst) {
    happened("psk-mismatch", "pre-shared key differs", seconds{5});
    snapshot.interfaces.front().link_up = false;
    EXPECT_EQ(verdict().code, "interface");
    snapshot.dataplane_attached = false;
    EXPECT_EQ(verdict().code, "dataplane");
}

TEST_F(DiagnosisTest, NoRouteToThePeer) {
    snapshot.routes.clear();
    EXPECT_EQ(verdict().code, "no-route");
}

TEST_F(DiagnosisTest, EntriesThatNothingIsTriedFor) {
    snapshot.flows.clear();
    config::Config config = *snapshot.config;
    config.access_lists.clear();
    snapshot.config = std::make_shared<const config::Config>(config);
    EXPECT_EQ(verdict().code, "local-config");
    EXPECT_EQ(verdict().peer.address, test::kPeer);
    EXPECT_THAT(verdict().evidence.at(0).text, HasSubstr("match address"));
    config.interfaces.at("GigabitEthernet0/0").shutdown = true;
    snapshot.config = std::make_shared<const config::Config>(config);
    EXPECT_EQ(verdict().code, "interface");
    config.interfaces.at("GigabitEthernet0/0").crypto_map.clear();
    snapshot.config = std::make_shared<const config::Config>(config);
    EXPECT_THAT(verdict().evidence.at(0).text, HasSubstr("on no interface"));
}

TEST_F(DiagnosisTest, IsAskedForByPeer) {
    EXPECT_THAT(diagnose(snapshot, {record}, Ipv4Address(198, 51, 100, 9)), IsEmpty());
    EXPECT_EQ(diagnose(snapshot, {record}, test::kPeer).size(), 1U);
}

TEST_F(DiagnosisTest, IsPrintedWithEvidenceCauseAndRemedy) {
    happened("psk-mismatch", "pre-shared key differs", seconds{65}, 14);
    EXPECT_EQ(show_diagnose(snapshot, {verdict()}, DiagnosesShown::Problems),
              "VPNMAP 10, peer 192.0.2.20\n"
              "  DOWN  psk-mismatch  since 09:04:17 (14 tries)\n"
              "  Evidence:\n"
              "    1. 09:04:17  pre-shared key differs (14 times)\n"
              "  Cause (likely): the pre-shared keys differ\n"
              "  Not ruled out: damaged messages, if it does not happen every time\n"
              "  Here:  crypto isakmp key <hidden> address 192.0.2.20\n"
              "  There: IOS: crypto isakmp key KEY address 192.0.2.1\n"
              "         ASA: tunnel-group 192.0.2.1 ipsec-attributes / ikev1 pre-shared-key KEY\n"
              "         strongSwan: secrets { ike-1 { id = 192.0.2.1 / secret = KEY } }\n"
              "  Next:  type the key again at both ends; blanks behind it count\n");
}

TEST_F(DiagnosisTest, HistoryIsPrintedOldestFirst) {
    record.plain.sent = 7;
    record.floated.received = 2;
    happened("down", "Crypto tunnel is DOWN.", seconds{30});
    happened("no-reply", "5 DPD requests", seconds{10}, 2);
    EXPECT_EQ(show_history(snapshot, {record}),
              "Peer 192.0.2.20\n"
              "  UDP 500   sent 7, received 0, unanswered 0\n"
              "  UDP 4500  sent 0, received 2, unanswered 0\n"
              "  09:04:52  down             Crypto tunnel is DOWN.\n"
              "  09:05:12  no-reply         5 DPD requests (2 times since 09:05:12)\n");
}

} // namespace
} // namespace adit::cli
