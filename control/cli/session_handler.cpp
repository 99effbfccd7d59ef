// SPDX-License-Identifier: Apache-2.0
#include "control/cli/session_handler.h"

#include <algorithm>

namespace adit::cli {

namespace {

/// What the kernel says of the account, or less: `username U privilege 1` is for those who may only
/// look. Root cannot be kept from anything.
unsigned privilege_of(const config::Config& config, const Caller& caller) {
    const auto user = config.users.find(caller.user);
    if (caller.uid == 0 || user == config.users.end() || !user->second.privilege)
        return caller.privilege;
    return std::min<unsigned>(caller.privilege, *user->second.privilege);
}

SessionOptions options_of(const config::Config& config, const Caller& caller) {
    const Privilege privilege =
        privilege_of(config, caller) >= static_cast<unsigned>(Privilege::Privileged)
            ? Privilege::Privileged
            : Privilege::User;
    return {.user = caller.user,
            .vty = caller.line,
            .privilege = privilege,
            .max_privilege = privilege,
            .interactive = caller.terminal};
}

} // namespace

SessionHandler::SessionHandler(SessionHost& host, const Caller& caller, AsyncSink async)
    : session_(host, options_of(*host.running_config(), caller)), async_(std::move(async)) {
    if (!caller.terminal)
        session_.set_terminal_length(0);
    else
        resize(caller.columns, caller.rows);
}

TerminalSettings SessionHandler::terminal() const {
    return {static_cast<std::uint16_t>(session_.terminal_length()),
            static_cast<std::uint16_t>(session_.terminal_width())};
}

Reply SessionHandler::line(const std::string& text) {
    const unsigned length = session_.terminal_length();
    const unsigned width = session_.terminal_width();
    last_line_ = MonotonicClock::now();
    Reply reply{.output = session_.execute(text)};
    reply.failed = session_.failed();
    reply.close = session_.closed();
    // From then on the window's size says nothing.
    sized_by_operator_ = sized_by_operator_ || length != session_.terminal_length() ||
                         width != session_.terminal_width();
    return reply;
}

std::string SessionHandler::question(const std::string& partial) {
    return session_.question(partial);
}

std::string SessionHandler::complete(const std::string& partial) {
    return session_.complete(partial);
}

void SessionHandler::interrupt() {
    if (const std::string text = session_.interrupt(); !text.empty())
        async_(text);
}

void SessionHandler::resize(std::uint16_t columns, std::uint16_t rows) {
    if (sized_by_operator_ || columns == 0 || rows == 0)
        return;
    session_.set_terminal_width(columns);
    session_.set_terminal_length(rows);
}

std::uint64_t SessionHandler::idle_seconds(Instant now) const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now - last_line_).count());
}

void SessionHandler::monitor(const std::string& line) {
    if (session_.monitoring())
        async_(line + '\n');
}

} // namespace adit::cli
