// SPDX-License-Identifier: Apache-2.0
// Looks at the dataplane's signs of life and says in the log when one of its threads stands still.
// Its timer also turns the loop, and so gives the dataplane a sign of ours.
//
// Threading: control's loop.
#pragma once

#include "common/log.h"
#include "common/stall_watch.h"
#include "control/dataplane_client.h"
#include "control/event_loop.h"

#include <string>
#include <vector>

namespace adit {

class DataplaneWatch {
  public:
    static constexpr Duration kLookEvery = std::chrono::milliseconds{200};

    DataplaneWatch(EventLoop& loop, Logger& log, const DataplaneClient& dataplane)
        : loop_(loop), log_(log), dataplane_(dataplane) {
        look();
    }

    DataplaneWatch(const DataplaneWatch&) = delete;
    DataplaneWatch& operator=(const DataplaneWatch&) = delete;

    ~DataplaneWatch() { loop_.cancel(timer_); }

  private:
    void look();
    void say(StallWatch::Change change, const std::string& who, Duration silence, Instant now);

    EventLoop& loop_;
    Logger& log_;
    const DataplaneClient& dataplane_;
    std::uint32_t pid_{0};            // whose threads these are
    std::vector<StallWatch> watches_; // workers, then the housekeeper
    EventLoop::TimerId timer_{0};
};

} // namespace adit
