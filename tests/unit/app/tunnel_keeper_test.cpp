// SPDX-License-Identifier: Apache-2.0
#include "control/tunnel_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Change = TunnelKeeper::Change;

struct TunnelKeeperTest : ::testing::Test {
    static constexpr PolicyId kPolicy{7};

    static TunnelPlan plan(PolicyId policy, Ipv4Address remote = Ipv4Address(192, 0, 2, 20)) {
        TunnelPlan plan;
        plan.row.policy = policy.value;
        plan.local = Ipv4Address(192, 0, 2, 1);
        plan.remote = remote;
        return plan;
    }

    TunnelKeeperTest() { EXPECT_THAT(keeper.configure(plans, now), IsEmpty()); }

    bool falls_due() { return !keeper.due(now).empty(); }

    std::optional<Change> come_up(SaId sa) {
        keeper.expect(sa, kPolicy);
        return keeper.installed(sa, now);
    }

    std::map<std::string, TunnelPlan> plans{{"Tunnel10", plan(kPolicy)}};
    TunnelKeeper keeper;
    Instant now{std::chrono::hours{1}};
};

TEST_F(TunnelKeeperTest, IsTriedAtOnceAndThenEverMoreSeldom) {
    EXPECT_THAT(keeper.due(now), ElementsAre(Pair("Tunnel10", kPolicy)));
    std::vector<Duration> waits;
    for (int i = 0; i < 7; ++i) {
        const Instant next = keeper.next_due().value();
        waits.push_back(next - now);
        now = next - milliseconds{1};
        EXPECT_FALSE(falls_due());
        now = next;
        EXPECT_TRUE(falls_due());
    }
    EXPECT_THAT(
        waits,
        ElementsAre(
            seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16}, seconds{30}, seconds{30}));
    EXPECT_EQ(keeper.attempts(kPolicy), 8U);
}

TEST_F(TunnelKeeperTest, IsUpWhileAnSaIsThere) {
    keeper.expect(SaId{2002}, kPolicy);
    EXPECT_FALSE(keeper.is_up(kPolicy)) << "not before the dataplane has it";
    EXPECT_EQ(keeper.installed(SaId{2002}, now), (Change{"Tunnel10", kPolicy, true}));
    EXPECT_TRUE(keeper.is_up(kPolicy));
    EXPECT_EQ(keeper.next_due(), std::nullopt);
    // A rekey overlaps.
    EXPECT_EQ(come_up(SaId{2004}), std::nullopt);
    EXPECT_EQ(keeper.removed(SaId{2002}, now), std::nullopt);
    EXPECT_TRUE(keeper.is_up(kPolicy));
    EXPECT_EQ(keeper.removed(SaId{2004}, now), (Change{"Tunnel10", kPolicy, false}));
    EXPECT_FALSE(keeper.is_up(kPolicy));
    EXPECT_TRUE(keeper.next_due().has_value());
}

TEST_F(TunnelKeeperTest, OneThatLastedIsTriedSoonAndOneThatDidNotIsNot) {
    for (int i = 0; i < 3; ++i) {
        now = keeper.next_due().value_or(now);
        EXPECT_TRUE(falls_due());
    }
    come_up(SaId{2002});
    now += seconds{1};
    keeper.removed(SaId{2002}, now);
    EXPECT_EQ(*keeper.next_due() - now, seconds{8});
    come_up(SaId{2004});
    now += TunnelKeeper::kLasting;
    keeper.removed(SaId{2004}, now);
    EXPECT_EQ(*keeper.next_due() - now, TunnelKeeper::kShortestWait);
}

TEST_F(TunnelKeeperTest, SasOfOthersAndThoseRefusedMeanNothing) {
    keeper.expect(SaId{2002}, PolicyId{8});
    EXPECT_EQ(keeper.installed(SaId{2002}, now), std::nullopt);
    EXPECT_EQ(keeper.removed(SaId{2002}, now), std::nullopt);
    keeper.expect(SaId{2004}, kPolicy);
    EXPECT_EQ(keeper.removed(SaId{2004}, now), std::nullopt);
    EXPECT_EQ(keeper.installed(SaId{2004}, now), std::nullopt) << "removed before";
    EXPECT_FALSE(keeper.is_up(kPolicy));
}

TEST_F(TunnelKeeperTest, ReconfigurationLeavesAloneWhatDidNotChange) {
    come_up(SaId{2002});
    plans["Tunnel20"] = plan(PolicyId{8});
    EXPECT_THAT(keeper.configure(plans, now), IsEmpty());
    EXPECT_TRUE(keeper.is_up(kPolicy));
    EXPECT_THAT(keeper.due(now), ElementsAre(Pair("Tunnel20", PolicyId{8})));
    plans.erase("Tunnel10");
    EXPECT_THAT(keeper.configure(plans, now), ElementsAre(Change{"Tunnel10", kPolicy, false}));
    EXPECT_EQ(keeper.removed(SaId{2002}, now), std::nullopt) << "said already";
    // Its number goes to another one.
    plans["Tunnel30"] = plan(kPolicy);
    EXPECT_THAT(keeper.configure(plans, now), IsEmpty());
    EXPECT_FALSE(keeper.is_up(kPolicy));
    EXPECT_THAT(keeper.due(now), ElementsAre(Pair("Tunnel30", kPolicy)));
}

TEST_F(TunnelKeeperTest, AnotherPeerIsTriedAtOnce) {
    EXPECT_TRUE(falls_due());
    plans["Tunnel10"].remote = Ipv4Address(192, 0, 2, 30);
    keeper.configure(plans, now);
    EXPECT_TRUE(falls_due());
}

TEST_F(TunnelKeeperTest, ThousandsComeInLots) {
    for (std::uint32_t i = 0; i < 120; ++i)
        plans["Tunnel" + std::to_string(100 + i)] = plan(PolicyId{100 + i});
    keeper.configure(plans, now);
    EXPECT_EQ(keeper.due(now).size(), TunnelKeeper::kMaxAtOnce);
    EXPECT_EQ(keeper.due(now).size(), TunnelKeeper::kMaxAtOnce);
    EXPECT_EQ(keeper.due(now).size(), 21U);
    EXPECT_FALSE(falls_due());
}

TEST_F(TunnelKeeperTest, AnotherDataplaneBeginsAnew) {
    come_up(SaId{2002});
    EXPECT_THAT(keeper.start_over(now), ElementsAre(Change{"Tunnel10", kPolicy, false}));
    EXPECT_TRUE(falls_due());
    EXPECT_EQ(keeper.removed(SaId{2002}, now), std::nullopt);
}

} // namespace
} // namespace adit
