// SPDX-License-Identifier: Apache-2.0
// What stands behind `|`: begin, count, exclude, include, section. The pattern is the rest of the
// line, blanks and further bars included: a POSIX extended regular expression in which `_` is a
// delimiter.
//
// Repetition counts and back-references are not part of the routers' expressions, and would let one
// line take minutes: braces are plain characters, back-references are refused.
//
// Threading: pure functions.
#pragma once

#include "common/error.h"

#include <memory>
#include <regex.h>
#include <string>
#include <string_view>

namespace adit::cli {

class Filter {
  public:
    enum class Kind : std::uint8_t { Begin, Count, Exclude, Include, Section, SectionExclude };

    /// What is wrong with the text behind the bar, and where.
    struct Trouble {
        enum class Kind : std::uint8_t { None, Incomplete, Ambiguous, Invalid, Pattern } kind{};
        std::size_t column{0}; // in the text given
    };

    /// `text` is what stands behind the first bar.
    static Result<Filter> parse(std::string_view text, Trouble& trouble);

    [[nodiscard]] std::string apply(std::string_view output) const;

  private:
    struct Free {
        void operator()(regex_t* expression) const;
    };

    [[nodiscard]] bool matches(const std::string& line) const;

    Kind kind_{};
    std::unique_ptr<regex_t, Free> expression_;
};

struct FilterWord {
    const char* word;
    const char* help;
    Filter::Kind kind;
};

/// For `?` behind the bar.
inline constexpr FilterWord kFilterWords[] = {
    {"begin", "Begin with the line that matches", Filter::Kind::Begin},
    {"count", "Count number of lines which match regexp", Filter::Kind::Count},
    {"exclude", "Exclude lines that match", Filter::Kind::Exclude},
    {"include", "Include lines that match", Filter::Kind::Include},
    {"section", "Filter a section of output", Filter::Kind::Section},
};

} // namespace adit::cli
