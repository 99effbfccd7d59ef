// SPDX-License-Identifier: Apache-2.0
#include "dataplane/rcu.h"

#include <gtest/gtest.h>
#include <memory>

namespace adit::dataplane {
namespace {

constexpr unsigned kWorker = 0;

/// Says when it is freed.
struct Object {
    explicit Object(bool& flag) : freed(flag) {}

    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    ~Object() { freed = true; }

    bool& freed;
};

class RcuTest : public ::testing::Test {
  protected:
    RcuTest() { rcu.join(kWorker); }

    Rcu rcu{1};
    Published<Object> published{rcu};
    bool first_freed{false}, second_freed{false};
};

TEST_F(RcuTest, KeepsWhatAWorkerMayHold) {
    published.publish(std::make_unique<Object>(first_freed));
    const Object* held = published.load();
    published.publish(std::make_unique<Object>(second_freed));
    published.reclaim();
    EXPECT_FALSE(first_freed);
    EXPECT_NE(published.load(), held);
}

TEST_F(RcuTest, WorkersFreeNothingThemselves) {
    published.publish(std::make_unique<Object>(first_freed));
    published.publish(std::make_unique<Object>(second_freed));
    rcu.quiescent(kWorker);
    EXPECT_FALSE(first_freed);
    published.reclaim();
    EXPECT_TRUE(first_freed);
    EXPECT_FALSE(second_freed);
}

TEST_F(RcuTest, WaitsForNoWorkerThatHasLeft) {
    published.publish(std::make_unique<Object>(first_freed));
    published.publish(std::make_unique<Object>(second_freed));
    rcu.leave(kWorker);
    published.reclaim();
    EXPECT_TRUE(first_freed);
}

} // namespace
} // namespace adit::dataplane
