// SPDX-License-Identifier: Apache-2.0
#include "control/sa/spi_allocator.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

namespace adit::sa {
namespace {

constexpr PolicyId kPolicy{7};

struct InboundSpisTest : ::testing::Test {
    SystemRng rng;
    InboundSpis spis{1, 4, rng};
};

TEST_F(InboundSpisTest, NamesWorkerAndSlotAndAvoidsReservedValues) {
    std::set<std::uint32_t> slots;
    for (int i = 0; i < 4; ++i) {
        const std::optional<Spi> spi = spis.allocate(kPolicy);
        ASSERT_TRUE(spi);
        EXPECT_EQ(spi_worker(*spi), WorkerId{0});
        EXPECT_GT(spi->value, 255U); // RFC 4303 2.1
        slots.insert(spi_slot(*spi));
    }
    EXPECT_EQ(slots.size(), 4U);
    EXPECT_FALSE(spis.allocate(kPolicy)) << "all slots are in use";
}

TEST_F(InboundSpisTest, WhatAControlBeforeGaveOutDoesNotComeAgain) {
    const Spi engines = *spis.allocate(kPolicy);
    const Spi boths = *spis.allocate(kPolicy);
    InboundSpis next{1, 4, rng};
    next.resume({{engines, kPolicy, true, false},
                 {boths, kPolicy, true, false},
                 {boths, kPolicy, false, true},
                 {make_spi(WorkerId{9}, 1, 1), kPolicy, true, false}}); // of no worker there is
    EXPECT_EQ(next.in_use(), 2U);
    std::set<std::uint32_t> slots{spi_slot(engines), spi_slot(boths)};
    slots.insert(spi_slot(*next.allocate(kPolicy)));
    slots.insert(spi_slot(*next.allocate(kPolicy)));
    EXPECT_EQ(slots.size(), 4U);
    next.release(boths);
    EXPECT_FALSE(next.allocate(kPolicy)) << "the dataplane still has it";
    next.release(engines);
    EXPECT_EQ(spi_slot(*next.allocate(kPolicy)), spi_slot(engines));
}

TEST_F(InboundSpisTest, SlotComesBackOnlyWhenEngineAndDataplaneLetGo) {
    std::vector<Spi> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(*spis.allocate(kPolicy));
    spis.installed(all[0]);
    spis.release(all[0]);
    EXPECT_FALSE(spis.allocate(kPolicy)) << "the dataplane still has it";
    spis.uninstalled(all[0]);
    const std::optional<Spi> again = spis.allocate(kPolicy);
    ASSERT_TRUE(again);
    EXPECT_EQ(spi_slot(*again), spi_slot(all[0]));
}

TEST_F(InboundSpisTest, ReleasingTwiceOrAStrangerChangesNothing) {
    const Spi spi = *spis.allocate(kPolicy);
    spis.release(spi);
    spis.release(spi);
    spis.uninstalled(spi);
    spis.release(Spi{0x12345678});
    EXPECT_EQ(spis.in_use(), 0U);
    std::set<std::uint32_t> slots;
    while (const std::optional<Spi> next = spis.allocate(kPolicy))
        slots.insert(spi_slot(*next));
    EXPECT_EQ(slots.size(), 4U);
}

struct SpisOfThreeWorkersTest : ::testing::Test {
    SystemRng rng;
    InboundSpis spis{3, 4, rng};

    WorkerId worker_of(std::uint32_t policy) {
        const std::optional<Spi> spi = spis.allocate(PolicyId{policy});
        ENSURE(spi.has_value());
        return spi_worker(*spi);
    }
};

TEST_F(SpisOfThreeWorkersTest, PoliciesSpreadOverTheWorkers) {
    std::map<WorkerId, int> pairs;
    for (std::uint32_t policy = 0; policy < 6; ++policy)
        ++pairs[worker_of(policy)];
    EXPECT_EQ(pairs,
              (std::map<WorkerId, int>{{WorkerId{0}, 2}, {WorkerId{1}, 2}, {WorkerId{2}, 2}}));
}

TEST_F(SpisOfThreeWorkersTest, ARekeyStaysWithTheWorkerOfTheSaBefore) {
    Spi before = *spis.allocate(kPolicy);
    const WorkerId home = spi_worker(before);
    for (std::uint32_t other = 100; other < 104; ++other)
        worker_of(other);
    for (int rekey = 0; rekey < 10; ++rekey) {
        const Spi next = *spis.allocate(kPolicy);
        EXPECT_EQ(spi_worker(next), home);
        spis.release(before);
        before = next;
    }
}

TEST_F(SpisOfThreeWorkersTest, APolicyWithoutSasGoesToTheWorkerWithTheFewest) {
    const Spi first = *spis.allocate(kPolicy);
    worker_of(100);
    worker_of(101);
    const Spi of_second = *spis.allocate(PolicyId{101}); // its worker has two now
    spis.release(first);
    EXPECT_EQ(spi_worker(*spis.allocate(PolicyId{102})), spi_worker(first));
    EXPECT_NE(spi_worker(*spis.allocate(kPolicy)), spi_worker(of_second));
}

TEST_F(SpisOfThreeWorkersTest, AFullWorkerIsLeftForAnother) {
    const WorkerId home = worker_of(7);
    for (int i = 1; i < 4; ++i)
        EXPECT_EQ(worker_of(7), home);
    EXPECT_NE(worker_of(7), home);
    EXPECT_EQ(spis.in_use(), 5U);
}

TEST_F(SpisOfThreeWorkersTest, EverySlotOfEveryWorkerIsGivenOutOnce) {
    std::set<Spi> given;
    std::uint32_t policy = 0;
    while (const std::optional<Spi> spi = spis.allocate(PolicyId{policy++ % 5}))
        given.insert(Spi{spi->value & 0xffffff}); // worker and slot
    EXPECT_EQ(given.size(), 12U);
}

TEST(SlotPool, WrapsAroundFromWhereItStarts) {
    SlotPool pool(3, 2);
    EXPECT_EQ(pool.take(), 2U);
    EXPECT_EQ(pool.take(), 0U);
    EXPECT_EQ(pool.take(), 1U);
    EXPECT_EQ(pool.take(), std::nullopt);
}

TEST(SlotPool, UsesSlotsInTurn) {
    SlotPool pool(3);
    EXPECT_EQ(pool.take(), 0U);
    pool.give_back(0);
    EXPECT_EQ(pool.take(), 1U);
    EXPECT_EQ(pool.take(), 2U);
    EXPECT_EQ(pool.take(), 0U);
    EXPECT_EQ(pool.take(), std::nullopt);
    EXPECT_EQ(pool.in_use(), 3U);
}

} // namespace
} // namespace adit::sa
