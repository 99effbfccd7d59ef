// SPDX-License-Identifier: Apache-2.0
// Which of two pairs packets leave by while one replaces the other.
#include "control/ike/held_outbound.h"
#include "tests/support/two_gateways.h"

#include <algorithm>

namespace adit::ike {
namespace {

using namespace std::chrono_literals;
using test::Gateway;

/// Volume spent this slowly lasts for more than kLongestHold.
constexpr Duration kLong = 30min;

class Handover : public test::TwoGateways {
  protected:
    static std::size_t outbound(const Gateway& gateway) {
        return static_cast<std::size_t>(std::ranges::count_if(
            gateway.installed, [](const auto& entry) { return !entry.second.inbound; }));
    }

    /// `by` makes a second pair.
    void rekey(Gateway& by) {
        network.give(by, SaLimitReached{by.engine.child_sas().front().outbound_sa, false});
        network.run_for(100ms);
        ASSERT_EQ(a.engine.child_sas().size(), 2U);
        ASSERT_EQ(b.engine.child_sas().size(), 2U);
    }

    static SaId newest_inbound(const Gateway& gateway) {
        return gateway.engine.child_sas().back().inbound_sa;
    }
};

TEST_F(Handover, FirstPairIsUsedAtOnce) {
    up();
    EXPECT_EQ(outbound(a), 1U);
    EXPECT_TRUE(a.engine.awaited().empty());
}

TEST_F(Handover, InitiatorSendsByTheOldPairUntilThePeerUsesTheNewOne) {
    up();
    network.run_for(kLong);
    rekey(a);
    EXPECT_EQ(outbound(a), 1U);
    ASSERT_EQ(a.engine.awaited(), std::vector{newest_inbound(a)});
    network.give(a, PeerUses{newest_inbound(a)});
    EXPECT_EQ(outbound(a), 2U);
    EXPECT_TRUE(a.engine.awaited().empty());
    network.give(a, PeerUses{newest_inbound(a)}); // told twice
    EXPECT_EQ(outbound(a), 2U);
}

TEST_F(Handover, ResponderUsesTheNewPairWithMessage3) {
    up();
    rekey(a);
    EXPECT_EQ(outbound(b), 2U);
    EXPECT_TRUE(b.engine.awaited().empty());
}

TEST_F(Handover, SilentPeerIsTrustedAfterAWhile) {
    up();
    network.run_for(kLong);
    rekey(a);
    network.run_for(kLongestHold - 200ms);
    EXPECT_EQ(outbound(a), 1U);
    network.run_for(500ms);
    EXPECT_EQ(outbound(a), 2U);
    network.run_for(60s);
    EXPECT_EQ(outbound(a), 1U);
    EXPECT_EQ(a.engine.child_sas().size(), 1U);
}

TEST_F(Handover, FastSpendingOfVolumeShortensTheWait) {
    up(); // 1 s ago
    network.run_for(8s);
    rekey(a);
    EXPECT_EQ(outbound(a), 1U);
    network.run_for(300ms);
    EXPECT_EQ(outbound(a), 1U);
    network.run_for(200ms); // 9 s / 18
    EXPECT_EQ(outbound(a), 2U);
}

TEST_F(Handover, OldPairSpentEndsTheWait) {
    up();
    network.run_for(kLong);
    const SaId old = a.engine.child_sas().front().outbound_sa;
    rekey(a);
    network.give(a, SaLimitReached{old, true});
    EXPECT_EQ(outbound(a), 1U);
    EXPECT_FALSE(a.installed.contains(old));
    EXPECT_TRUE(a.engine.awaited().empty());
}

TEST_F(Handover, PeerThatDropsTheOldPairEndsTheWait) {
    up();
    network.run_for(kLong);
    const SaId old_at_b = b.engine.child_sas().front().outbound_sa;
    const SaId old_at_a = a.engine.child_sas().front().outbound_sa;
    rekey(a);
    network.give(b, SaLimitReached{old_at_b, true});
    network.run_for(100ms);
    EXPECT_FALSE(a.installed.contains(old_at_a));
    EXPECT_EQ(outbound(a), 1U);
}

TEST_F(Handover, NewPairThatIsDeletedNeverGetsItsTurn) {
    up();
    network.run_for(kLong);
    rekey(a);
    network.give(b, SaLimitReached{newest_inbound(b), true});
    network.run_for(kLongestHold + 1s);
    EXPECT_TRUE(a.engine.awaited().empty());
    for (const ChildSaView& child : a.engine.child_sas()) {
        EXPECT_TRUE(!child.current || a.installed.contains(child.outbound_sa));
    }
}

} // namespace
} // namespace adit::ike
