// SPDX-License-Identifier: Apache-2.0
#include "common/stall_watch.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

using namespace std::chrono_literals;
using Change = StallWatch::Change;

class Stalls : public ::testing::Test {
  protected:
    /// A quarter of a second passes.
    Change look() {
        now += 250ms;
        if (beating)
            beat = now;
        return watch.look(static_cast<std::uint64_t>(beat.time_since_epoch().count()), now);
    }

    StallWatch watch;
    Instant now{1h};
    Instant beat;
    bool beating{true};
};

TEST_F(Stalls, NothingIsSaidOfALivingNeighbour) {
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(look(), Change::None);
}

TEST_F(Stalls, SaidOnceWithinASecondAndOnceAtTheEnd) {
    look();
    look();
    beating = false;
    EXPECT_EQ(look(), Change::None);
    EXPECT_EQ(look(), Change::None);
    EXPECT_EQ(look(), Change::Stalled);
    EXPECT_EQ(watch.silence(), 750ms);
    for (int i = 0; i < 37; ++i)
        EXPECT_EQ(look(), Change::None);
    EXPECT_EQ(watch.silence(), 10s);
    beating = true;
    EXPECT_EQ(look(), Change::Resumed);
    EXPECT_EQ(watch.silence(), 10s);
    EXPECT_EQ(look(), Change::None);
}

TEST_F(Stalls, NeighbourThatHasNotBegunIsNotMissed) {
    beating = false;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(look(), Change::None);
}

TEST_F(Stalls, WhoeverStoodStillHimselfSaysNothing) {
    look();
    look();
    now += 10s; // and the neighbour as well
    beating = false;
    EXPECT_EQ(look(), Change::None);
    beating = true;
    EXPECT_EQ(look(), Change::None);
}

} // namespace
} // namespace adit
