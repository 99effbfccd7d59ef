// SPDX-License-Identifier: Apache-2.0
#include "control/config/editor.h"

#include <algorithm>

namespace adit::config {

using cli::Mode;
using cli::Parsed;

namespace {

constexpr std::string_view kBlanks = " \t\r";

bool is_indented(std::string_view text) {
    return text.front() == ' ' || text.front() == '\t';
}

std::string_view trim_end(std::string_view text) {
    const std::size_t last = text.find_last_not_of(kBlanks);
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

/// Whether not even the first word made sense.
bool is_unknown(const Parsed& parsed, std::string_view text) {
    return parsed.kind == Parsed::Kind::Invalid &&
           parsed.column <
               std::min(text.find_first_of(kBlanks, text.find_first_not_of(kBlanks)), text.size());
}

/// `no` of whatever: rows that have only this form.
bool is_catch_all(const Parsed& parsed) {
    return parsed.row->syntax == nullptr;
}

bool is_command(const Parsed& parsed) {
    return parsed.kind == Parsed::Kind::Matched &&
           std::holds_alternative<cli::ConfigHandler>(parsed.row->action);
}

/// A single line without effect: in a block without effect it rather belongs to the block.
bool is_harmless(const Parsed& parsed) {
    return parsed.kind == Parsed::Kind::Matched && !parsed.row->opens_block &&
           std::holds_alternative<cli::Ignored>(parsed.row->action);
}

Verdict::Kind verdict_of(Parsed::Kind kind) {
    switch (kind) {
    case Parsed::Kind::Matched:
        return Verdict::Kind::Done;
    case Parsed::Kind::Empty:
        return Verdict::Kind::Empty;
    case Parsed::Kind::Incomplete:
        return Verdict::Kind::Incomplete;
    case Parsed::Kind::Ambiguous:
        return Verdict::Kind::Ambiguous;
    case Parsed::Kind::Invalid:
        return Verdict::Kind::Invalid;
    }
    return Verdict::Kind::Invalid;
}

} // namespace

Verdict Editor::line(std::string_view text, unsigned number) {
    verdict_ = {};
    number_ = number;
    ignored_part_.clear();
    text = trim_end(text);
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || text[begin] == '!') {
        verdict_.kind = Verdict::Kind::Empty;
        return std::move(verdict_);
    }
    if (source_ == Source::IndentedText && mode_ == Mode::Skipped && begin == 0)
        mode_ = Mode::Config;
    Mode mode = mode_;
    const Parsed parsed = parse(text, mode);
    if (mode_ == Mode::Skipped && mode == Mode::Skipped && parsed.row == nullptr) {
        verdict_.kind = Verdict::Kind::Ignored;
        verdict_.message = "part of the block above, which has no effect here";
        return std::move(verdict_);
    }
    verdict_.kind = verdict_of(parsed.kind);
    verdict_.column = parsed.column;
    if (parsed.kind == Parsed::Kind::Matched) {
        const Mode before = mode_;
        mode_ = mode;
        carry_out(parsed);
        if (verdict_.kind == Verdict::Kind::Refused && mode_ != Mode::Skipped)
            mode_ = before;
    } else {
        skip_block(text, parsed);
    }
    return std::move(verdict_);
}

/// A line that a mode does not know may be a global one: `exit` is optional between blocks.
Parsed Editor::parse(std::string_view text, Mode& mode) const {
    const cli::Grammar& grammar = cli::config_grammar();
    Parsed here = grammar.parse(mode_, text);
    const bool certain =
        here.kind == Parsed::Kind::Matched && (!is_catch_all(here) || is_indented(text));
    const bool belongs_above = mode_ == Mode::Skipped && is_indented(text);
    if (mode_ == Mode::Config || certain || belongs_above)
        return here;
    Parsed global = grammar.parse(Mode::Config, text);
    const bool elsewhere =
        here.kind == Parsed::Kind::Matched
            ? is_command(global)
            : global.kind == Parsed::Kind::Matched || global.column > here.column;
    if (!elsewhere || (mode_ == Mode::Skipped && is_harmless(global)))
        return here;
    mode = Mode::Config;
    return global;
}

void Editor::carry_out(const Parsed& parsed) {
    const cli::Row& row = *parsed.row;
    if (const auto* handler = std::get_if<cli::ConfigHandler>(&row.action)) {
        const Status status = (*handler)(*this, parsed.match, parsed.sign);
        if (!status) {
            verdict_.kind = Verdict::Kind::Refused;
            verdict_.message = status.error().text;
        } else if (!ignored_part_.empty()) {
            verdict_.kind = Verdict::Kind::Ignored;
            verdict_.message = ignored_part_;
        }
        return;
    }
    if (const auto* ignored = std::get_if<cli::Ignored>(&row.action)) {
        verdict_.kind = Verdict::Kind::Ignored;
        verdict_.message = ignored->reason;
    } else {
        const auto& refused = std::get<cli::Refused>(row.action);
        verdict_.kind = Verdict::Kind::Refused;
        verdict_.message = refused.reason;
        verdict_.remedy = refused.remedy;
    }
    const bool goes_on = verdict_.kind == Verdict::Kind::Ignored || source_ != Source::Operator;
    if (row.opens_block && goes_on && parsed.sign == cli::Sign::Set)
        mode_ = Mode::Skipped;
}

/// One mistake in the line that opens a block shall not give one message for each line of the
/// block.
void Editor::skip_block(std::string_view text, const Parsed& parsed) {
    const bool opens = !is_indented(text) && (mode_ == Mode::Config || is_unknown(parsed, text));
    if (source_ != Source::Operator && opens)
        mode_ = Mode::Skipped;
}

void Editor::enter(Mode mode, std::string object, std::uint32_t number) {
    mode_ = mode;
    object_ = std::move(object);
    object_number_ = number;
}

void Editor::leave() {
    if (mode_ == Mode::Config)
        ended_ = true;
    mode_ = Mode::Config;
}

void Editor::end() {
    mode_ = Mode::Config;
    ended_ = true;
}

void Editor::define(const std::string& object) {
    if (number_ > 0)
        origins_[object] = number_;
}

} // namespace adit::config
