// SPDX-License-Identifier: Apache-2.0
// The command line of `adit`. The first word that is no option begins a command, which takes all
// words behind it: `adit show logging | include -6-` needs no quoting of its dash.
#pragma once

#include "common/error.h"
#include "control/cli/protocol.h"

#include <string>
#include <vector>

namespace adit::client {

struct Options {
    std::string socket{cli::kControlSocketPath};
    std::vector<std::string> commands; // empty: interactive, or standard input
    bool help{false};
    bool version{false};
};

/// The lines of one text, each without its end.
std::vector<std::string> split_lines(const std::string& text);

Result<Options> parse_options(const std::vector<std::string>& arguments);

std::string help_text();

} // namespace adit::client
