// SPDX-License-Identifier: Apache-2.0
#include "control/event_loop.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace adit {
namespace {

struct EventLoopTest : ::testing::Test {
    EventLoop loop = *EventLoop::open();
    Instant now = MonotonicClock::now();
    std::string order;
};

TEST_F(EventLoopTest, TimersFireInOrderOfTimeThenOfSetting) {
    loop.call_at(now + std::chrono::milliseconds{2}, [&] { loop.stop(); });
    loop.call_at(now + std::chrono::milliseconds{1}, [&] { order += "b"; });
    loop.call_at(now, [&] { order += "a"; });
    loop.call_at(now + std::chrono::milliseconds{1}, [&] { order += "c"; });
    ASSERT_TRUE(loop.run());
    EXPECT_EQ(order, "abc");
}

TEST_F(EventLoopTest, CancelledTimerDoesNotFire) {
    const EventLoop::TimerId timer = loop.call_at(now, [&] { order += "x"; });
    loop.cancel(timer);
    loop.call_at(now, [&] { loop.stop(); });
    ASSERT_TRUE(loop.run());
    EXPECT_EQ(order, "");
}

TEST_F(EventLoopTest, CallbackMayRemoveADescriptorOfTheSameTurn) {
    const int first = eventfd(1, EFD_NONBLOCK);
    const int second = eventfd(1, EFD_NONBLOCK);
    const auto only_one = [&](int other) {
        return [&, other](std::uint32_t) {
            order += "x";
            loop.remove(other);
            loop.stop();
        };
    };
    ASSERT_TRUE(loop.add(first, EPOLLIN, only_one(second)));
    ASSERT_TRUE(loop.add(second, EPOLLIN, only_one(first)));
    ASSERT_TRUE(loop.run());
    EXPECT_EQ(order, "x");
    ::close(first);
    ::close(second);
}

TEST_F(EventLoopTest, DoesNotSleepWhileThereIsWork) {
    int turns = 0;
    loop.set_before_sleep([&] { return true; });
    loop.set_after_wake([&] {
        if (++turns == 3)
            loop.stop();
    });
    ASSERT_TRUE(loop.run()); // would wait for ever: there is no timer
    EXPECT_EQ(turns, 3);
}

} // namespace
} // namespace adit
