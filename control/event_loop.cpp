// SPDX-License-Identifier: Apache-2.0
#include "control/event_loop.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace adit {

Result<EventLoop> EventLoop::open() {
    EventLoop loop;
    loop.epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (loop.epoll_fd_ < 0)
        return fail_errno("create epoll descriptor");
    return loop;
}

EventLoop::EventLoop(EventLoop&& other) noexcept
    : epoll_fd_(std::exchange(other.epoll_fd_, -1)),
      signal_fd_(std::exchange(other.signal_fd_, -1)), next_timer_(other.next_timer_),
      descriptors_(std::move(other.descriptors_)), timers_(std::move(other.timers_)),
      before_sleep_(std::move(other.before_sleep_)), after_wake_(std::move(other.after_wake_)) {}

EventLoop::~EventLoop() {
    if (signal_fd_ >= 0)
        ::close(signal_fd_);
    if (epoll_fd_ >= 0)
        ::close(epoll_fd_);
}

Status EventLoop::add(int fd, std::uint32_t epoll_events, FdCallback callback) {
    epoll_event event{};
    event.events = epoll_events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno("watch descriptor");
    descriptors_[fd] = std::move(callback);
    return {};
}

void EventLoop::modify(int fd, std::uint32_t epoll_events) {
    epoll_event event{};
    event.events = epoll_events;
    event.data.fd = fd;
    ENSURE(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::remove(int fd) {
    if (descriptors_.erase(fd) > 0)
        epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::call_at(Instant when, TimerCallback callback) {
    const TimerId timer = next_timer_++;
    timers_.emplace(when, std::pair{timer, std::move(callback)});
    return timer;
}

void EventLoop::cancel(TimerId timer) {
    std::erase_if(timers_, [&](const auto& entry) { return entry.second.first == timer; });
}

Status EventLoop::on_signals(std::initializer_list<int> signals,
                             std::function<void(int)> callback) {
    ENSURE(signal_fd_ < 0);
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0)
        return fail_errno("block signals");
    signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd_ < 0)
        return fail_errno("create signal descriptor");
    return add(
        signal_fd_, EPOLLIN, [fd = signal_fd_, callback = std::move(callback)](std::uint32_t) {
            signalfd_siginfo info{};
            while (::read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
                callback(static_cast<int>(info.ssi_signo));
        });
}

void EventLoop::run_due_timers() {
    const Instant now = MonotonicClock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const TimerCallback callback = std::move(timers_.begin()->second.second);
        timers_.erase(timers_.begin());
        callback();
    }
}

int EventLoop::wait_milliseconds() const {
    if (timers_.empty())
        return -1;
    const Duration left = timers_.begin()->first - MonotonicClock::now();
    if (left <= Duration::zero())
        return 0;
    // Rounded up: waking a little early would only turn the loop for nothing.
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<std::int64_t>(milliseconds, 60'000));
}

Status EventLoop::run() {
    running_ = true;
    while (running_) {
        std::array<epoll_event, 64> events;
        const bool busy = before_sleep_ && before_sleep_();
        const int count =
            epoll_wait(epoll_fd_, events.data(), events.size(), busy ? 0 : wait_milliseconds());
        if (count < 0 && errno != EINTR)
            return fail_errno("wait for events");
        for (int i = 0; i < count; ++i) {
            // A callback may have removed a descriptor that stands later in this batch.
            const auto found = descriptors_.find(events[static_cast<std::size_t>(i)].data.fd);
            if (found == descriptors_.end())
                continue;
            const FdCallback callback = found->second;
            callback(events[static_cast<std::size_t>(i)].events);
        }
        run_due_timers();
        if (after_wake_)
            after_wake_();
    }
    return {};
}

} // namespace adit
