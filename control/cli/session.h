// SPDX-License-Identifier: Apache-2.0
// One operator: modes, prompt, and what each line answers. A Session does no I/O; whoever holds the
// terminal (server.h, a test) hands it lines and prints what it returns. What it needs of the
// process goes through SessionHost.
//
// Output has LF line ends; the terminal's side turns them into CRLF and pages. Threading: control's
// loop.
#pragma once

#include "common/log.h"
#include "control/cli/grammar.h"
#include "control/cli/machine.h"
#include "control/cli/peer_record.h"
#include "control/cli/snapshot.h"
#include "control/config/editor.h"
#include "control/config/problem.h"
#include "control/ike/debug_condition.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adit::cli {

enum class DebugTopic : std::uint8_t { Isakmp, Ipsec };

/// What the process does for its operators. Errors carry the text printed behind "% ".
class SessionHost {
  public:
    virtual ~SessionHost() = default;

    virtual Snapshot snapshot() = 0;
    /// The running configuration; cheap, asked for every prompt.
    virtual std::shared_ptr<const config::Config> running_config() = 0;
    /// Of the text control was started with.
    virtual std::vector<config::Problem> problems() = 0;
    virtual std::vector<std::string> log_buffer() = 0; // oldest first
    virtual std::vector<PeerRecord> history(std::optional<Ipv4Address> peer) = 0;

    virtual Status clear_sa(std::optional<Ipv4Address> peer) = 0;
    virtual Status clear_sa_counters(std::optional<Ipv4Address> peer) = 0;
    virtual Status clear_isakmp(std::optional<ConnId> conn_id) = 0;
    /// Both phases with this peer, or with all.
    virtual Status clear_session(std::optional<Ipv4Address> peer) = 0;
    virtual Status clear_interface_counters() = 0;
    virtual void clear_log() = 0;
    virtual Status clear_arp() = 0;
    /// Every flow of every connection that has this peer.
    virtual Status initiate(Ipv4Address peer) = 0;

    virtual Status set_debug(DebugTopic topic, bool on) = 0;
    [[nodiscard]] virtual bool debugging(DebugTopic topic) const = 0;
    /// What debugging is narrowed down to.
    [[nodiscard]] virtual const ike::DebugCondition& debug_condition() const = 0;
    virtual void set_debug_condition(ike::DebugCondition condition) = 0;
    /// From now on keys are appended to the file; nothing: no more.
    virtual Status export_keys(std::optional<std::string> path) = 0;

    /// Live configuration: takes effect as a whole or not at all.
    virtual Status apply_config(config::Config config) = 0;
    virtual Status save_config() = 0;
    /// What save_config() wrote last, with its secrets.
    virtual Result<std::string> startup_config() = 0;

    /// Files beside the startup configuration. Names have no folder.
    virtual Result<std::string> read_file(const std::string& name) = 0;
    virtual Status write_file(const std::string& name, const std::string& text) = 0;
    virtual Machine machine() = 0;
    virtual std::vector<OperatorLine> operators() = 0;

    /// The configuration of now comes back after that time, unless confirm_config() is called.
    virtual Status arm_revert(std::chrono::minutes after) = 0;
    /// NotFound when nothing waits.
    virtual Status confirm_config() = 0;
    virtual Status revert_now() = 0;
    virtual std::optional<std::chrono::seconds> revert_due() = 0;

    virtual void log(const LogRecord& record) = 0;
};

struct SessionOptions {
    std::string user{"console"};
    unsigned vty{0};
    Privilege privilege{Privilege::Privileged};     // at the start
    Privilege max_privilege{Privilege::Privileged}; // what `enable` may reach
    bool interactive{
        true}; // a one-shot command has no prompt: errors repeat the line above the marker
};

/// What a command asks before it goes on. The answer is the next line.
struct FollowUp {
    std::string prompt;
    std::function<std::string(Session&, const std::string& answer)> then;
};

class Session {
  public:
    Session(SessionHost& host, SessionOptions options);

    /// "gw-a#", "gw-a(config-if)#"; nothing behind it.
    [[nodiscard]] std::string prompt() const;

    /// What the line answers; empty, or whole lines.
    std::string execute(std::string_view line);

    /// For `?` typed behind `line`. The terminal then shows prompt and line again.
    [[nodiscard]] std::string question(std::string_view line) const;

    /// `line` after Tab; unchanged when there is nothing to add.
    [[nodiscard]] std::string complete(std::string_view line) const;

    /// Ctrl-C: leaves configuration, dropping what was typed in it. Ctrl-Z is execute("end").
    std::string interrupt();

    /// exit, quit, logout.
    [[nodiscard]] bool closed() const { return closed_; }

    /// The last line was refused: exit status of a one-shot command.
    [[nodiscard]] bool failed() const { return failed_; }

    /// terminal length: 0 means no paging.
    [[nodiscard]] unsigned terminal_length() const { return terminal_length_; }

    [[nodiscard]] unsigned terminal_width() const { return terminal_width_; }

    /// terminal monitor: log and debug lines are wanted here.
    [[nodiscard]] bool monitoring() const { return monitoring_; }

    // --- for the handlers ------------------------------------------------------------------------

    SessionHost& host() { return host_; }

    [[nodiscard]] const SessionOptions& options() const { return options_; }

    [[nodiscard]] Privilege privilege() const { return privilege_; }

    void set_privilege(Privilege privilege) { privilege_ = privilege; }

    void set_terminal_length(unsigned lines) { terminal_length_ = lines; }

    void set_terminal_width(unsigned columns) { terminal_width_ = columns; }

    void set_monitoring(bool on) { monitoring_ = on; }

    void close() { closed_ = true; }

    /// Of an operator at a terminal; others are taken to agree.
    std::string ask(FollowUp question);

    /// The last lines typed, oldest first.
    [[nodiscard]] const std::deque<std::string>& history() const { return history_; }

    void configure();

    /// "% text", and the line counts as refused.
    std::string refuse(std::string_view text);
    /// Nothing when it went well, else refuse().
    std::string answer(const Status& status);

  private:
    void remember(std::string_view line);
    std::string execute_exec(std::string_view line, std::size_t offset);
    std::string run(const Parsed& parsed, std::string_view command);
    std::string execute_config(std::string_view line);
    std::string apply_edits();
    std::string explain(const Parsed& parsed, std::string_view line, std::size_t offset);
    std::string marker(std::size_t column, std::string_view line);

    SessionHost& host_;
    SessionOptions options_;
    Privilege privilege_;
    unsigned terminal_length_{24};
    unsigned terminal_width_{80};
    bool monitoring_{false};
    bool closed_{false};
    bool failed_{false};
    std::optional<FollowUp> question_;
    std::deque<std::string> history_;

    std::unique_ptr<config::Editor> editor_; // while in configuration
    std::shared_ptr<const config::Config> editor_base_;
    std::vector<std::string>
        edits_; // accepted lines, to be repeated if somebody else changed the base
};

} // namespace adit::cli
