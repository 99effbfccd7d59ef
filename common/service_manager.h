// SPDX-License-Identifier: Apache-2.0
// What a service manager (systemd, Type=notify with WatchdogSec) is told: that we are ready, that
// we live, that we stop. Says nothing when nobody asked to be told.
//
// Threading: one thread. Errors: none; a manager that does not listen is no reason to stop.
// Source: sd_notify(3), sd_watchdog_enabled(3).
#pragma once

#include "common/clock.h"
#include "common/unique_fd.h"

#include <optional>
#include <string>

namespace adit {

class ServiceManager {
  public:
    /// As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment say.
    static ServiceManager from_environment();

    /// `socket`: a path, or an abstract name behind '@'; empty: nobody listens.
    ServiceManager(std::string socket, std::optional<Duration> watchdog);

    void ready() { tell("READY=1"); }

    void stopping() { tell("STOPPING=1"); }

    /// To be called whenever all is well; passes on what the manager needs, not more.
    void alive(Instant now);

    /// How often alive() is needed; nothing: never.
    [[nodiscard]] std::optional<Duration> interval() const;

  private:
    void tell(const char* state);

    std::string socket_;
    std::optional<Duration> watchdog_;
    Instant next_;
    UniqueFd fd_;
};

} // namespace adit
