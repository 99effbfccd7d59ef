// SPDX-License-Identifier: Apache-2.0
// Thousands of short lives of engines that talk to each other, each drawn from a seed.
//
//   ADIT_SIM_SEEDS=N   draws N lives instead of 10,000 (sanitizers are slow)
//   ADIT_SIM_SEED=N    lives one, the N-th
//   ADIT_SIM_TRACE=1   tells what happens
#include "tests/sim/life.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

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
           " ADIT_SIM_TRACE=1 meson test -C build -v ike-simulation";
}

void tell(const Chronicle& chronicle, std::uint64_t lives, double seconds) {
    const Coverage& reached = chronicle.coverage;
    std::printf("simulation: %llu lives in %.1f s of processor time, %.0f a second; "
                "states %zu of %zu, rows of the transition table %zu of %zu\n",
                static_cast<unsigned long long>(lives),
                seconds,
                static_cast<double>(lives) / seconds,
                reached.states_entered(),
                reached.states(),
                reached.rows_run(),
                reached.rows());
    const auto print = [](const char* what, std::uint64_t count) {
        std::printf("simulation: %9llu %s\n", static_cast<unsigned long long>(count), what);
    };
    print("datagrams and packets sent", chronicle.damage.carried);
    print("lost", chronicle.damage.lost);
    print("doubled", chronicle.damage.doubled);
    print("damaged", chronicle.damage.damaged);
    print("with nobody to go to", chronicle.damage.undeliverable);
    for (std::size_t i = 0; i < chronicle.faults.size(); ++i)
        print(name(static_cast<Fault>(i)), chronicle.faults[i]);
    print("ISAKMP SAs", chronicle.phase1);
    print("pairs of IPsec SAs, counted at both ends", chronicle.phase2);
    print("packets by an SPI that nobody knew", chronicle.unknown_spis);
    print("packets that arrived in the end", chronicle.packets);
}

double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

TEST(IkeSimulation, EveryLifeEndsInAgreement) {
    Chronicle chronicle;
    if (number_of("ADIT_SIM_TRACE", 0) != 0)
        chronicle.trace = [](const std::string& line) { std::puts(line.c_str()); };
    const std::uint64_t one = number_of("ADIT_SIM_SEED", 0);
    const std::uint64_t first = one == 0 ? 1 : one;
    const std::uint64_t last = one == 0 ? number_of("ADIT_SIM_SEEDS", 10'000) : one;
    const double start = processor_seconds();
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        const Complaints complaints = Life{seed, chronicle}.live();
        ASSERT_TRUE(complaints.empty()) << joined(complaints) << "\n" << replay(seed);
    }
    const std::uint64_t lives = last - first + 1;
    tell(chronicle, lives, processor_seconds() - start);
    if (lives >= kEnoughToReachAll) {
        EXPECT_TRUE(chronicle.coverage.missing().empty())
            << "rows that no life has run:" << joined(chronicle.coverage.missing());
    }
}

} // namespace
} // namespace adit::sim
