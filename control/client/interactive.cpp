// SPDX-License-Identifier: Apache-2.0
#include "control/client/interactive.h"

#include "common/unique_fd.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace adit::client {
namespace {

/// Keys typed ahead of the prompt; a paste longer than this waits in the terminal.
constexpr std::size_t kMaxTypedAhead = 65'536;

Result<UniqueFd> watch_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    UniqueFd fd{signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd.valid())
        return fail_errno("signalfd");
    return fd;
}

} // namespace

Status Interactive::run() {
    const UniqueFd signals = TRY(watch_signals());
    {
        const RawMode raw = TRY(RawMode::enter());
        editor_.set_columns(window_size().columns);
        while (!finished_)
            TRY_VOID(wait(signals.get()));
    }
    if (!farewell_.empty())
        return fail(ErrorCode::System, "adit-control closed the connection: " + farewell_);
    return {};
}

Status Interactive::wait(int signals) {
    const short keys_wanted = keys_.size() < kMaxTypedAhead ? POLLIN : short{0};
    // While a page waits for a key the socket fills and the server holds the rest back.
    const short messages_wanted = pager_.waiting() ? short{0} : POLLIN;
    std::array<pollfd, 3> waited{{
        {STDIN_FILENO, keys_wanted, 0},
        {connection_.fd(), messages_wanted, 0},
        {signals, POLLIN, 0},
    }};
    if (poll(waited.data(), waited.size(), -1) < 0)
        return errno == EINTR ? Status{} : Status{fail_errno("poll")};
    if (waited[2].revents != 0)
        TRY_VOID(read_signal(signals));
    if (waited[0].revents != 0)
        TRY_VOID(read_keys());
    if (waited[1].revents != 0)
        for (cli::ServerMessage& message : TRY(connection_.receive_ready()))
            messages_.push_back(std::move(message));
    TRY_VOID(use_messages());
    return use_keys();
}

Status Interactive::read_signal(int signals) {
    signalfd_siginfo info{};
    if (read(signals, &info, sizeof info) != static_cast<ssize_t>(sizeof info))
        return {};
    if (info.ssi_signo != SIGWINCH) {
        finished_ = true;
        return {};
    }
    const WindowSize window = window_size();
    editor_.set_columns(window.columns);
    return connection_.send(cli::WindowSize{window.columns, window.rows});
}

Status Interactive::read_keys() {
    std::array<char, 4'096> chunk;
    const ssize_t got = read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got > 0)
        keys_.append(chunk.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
        finished_ = true; // the terminal is gone
    return {};
}

/// As many keys as make sense now: an answer may change what the next ones mean.
Status Interactive::use_keys() {
    std::size_t used = 0;
    while (used < keys_.size() && !finished_) {
        if (pager_.waiting()) {
            TRY_VOID(print(pager_.key(keys_[used++])));
            TRY_VOID(use_messages());
        } else if (turn_ == Turn::Keys) {
            LineEditor::Step step = editor_.key(keys_[used++]);
            TRY_VOID(print(step.output));
            TRY_VOID(act_on(step.event));
        } else {
            break;
        }
    }
    keys_.erase(0, used);
    return {};
}

Status Interactive::act_on(EditorEvent event) {
    if (event == EditorEvent::None)
        return {};
    turn_ = Turn::Server;
    switch (event) {
    case EditorEvent::Line:
        return connection_.send(cli::Line{cli::LineEnd::Enter, editor_.line()});
    case EditorEvent::LeaveConfiguration:
        return connection_.send(cli::Line{cli::LineEnd::LeaveConfiguration, editor_.line()});
    case EditorEvent::Interrupt:
        return connection_.send(cli::Interrupt{});
    case EditorEvent::Question:
        resumes_line_ = true;
        return connection_.send(cli::Question{editor_.before_cursor()});
    case EditorEvent::Complete:
        return connection_.send(cli::Complete{editor_.before_cursor()});
    case EditorEvent::EndOfInput:
        finished_ = true;
        return {};
    case EditorEvent::None:
        return {};
    }
    return {};
}

Status Interactive::use_messages() {
    while (!messages_.empty() && !pager_.waiting() && !finished_) {
        const cli::ServerMessage message = std::move(messages_.front());
        messages_.pop_front();
        TRY_VOID(show(message));
    }
    return {};
}

Status Interactive::show(const cli::ServerMessage& message) {
    if (const auto* output = std::get_if<cli::Output>(&message))
        return print(pager_.write(output->text));
    if (const auto* prompt = std::get_if<cli::Prompt>(&message))
        return show_prompt(*prompt);
    if (const auto* async = std::get_if<cli::Async>(&message))
        return show_async(async->text);
    if (const auto* completion = std::get_if<cli::Completion>(&message)) {
        turn_ = Turn::Keys;
        return print(editor_.completed(completion->line));
    }
    if (const auto* bye = std::get_if<cli::Bye>(&message)) {
        farewell_ = plain_text(bye->text);
        finished_ = true;
        if (turn_ == Turn::Keys)
            return print("\r\n"); // leave the line that was being typed
    }
    return {};
}

Status Interactive::show_prompt(const cli::Prompt& prompt) {
    pager_.start(prompt.page_lines);
    turn_ = Turn::Keys;
    const std::string text = screen_text(prompt.text);
    if (std::exchange(resumes_line_, false))
        return print(editor_.resume(text));
    return print(editor_.begin(text, prompt.echo ? Echo::On : Echo::Off));
}

Status Interactive::show_async(const std::string& text) {
    if (turn_ == Turn::Keys)
        return print(editor_.hide() + screen_text(text) + editor_.show());
    return print(screen_text(text));
}

Status Interactive::print(const std::string& bytes) {
    return write_all(STDOUT_FILENO, bytes);
}

} // namespace adit::client
