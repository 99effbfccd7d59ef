// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration text, line by line: nothing in it is passed over silently.
//
// Threading: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace adit::config {

enum class ProblemSeverity : std::uint8_t {
    Error,   // the configuration must not be used as it stands
    Warning, // used, but probably not what was meant
    Ignored, // understood, has no effect here
};

struct Problem {
    unsigned line{0};   // from 1; 0: concerns no single line
    unsigned column{0}; // of the first wrong character, from 1; 0: the whole line
    ProblemSeverity severity{ProblemSeverity::Error};
    std::string text; // the line
    std::string message;
    std::string remedy; // may be empty
};

const char* to_string(ProblemSeverity severity);

/// "line 12: error: ... (text; remedy: ...)", one line without its end.
std::string to_string(const Problem& problem);

bool has_errors(const std::vector<Problem>& problems);

/// Where an object was written: "crypto map VPNMAP 10" -> line 31. Lets check() name lines.
using Origins = std::map<std::string, unsigned>;

} // namespace adit::config
