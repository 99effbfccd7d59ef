// SPDX-License-Identifier: Apache-2.0
#include "control/journal.h"

#include "tests/support/seeded_rng.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace adit {
namespace {

constexpr std::size_t kRegionBytes = std::size_t{1} << 20;

JournalKey key(std::uint64_t number) {
    return {.kind = 7, .part = 0, .number = number};
}

class JournalTest : public ::testing::Test {
  protected:
    Journal open() {
        auto opened = Journal::open(region());
        EXPECT_TRUE(opened) << opened.error().text;
        return std::move(*opened);
    }

    [[nodiscard]] MutableBytes region() { return memory_; }

    /// As the next process finds it.
    std::map<std::uint64_t, Bytes> found() {
        std::map<std::uint64_t, Bytes> all;
        for (const JournalEntry& entry : open().entries())
            all[entry.key.number] = to_bytes(entry.octets.view());
        return all;
    }

    /// Whether these octets stand anywhere in the region.
    bool contains(const Bytes& octets) {
        return std::ranges::search(memory_, octets).begin() != memory_.end();
    }

    Bytes memory_ = Bytes(kRegionBytes);
};

TEST_F(JournalTest, ANewOneIsEmpty) {
    EXPECT_TRUE(open().empty());
    EXPECT_TRUE(open().entries().empty());
}

TEST_F(JournalTest, TheNextProcessFindsWhatWasCommitted) {
    Journal journal = open();
    journal.write(key(1), Bytes{1, 2, 3});
    journal.write(key(2), Bytes(5000, 9));
    journal.commit();
    EXPECT_EQ(found(), (std::map<std::uint64_t, Bytes>{{1, {1, 2, 3}}, {2, Bytes(5000, 9)}}));
}

TEST_F(JournalTest, WhatWasNotCommittedNeverWas) {
    Journal journal = open();
    journal.write(key(1), Bytes{1});
    journal.write(key(2), Bytes{2});
    journal.commit();
    journal.write(key(1), Bytes{11});
    journal.write(key(2), {});
    journal.write(key(3), Bytes{3});
    EXPECT_EQ(found(), (std::map<std::uint64_t, Bytes>{{1, {1}}, {2, {2}}}));
}

TEST_F(JournalTest, TheLastWordOfATransactionCounts) {
    Journal journal = open();
    journal.write(key(1), Bytes{1});
    journal.write(key(1), Bytes{2});
    journal.write(key(1), {});
    journal.write(key(1), Bytes{3});
    journal.write(key(2), Bytes{4});
    journal.write(key(2), {});
    journal.commit();
    EXPECT_EQ(found(), (std::map<std::uint64_t, Bytes>{{1, {3}}}));
}

TEST_F(JournalTest, NothingIsLeftOfWhatWasGivenUp) {
    const Bytes secret = {0xde, 0xad, 0xbe, 0xef, 0x12, 0x34, 0x56, 0x78};
    Journal journal = open();
    journal.write(key(1), secret);
    journal.commit();
    ASSERT_TRUE(contains(secret));
    journal.write(key(1), Bytes{1});
    journal.commit();
    EXPECT_FALSE(contains(secret));
    journal.write(key(2), secret);
    journal.commit();
    journal.keep_only({});
    EXPECT_FALSE(contains(secret));
    EXPECT_TRUE(found().empty());
}

TEST_F(JournalTest, PlacesAreUsedAgain) {
    Journal journal = open();
    for (unsigned i = 0; i < 50'000; ++i) {
        journal.write(key(i % 10), Bytes(100 + i % 300, 1));
        journal.commit();
    }
    EXPECT_LT(journal.extent_bytes(), 20'000U);
    EXPECT_EQ(journal.not_kept(), 0U);
}

TEST_F(JournalTest, WithoutRoomARecordIsGoneRatherThanOutOfDate) {
    Journal journal = open();
    journal.write(key(1), Bytes(600'000, 1));
    journal.commit();
    journal.write(key(1), Bytes(600'000, 2));
    journal.write(key(2), Bytes{2});
    journal.commit();
    EXPECT_EQ(journal.not_kept(), 1U);
    EXPECT_EQ(found(), (std::map<std::uint64_t, Bytes>{{2, {2}}}));
}

TEST_F(JournalTest, AnotherVersionAndRubbishAreRefused) {
    {
        Journal journal = open();
        journal.write(key(1), Bytes{1});
        journal.commit();
    }
    memory_[8] ^= 0xff; // the version
    EXPECT_EQ(Journal::open(region()).error().code, ErrorCode::Unsupported);
    memory_[0] ^= 0xff; // the magic
    EXPECT_EQ(Journal::open(region()).error().code, ErrorCode::Malformed);
    EXPECT_TRUE(Journal::start_over(region()).empty());
    EXPECT_TRUE(found().empty());
}

/// Whatever an accident makes of it, it is read within its bounds.
TEST_F(JournalTest, DamageIsNoticedOrHarmless) {
    {
        Journal journal = open();
        for (unsigned i = 0; i < 20; ++i)
            journal.write(key(i), Bytes(50 * i + 1, static_cast<std::uint8_t>(i)));
        journal.commit();
    }
    const Bytes sound = memory_;
    test::SeededRng rng{5};
    const std::size_t used = 64U * 400;
    for (unsigned round = 0; round < 3000; ++round) {
        memory_ = sound;
        for (unsigned hits = 1 + rng.below(4); hits > 0; --hits)
            memory_[rng.below(used)] = static_cast<std::uint8_t>(rng.below(256));
        auto opened = Journal::open(region());
        if (!opened)
            continue;
        for (const JournalEntry& entry : opened->entries())
            if (entry.key.kind == 7 && entry.key.number < 20)
                EXPECT_LE(entry.octets.size(), kRegionBytes);
        opened->write(key(1), Bytes{1});
        opened->commit();
    }
}

TEST_F(JournalTest, CountsThoseWhoDiedReading) {
    EXPECT_EQ(open().begin_reading(), 1U);
    EXPECT_EQ(open().begin_reading(), 2U);
    Journal journal = open();
    EXPECT_EQ(journal.begin_reading(), 3U);
    journal.settled();
    EXPECT_EQ(open().begin_reading(), 1U);
}

/// Every transaction gives all keys one value. A process is killed at some instruction: the next
/// one finds one value in all of them.
TEST(JournalProcess, KilledAnywhereLeavesAWholeTransaction) {
    constexpr unsigned kKeys = 5;
    constexpr unsigned kKills = 60;
    void* const memory =
        ::mmap(nullptr, kRegionBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    const MutableBytes region{static_cast<std::uint8_t*>(memory), kRegionBytes};
    test::SeededRng rng{6};
    std::uint32_t last = 0;
    for (unsigned kill = 0; kill < kKills; ++kill) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto journal = Journal::open(region);
            if (!journal)
                ::_exit(1);
            for (std::uint32_t value = last + 1;; ++value) {
                Bytes octets(sizeof value + value % 200);
                std::memcpy(octets.data(), &value, sizeof value);
                for (unsigned i = 0; i < kKeys; ++i)
                    journal->write(key(i), octets);
                journal->write(key(kKeys + value % 3), value % 2 == 0 ? octets : Bytes{});
                journal->commit();
            }
        }
        ::usleep(500 + rng.below(3000));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not read the journal";
        auto journal = Journal::open(region);
        ASSERT_TRUE(journal) << journal.error().text;
        std::map<std::uint64_t, std::uint32_t> values;
        for (const JournalEntry& entry : journal->entries()) {
            std::uint32_t value = 0;
            std::memcpy(&value, entry.octets.view().data(), sizeof value);
            values[entry.key.number] = value;
        }
        if (values.empty())
            continue; // killed before the first
        ASSERT_GE(values.size(), kKeys);
        for (unsigned i = 0; i < kKeys; ++i)
            ASSERT_EQ(values.at(i), values.at(0));
        last = values.at(0);
    }
    EXPECT_GT(last, kKills);
    ::munmap(memory, kRegionBytes);
}

} // namespace
} // namespace adit
