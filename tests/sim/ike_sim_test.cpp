// SPDX-License-Identifier: Apache-2.0
// Thousands of short lives of engines that talk to each other, each drawn from a seed.
//
//   ADIT_SIM_SEEDS=N   draws N lives instead of 10,000 (sanitizers are slow)
//   ADIT_SIM_SEED=N    lives one, the N-th
//   ADIT_SIM_TRACE=1   tells what happens
#include "tests/sim/life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace adit::sim {
namespace {

/// Fewer lives than this need not have reached everything.
constexpr std::uint64_t kEnoughToReachAll = 2'000;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += "\n  " + line;
    return text;
}

std::string replay(std::uint64_t seed) {
    return "replay: ADIT_SIM_SEED=" + std::to_string(seed) +
           " ADIT_SIM_TRACE=1 meson test -C build -v ike-sim";
}

void tell(const Tally& tally, std::uint64_t lives, double seconds, std::size_t threads) {
    const Coverage& reached = tally.coverage;
    std::printf("simulation: %llu lives in %.1f s, %.0f a second in %zu threads; "
                "states %zu of %zu, rows of the transition table %zu of %zu\n",
                static_cast<unsigned long long>(lives),
                seconds,
                static_cast<double>(lives) / seconds,
                threads,
                reached.states_entered(),
                reached.states(),
                reached.rows_run(),
                reached.rows());
    const auto print = [](const char* what, std::uint64_t count) {
        std::printf("simulation: %9llu %s\n", static_cast<unsigned long long>(count), what);
    };
    print("datagrams and packets sent", tally.damage.carried);
    print("lost", tally.damage.lost);
    print("doubled", tally.damage.doubled);
    print("damaged", tally.damage.damaged);
    print("with nobody to go to", tally.damage.undeliverable);
    for (std::size_t i = 0; i < tally.faults.size(); ++i)
        print(name(static_cast<Fault>(i)), tally.faults[i]);
    print("ISAKMP SAs", tally.phase1);
    print("pairs of IPsec SAs, counted at both ends", tally.phase2);
    print("packets by an SPI that nobody knew", tally.unknown_spis);
    print("packets that arrived in the end", tally.packets);
}

/// Lives of one thread: the `offset`-th of every `step` seeds.
struct Share {
    static constexpr std::size_t kMaxFailures = 5;

    void live(std::uint64_t first, std::uint64_t last, std::size_t offset, std::size_t step) {
        for (std::uint64_t seed = first + offset; seed <= last; seed += step) {
            const Complaints complaints = Life{seed, chronicle}.live();
            if (!complaints.empty())
                failures.push_back(joined(complaints) + "\n" + replay(seed));
            if (failures.size() == kMaxFailures)
                return;
        }
    }

    Chronicle chronicle;
    std::vector<std::string> failures;
};

TEST(IkeSimulation, EveryLifeEndsInAgreement) {
    const std::uint64_t one = number_of("ADIT_SIM_SEED", 0);
    const std::uint64_t first = one == 0 ? 1 : one;
    const std::uint64_t last = one == 0 ? number_of("ADIT_SIM_SEEDS", 10'000) : one;
    const bool trace = number_of("ADIT_SIM_TRACE", 0) != 0;
    std::vector<Share> shares(trace ? 1 : std::max(1U, std::thread::hardware_concurrency()));
    if (trace)
        shares.front().chronicle.trace = [](const std::string& line) { std::puts(line.c_str()); };
    const auto start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < shares.size(); ++i)
            threads.emplace_back([&, i] { shares[i].live(first, last, i, shares.size()); });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    Tally tally;
    for (const Share& share : shares) {
        tally += share.chronicle.tally;
        for (const std::string& failure : share.failures)
            ADD_FAILURE() << failure;
    }
    const std::uint64_t lives = last - first + 1;
    tell(tally, lives, took.count(), shares.size());
    if (lives >= kEnoughToReachAll) {
        EXPECT_TRUE(tally.coverage.missing().empty())
            << "rows that no life has run:" << joined(tally.coverage.missing());
    }
}

} // namespace
} // namespace adit::sim
