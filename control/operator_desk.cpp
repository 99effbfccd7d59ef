// SPDX-License-Identifier: Apache-2.0
#include "control/operator_desk.h"

#include "control/config/render.h"
#include "control/config/store.h"

#include <algorithm>

namespace adit {

class OperatorDesk::Operator final : public cli::SessionHandler {
  public:
    Operator(OperatorDesk& desk, const cli::Caller& caller, cli::AsyncSink async)
        : SessionHandler(desk, caller, std::move(async)), desk_(desk) {
        desk_.operators_.push_back(this);
    }

    Operator(const Operator&) = delete;
    Operator& operator=(const Operator&) = delete;

    ~Operator() override { desk_.operators_.remove(this); }

  private:
    OperatorDesk& desk_;
};

OperatorDesk::OperatorDesk(EventLoop& loop,
                           Gateway& gateway,
                           Logger& log,
                           LogBuffer& buffer,
                           std::string startup_path,
                           std::vector<config::Problem> problems)
    : gateway_(gateway), log_(log), buffer_(buffer), startup_path_(std::move(startup_path)),
      files_(startup_path_), revert_(loop,
                                     log,
                                     [this](std::shared_ptr<const config::Config> config) {
                                         gateway_.apply(std::move(config));
                                     }),
      problems_(std::move(problems)) {}

std::unique_ptr<cli::LineHandler> OperatorDesk::open_session(const cli::Caller& caller,
                                                             cli::AsyncSink async) {
    return std::make_unique<Operator>(*this, caller, std::move(async));
}

void OperatorDesk::broadcast(const std::string& line) {
    for (Operator* one : operators_)
        one->monitor(line);
}

Status OperatorDesk::clear_sa(std::optional<Ipv4Address> peer) {
    gateway_.clear_phase2(peer);
    return {};
}

Status OperatorDesk::clear_sa_counters(std::optional<Ipv4Address> peer) {
    gateway_.clear_sa_counters(peer);
    return {};
}

Status OperatorDesk::clear_isakmp(std::optional<ConnId> conn_id) {
    gateway_.clear_phase1(std::nullopt, conn_id);
    return {};
}

Status OperatorDesk::clear_session(std::optional<Ipv4Address> peer) {
    gateway_.clear_phase2(peer); // first: phase 1 tells the peer
    gateway_.clear_phase1(peer, std::nullopt);
    return {};
}

Status OperatorDesk::clear_interface_counters() {
    gateway_.clear_interface_counters();
    return {};
}

Status OperatorDesk::clear_arp() {
    gateway_.flush_neighbors();
    return {};
}

Status OperatorDesk::set_debug(cli::DebugTopic topic, bool on) {
    Gateway::DebugSink sink;
    if (on)
        sink = [this](const std::string& text) {
            const WallTime now = std::chrono::system_clock::now();
            buffer_.append(text, now);
            broadcast(router_timestamp(now) + ": " + text);
        };
    if (topic == cli::DebugTopic::Isakmp)
        TRY_VOID(gateway_.debug_isakmp(std::move(sink)));
    else
        gateway_.debug_ipsec(std::move(sink));
    if (on)
        debugging_.insert(topic);
    else
        debugging_.erase(topic);
    return {};
}

bool OperatorDesk::debugging(cli::DebugTopic topic) const {
    return debugging_.contains(topic);
}

std::vector<cli::OperatorLine> OperatorDesk::operators() {
    std::vector<cli::OperatorLine> lines;
    for (const Operator* one : operators_)
        lines.push_back({one->session().options().vty,
                         one->session().options().user,
                         one->idle_seconds(MonotonicClock::now())});
    std::ranges::sort(lines, {}, &cli::OperatorLine::vty);
    return lines;
}

Result<std::string> OperatorDesk::startup_config() {
    return config::load_text(startup_path_);
}

Status OperatorDesk::arm_revert(std::chrono::minutes after) {
    revert_.arm(gateway_.config(), after);
    return {};
}

Status OperatorDesk::export_keys(std::optional<std::string> path) {
    return gateway_.export_keys(path.value_or(""));
}

Status OperatorDesk::apply_config(config::Config config) {
    gateway_.apply(std::make_shared<const config::Config>(std::move(config)));
    return {};
}

Status OperatorDesk::save_config() {
    const std::string text = config::render(*gateway_.config(), config::Secrets::Clear);
    TRY_VOID(config::save_text(startup_path_, text));
    gateway_.set_startup_text(text);
    return {};
}

} // namespace adit
