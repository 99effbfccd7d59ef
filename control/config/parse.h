// SPDX-License-Identifier: Apache-2.0
// A whole configuration text, as pasted from a router or read from the startup file, into a Config.
// Every line goes through the same command tree an operator types into.
//
// Threading: pure functions. Errors: none; what is wrong with the text is in `problems`.
#pragma once

#include "control/config/model.h"
#include "control/config/problem.h"

#include <string_view>
#include <vector>

namespace adit::config {

struct ParseResult {
    Config config;
    std::vector<Problem> problems; // in the order of the lines; those of check() last
    Origins origins;

    [[nodiscard]] bool ok() const { return !has_errors(problems); }
};

/// Texts longer than this are refused as a whole: a router's configuration has some 10,000 lines.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{16} * 1024 * 1024;

/// Reads the text and checks the result (check.h).
ParseResult parse_config(std::string_view text);

} // namespace adit::config
