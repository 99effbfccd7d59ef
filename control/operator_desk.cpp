// SPDX-License-Identifier: Apache-2.0
#include "control/operator_desk.h"

#include "control/config/render.h"
#include "control/config/store.h"

namespace adit {

/// One connection: a Session behind the server's LineHandler.
class OperatorDesk::Operator final : public cli::LineHandler {
  public:
    Operator(OperatorDesk& desk, const cli::Caller& caller, cli::AsyncSink async)
        : desk_(desk), async_(std::move(async)), session_(desk, options_of(caller)) {
        desk_.operators_.push_back(this);
    }

    Operator(const Operator&) = delete;
    Operator& operator=(const Operator&) = delete;

    ~Operator() override { desk_.operators_.remove(this); }

    [[nodiscard]] std::string prompt() const override { return session_.prompt(); }

    [[nodiscard]] cli::TerminalSettings terminal() const override {
        return {static_cast<std::uint16_t>(session_.terminal_length()),
                static_cast<std::uint16_t>(session_.terminal_width())};
    }

    cli::Reply line(const std::string& text) override {
        std::string output = session_.execute(text);
        return {std::move(output), session_.failed(), session_.closed()};
    }

    std::string question(const std::string& partial) override { return session_.question(partial); }

    std::string complete(const std::string& partial) override { return session_.complete(partial); }

    void interrupt() override { session_.interrupt(); }

    void resize(std::uint16_t columns, std::uint16_t rows) override {
        if (rows > 0)
            session_.set_terminal_length(rows);
        if (columns > 0)
            session_.set_terminal_width(columns);
    }

    void tell(const std::string& line) {
        if (session_.monitoring())
            async_(line + "\n");
    }

  private:
    static cli::SessionOptions options_of(const cli::Caller& caller) {
        cli::SessionOptions options;
        options.user = caller.user;
        options.line = "vty" + std::to_string(caller.line);
        options.privilege =
            caller.privilege >= 15 ? cli::Privilege::Privileged : cli::Privilege::User;
        options.max_privilege = options.privilege;
        options.interactive = caller.terminal;
        return options;
    }

    OperatorDesk& desk_;
    cli::AsyncSink async_;
    cli::Session session_;
};

OperatorDesk::OperatorDesk(Gateway& gateway,
                           Logger& log,
                           LogBuffer& buffer,
                           std::string startup_path,
                           std::vector<config::Problem> problems)
    : gateway_(gateway), log_(log), buffer_(buffer), startup_path_(std::move(startup_path)),
      problems_(std::move(problems)) {}

std::unique_ptr<cli::LineHandler> OperatorDesk::open_session(const cli::Caller& caller,
                                                             cli::AsyncSink async) {
    return std::make_unique<Operator>(*this, caller, std::move(async));
}

void OperatorDesk::broadcast(const std::string& line) {
    for (Operator* one : operators_)
        one->tell(line);
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
        gateway_.debug_isakmp(std::move(sink));
    else
        gateway_.debug_ipsec(std::move(sink));
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
    return config::save_text(startup_path_,
                             config::render(*gateway_.config(), config::Secrets::Clear));
}

} // namespace adit
