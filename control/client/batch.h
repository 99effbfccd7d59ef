// SPDX-License-Identifier: Apache-2.0
// Commands without a person: from the command line, or from a file or pipe on standard input. No
// echo, no prompt, no pager, LF line ends.
//
// Threading: one thread; waits for each answer.
#pragma once

#include "control/client/connection.h"

#include <istream>
#include <string>
#include <vector>

namespace adit::client {

enum class Outcome : std::uint8_t {
    Accepted,
    Refused, // some line was: exit status 1
};

/// One after the other in one session, until one is refused or ends the session. A trailing `?`
/// asks for help instead.
Result<Outcome> run_commands(Connection& connection, const std::vector<std::string>& commands);

/// Every line of `input`, whatever becomes of the ones before it.
Result<Outcome> run_lines(Connection& connection, std::istream& input);

} // namespace adit::client
