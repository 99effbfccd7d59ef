// SPDX-License-Identifier: Apache-2.0
#include "control/config_revert.h"

#include <utility>

namespace adit {

ConfigRevert::ConfigRevert(EventLoop& loop, Logger& log, Apply apply)
    : loop_(loop), log_(log), apply_(std::move(apply)) {}

ConfigRevert::~ConfigRevert() {
    loop_.cancel(timer_);
}

void ConfigRevert::log(const char* mnemonic, const char* text) {
    log_.write({Severity::Notice, "ARCHIVE_DIFF", mnemonic, text, ""}, MonotonicClock::now());
}

void ConfigRevert::arm(std::shared_ptr<const config::Config> now, Duration after) {
    if (!former_)
        former_ = std::move(now);
    loop_.cancel(timer_);
    at_ = MonotonicClock::now() + after;
    timer_ = loop_.call_at(at_, [this] {
        log("ROLLBK_CNFMD_CHG_ROLLBACK_START",
            "nobody confirmed in time: the former configuration comes back");
        apply_(take());
    });
    log("ROLLBK_CNFMD_CHG_BACKUP",
        "the configuration comes back when the timer ends, unless it is confirmed");
}

/// Nothing waits any longer.
std::shared_ptr<const config::Config> ConfigRevert::take() {
    loop_.cancel(std::exchange(timer_, 0));
    return std::exchange(former_, nullptr);
}

static std::unexpected<Error> nothing_waits() {
    return fail(ErrorCode::NotFound, "No Rollback Confirmed Change pending");
}

Status ConfigRevert::confirm() {
    if (!former_)
        return nothing_waits();
    take();
    log("ROLLBK_CNFMD_CHG_CONFIRM", "the configuration is confirmed");
    return {};
}

Status ConfigRevert::revert() {
    if (!former_)
        return nothing_waits();
    log("ROLLBK_CNFMD_CHG_ROLLBACK_START", "the former configuration comes back on request");
    apply_(take());
    return {};
}

std::optional<std::chrono::seconds> ConfigRevert::due() const {
    if (!former_)
        return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(at_ - MonotonicClock::now());
}

} // namespace adit
