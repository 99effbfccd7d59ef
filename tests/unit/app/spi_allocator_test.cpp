// SPDX-License-Identifier: Apache-2.0
#include "control/sa/spi_allocator.h"

#include <gtest/gtest.h>
#include <set>

namespace adit::sa {
namespace {

struct InboundSpisTest : ::testing::Test {
    SystemRng rng;
    InboundSpis spis{4, rng};
};

TEST_F(InboundSpisTest, NamesWorkerAndSlotAndAvoidsReservedValues) {
    std::set<std::uint32_t> slots;
    for (int i = 0; i < 4; ++i) {
        const std::optional<Spi> spi = spis.allocate();
        ASSERT_TRUE(spi);
        EXPECT_EQ(spi_worker(*spi), WorkerId{0});
        EXPECT_GT(spi->value, 255U); // RFC 4303 2.1
        slots.insert(spi_slot(*spi));
    }
    EXPECT_EQ(slots.size(), 4U);
    EXPECT_FALSE(spis.allocate()) << "all slots are in use";
}

TEST_F(InboundSpisTest, SlotComesBackOnlyWhenEngineAndDataplaneLetGo) {
    std::vector<Spi> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(*spis.allocate());
    spis.installed(all[0]);
    spis.release(all[0]);
    EXPECT_FALSE(spis.allocate()) << "the dataplane still has it";
    spis.uninstalled(all[0]);
    const std::optional<Spi> again = spis.allocate();
    ASSERT_TRUE(again);
    EXPECT_EQ(spi_slot(*again), spi_slot(all[0]));
}

TEST_F(InboundSpisTest, ReleasingTwiceOrAStrangerChangesNothing) {
    const Spi spi = *spis.allocate();
    spis.release(spi);
    spis.release(spi);
    spis.uninstalled(spi);
    spis.release(Spi{0x12345678});
    EXPECT_EQ(spis.in_use(), 0U);
    std::set<std::uint32_t> slots;
    while (const std::optional<Spi> next = spis.allocate())
        slots.insert(spi_slot(*next));
    EXPECT_EQ(slots.size(), 4U);
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
