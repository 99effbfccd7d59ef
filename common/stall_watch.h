// SPDX-License-Identifier: Apache-2.0
// Tells when a neighbour's signs of life cease, and when they come again.
//
// Threading: one thread.
#pragma once

#include "common/clock.h"

#include <algorithm>
#include <cstdint>

namespace adit {

class StallWatch {
  public:
    enum class Change : std::uint8_t { None, Stalled, Resumed };

    /// Noticed within a second by whoever looks four times a second; more than a busy machine makes
    /// a thread wait.
    static constexpr Duration kPatience = std::chrono::milliseconds{700};

    /// `beat_ns`: CLOCK_MONOTONIC of the newest sign of life; 0: none yet.
    Change look(std::uint64_t beat_ns, Instant now) {
        // Whoever stood still himself cannot tell how long others did.
        const bool awake = now - looked_ < kPatience;
        looked_ = now;
        const Instant beat{Duration{static_cast<std::int64_t>(beat_ns)}};
        if (beat_ns == 0 || !awake)
            return Change::None;
        if (now - beat < kPatience) {
            newest_ = beat;
            const bool was_stalled = stalled_;
            stalled_ = false;
            return was_stalled ? Change::Resumed : Change::None;
        }
        silence_ = now - std::max(beat, newest_);
        if (stalled_)
            return Change::None;
        stalled_ = true;
        return Change::Stalled;
    }

    /// How long there was none: up to now, or of the last time.
    [[nodiscard]] Duration silence() const { return silence_; }

  private:
    Instant looked_;
    Instant newest_;
    Duration silence_{};
    bool stalled_{false};
};

} // namespace adit
