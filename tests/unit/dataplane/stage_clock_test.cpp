// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stage_clock.h"

#include <gtest/gtest.h>
#include <memory>

namespace adit::dataplane {
namespace {

using ipc::WorkerPart;

class StageClockTest : public ::testing::Test {
  protected:
    static constexpr std::uint64_t kWorkTicks = 10'000;

    static void work() {
        const std::uint64_t start = rte_rdtsc();
        while (rte_rdtsc() - start < kWorkTicks) {
        }
    }

    [[nodiscard]] std::uint64_t ticks(WorkerPart part) const {
        return ipc::read(stats->part_ticks[static_cast<std::size_t>(part)]);
    }

    [[nodiscard]] std::uint64_t packets(WorkerPart part) const {
        return ipc::read(stats->part_packets[static_cast<std::size_t>(part)]);
    }

    std::unique_ptr<ipc::CoreStats> stats = std::make_unique<ipc::CoreStats>();
    StageClock clock{*stats};
};

TEST_F(StageClockTest, SamplesOneTurnOfMany) {
    for (std::uint64_t turn = 0; turn < 3 * StageClock::kEvery; ++turn) {
        clock.start(turn);
        clock.lap(WorkerPart::Receive, 5);
        EXPECT_EQ(packets(WorkerPart::Receive), 5 * (turn / StageClock::kEvery + 1)) << turn;
    }
}

TEST_F(StageClockTest, CountsTheTicksOfAPartWithPackets) {
    clock.start(0);
    work();
    clock.lap(WorkerPart::Receive, 1);
    EXPECT_GE(ticks(WorkerPart::Receive), kWorkTicks);
    work();
    work();
    clock.lap(WorkerPart::Forward, 2);
    EXPECT_GE(ticks(WorkerPart::Forward), 2 * kWorkTicks);
    EXPECT_EQ(packets(WorkerPart::Forward), 2U);
}

TEST_F(StageClockTest, ChargesAPartWithoutPacketsToNobody) {
    clock.start(0);
    work();
    const std::uint64_t before = rte_rdtsc();
    clock.lap(WorkerPart::Receive, 0);
    clock.lap(WorkerPart::Forward, 1);
    EXPECT_LE(ticks(WorkerPart::Forward), rte_rdtsc() - before);
    EXPECT_EQ(ticks(WorkerPart::Receive), 0U);
    EXPECT_EQ(packets(WorkerPart::Receive), 0U);
}

TEST_F(StageClockTest, ChargesWhatIsSkippedToNobody) {
    clock.start(0);
    work();
    const std::uint64_t before = rte_rdtsc();
    clock.skip();
    clock.lap(WorkerPart::Transmit, 1);
    EXPECT_LE(ticks(WorkerPart::Transmit), rte_rdtsc() - before);
}

} // namespace
} // namespace adit::dataplane
