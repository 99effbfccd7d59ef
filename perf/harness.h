// SPDX-License-Identifier: Apache-2.0
// What benchmarks share: pinning, time, repeats summed up as minimum, median and spread, and one
// JSON line per result.
//
// Method: contestants take turns within one run, several rounds, so that a slow minute of the
// machine hits all of them; the median of the rounds is compared, minimum and maximum show how far
// to trust it.
#pragma once

#include "common/error.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sched.h>
#include <string>
#include <time.h>
#include <utility>
#include <vector>
#include <x86intrin.h>

namespace adit::perf {

/// False when the machine has no such core or forbids it.
inline bool pin_to_core(unsigned core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

/// A benchmark that cannot go on ends here and says why.
[[noreturn]] inline void die(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

template <class T> T must(Result<T> result) {
    if (!result)
        die(result.error().text);
    return std::move(*result);
}

/// CLOCK_MONOTONIC in nanoseconds.
inline std::uint64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// Time-stamp counter, after everything before it has been done. The same on all cores of the
/// machines we measure on (constant_tsc, nonstop_tsc).
inline std::uint64_t ticks() {
    unsigned core = 0;
    return __rdtscp(&core);
}

/// Measured against CLOCK_MONOTONIC over 20 ms.
inline double ticks_per_ns() {
    constexpr std::uint64_t kSpanNs = 20'000'000;
    const std::uint64_t start_ns = now_ns();
    const std::uint64_t start = ticks();
    while (now_ns() - start_ns < kSpanNs)
        _mm_pause();
    return static_cast<double>(ticks() - start) / static_cast<double>(now_ns() - start_ns);
}

/// The value below which `share` of the samples lie. Sorts them.
inline double percentile(std::vector<double>& samples, double share) {
    if (samples.empty())
        return 0;
    std::sort(samples.begin(), samples.end());
    const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
    return samples[index];
}

/// Of one figure over all rounds.
struct Summary {
    double min{0}, median{0}, max{0};

    /// (max - min) / median, in per cent.
    [[nodiscard]] double spread_percent() const {
        return median == 0 ? 0 : (max - min) / median * 100;
    }
};

inline Summary summarize(std::vector<double> rounds) {
    if (rounds.empty())
        return {};
    const double median = percentile(rounds, 0.5);
    return {.min = rounds.front(), .median = median, .max = rounds.back()};
}

/// `"name":{"min":..,"median":..,"max":..}`, a part of a JSON line.
inline std::string json(const char* name, const Summary& summary) {
    char text[160];
    std::snprintf(text,
                  sizeof text,
                  "\"%s\":{\"min\":%.4g,\"median\":%.4g,\"max\":%.4g}",
                  name,
                  summary.min,
                  summary.median,
                  summary.max);
    return text;
}

} // namespace adit::perf
