// SPDX-License-Identifier: Apache-2.0
#include "control/log_buffer.h"

#include <cstdio>
#include <ctime>

namespace adit {

std::string router_timestamp(WallTime when) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
    const std::time_t seconds = milliseconds / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char date[32];
    std::strftime(date, sizeof date, "*%b %e %H:%M:%S", &parts);
    char text[48];
    std::snprintf(text, sizeof text, "%s.%03d", date, static_cast<int>(milliseconds % 1000));
    return text;
}

void LogBuffer::append(const std::string& line, WallTime when) {
    lines_.push_back(router_timestamp(when) + ": " + line);
    bytes_ += lines_.back().size() + 1;
    ++total_;
    while (bytes_ > kMaxBytes && lines_.size() > 1) {
        bytes_ -= lines_.front().size() + 1;
        lines_.pop_front();
    }
}

} // namespace adit
