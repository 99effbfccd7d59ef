// SPDX-License-Identifier: Apache-2.0
// A Session behind the server's border: facts about the caller become privileges, lines become
// replies.
//
// Threading: control's loop.
#pragma once

#include "control/cli/line_handler.h"
#include "control/cli/session.h"

#include <memory>

namespace adit::cli {

class SessionHandler : public LineHandler {
  public:
    /// `host` outlives the handler.
    SessionHandler(SessionHost& host, const Caller& caller, AsyncSink async);

    [[nodiscard]] std::string prompt() const override { return session_.prompt(); }

    [[nodiscard]] TerminalSettings terminal() const override;
    Reply line(const std::string& text) override;
    std::string question(const std::string& partial) override;
    std::string complete(const std::string& partial) override;
    void interrupt() override;
    void resize(std::uint16_t columns, std::uint16_t rows) override;

    /// A log or debug line, shown when the operator asked for them.
    void monitor(const std::string& line);

    [[nodiscard]] const Session& session() const { return session_; }

    /// Since the operator's last line.
    [[nodiscard]] std::uint64_t idle_seconds(Instant now) const;

  private:
    Session session_;
    AsyncSink async_;
    bool sized_by_operator_{false};
    Instant last_line_{MonotonicClock::now()};
};

} // namespace adit::cli
