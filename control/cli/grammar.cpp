// SPDX-License-Identifier: Apache-2.0
#include "control/cli/grammar.h"

#include "control/config/interface_name.h"

#include <algorithm>
#include <charconv>

namespace adit::cli {

namespace {

/// Where one typed word stands in its line.
struct Typed {
    std::string_view text;
    std::size_t column;
};

constexpr std::string_view kBlanks = " \t";

std::vector<Typed> split_words(std::string_view line) {
    std::vector<Typed> words;
    std::size_t at = 0;
    while ((at = line.find_first_not_of(kBlanks, at)) != std::string_view::npos) {
        const std::size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
        words.push_back({line.substr(at, end - at), at});
        at = end;
    }
    return words;
}

std::string_view trim_end(std::string_view text) {
    const std::size_t last = text.find_last_not_of(kBlanks);
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

/// Lines without effect and lines that are refused are understood, but nobody is led to them.
bool is_inert(const Row& row) {
    return std::holds_alternative<Ignored>(row.action) ||
           std::holds_alternative<Refused>(row.action);
}

bool allowed(const Row& row, Mode mode, Privilege privilege) {
    return row.mode == mode && row.privilege <= privilege;
}

} // namespace

// --- Match ---------------------------------------------------------------------------------------

bool Match::has(std::string_view keyword) const {
    return std::any_of(words_.begin(), words_.end(), [&](const Word& word) {
        return word.kind == ArgKind::Keyword && word.text == keyword;
    });
}

const Word* Match::argument(ArgKind kind, std::size_t nth) const {
    for (const Word& word : words_)
        if (word.kind == kind && nth-- == 0)
            return &word;
    return nullptr;
}

const Word* Match::after(std::string_view keyword) const {
    for (std::size_t i = 0; i + 1 < words_.size(); ++i)
        if (words_[i].kind == ArgKind::Keyword && words_[i].text == keyword)
            return &words_[i + 1];
    return nullptr;
}

std::string Match::text(ArgKind kind, std::size_t nth) const {
    const Word* word = argument(kind, nth);
    return word == nullptr ? std::string{} : word->text;
}

std::string Match::interface() const {
    std::string typed = text(ArgKind::Interface);
    if (typed.empty() && argument(ArgKind::InterfaceType) != nullptr)
        typed = text(ArgKind::InterfaceType) + text(ArgKind::InterfaceNumber);
    return typed.empty() ? typed : config::canonical_interface(typed).value_or(typed);
}

std::uint32_t Match::number(std::size_t nth) const {
    const std::string digits = text(ArgKind::Number, nth);
    std::uint32_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

Ipv4Address Match::address(ArgKind kind, std::size_t nth) const {
    return parse_ipv4(text(kind, nth)).value_or(Ipv4Address{});
}

// --- walking a line ------------------------------------------------------------------------------

struct Grammar::Thread {
    const Entry* entry;
    const std::vector<std::size_t>* next;
    bool complete;
    std::vector<Word> words;
};

/// All ways to read a line up to where it stops to make sense.
struct Grammar::Walk {
    std::vector<Thread> threads;
    Parsed::Kind trouble{Parsed::Kind::Matched}; // Matched: none so far
    std::size_t column{0};
    std::string_view partial; // the last word, when asked to leave it alone
};

/// Whatever `show` shows, it shows to programs too.
static std::string with_json(const Row& row) {
    const std::string syntax = row.syntax;
    return row.mode == Mode::Exec && syntax.starts_with("show ") ? syntax + " [json]" : syntax;
}

Grammar::Grammar(std::initializer_list<std::span<const Row>> tables) {
    for (const auto table : tables)
        for (const Row& row : table) {
            if (row.syntax != nullptr)
                entries_.push_back({&row, Sign::Set, compile(with_json(row))});
            if (row.no_syntax == nullptr)
                continue;
            const std::string_view form = row.no_syntax == std::string_view{kSame}
                                              ? std::string_view{row.syntax}
                                              : std::string_view{row.no_syntax};
            const std::string both = "{no|default} " + std::string(form);
            entries_.push_back({&row, Sign::No, compile(both)});
        }
}

std::vector<Grammar::Thread> Grammar::start(Mode mode, Privilege privilege) const {
    std::vector<Thread> threads;
    for (const Entry& entry : entries_)
        if (allowed(*entry.row, mode, privilege))
            threads.push_back({&entry, &entry.syntax.first, false, {}});
    return threads;
}

namespace {

/// A reading of one word: which position took it, and how well it fits.
struct Reading {
    std::size_t thread;
    const Position* position;
    Fit fit;
};

/// An exact keyword beats everything, a keyword's abbreviation beats arguments.
Fit best_fit(const std::vector<Reading>& readings) {
    Fit best = Fit::No;
    for (const Reading& reading : readings)
        best = std::max(best, reading.fit);
    return best;
}

bool is_ambiguous(const std::vector<Reading>& readings) {
    const std::string* keyword = nullptr;
    for (const Reading& reading : readings) {
        if (reading.fit != Fit::Prefix)
            continue;
        if (keyword != nullptr && *keyword != reading.position->text)
            return true;
        keyword = &reading.position->text;
    }
    return false;
}

} // namespace

Grammar::Walk
Grammar::walk(Mode mode, Privilege privilege, std::string_view line, bool last_is_partial) const {
    Walk walk{.threads = start(mode, privilege)};
    std::vector<Typed> typed = split_words(line);
    if (last_is_partial && !typed.empty() && kBlanks.find(line.back()) == std::string_view::npos) {
        walk.partial = typed.back().text;
        typed.pop_back();
    }
    for (const Typed& word : typed) {
        std::vector<Reading> readings;
        std::size_t fitting = 0;
        for (std::size_t i = 0; i < walk.threads.size(); ++i)
            for (const std::size_t at : *walk.threads[i].next) {
                const Position& position = walk.threads[i].entry->syntax.positions[at];
                fitting = std::max(fitting, fitting_characters(position, word.text));
                if (const Fit how = fit(position, word.text); how != Fit::No)
                    readings.push_back({i, &position, how});
            }
        const Fit best = best_fit(readings);
        walk.column = word.column + (best == Fit::No ? fitting : 0);
        std::erase_if(readings, [&](const Reading& reading) { return reading.fit != best; });
        if (readings.empty() || is_ambiguous(readings)) {
            walk.trouble = readings.empty() ? Parsed::Kind::Invalid : Parsed::Kind::Ambiguous;
            return walk;
        }
        std::vector<Thread> threads;
        bool rest_of_line = false;
        for (const Reading& reading : readings) {
            const Thread& from = walk.threads[reading.thread];
            const bool is_keyword = reading.position->kind == ArgKind::Keyword;
            const bool is_line = reading.position->kind == ArgKind::Line;
            Thread thread{
                from.entry, &reading.position->follow, reading.position->last, from.words};
            thread.words.push_back(
                {reading.position->kind,
                 is_keyword ? reading.position->text
                            : std::string(is_line ? trim_end(line.substr(word.column)) : word.text),
                 word.column});
            rest_of_line = rest_of_line || is_line;
            threads.push_back(std::move(thread));
        }
        walk.threads = std::move(threads);
        if (rest_of_line)
            break;
    }
    return walk;
}

Parsed Grammar::parse(Mode mode, std::string_view line, Privilege privilege) const {
    if (split_words(line).empty())
        return {.kind = Parsed::Kind::Empty};
    const Walk walk = this->walk(mode, privilege, line, false);
    Parsed parsed{.kind = walk.trouble, .column = walk.column};
    if (walk.trouble != Parsed::Kind::Matched)
        return parsed;
    // Rows are in order of precedence.
    for (const Thread& thread : walk.threads)
        if (thread.complete) {
            parsed.row = thread.entry->row;
            parsed.sign = thread.entry->sign;
            parsed.match = Match{thread.words};
            return parsed;
        }
    parsed.kind = Parsed::Kind::Incomplete;
    return parsed;
}

// --- help and completion -------------------------------------------------------------------------

std::vector<const Position*> Grammar::next(const Walk& walk) const {
    std::vector<const Position*> positions;
    for (const Thread& thread : walk.threads) {
        if (is_inert(*thread.entry->row))
            continue;
        for (const std::size_t at : *thread.next) {
            const Position& position = thread.entry->syntax.positions[at];
            if (position.kind == ArgKind::Keyword && fit(position, walk.partial) == Fit::No &&
                !walk.partial.empty())
                continue;
            positions.push_back(&position);
        }
    }
    return positions;
}

namespace {

/// Keywords by name, then arguments, then <cr>.
bool comes_before(const HelpLine& left, const HelpLine& right) {
    const auto rank = [](const HelpLine& line) {
        if (line.word == "<cr>")
            return 2;
        return line.word.front() >= 'a' && line.word.front() <= 'z' ? 0 : 1;
    };
    return rank(left) != rank(right) ? rank(left) < rank(right) : left.word < right.word;
}

/// The first row that has a word gives its help.
void add_word(std::vector<HelpLine>& lines, HelpLine line) {
    const bool known = std::any_of(
        lines.begin(), lines.end(), [&](const HelpLine& other) { return other.word == line.word; });
    if (!known)
        lines.push_back(std::move(line));
}

} // namespace

Help Grammar::help(Mode mode, std::string_view line, Privilege privilege) const {
    const Walk walk = this->walk(mode, privilege, line, true);
    if (walk.trouble == Parsed::Kind::Ambiguous)
        return {.kind = Help::Kind::Ambiguous, .lines = {}};
    Help help;
    for (const Position* position : next(walk)) {
        const bool second_half = position->kind == ArgKind::InterfaceType;
        const bool typed_argument = position->kind != ArgKind::Keyword && !walk.partial.empty();
        if (walk.trouble == Parsed::Kind::Matched && !second_half && !typed_argument)
            add_word(help.lines, {position->text, std::string(word_help(*position))});
    }
    const bool may_end = std::any_of(walk.threads.begin(), walk.threads.end(), [](const Thread& t) {
        return t.complete && !is_inert(*t.entry->row);
    });
    if (may_end && walk.partial.empty() && walk.trouble == Parsed::Kind::Matched)
        help.lines.push_back({"<cr>", ""});
    std::sort(help.lines.begin(), help.lines.end(), comes_before);
    help.kind = walk.partial.empty() ? Help::Kind::Words : Help::Kind::Completions;
    if (help.lines.empty())
        help.kind = Help::Kind::Unknown;
    return help;
}

std::string Grammar::complete(Mode mode, std::string_view line, Privilege privilege) const {
    const Walk walk = this->walk(mode, privilege, line, true);
    std::string whole{line};
    if (walk.trouble != Parsed::Kind::Matched || walk.partial.empty())
        return whole;
    std::string_view common;
    bool several = false;
    for (const Position* position : next(walk)) {
        if (position->kind != ArgKind::Keyword)
            continue;
        const std::string_view word = position->text;
        if (common.empty()) {
            common = word;
        } else if (word != common) {
            several = true;
            const auto apart =
                std::mismatch(common.begin(), common.end(), word.begin(), word.end());
            common = common.substr(0, static_cast<std::size_t>(apart.first - common.begin()));
        }
    }
    if (common.size() < walk.partial.size())
        return whole;
    whole.replace(whole.size() - walk.partial.size(), walk.partial.size(), common);
    return several ? whole : whole + ' ';
}

std::string_view word_help(const Position& position) {
    const std::string in_context = position.previous + ' ' + position.text;
    std::string_view plain;
    for (const WordHelp& entry : glossary()) {
        if (entry.word == in_context)
            return entry.help;
        if (entry.word == position.text)
            plain = entry.help;
    }
    return plain;
}

} // namespace adit::cli
