// SPDX-License-Identifier: Apache-2.0
#include "control/cli/filter.h"

#include <algorithm>
#include <vector>

namespace adit::cli {

namespace {

constexpr std::size_t kMaxPattern = 512;

/// Takes the first word off `text`.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

bool is_abbreviation(std::string_view word, std::string_view of) {
    return !word.empty() && of.starts_with(word);
}

/// A router's expression in the words of regcomp(3).
Result<std::string> translate(std::string_view pattern) {
    std::string text;
    bool in_brackets = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '\\' && i + 1 < pattern.size() && !in_brackets) {
            const char next = pattern[++i];
            if (next >= '0' && next <= '9')
                return fail(ErrorCode::Unsupported, "back-references are not supported");
            text += {c, next};
        } else if (c == '_' && !in_brackets) {
            text += "(^|$|[ ,(){}])";
        } else if ((c == '{' || c == '}') && !in_brackets) {
            text += {'\\', c};
        } else {
            in_brackets = c == '[' || (in_brackets && c != ']');
            text += c;
        }
    }
    return text;
}

std::size_t indent(const std::string& line) {
    return std::min(line.find_first_not_of(' '), line.size());
}

std::vector<std::string> split_lines(std::string_view output) {
    std::vector<std::string> lines;
    while (!output.empty()) {
        const std::size_t end = std::min(output.find('\n'), output.size());
        lines.emplace_back(output.substr(0, end));
        output.remove_prefix(std::min(end + 1, output.size()));
    }
    return lines;
}

} // namespace

void Filter::Free::operator()(regex_t* expression) const {
    regfree(expression);
    delete expression;
}

Result<Filter> Filter::parse(std::string_view text, Trouble& trouble) {
    const std::string_view whole = text;
    const auto refuse = [&](Trouble::Kind kind, std::size_t column, const char* why) {
        trouble = {kind, column};
        return fail(ErrorCode::Invalid, why);
    };
    const std::string_view word = take_word(text);
    if (word.empty())
        return refuse(Trouble::Kind::Incomplete, whole.size(), "no filter behind |");
    const auto column = static_cast<std::size_t>(word.data() - whole.data());
    const auto* found = std::find_if(std::begin(kFilterWords),
                                     std::end(kFilterWords),
                                     [&](const auto& f) { return is_abbreviation(word, f.word); });
    if (found == std::end(kFilterWords))
        return refuse(Trouble::Kind::Invalid, column, "no such filter");

    Filter filter;
    filter.kind_ = found->kind;
    if (filter.kind_ == Kind::Section) {
        std::string_view rest = text;
        const std::string_view how = take_word(rest);
        const bool excludes = how == "exclude";
        // Alone, the word is the pattern.
        if ((excludes || how == "include") &&
            rest.find_first_not_of(' ') != std::string_view::npos) {
            text = rest;
            filter.kind_ = excludes ? Kind::SectionExclude : Kind::Section;
        }
    }
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty())
        return refuse(Trouble::Kind::Incomplete, whole.size(), "no pattern");
    if (text.size() > kMaxPattern)
        return refuse(Trouble::Kind::Pattern, whole.size(), "the pattern is too long");
    const auto translated = translate(text);
    auto expression = std::make_unique<regex_t>();
    if (!translated ||
        regcomp(expression.get(), translated->c_str(), REG_EXTENDED | REG_NOSUB) != 0)
        return refuse(Trouble::Kind::Pattern, whole.size(), "not a regular expression");
    filter.expression_.reset(expression.release());
    return filter;
}

bool Filter::matches(const std::string& line) const {
    return regexec(expression_.get(), line.c_str(), 0, nullptr, 0) == 0;
}

std::string Filter::apply(std::string_view output) const {
    std::string kept;
    std::size_t count = 0;
    bool begun = false;      // Begin: the first match was seen
    bool in_section = false; // Section: below a match ...
    std::size_t section_indent = 0;
    for (const std::string& line : split_lines(output)) {
        const bool match = matches(line);
        count += match ? 1 : 0;
        begun = begun || match;
        if (in_section && indent(line) <= section_indent)
            in_section = false;
        if (match && !in_section) {
            in_section = true; // ... as long as lines are indented deeper
            section_indent = indent(line);
        }
        const bool keep = (kind_ == Kind::Begin && begun) || (kind_ == Kind::Include && match) ||
                          (kind_ == Kind::Exclude && !match) ||
                          (kind_ == Kind::Section && in_section) ||
                          (kind_ == Kind::SectionExclude && !in_section);
        if (keep)
            kept += line + '\n';
    }
    if (kind_ == Kind::Count)
        return "Number of lines which match regexp = " + std::to_string(count) + '\n';
    return kept;
}

} // namespace adit::cli
