// SPDX-License-Identifier: Apache-2.0
#include "control/sa/sa_db.h"

#include "tests/support/journal_map.h"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace adit::sa {
namespace {

struct SaDbTest : ::testing::Test {
    std::array<ipc::SaStats, 4> inbound{}, outbound{};
    SaDb db{[this](const InstalledSa& sa) {
        return sa.inbound ? &inbound.at(sa.slot) : &outbound.at(sa.slot);
    }};

    void install(std::uint32_t id, std::uint32_t slot, bool is_inbound, std::uint64_t packets) {
        db.add({SaId{id}, Spi{0x10000000U + id}, WorkerId{0}, slot, is_inbound, PolicyId{7}});
        ipc::SaStats& stats = is_inbound ? inbound.at(slot) : outbound.at(slot);
        stats.sa_id = id;
        stats.packets = packets;
    }
};

TEST_F(SaDbTest, IdentityCountersRunOnAcrossARekey) {
    install(2001, 0, true, 10);
    install(2002, 0, false, 20);
    install(2003, 1, true, 5);
    db.remove(SaId{2001});
    inbound.at(0).packets = 999; // the slot counts for somebody else now
    const cli::FlowCounters counters = db.flow_counters(PolicyId{7});
    EXPECT_EQ(counters.decaps, 15U);
    EXPECT_EQ(counters.encaps, 20U);
}

TEST_F(SaDbTest, SlotOfAnotherSaCountsNothing) {
    install(2001, 0, true, 10);
    inbound.at(0).sa_id = 2009;
    EXPECT_EQ(db.flow_counters(PolicyId{7}).decaps, 0U);
    EXPECT_EQ(db.counters(SaId{2001}).packets, 0U);
}

TEST_F(SaDbTest, ClearedCountersStartAtZeroButTheSaKeepsItsOwn) {
    install(2001, 0, true, 10);
    db.reset_counters(PolicyId{7});
    inbound.at(0).packets = 12;
    EXPECT_EQ(db.flow_counters(PolicyId{7}).decaps, 2U);
    EXPECT_EQ(db.counters(SaId{2001}).packets, 12U);
}

TEST_F(SaDbTest, TheNextProcessCountsOn) {
    test::JournalMap journal;
    const auto stats_of = [this](const InstalledSa& sa) {
        return sa.inbound ? &inbound.at(sa.slot) : &outbound.at(sa.slot);
    };
    const auto note = [&](const std::vector<ike::JournalEntry>& entries) {
        journal.write(entries);
    };
    SaDb first{stats_of, note};
    const auto add = [&](std::uint32_t id, std::uint32_t slot, std::uint64_t packets) {
        inbound.at(slot).sa_id = id;
        inbound.at(slot).packets = packets;
        first.add({SaId{id}, Spi{id}, WorkerId{0}, slot, true, PolicyId{7}, {192, 0, 2, 1}});
    };
    add(2001, 0, 10);
    add(2003, 1, 30);
    first.remove(SaId{2001});
    first.reset_counters(PolicyId{7});
    inbound.at(1).packets = 31;
    std::vector<ike::JournalEntry> entries = journal.entries();
    SaDb second{stats_of};
    ASSERT_TRUE(second.resume(entries));
    EXPECT_EQ(second.flow_counters(PolicyId{7}).decaps, 1U);
    EXPECT_EQ(second.counters(SaId{2003}).packets, 31U);
    ASSERT_EQ(second.all().size(), 1U);
    EXPECT_EQ(second.all().front().peer, (Ipv4Address{192, 0, 2, 1}));
    entries.front().octets = SecretBuffer{3};
    EXPECT_FALSE(SaDb{stats_of}.resume(entries));
}

TEST_F(SaDbTest, RemovingTwiceFoldsOnce) {
    install(2001, 0, true, 10);
    db.remove(SaId{2001});
    db.remove(SaId{2001});
    EXPECT_EQ(db.flow_counters(PolicyId{7}).decaps, 10U);
}

} // namespace
} // namespace adit::sa
