// SPDX-License-Identifier: Apache-2.0
// `configure terminal revert timer`: who cuts himself off by what he configures gets the former
// configuration back, unless he confirms in time.
//
// Threading: control's loop.
#pragma once

#include "common/log.h"
#include "control/config/model.h"
#include "control/event_loop.h"

#include <functional>
#include <memory>
#include <optional>

namespace adit {

class ConfigRevert {
  public:
    using Apply = std::function<void(std::shared_ptr<const config::Config>)>;

    /// `loop` and `log` outlive it.
    ConfigRevert(EventLoop& loop, Logger& log, Apply apply);
    ConfigRevert(const ConfigRevert&) = delete;
    ConfigRevert& operator=(const ConfigRevert&) = delete;
    ~ConfigRevert();

    /// While one waits only its time is set anew: what comes back is what was there before all of
    /// it.
    void arm(std::shared_ptr<const config::Config> now, Duration after);
    /// NotFound when nothing waits.
    Status confirm();
    Status revert();
    /// How long until it comes back.
    [[nodiscard]] std::optional<std::chrono::seconds> due() const;

  private:
    void log(const char* mnemonic, const char* text);
    std::shared_ptr<const config::Config> take();

    EventLoop& loop_;
    Logger& log_;
    Apply apply_;
    std::shared_ptr<const config::Config> former_;
    EventLoop::TimerId timer_{0};
    Instant at_{};
};

} // namespace adit
