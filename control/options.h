// SPDX-License-Identifier: Apache-2.0
// The command line of adit-control.
#pragma once

#include "common/error.h"

#include <string>
#include <variant>

namespace adit {

struct Options {
    std::string config_path;
    std::string dataplane_socket;
    std::string cli_socket;
    std::string metrics; // port of the loopback, or path of a socket; empty: none
    bool check_only{false};
    bool log_to_stderr{true};
};

/// What to print and the status to exit with, when there is nothing to run (--help, --version,
/// mistakes).
struct ExitWith {
    int status{0};
    std::string text;
};

std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv);

} // namespace adit
