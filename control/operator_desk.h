// SPDX-License-Identifier: Apache-2.0
// What stands between the operators' sessions and the gateway: it carries out what a session asks,
// keeps the startup file, and brings log and debug lines to the sessions that want them.
//
// Threading: control's loop.
#pragma once

#include "control/cli/session_handler.h"
#include "control/config/parse.h"
#include "control/gateway.h"
#include "control/log_buffer.h"

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace adit {

class OperatorDesk final : public cli::SessionHost {
  public:
    /// `problems` are those of the text that control was started with. All references outlive the
    /// desk.
    OperatorDesk(Gateway& gateway,
                 Logger& log,
                 LogBuffer& buffer,
                 std::string startup_path,
                 std::vector<config::Problem> problems);

    /// A new operator. The handler must not outlive the desk.
    std::unique_ptr<cli::LineHandler> open_session(const cli::Caller& caller, cli::AsyncSink async);

    /// A line of log or debug, for everyone with `terminal monitor`.
    void broadcast(const std::string& line);

    cli::Snapshot snapshot() override { return gateway_.snapshot(); }

    std::shared_ptr<const config::Config> running_config() override { return gateway_.config(); }

    std::vector<config::Problem> problems() override { return problems_; }

    std::vector<std::string> log_buffer() override { return buffer_.lines(); }

    Status clear_sa(std::optional<Ipv4Address> peer) override;
    Status clear_sa_counters(std::optional<Ipv4Address> peer) override;
    Status clear_isakmp(std::optional<ConnId> conn_id) override;
    Status clear_interface_counters() override;
    Status clear_arp() override;

    Status initiate(Ipv4Address peer) override { return gateway_.initiate(peer); }

    Status set_debug(cli::DebugTopic topic, bool on) override;

    [[nodiscard]] const ike::DebugCondition& debug_condition() const override {
        return gateway_.debug_condition();
    }

    void set_debug_condition(ike::DebugCondition condition) override {
        gateway_.set_debug_condition(std::move(condition));
    }

    Status export_keys(std::optional<std::string> path) override;
    Status apply_config(config::Config config) override;
    Status save_config() override;

    void log(const LogRecord& record) override { log_.write(record, MonotonicClock::now()); }

  private:
    class Operator; // a SessionHandler that hears what is broadcast while it lives

    Gateway& gateway_;
    Logger& log_;
    LogBuffer& buffer_;
    std::string startup_path_;
    std::vector<config::Problem> problems_;
    std::list<Operator*> operators_;
};

} // namespace adit
