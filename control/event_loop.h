// SPDX-License-Identifier: Apache-2.0
// The only place in control that waits: epoll for descriptors, one queue of timers, signals as
// events.
//
// Threading: one thread owns a loop. Callbacks run inside run() and may add, change and remove
// descriptors and timers, also their own. Errors: open() and add() say what the system refused.
#pragma once

#include "common/clock.h"
#include "common/error.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <unordered_map>

namespace adit {

class EventLoop {
  public:
    using FdCallback = std::function<void(std::uint32_t epoll_events)>;
    using TimerCallback = std::function<void()>;
    using TimerId = std::uint64_t; // 0 is never used

    static Result<EventLoop> open();

    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    EventLoop(EventLoop&& other) noexcept;
    EventLoop& operator=(EventLoop&&) = delete;
    ~EventLoop();

    /// The loop does not own `fd`; remove it before closing it.
    Status add(int fd, std::uint32_t epoll_events, FdCallback callback);
    void modify(int fd, std::uint32_t epoll_events);
    void remove(int fd);

    TimerId call_at(Instant when, TimerCallback callback);
    void cancel(TimerId timer);

    /// Delivers these signals as calls instead of their default action. Once per loop.
    Status on_signals(std::initializer_list<int> signals, std::function<void(int)> callback);

    /// Asked before each wait: true means do not sleep, something can be done at once.
    void set_before_sleep(std::function<bool()> callback) { before_sleep_ = std::move(callback); }

    /// Called after each wake-up, once, after descriptors and timers.
    void set_after_wake(std::function<void()> callback) { after_wake_ = std::move(callback); }

    /// Turns until stop().
    Status run();

    void stop() { running_ = false; }

  private:
    EventLoop() = default;

    void run_due_timers();
    [[nodiscard]] int wait_milliseconds() const;

    int epoll_fd_{-1};
    int signal_fd_{-1};
    bool running_{false};
    TimerId next_timer_{1};
    std::unordered_map<int, FdCallback> descriptors_;
    std::multimap<Instant, std::pair<TimerId, TimerCallback>> timers_;
    std::function<bool()> before_sleep_;
    std::function<void()> after_wake_;
};

} // namespace adit
