// SPDX-License-Identifier: Apache-2.0
#include "control/pair_activity.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

using namespace std::chrono_literals;

constexpr SaId kIn{2001};
constexpr SaId kOut{2002};
constexpr Instant kMade{1h};

/// One pair, made at kMade, and a dataplane that has counted what a test says.
class PairActivity : public ::testing::Test {
  protected:
    PairActivity() {
        db.add({kIn, Spi{1}, WorkerId{0}, 0, true, PolicyId{0}, {}});
        db.add({kOut, Spi{2}, WorkerId{0}, 0, false, PolicyId{0}, {}});
        in.sa_id = kIn.value;
        out.sa_id = kOut.value;
        pair.inbound_sa = kIn;
        pair.outbound_sa = kOut;
        pair.connection = "VPNMAP 10";
        pair.established_at = kMade;
        connection.name = pair.connection;
    }

    static void packet(ipc::SaStats& stats, Instant at) {
        stats.last_packet_ns = static_cast<std::uint64_t>(at.time_since_epoch().count());
    }

    std::vector<ike::Event> judge(Instant now) {
        config.connections = {connection};
        return judge_activity(config, {pair}, db, now);
    }

    bool is_idle_at(Instant now) {
        const auto events = judge(now);
        return events.size() == 1 && std::holds_alternative<ike::PairIdle>(events.front());
    }

    bool is_silent_at(Instant now) {
        const auto events = judge(now);
        return events.size() == 1 && std::holds_alternative<ike::PeerSilent>(events.front());
    }

    ipc::SaStats in{}, out{};
    sa::SaDb db{[this](const sa::InstalledSa& sa) { return sa.inbound ? &in : &out; }};
    ike::ChildSaView pair;
    ike::Connection connection;
    ike::EngineConfig config;
};

TEST_F(PairActivity, NobodyAsksWhatNothingConfigures) {
    EXPECT_TRUE(judge(kMade + 24h).empty());
    EXPECT_FALSE(activity_matters(config));
}

TEST_F(PairActivity, UnusedPairIsIdleAfterItsTime) {
    connection.idle_time = 60s;
    EXPECT_FALSE(is_idle_at(kMade + 60s - 1ns));
    EXPECT_TRUE(is_idle_at(kMade + 60s));
    EXPECT_TRUE(activity_matters(config));
}

TEST_F(PairActivity, PacketsOfEitherDirectionPutItOff) {
    connection.idle_time = 60s;
    packet(in, kMade + 50s);
    EXPECT_FALSE(is_idle_at(kMade + 109s));
    packet(out, kMade + 100s);
    EXPECT_FALSE(is_idle_at(kMade + 159s));
    EXPECT_TRUE(is_idle_at(kMade + 160s));
}

TEST_F(PairActivity, PairUnderWayIsNotJudged) {
    connection.idle_time = 60s;
    pair.outbound_sa = SaId{};
    EXPECT_FALSE(is_idle_at(kMade + 1h));
}

TEST_F(PairActivity, PeerIsSilentWhenWeSendAndHearNothing) {
    config.dpd = ike::Dpd{10s, 2s, false};
    packet(in, kMade + 5s);
    packet(out, kMade + 14s);
    EXPECT_FALSE(is_silent_at(kMade + 15s));
    packet(out, kMade + 16s);
    EXPECT_TRUE(is_silent_at(kMade + 17s));
    EXPECT_FALSE(is_silent_at(kMade + 40s)); // nor do we send any more
}

} // namespace
} // namespace adit
