// SPDX-License-Identifier: Apache-2.0
// What a core does with a turn that found no work: poll on, or sleep a little, so that a small box
// is no heater and two appliances can share two cores.
//
// Threading: one core.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <rte_pause.h>
#include <sys/prctl.h>

namespace adit::dataplane {

enum class IdleMode : std::uint8_t {
    Poll,
    Sleep,
};

class Idle {
  public:
    /// Turns without work before the first sleep: a burst of traffic is met awake.
    static constexpr unsigned kSpinTurns = 32;
    static constexpr long kFirstSleepNs = 50'000;
    /// The longest that a packet waits for a sleeper to look while there is traffic.
    static constexpr long kLongestSleepNs = 100'000;
    /// After a tenth of a second without any, the first packet may wait longer: that is worth four
    /// fifths of what an idle core burns.
    static constexpr unsigned kSleepsUntilQuiet = 1'000;
    static constexpr long kQuietSleepNs = 500'000;

    explicit Idle(IdleMode mode) : mode_(mode) {}

    /// The kernel otherwise adds 50 us to every sleep of the calling thread.
    static void tighten_timer() { prctl(PR_SET_TIMERSLACK, 1'000UL, 0UL, 0UL, 0UL); }

    void found_work() {
        empty_turns_ = 0;
        sleeps_ = 0;
        sleep_ns_ = kFirstSleepNs;
    }

    void found_nothing() {
        if (mode_ == IdleMode::Poll || ++empty_turns_ <= kSpinTurns) {
            rte_pause();
            return;
        }
        const timespec time{0, sleep_ns_};
        nanosleep(&time, nullptr);
        sleep_ns_ = ++sleeps_ < kSleepsUntilQuiet ? std::min(sleep_ns_ * 2, kLongestSleepNs)
                                                  : kQuietSleepNs;
    }

  private:
    IdleMode mode_;
    unsigned empty_turns_{0};
    unsigned sleeps_{0};
    long sleep_ns_{kFirstSleepNs};
};

} // namespace adit::dataplane
