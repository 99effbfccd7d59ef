// SPDX-License-Identifier: Apache-2.0
// What stands between the operators' sessions and the gateway: it carries out what a session asks,
// keeps the startup file, and brings log and debug lines to the sessions that want them.
//
// Threading: control's loop.
#pragma once

#include "control/cli/session_handler.h"
#include "control/config/parse.h"
#include "control/config_revert.h"
#include "control/gateway.h"
#include "control/local_files.h"
#include "control/log_buffer.h"

#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace adit {

class OperatorDesk final : public cli::SessionHost {
  public:
    /// `problems` are those of the text that control was started with. All references outlive the
    /// desk.
    OperatorDesk(EventLoop& loop,
                 Gateway& gateway,
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

    std::vector<cli::PeerRecord> history(std::optional<Ipv4Address> peer) override {
        return gateway_.history().records(peer);
    }

    Status clear_sa(std::optional<Ipv4Address> peer) override;
    Status clear_sa_counters(std::optional<Ipv4Address> peer) override;
    Status clear_isakmp(std::optional<ConnId> conn_id) override;
    Status clear_session(std::optional<Ipv4Address> peer) override;
    Status clear_interface_counters() override;

    void clear_log() override { buffer_.clear(); }

    Status clear_arp() override;

    Status initiate(Ipv4Address peer) override { return gateway_.initiate(peer); }

    Status set_debug(cli::DebugTopic topic, bool on) override;
    [[nodiscard]] bool debugging(cli::DebugTopic topic) const override;

    [[nodiscard]] const ike::DebugCondition& debug_condition() const override {
        return gateway_.debug_condition();
    }

    void set_debug_condition(ike::DebugCondition condition) override {
        gateway_.set_debug_condition(std::move(condition));
    }

    Status export_keys(std::optional<std::string> path) override;
    Status apply_config(config::Config config) override;
    Status save_config() override;
    Result<std::string> startup_config() override;

    Result<std::string> read_file(const std::string& name) override { return files_.read(name); }

    Status write_file(const std::string& name, const std::string& text) override {
        return files_.write(name, text);
    }

    cli::Machine machine() override { return files_.machine(); }

    std::vector<cli::OperatorLine> operators() override;
    Status arm_revert(std::chrono::minutes after) override;

    Status confirm_config() override { return revert_.confirm(); }

    Status revert_now() override { return revert_.revert(); }

    std::optional<std::chrono::seconds> revert_due() override { return revert_.due(); }

    void log(const LogRecord& record) override { log_.write(record, MonotonicClock::now()); }

  private:
    class Operator; // a SessionHandler that hears what is broadcast while it lives

    Gateway& gateway_;
    Logger& log_;
    LogBuffer& buffer_;
    std::string startup_path_;
    LocalFiles files_;
    ConfigRevert revert_;
    std::set<cli::DebugTopic> debugging_;
    std::vector<config::Problem> problems_;
    std::list<Operator*> operators_;
};

} // namespace adit
