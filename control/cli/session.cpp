// SPDX-License-Identifier: Apache-2.0
#include "control/cli/session.h"

#include "control/cli/filter.h"
#include "control/cli/show_json.h"
#include "control/config/check.h"

#include <algorithm>

namespace adit::cli {

using config::Verdict;

namespace {

constexpr std::string_view kBlanks = " \t";

const char* prompt_of(Mode mode) {
    switch (mode) {
    case Mode::Config:
        return "(config)";
    case Mode::Isakmp:
        return "(config-isakmp)";
    case Mode::Trustpoint:
        return "(ca-trustpoint)";
    case Mode::TransformSet:
        return "(cfg-crypto-trans)";
    case Mode::CryptoMap:
        return "(config-crypto-map)";
    case Mode::AccessList:
        return "(config-ext-nacl)";
    case Mode::Interface:
        return "(config-if)";
    case Mode::Keyring:
        return "(conf-keyring)";
    case Mode::IsakmpProfile:
        return "(conf-isa-prof)";
    case Mode::IsakmpPeer:
        return "(config-isakmp-peer)";
    case Mode::ClientGroup:
        return "(config-isakmp-group)";
    case Mode::IpsecProfile:
        return "(ipsec-profile)";
    case Mode::Skipped:
        return "(config-line)";
    case Mode::Exec:
    case Mode::Count_:
        break;
    }
    return "";
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// Where the command behind `do` begins; npos when the line is no `do`.
std::size_t behind_do(std::string_view line) {
    const std::size_t word = line.find_first_not_of(kBlanks);
    if (word == std::string_view::npos || !line.substr(word).starts_with("do "))
        return std::string_view::npos;
    return line.find_first_not_of(kBlanks, word + 2);
}

std::string list(const std::vector<HelpLine>& lines) {
    std::size_t width = 16;
    for (const HelpLine& line : lines)
        width = std::max(width, line.word.size());
    std::string text;
    for (const HelpLine& line : lines) {
        text += "  " + line.word;
        if (!line.help.empty())
            text += std::string(width + 1 - line.word.size(), ' ') + line.help;
        text += '\n';
    }
    return text;
}

std::string to_text(const Help& help, std::string_view line) {
    switch (help.kind) {
    case Help::Kind::Words:
        return list(help.lines);
    case Help::Kind::Completions: {
        std::string text;
        for (const HelpLine& completion : help.lines)
            text += (text.empty() ? "" : "  ") + completion.word;
        return text + '\n';
    }
    case Help::Kind::Ambiguous:
        return "% Ambiguous command:  \"" + std::string(line) + "\"\n";
    case Help::Kind::Unknown:
        return "% Unrecognized command\n";
    }
    return {};
}

/// What may stand behind the bar.
std::string filter_help(std::string_view behind_bar) {
    const std::string_view word = trim(behind_bar);
    const bool word_ended =
        !word.empty() && kBlanks.find(behind_bar.back()) != std::string_view::npos;
    if (word_ended || word.find(' ') != std::string_view::npos)
        return list({{"LINE", "Regular Expression"}});
    std::vector<HelpLine> lines;
    for (const FilterWord& filter : kFilterWords)
        if (std::string_view{filter.word}.starts_with(word))
            lines.push_back({filter.word, filter.help});
    return lines.empty() ? "% Unrecognized command\n" : list(lines);
}

} // namespace

Session::Session(SessionHost& host, SessionOptions options)
    : host_(host), options_(std::move(options)), privilege_(options_.privilege) {}

std::string Session::prompt() const {
    if (question_)
        return question_->prompt;
    // What was typed shows at once, as on a router, although it takes effect with the block.
    const std::string name =
        editor_ ? editor_->config().hostname : host_.running_config()->hostname;
    if (!editor_)
        return name + (privilege_ == Privilege::Privileged ? '#' : '>');
    constexpr std::size_t kMaxName = 20; // longer ones are cut in configuration modes
    return name.substr(0, kMaxName) + prompt_of(editor_->mode()) + '#';
}

std::string Session::ask(FollowUp question) {
    if (!options_.interactive)
        return question.then(*this, {});
    question_ = std::move(question);
    return {};
}

void Session::remember(std::string_view line) {
    constexpr std::size_t kMaxHistory = 20; // lines that routers keep
    if (trim(line).empty())
        return;
    history_.emplace_back(line);
    if (history_.size() > kMaxHistory)
        history_.pop_front();
}

std::string Session::execute(std::string_view line) {
    failed_ = false;
    if (question_) {
        const FollowUp asked = *std::exchange(question_, std::nullopt);
        return asked.then(*this, std::string{trim(line)});
    }
    remember(line);
    return editor_ ? execute_config(line) : execute_exec(line, 0);
}

// --- EXEC ----------------------------------------------------------------------------------------

std::string Session::execute_exec(std::string_view line, std::size_t offset) {
    const std::size_t bar = line.find('|', offset);
    const std::string_view command =
        line.substr(offset, bar == line.npos ? line.npos : bar - offset);
    Parsed parsed = exec_grammar().parse(Mode::Exec, command, privilege_);
    if (parsed.kind == Parsed::Kind::Empty && bar != line.npos)
        parsed = {.kind = Parsed::Kind::Invalid, .column = bar - offset};
    if (parsed.kind != Parsed::Kind::Matched)
        return explain(parsed, line, offset);
    if (bar == line.npos)
        return run(parsed, command);

    Filter::Trouble trouble;
    const auto filter = Filter::parse(line.substr(bar + 1), trouble);
    if (filter) {
        const std::string output = run(parsed, command);
        return failed_ ? output : filter->apply(output);
    }
    if (trouble.kind == Filter::Trouble::Kind::Pattern)
        return refuse("The pattern is " + filter.error().text);
    const bool incomplete = trouble.kind == Filter::Trouble::Kind::Incomplete;
    return explain({.kind = incomplete ? Parsed::Kind::Incomplete : Parsed::Kind::Invalid,
                    .column = bar + 1 + trouble.column - offset},
                   line,
                   offset);
}

std::string Session::run(const Parsed& parsed, std::string_view command) {
    std::string output = std::get<ExecHandler>(parsed.row->action)(*this, parsed.match);
    const auto words = parsed.match.words();
    const bool json =
        !words.empty() && words.back().kind == ArgKind::Keyword && words.back().text == "json";
    if (json && !failed_ && !output.starts_with('{'))
        return json_lines(trim(command), output);
    return output;
}

std::string Session::explain(const Parsed& parsed, std::string_view line, std::size_t offset) {
    switch (parsed.kind) {
    case Parsed::Kind::Matched:
    case Parsed::Kind::Empty:
        return {};
    case Parsed::Kind::Incomplete:
        return refuse("Incomplete command.") + '\n';
    case Parsed::Kind::Ambiguous:
        return refuse("Ambiguous command:  \"" + std::string(trim(line)) + '"');
    case Parsed::Kind::Invalid:
        break;
    }
    return marker(parsed.column + offset, line);
}

/// The marker stands under the character as the operator sees it: behind the prompt.
std::string Session::marker(std::size_t column, std::string_view line) {
    failed_ = true;
    std::string text;
    std::size_t width = column;
    if (options_.interactive)
        width += prompt().size();
    else
        text = std::string(line) + '\n';
    return text + std::string(width, ' ') + "^\n% Invalid input detected at '^' marker.\n\n";
}

std::string Session::refuse(std::string_view text) {
    failed_ = true;
    return "% " + std::string(text) + '\n';
}

std::string Session::answer(const Status& status) {
    return status ? std::string{} : refuse(status.error().text);
}

// --- configuration -------------------------------------------------------------------------------

void Session::configure() {
    editor_base_ = host_.running_config();
    editor_ = std::make_unique<config::Editor>(*editor_base_);
    edits_.clear();
}

std::string Session::execute_config(std::string_view line) {
    if (const std::size_t command = behind_do(line); command != std::string_view::npos)
        return execute_exec(line, command);
    const Verdict verdict = editor_->line(line);
    std::string text;
    switch (verdict.kind) {
    case Verdict::Kind::Empty:
        return {};
    case Verdict::Kind::Invalid:
        return explain({.kind = Parsed::Kind::Invalid, .column = verdict.column}, line, 0);
    case Verdict::Kind::Incomplete:
        return explain({.kind = Parsed::Kind::Incomplete}, line, 0);
    case Verdict::Kind::Ambiguous:
        return explain({.kind = Parsed::Kind::Ambiguous}, line, 0);
    case Verdict::Kind::Refused:
        return refuse(verdict.message +
                      (verdict.remedy.empty() ? std::string{} : "; " + verdict.remedy));
    case Verdict::Kind::Ignored:
        text = "% NOTE: " + verdict.message + '\n';
        break;
    case Verdict::Kind::Done:
        break;
    }
    edits_.emplace_back(line);
    for (const std::string& note : verdict.notes)
        text += "% " + note + '\n';
    for (const std::string& warning : verdict.warnings)
        text += "% NOTE: " + warning + '\n';
    return editor_->ended() ? text + apply_edits() : text;
}

/// The block as a whole becomes the running configuration, or nothing of it does.
std::string Session::apply_edits() {
    auto editor = std::move(editor_);
    const auto running = host_.running_config();
    if (running != editor_base_) {
        // Somebody else configured meanwhile: our lines on top of theirs.
        editor = std::make_unique<config::Editor>(*running);
        for (const std::string& line : edits_)
            static_cast<void>(editor->line(line));
    }
    constexpr std::size_t kOnlyTheEnd = 1;
    if (edits_.size() <= kOnlyTheEnd)
        return {};
    const config::Config& config = editor->config();
    if (const Status applied = host_.apply_config(config); !applied)
        return refuse("The configuration was not changed: " + applied.error().text);
    host_.log({.severity = Severity::Notice,
               .facility = "SYS",
               .mnemonic = "CONFIG_I",
               .text = "Configured from console by " + options_.user + " on vty" +
                       std::to_string(options_.vty)});
    std::string text;
    for (const config::Problem& problem : config::check(config, editor->origins()))
        if (problem.severity == config::ProblemSeverity::Error)
            text += "% NOTE: " + problem.message + '\n';
    return text;
}

std::string Session::interrupt() {
    failed_ = false;
    if (std::exchange(question_, std::nullopt))
        return {};
    return editor_ ? execute_config("end") : std::string{};
}

// --- help ----------------------------------------------------------------------------------------

std::string Session::question(std::string_view line) const {
    if (question_)
        return {};
    if (editor_) {
        const std::size_t command = behind_do(line);
        if (command == std::string_view::npos) {
            const Help here = config_grammar().help(editor_->mode(), line);
            if (here.kind != Help::Kind::Unknown || editor_->mode() == Mode::Config)
                return to_text(here, line);
            return to_text(config_grammar().help(Mode::Config, line), line);
        }
        line = line.substr(std::min(command, line.size()));
    }
    const std::size_t bar = line.find('|');
    if (bar != std::string_view::npos)
        return filter_help(line.substr(bar + 1));
    return to_text(exec_grammar().help(Mode::Exec, line, privilege_), line);
}

std::string Session::complete(std::string_view line) const {
    if (question_)
        return std::string{line};
    if (!editor_)
        return exec_grammar().complete(Mode::Exec, line, privilege_);
    if (const std::size_t command = behind_do(line); command < line.size())
        return std::string(line.substr(0, command)) +
               exec_grammar().complete(Mode::Exec, line.substr(command), privilege_);
    std::string here = config_grammar().complete(editor_->mode(), line);
    return here != line ? here : config_grammar().complete(Mode::Config, line);
}

} // namespace adit::cli
