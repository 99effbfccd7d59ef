// SPDX-License-Identifier: Apache-2.0
#include "control/config/problem.h"

#include <algorithm>

namespace adit::config {

const char* to_string(ProblemSeverity severity) {
    switch (severity) {
    case ProblemSeverity::Error:
        return "error";
    case ProblemSeverity::Warning:
        return "warning";
    case ProblemSeverity::Ignored:
        return "ignored";
    }
    return "?";
}

std::string to_string(const Problem& problem) {
    std::string text;
    if (problem.line > 0)
        text += "line " + std::to_string(problem.line);
    if (problem.line > 0 && problem.column > 0)
        text += ", column " + std::to_string(problem.column);
    if (!text.empty())
        text += ": ";
    text += std::string(to_string(problem.severity)) + ": " + problem.message;
    if (!problem.text.empty())
        text += " ('" + problem.text + "')";
    if (!problem.remedy.empty())
        text += "; " + problem.remedy;
    return text;
}

bool has_errors(const std::vector<Problem>& problems) {
    return std::any_of(problems.begin(), problems.end(), [](const Problem& problem) {
        return problem.severity == ProblemSeverity::Error;
    });
}

} // namespace adit::config
