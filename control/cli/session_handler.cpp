// SPDX-License-Identifier: Apache-2.0
#include "control/cli/session_handler.h"

namespace adit::cli {

namespace {

SessionOptions options_of(const Caller& caller) {
    const Privilege privilege = caller.privilege >= static_cast<unsigned>(Privilege::Privileged)
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
    : session_(host, options_of(caller)), async_(std::move(async)) {
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
