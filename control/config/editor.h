// SPDX-License-Identifier: Apache-2.0
// Configuration lines, one after the other, into a candidate Config. Both the parser of whole texts
// and an operator's `configure terminal` drive an Editor. A line that is refused changes nothing.
//
// Threading: one owner.
#pragma once

#include "control/cli/grammar.h"
#include "control/config/model.h"
#include "control/config/problem.h"

#include <string>
#include <string_view>
#include <vector>

namespace adit::config {

/// What became of one line.
struct Verdict {
    enum class Kind : std::uint8_t {
        Done,
        Empty,
        Invalid, // `column` says where
        Incomplete,
        Ambiguous,
        Refused, // understood; `message` says why not
        Ignored, // understood; `message` says why it has no effect
    } kind{};
    std::size_t column{0}; // from 0
    std::string message;
    std::string remedy;
    std::vector<std::string> notes;    // for an operator at a prompt
    std::vector<std::string> warnings; // for whoever wrote the line
};

/// A text goes on after a line that was refused: what is indented below such a line belongs to it.
enum class Source : std::uint8_t {
    Operator,
    Text,         // nothing is indented: a block ends where a line is known elsewhere
    IndentedText, // a block ends with the next line that is not
};

class Editor {
  public:
    explicit Editor(Config base = {}, Source source = Source::Operator)
        : config_(std::move(base)), source_(source) {}

    /// One line without its end. `number` is remembered as the origin of what the line defines.
    Verdict line(std::string_view text, unsigned number = 0);

    [[nodiscard]] const Config& config() const { return config_; }

    [[nodiscard]] cli::Mode mode() const { return mode_; }

    [[nodiscard]] Source source() const { return source_; }

    /// `end`, or `exit` from the outermost mode.
    [[nodiscard]] bool ended() const { return ended_; }

    [[nodiscard]] const Origins& origins() const { return origins_; }

    // --- for the handlers ------------------------------------------------------------------------

    [[nodiscard]] Config& edit() { return config_; }

    /// Enters a mode about one object: policy 10, transform set TS, interface X, access list A.
    void enter(cli::Mode mode, std::string object, std::uint32_t number = 0);

    [[nodiscard]] const std::string& object() const { return object_; }

    [[nodiscard]] std::uint32_t object_number() const { return object_number_; }

    void leave(); // `exit`
    void end();

    /// The current line defines `object`.
    void define(const std::string& object);

    /// Worth knowing at a prompt.
    void note(std::string text) { verdict_.notes.push_back(std::move(text)); }

    /// Taken, but probably not what was meant.
    void warn(std::string text) { verdict_.warnings.push_back(std::move(text)); }

    /// Taken, except for a part of the line that has no effect.
    void ignore(std::string reason) { ignored_part_ = std::move(reason); }

  private:
    [[nodiscard]] cli::Parsed parse(std::string_view text, cli::Mode& mode) const;
    void carry_out(const cli::Parsed& parsed);
    void skip_block(std::string_view text, const cli::Parsed& parsed);

    Config config_;
    Source source_;
    cli::Mode mode_{cli::Mode::Config};
    std::string object_;
    std::uint32_t object_number_{0};
    bool ended_{false};
    Origins origins_;

    // Of the line in hand.
    unsigned number_{0};
    Verdict verdict_;
    std::string ignored_part_;
};

} // namespace adit::config
