// SPDX-License-Identifier: Apache-2.0
#include "control/config/parse.h"

#include "control/config/check.h"
#include "control/config/editor.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace adit::config {

namespace {

/// What stands around a configuration when it was copied from a screen.
bool is_heading(std::string_view line) {
    constexpr std::array kHeadings = {
        "Building configuration...", "Current configuration :", "Using "};
    return std::any_of(kHeadings.begin(), kHeadings.end(), [&](std::string_view heading) {
        return line.starts_with(heading);
    });
}

/// `banner motd ^C`: text up to the next ^C, over any number of lines. Gives the delimiter while
/// the text goes on.
std::string banner_delimiter(std::string_view line) {
    if (!line.starts_with("banner "))
        return {};
    const std::size_t kind = line.find_first_not_of(' ', 7);
    const std::size_t after = kind == std::string_view::npos ? kind : line.find(' ', kind);
    const std::size_t text =
        after == std::string_view::npos ? after : line.find_first_not_of(' ', after);
    if (text == std::string_view::npos)
        return {};
    const std::string_view delimiter = line.substr(text, line.substr(text, 2) == "^C" ? 2 : 1);
    const bool closed = line.find(delimiter, text + delimiter.size()) != std::string_view::npos;
    return closed ? std::string{} : std::string{delimiter};
}

/// A key never gets into a log or a listing of problems.
std::string without_secret(std::string_view line) {
    for (const std::string_view word : {" key ", " password ", " secret "}) {
        const std::size_t at = line.find(word);
        if (at != std::string_view::npos)
            return std::string(line.substr(0, at + word.size())) + "<hidden>";
    }
    return std::string(line);
}

/// As routers write it, with every line of a block behind a blank.
bool has_indented_lines(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos;
         end = text.find('\n', end + 1))
        if (text.substr(end + 1).starts_with(' '))
            return true;
    return false;
}

class TextParser {
  public:
    explicit TextParser(Source source) : editor_(Config{}, source) {}

    void line(std::string_view text) {
        ++number_;
        if (!text.empty() && text.back() == '\r')
            text.remove_suffix(1);
        if (in_banner(text) || editor_.ended() || is_heading(text))
            return;
        delimiter_ = banner_delimiter(text);
        report(editor_.line(text, number_), text);
    }

    ParseResult finish() && {
        ParseResult result{editor_.config(), std::move(problems_), editor_.origins()};
        auto found = check(result.config, result.origins);
        std::move(found.begin(), found.end(), std::back_inserter(result.problems));
        return result;
    }

  private:
    bool in_banner(std::string_view text) {
        if (delimiter_.empty())
            return false;
        if (text.find(delimiter_) != std::string_view::npos)
            delimiter_.clear();
        return true;
    }

    void report(const Verdict& verdict, std::string_view text) {
        for (const std::string& warning : verdict.warnings)
            add(ProblemSeverity::Warning, warning, verdict, text);
        switch (verdict.kind) {
        case Verdict::Kind::Done:
        case Verdict::Kind::Empty:
            return;
        case Verdict::Kind::Ignored:
            return add(ProblemSeverity::Ignored, verdict.message, verdict, text);
        case Verdict::Kind::Refused:
            return add(ProblemSeverity::Error, verdict.message, verdict, text);
        case Verdict::Kind::Incomplete:
            return add(ProblemSeverity::Error, "the line is not complete", verdict, text);
        case Verdict::Kind::Ambiguous:
            return add(ProblemSeverity::Error, "a word is abbreviated too far", verdict, text);
        case Verdict::Kind::Invalid:
            return add(ProblemSeverity::Error, "the line is not understood", verdict, text);
        }
    }

    void add(ProblemSeverity severity,
             const std::string& message,
             const Verdict& verdict,
             std::string_view text) {
        const bool points =
            verdict.kind == Verdict::Kind::Invalid || verdict.kind == Verdict::Kind::Ambiguous;
        problems_.push_back({number_,
                             points ? static_cast<unsigned>(verdict.column + 1) : 0,
                             severity,
                             without_secret(text),
                             message,
                             verdict.remedy});
    }

    Editor editor_;
    unsigned number_{0};
    std::string delimiter_;
    std::vector<Problem> problems_;
};

} // namespace

ParseResult parse_config(std::string_view text) {
    if (text.size() > kMaxConfigBytes) {
        ParseResult result;
        result.problems.push_back({.message = "the text is longer than 16 MB"});
        return result;
    }
    TextParser parser{has_indented_lines(text) ? Source::IndentedText : Source::Text};
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        parser.line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(parser).finish();
}

} // namespace adit::config
