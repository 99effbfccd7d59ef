// SPDX-License-Identifier: Apache-2.0
// The last log lines, for `show logging`, and whoever wants to see new ones at once (`terminal
// monitor`).
//
// Threading: control's loop.
#pragma once

#include "common/clock.h"
#include "common/log.h"

#include <deque>
#include <string>
#include <vector>

namespace adit {

/// "*Nov 23 09:00:04.420": the star says that no time server vouches for the clock.
std::string router_timestamp(WallTime when);

class LogBuffer {
  public:
    /// What routers keep by default.
    static constexpr std::size_t kMaxBytes = 16'384;

    void append(const std::string& line, WallTime when);

    void clear() {
        lines_.clear();
        bytes_ = 0;
    }

    [[nodiscard]] std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

    [[nodiscard]] std::uint64_t total() const { return total_; }

  private:
    std::deque<std::string> lines_;
    std::size_t bytes_{0};
    std::uint64_t total_{0};
};

} // namespace adit
