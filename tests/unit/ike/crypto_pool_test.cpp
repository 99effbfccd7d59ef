// SPDX-License-Identifier: Apache-2.0
#include "control/ike/crypto_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <set>
#include <thread>

namespace adit::ike {
namespace {

Job generate(std::uint64_t id, Group group = Group::Ecp256) {
    return {JobId{id}, DhJob{.group = group}};
}

bool readable(int fd, int timeout_ms) {
    pollfd wanted{fd, POLLIN, 0};
    return poll(&wanted, 1, timeout_ms) == 1;
}

/// Waits on the eventfd as an event loop would; a pool that lost a wake-up fails here.
std::vector<JobResult> collect_all(CryptoPool& pool, std::size_t count) {
    constexpr int kHungMs = 20'000;
    std::vector<JobResult> all;
    while (all.size() < count && readable(pool.event_fd(), kHungMs))
        for (JobResult& result : pool.collect())
            all.push_back(std::move(result));
    return all;
}

/// Holds every worker inside a job until told otherwise, so that a test decides what is queued.
class GateRng final : public Rng {
  public:
    void fill(MutableBytes to) override {
        const std::lock_guard wait{gate};
        system.fill(to);
    }

    std::mutex gate;
    SystemRng system;
};

TEST(CryptoPool, AnswersEveryJobOnce) {
    SystemRng rng;
    auto pool = CryptoPool::open({.threads = 2, .max_jobs = 64}, rng);
    ASSERT_TRUE(pool);
    for (std::uint64_t id = 1; id <= 64; ++id)
        ASSERT_EQ(pool->submit(generate(id)), Submitted::Queued);
    const auto results = collect_all(*pool, 64);
    ASSERT_EQ(results.size(), 64U);
    std::vector<std::uint64_t> ids;
    for (const JobResult& result : results) {
        EXPECT_TRUE(result.output);
        ids.push_back(result.job_id.value);
    }
    std::ranges::sort(ids);
    for (std::uint64_t id = 1; id <= 64; ++id)
        EXPECT_EQ(ids[id - 1], id);
    EXPECT_EQ(pool->outstanding(), 0U);
    EXPECT_FALSE(readable(pool->event_fd(), 0));
}

TEST(CryptoPool, OneThreadKeepsTheOrder) {
    SystemRng rng;
    auto pool = CryptoPool::open({.threads = 1, .max_jobs = 8}, rng);
    ASSERT_TRUE(pool);
    for (std::uint64_t id = 1; id <= 8; ++id)
        ASSERT_EQ(pool->submit(generate(id)), Submitted::Queued);
    const auto results = collect_all(*pool, 8);
    ASSERT_EQ(results.size(), 8U);
    for (std::uint64_t id = 1; id <= 8; ++id)
        EXPECT_EQ(results[id - 1].job_id, JobId{id});
}

TEST(CryptoPool, AFullQueueLeavesTheJobWithItsOwner) {
    GateRng rng;
    auto pool = CryptoPool::open({.threads = 1, .max_jobs = 2}, rng);
    ASSERT_TRUE(pool);
    Job third{JobId{3}, DhJob{.group = Group::Ecp256, .private_key = SecretBuffer{Bytes(32, 1)}}};
    {
        const std::lock_guard hold{rng.gate};
        ASSERT_EQ(pool->submit(generate(1)), Submitted::Queued);
        ASSERT_EQ(pool->submit(generate(2)), Submitted::Queued);
        EXPECT_EQ(pool->submit(std::move(third)), Submitted::Full);
        EXPECT_EQ(std::get<DhJob>(third.work).private_key.size(), 32U);
        EXPECT_EQ(pool->outstanding(), 2U);
        EXPECT_TRUE(pool->collect().empty());
    }
    ASSERT_EQ(collect_all(*pool, 2).size(), 2U);
    EXPECT_EQ(pool->submit(std::move(third)), Submitted::Queued);
    EXPECT_EQ(collect_all(*pool, 1).at(0).job_id, JobId{3});
}

TEST(CryptoPool, FailuresAreResultsToo) {
    SystemRng rng;
    auto pool = CryptoPool::open({.threads = 1, .max_jobs = 2}, rng);
    ASSERT_TRUE(pool);
    ASSERT_EQ(pool->submit(generate(1, Group::Modp2048Subgroup224)), Submitted::Queued);
    ASSERT_EQ(
        pool->submit(
            {JobId{2},
             DhJob{DhJobKind::Agree, Group::Modp1024, SecretBuffer{Bytes(32, 1)}, Bytes(128)}}),
        Submitted::Queued);
    for (const JobResult& result : collect_all(*pool, 2))
        EXPECT_FALSE(result.output) << result.job_id.value;
}

TEST(CryptoPool, EndsWithJobsStillQueued) {
    SystemRng rng;
    int event_fd = -1;
    {
        auto pool = CryptoPool::open({.threads = 2, .max_jobs = 512}, rng);
        ASSERT_TRUE(pool);
        event_fd = pool->event_fd();
        for (std::uint64_t id = 1; id <= 512; ++id)
            ASSERT_EQ(pool->submit(generate(id, Group::Modp8192)), Submitted::Queued);
    }
    EXPECT_EQ(fcntl(event_fd, F_GETFD), -1) << "the eventfd is closed";
}

/// One draw a pair.
class CountingRng final : public Rng {
  public:
    void fill(MutableBytes to) override {
        system.fill(to);
        ++draws;
    }

    void wait_for(unsigned count) const {
        while (draws < count)
            std::this_thread::yield();
    }

    std::atomic<unsigned> draws{0};
    SystemRng system;
};

TEST(CryptoPool, PairsMadeAheadAreEachUsedOnce) {
    constexpr unsigned kAhead = 4;
    CountingRng rng;
    auto pool = CryptoPool::open({.threads = 1, .max_jobs = 8, .pairs_ahead = kAhead}, rng);
    ASSERT_TRUE(pool);
    std::set<Bytes> seen;
    for (std::uint64_t id = 1; id <= 8; ++id) {
        ASSERT_EQ(pool->submit(generate(id)), Submitted::Queued);
        const auto results = collect_all(*pool, 1);
        ASSERT_EQ(results.size(), 1U);
        const auto& pair = std::get<DhOutput>(*results.front().output).pair;
        seen.insert(pair.public_value);
        const auto again = dh_from_private(pair.group, pair.private_key.view());
        EXPECT_EQ(again->public_value, pair.public_value);
        // The stock is filled up again, and no further.
        rng.wait_for(static_cast<unsigned>(id) + kAhead);
    }
    EXPECT_EQ(seen.size(), 8U);
    EXPECT_EQ(rng.draws, 8U + kAhead);
}

TEST(CryptoPool, NeedsAThreadAndRoom) {
    SystemRng rng;
    EXPECT_FALSE(CryptoPool::open({.threads = 0, .max_jobs = 1}, rng));
    EXPECT_FALSE(CryptoPool::open({.threads = 1, .max_jobs = 0}, rng));
    EXPECT_TRUE(CryptoPool::open({.threads = 1, .max_jobs = 1}, rng));
}

} // namespace
} // namespace adit::ike
