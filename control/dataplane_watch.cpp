// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane_watch.h"

#include <cstdio>

namespace adit {

void DataplaneWatch::look() {
    const Instant now = MonotonicClock::now();
    timer_ = loop_.call_at(now + kLookEvery, [this] { look(); });
    if (!dataplane_.attached())
        return;
    const ipc::ControlChannel& channel = dataplane_.channel();
    const std::uint32_t workers = channel.config().workers;
    if (channel.dataplane_pid() != pid_ || watches_.size() != workers + 1) {
        pid_ = channel.dataplane_pid();
        watches_.assign(workers + 1, {});
    }
    for (std::uint32_t i = 0; i < watches_.size(); ++i) {
        const bool worker = i < workers;
        const ipc::CoreStats& core = worker ? channel.core_stats(i) : channel.housekeeper_stats();
        const auto change = watches_[i].look(ipc::read(core.heartbeat_ns), now);
        say(change,
            worker ? "worker " + std::to_string(i) : "the housekeeper",
            watches_[i].silence(),
            now);
    }
}

void DataplaneWatch::say(StallWatch::Change change,
                         const std::string& who,
                         Duration silence,
                         Instant now) {
    if (change == StallWatch::Change::None)
        return;
    char seconds[32];
    std::snprintf(
        seconds, sizeof seconds, "%.1f s", std::chrono::duration<double>(silence).count());
    const std::string where = who + " of adit-dataplane (pid " + std::to_string(pid_) + ")";
    if (change == StallWatch::Change::Stalled)
        log_.write({Severity::Error,
                    "SYS",
                    "DATAPLANE_STALLED",
                    where + " has shown no sign of life for " + seconds,
                    ""},
                   now);
    else
        log_.write(
            {Severity::Notice, "SYS", "DATAPLANE_RESUMED", where + " goes on after " + seconds, ""},
            now);
}

} // namespace adit
