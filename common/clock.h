// SPDX-License-Identifier: Apache-2.0
// Time that only moves forward. Instants come from CLOCK_MONOTONIC, are always passed in, and never
// depend on the wall clock: moving the clock by ten years ends no SA. Wall-clock time is for the
// operator's eyes only (WallTime).
#pragma once

#include <chrono>
#include <cstdint>

namespace adit {

using Duration = std::chrono::nanoseconds;

/// Tag clock: an Instant cannot be mixed up with a wall-clock time point.
struct MonotonicClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonotonicClock>;
    static constexpr bool is_steady = true;

    /// CLOCK_MONOTONIC now. Only shells call this; everything else is handed an Instant.
    static time_point now();
};

using Instant = MonotonicClock::time_point;
using WallTime = std::chrono::system_clock::time_point;

} // namespace adit
