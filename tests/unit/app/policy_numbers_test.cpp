// SPDX-License-Identifier: Apache-2.0
#include "control/policy_numbers.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

std::vector<ike::JournalEntry> copies_of(const std::vector<ike::JournalEntry>& entries) {
    std::vector<ike::JournalEntry> copies;
    for (const ike::JournalEntry& entry : entries)
        copies.push_back({entry.key, entry.octets.clone()});
    return copies;
}

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
    std::map<ike::JournalKey, Bytes> journal;
    const auto note = [&] {
        for (const ike::JournalEntry& entry : first.take_memory())
            if (entry.octets.empty())
                journal.erase(entry.key);
            else
                journal[entry.key] = to_bytes(entry.octets.view());
    };
    first.number("one");
    const PolicyId two = first.number("two");
    note();
    first.give_back(take(first));
    take(first);
    first.forget_others({{two, ""}});
    note();
    std::map<ike::JournalKey, Bytes> whole;
    for (const ike::JournalEntry& entry : first.whole_memory())
        whole[entry.key] = to_bytes(entry.octets.view());
    EXPECT_EQ(journal, whole);
}

TEST_F(PolicyNumbersTest, NumbersBeyondTheTableAreRefused) {
    first.number("one");
    auto entries = copies_of(first.whole_memory());
    entries.front().key.number = 10;
    EXPECT_FALSE(next.resume(entries));
    entries.front().key.number = 9;
    EXPECT_TRUE(next.resume(entries));
    entries.front().octets = SecretBuffer{2};
    EXPECT_FALSE(next.resume(entries));
}

} // namespace
} // namespace adit
