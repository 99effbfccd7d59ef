// SPDX-License-Identifier: Apache-2.0
#include "control/policy_numbers.h"

#include "tests/support/journal_map.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

PolicyId take(PolicyNumbers& numbers) {
    return numbers.take([](PolicyId) { return false; }).value();
}

struct PolicyNumbersTest : ::testing::Test {
    PolicyNumbersTest() {
        first.set_limit(10);
        next.set_limit(10);
    }

    PolicyNumbers first, next;
};

TEST_F(PolicyNumbersTest, TheNextProcessGivesTheSameNumbers) {
    first.number("gone");
    const PolicyId kept = first.number("kept");
    const PolicyId taken = take(first);
    first.forget_others({{kept, ""}});
    ASSERT_TRUE(next.resume(first.whole_memory()));
    EXPECT_EQ(next.number("kept"), kept);
    const PolicyId fresh = next.number("fresh");
    EXPECT_NE(fresh, taken);
    EXPECT_NE(fresh, kept);
    EXPECT_EQ(fresh, PolicyId{0}) << "what was given up comes again";
}

TEST_F(PolicyNumbersTest, TakenNumbersThatNobodyKeptComeAgain) {
    const PolicyId kept = take(first);
    const PolicyId lost = take(first);
    ASSERT_TRUE(next.resume(first.whole_memory()));
    next.keep_taken({kept});
    EXPECT_EQ(take(next), lost);
    EXPECT_EQ(take(next), PolicyId{2});
}

TEST_F(PolicyNumbersTest, ChangesAddUpToTheWhole) {
    test::JournalMap journal;
    const auto note = [&] { journal.write(first.take_memory()); };
    first.number("one");
    const PolicyId two = first.number("two");
    note();
    first.give_back(take(first));
    take(first);
    first.forget_others({{two, ""}});
    note();
    test::JournalMap whole;
    whole.write(first.whole_memory());
    EXPECT_EQ(journal.records, whole.records);
}

TEST_F(PolicyNumbersTest, NumbersBeyondTheTableAreRefused) {
    first.number("one");
    auto entries = first.whole_memory();
    entries.front().key.number = 10;
    EXPECT_FALSE(next.resume(entries));
    entries.front().key.number = 9;
    EXPECT_TRUE(next.resume(entries));
    entries.front().octets = SecretBuffer{2};
    EXPECT_FALSE(next.resume(entries));
}

} // namespace
} // namespace adit
