// SPDX-License-Identifier: Apache-2.0
// The border between the CLI server, which moves bytes, and a session, which understands lines. The
// server owns one LineHandler per connection, made by its HandlerFactory once the client has said
// hello.
//
// Threading: everything here runs on control's event loop; no call may wait. Texts end their lines
// with LF; the client turns that into what its terminal wants.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace adit::cli {

/// Who is at the other end: facts of the kernel, not claims of the client.
struct Caller {
    std::string user; // name of the peer's uid; root may name whom it acts for
    std::uint32_t uid{};
    unsigned privilege{1}; // 15: root, the service's own user, members of its group
    unsigned line{};       // vty number, from 0
    bool terminal{false};  // a person or a screen scraper; false: one-shot and piped input
    std::uint16_t columns{}, rows{}; // 0: unknown
};

/// What a line led to.
struct Reply {
    std::string output; // empty, or whole lines each ending with LF
    bool failed{false}; // the line was refused: exit status 1 of a one-shot client
    bool close{false};  // exit, quit, logout in EXEC
};

/// How the client shall treat what follows.
struct TerminalSettings {
    std::uint16_t page_lines{24}; // `terminal length`; 0: no pager
    std::uint16_t columns{80};    // `terminal width`; 0: unlimited
};

class LineHandler {
  public:
    virtual ~LineHandler() = default;

    /// "Router#", "Router(config-if)#"; also "Password: ".
    [[nodiscard]] virtual std::string prompt() const = 0;

    /// False while the answer to the prompt is a secret: no echo, no history, `?` is a character.
    [[nodiscard]] virtual bool echo() const { return true; }

    [[nodiscard]] virtual TerminalSettings terminal() const = 0;

    /// A whole line without its end. No control characters except TAB; at most kMaxLineBytes
    /// (protocol.h).
    virtual Reply line(const std::string& text) = 0;

    /// `?` after `partial` (without the `?`): the help text.
    virtual std::string question(const std::string& partial) = 0;

    /// TAB after `partial`: the line as far as it is certain; `partial` itself when nothing is.
    virtual std::string complete(const std::string& partial) = 0;

    /// Ctrl-C: leaves configuration for EXEC, drops a question that waits for its answer. Ctrl-Z
    /// arrives as the line typed so far and then, in configuration, as line("end").
    virtual void interrupt() = 0;

    /// The window of a terminal changed; also called once at the start.
    virtual void resize(std::uint16_t columns, std::uint16_t rows) = 0;
};

/// Text for the terminal that nobody asked for just now: log lines, debug. Callable at any time
/// while the handler lives, also from inside its own functions; a client that does not keep up
/// loses such text rather than holding up control.
using AsyncSink = std::function<void(std::string text)>;

using HandlerFactory =
    std::function<std::unique_ptr<LineHandler>(const Caller& caller, AsyncSink async)>;

} // namespace adit::cli
