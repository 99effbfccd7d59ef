// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_metrics.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <sstream>

namespace adit::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

PeerRecord record() {
    PeerRecord record;
    record.peer = test::kPeer;
    record.events.push_back(
        {test::kNow - seconds{90}, test::kNow - seconds{60}, 3, "down", "DOWN"});
    record.events.push_back({test::kNow - seconds{80}, test::kNow - seconds{50}, 3, "up", "UP"});
    return record;
}

Snapshot attached() {
    Snapshot snapshot = test::sample();
    snapshot.dataplane_attached = true;
    snapshot.cores.push_back({"worker 0", 7, 3'000'000'000, 5'000'000'000, {}});
    snapshot.cores.front().drops[1] = 9;
    return snapshot;
}

/// Each line is a comment or a sample of the family above it, and no sample comes twice.
TEST(ShowMetrics, KeepsTheTextFormat) {
    const std::regex sample{R"(([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9]+)"};
    std::istringstream lines(show_metrics(attached(), {record()}));
    std::set<std::string> families;
    std::set<std::string> seen;
    std::string family;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(families.insert(family).second) << family;
            continue;
        }
        if (line.starts_with("# TYPE " + family)) {
            EXPECT_EQ(family.ends_with("_total"), line.ends_with(" counter")) << line;
            continue;
        }
        std::smatch match;
        ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
        EXPECT_EQ(match[1], family) << line;
        EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
    EXPECT_GT(families.size(), 25U);
}

TEST(ShowMetrics, SaysWhatTheTablesSay) {
    const std::string text = show_metrics(attached(), {record()});
    for (const char* line : {
             "vpn_tunnel_up{tunnel=\"VPNMAP 10\",peer=\"192.0.2.20\"} 1\n",
             "vpn_ike_sas{state=\"established\",role=\"responder\"} 1\n",
             "vpn_ipsec_sas{direction=\"in\"} 1\n",
             "vpn_ipsec_sa_packets_total{peer=\"192.0.2.20\",local_ts=\"10.1.0.0/16\","
             "remote_ts=\"10.2.0.0/16\",direction=\"out\"} 1205\n",
             "vpn_tunnel_flaps_total{peer=\"192.0.2.20\"} 3\n",
             "vpn_dataplane_core_busy_seconds_total{core=\"worker 0\"} 3\n",
         })
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(text, Not(HasSubstr("vpn_tunnel_down_cause{")));
}

TEST(ShowMetrics, ATunnelThatIsDownSaysWhy) {
    Snapshot snapshot = attached();
    snapshot.dataplane_attached = false;
    EXPECT_THAT(show_metrics(snapshot, {}),
                HasSubstr("vpn_tunnel_down_cause{tunnel=\"VPNMAP 10\",peer=\"192.0.2.20\","
                          "cause=\"dataplane\"} 1\n"));
}

TEST(ShowMetrics, LabelsAreBoundedByTheConfiguration) {
    Snapshot snapshot = attached();
    FlowStatus flow = test::sample_flow();
    flow.dynamic_map = "DYN/10";
    for (std::uint32_t i = 0; i < 5; ++i) {
        flow.peer.address = Ipv4Address{0x0a000001 + i};
        snapshot.flows.push_back(flow);
    }
    PeerRecord stranger = record();
    stranger.peer = Ipv4Address{198, 51, 100, 7};
    const std::string text = show_metrics(snapshot, {record(), stranger});
    EXPECT_THAT(text,
                HasSubstr("vpn_ipsec_sa_packets_total{peer=\"dynamic\",map=\"DYN/10\","
                          "direction=\"out\"} 6025\n"));
    EXPECT_THAT(text, Not(HasSubstr("198.51.100.7")));
}

} // namespace
} // namespace adit::cli
