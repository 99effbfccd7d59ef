// SPDX-License-Identifier: Apache-2.0
// adit: a terminal for adit-control. Understands no command; all of that is the server's.
#include "common/version.h"
#include "control/client/batch.h"
#include "control/client/interactive.h"
#include "control/client/options.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

namespace adit::client {
namespace {

constexpr int kRefused = 1;
constexpr int kUnusable = 2; // bad options, no server

/// Whom root acts for; the server believes it of root alone.
std::string acting_for() {
    const char* user = std::getenv("SUDO_USER");
    const std::string name = user != nullptr ? user : "";
    return cli::is_line(name) && name.size() <= cli::kMaxUserBytes ? name : "";
}

/// sshd runs a ForceCommand without arguments and leaves there what the client asked for. It stays
/// a line of the CLI: no shell sees it.
std::vector<std::string> asked_over_ssh() {
    const char* command = std::getenv("SSH_ORIGINAL_COMMAND");
    return command != nullptr ? split_lines(command) : std::vector<std::string>{};
}

Status say_hello(Connection& connection, bool terminal) {
    const WindowSize window = terminal ? window_size() : WindowSize{};
    return connection.send(
        cli::Hello{cli::kProtocolVersion, terminal, window.columns, window.rows, acting_for()});
}

Result<Outcome> run(const Options& options) {
    Connection connection = TRY(Connection::open(options.socket));
    const bool terminal = options.commands.empty() && isatty(STDIN_FILENO) == 1;
    TRY_VOID(say_hello(connection, terminal));
    if (!options.commands.empty())
        return run_commands(connection, options.commands);
    if (!terminal)
        return run_lines(connection, std::cin);
    TRY_VOID(Interactive{std::move(connection)}.run());
    return Outcome::Accepted;
}

int report(const Error& error) {
    std::fprintf(stderr, "adit: %s\n", error.text.c_str());
    return kUnusable;
}

} // namespace
} // namespace adit::client

int main(int argc, char** argv) {
    using namespace adit::client;
    auto options = parse_options({argv + 1, argv + argc});
    if (!options)
        return report(options.error());
    if (argc == 1)
        options->commands = asked_over_ssh();
    if (options->help)
        return std::fputs(help_text().c_str(), stdout) < 0;
    if (options->version)
        return std::printf("adit %s\n", adit::kVersion) < 0;
    const auto outcome = run(*options);
    if (!outcome)
        return report(outcome.error());
    return *outcome == Outcome::Refused ? kRefused : EXIT_SUCCESS;
}
