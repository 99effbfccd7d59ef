// SPDX-License-Identifier: Apache-2.0
// Events that stages raise inside a burst. They lie here until the worker moves them into its event
// ring between bursts, so a stage never waits for, and never sees, the ring.
//
// Threading: one worker.
#pragma once

#include "common/drop_reason.h"
#include "common/ipc/records.h"

#include <array>
#include <cstdint>
#include <span>

namespace adit::dataplane {

class EventQueue {
  public:
    /// More than a burst raises: expiries come once per SA, notices once a second per reason.
    static constexpr std::size_t kCapacity = 256;

    void push(const ipc::EventRecord& event) {
        if (count_ < kCapacity)
            events_[count_++] = event;
        else
            ++lost_;
    }

    [[nodiscard]] std::span<const ipc::EventRecord> pending() const {
        return {events_.data(), count_};
    }

    /// The worker took everything.
    void clear() { count_ = 0; }

    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    std::array<ipc::EventRecord, kCapacity> events_;
    std::size_t count_{0};
    std::uint64_t lost_{0};
};

/// Lets one notice per drop reason and second through and counts the others into the next one's
/// `more`, so that nobody can make control talk faster than that.
class NoticeLimiter {
  public:
    static constexpr std::uint64_t kPeriodNs = 1'000'000'000;

    /// Whether to send one now; `more` gets how many were held back since the last.
    [[nodiscard]] bool admit(DropReason reason, std::uint64_t now_ns, std::uint32_t& more) {
        State& state = states_[static_cast<std::size_t>(reason)];
        if (state.next_ns > now_ns) {
            ++state.held;
            return false;
        }
        more = state.held;
        state = {now_ns + kPeriodNs, 0};
        return true;
    }

  private:
    struct State {
        std::uint64_t next_ns{0};
        std::uint32_t held{0};
    };

    std::array<State, kDropReasonCount> states_{};
};

} // namespace adit::dataplane
