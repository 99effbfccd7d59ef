// SPDX-License-Identifier: Apache-2.0
// Tells the engine when a peer begins to use a new pair of SAs. The dataplane counts packets and
// says nothing: for the round trip that the engine waits, their counters are looked at.
//
// Threading: control's loop.
#pragma once

#include "control/event_loop.h"
#include "control/sa/sa_db.h"

#include <functional>
#include <vector>

namespace adit {

class FirstPackets {
  public:
    struct Hooks {
        std::function<std::vector<SaId>()> awaited;
        std::function<void(SaId)> came;
    };

    static constexpr Duration kLookEvery = std::chrono::milliseconds{5};

    FirstPackets(EventLoop& loop, const sa::SaDb& db, Hooks hooks)
        : loop_(loop), db_(db), hooks_(std::move(hooks)) {}

    FirstPackets(const FirstPackets&) = delete;
    FirstPackets& operator=(const FirstPackets&) = delete;

    ~FirstPackets() { loop_.cancel(timer_); }

    /// After anything that may have given the engine something to wait for.
    void watch();

  private:
    void look();

    EventLoop& loop_;
    const sa::SaDb& db_;
    Hooks hooks_;
    EventLoop::TimerId timer_{0}; // 0: nothing is awaited
};

} // namespace adit
