// SPDX-License-Identifier: Apache-2.0
#include "control/client/batch.h"

#include "control/client/pager.h"
#include "control/client/terminal.h"

#include <unistd.h>

namespace adit::client {
namespace {

enum class Answer : std::uint8_t {
    Accepted,
    Refused,
    Closed, // the session ended as asked
};

cli::ClientMessage message_of(const std::string& command) {
    if (!command.empty() && command.back() == '?')
        return cli::Question{command.substr(0, command.size() - 1)};
    return cli::Line{cli::LineEnd::Enter, command};
}

/// Prints what comes until the next prompt.
Result<Answer> print_answer(Connection& connection) {
    Answer answer = Answer::Accepted;
    for (;;) {
        const cli::ServerMessage message = TRY(connection.receive());
        if (const auto* output = std::get_if<cli::Output>(&message))
            TRY_VOID(write_all(STDOUT_FILENO, plain_text(output->text)));
        else if (const auto* done = std::get_if<cli::Done>(&message))
            answer = done->failed ? Answer::Refused : Answer::Accepted;
        else if (std::holds_alternative<cli::Prompt>(message))
            return answer;
        else if (const auto* bye = std::get_if<cli::Bye>(&message)) {
            if (!bye->text.empty())
                return fail(ErrorCode::System, "adit-control closed the connection: " + bye->text);
            return answer == Answer::Refused ? answer : Answer::Closed;
        }
    }
}

Result<Answer> run(Connection& connection, const std::string& command) {
    if (!cli::is_line(command))
        return fail(ErrorCode::Invalid,
                    "a command has at most " + std::to_string(cli::kMaxLineBytes) +
                        " characters and no control characters: '" +
                        plain_text(command.substr(0, 60)) + "...'");
    TRY_VOID(connection.send(message_of(command)));
    return print_answer(connection);
}

} // namespace

Result<Outcome> run_commands(Connection& connection, const std::vector<std::string>& commands) {
    TRY_VOID(print_answer(connection)); // the first prompt
    for (const std::string& command : commands) {
        const Answer answer = TRY(run(connection, command));
        if (answer == Answer::Refused)
            return Outcome::Refused;
        if (answer == Answer::Closed)
            break;
    }
    return Outcome::Accepted;
}

Result<Outcome> run_lines(Connection& connection, std::istream& input) {
    TRY_VOID(print_answer(connection)); // the first prompt
    Outcome outcome = Outcome::Accepted;
    for (std::string line; std::getline(input, line);) {
        if (line.ends_with('\r'))
            line.pop_back();
        const Answer answer = TRY(run(connection, line));
        if (answer == Answer::Refused)
            outcome = Outcome::Refused;
        if (answer == Answer::Closed)
            break;
    }
    return outcome;
}

} // namespace adit::client
