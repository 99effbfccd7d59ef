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
    std::vector<std::string> notes; // done, and this is worth knowing
};

class Editor {
  public:
    explicit Editor(Config base = {}) : config_(std::move(base)) {}

    /// One line without its end. `number` is remembered as the origin of what the line defines.
    Verdict line(std::string_view text, unsigned number = 0);

    [[nodiscard]] const Config& config() const { return config_; }

    [[nodiscard]] cli::Mode mode() const { return mode_; }

    /// `end`, or `exit` from the outermost mode.
    [[nodiscard]] bool ended() const { return ended_; }

    [[nodiscard]] const Origins& origins() const { return origins_; }

    // --- for the handlers
    // ----------------------------------------------------------------------------

    [[nodiscard]] Config& edit() { return config_; }

    /// Enters a mode about one object: policy 10, transform set TS, interface X, access list A.
    void enter(cli::Mode mode, std::string object, std::uint32_t number = 0);

    [[nodiscard]] const std::string& object() const { return object_; }

    [[nodiscard]] std::uint32_t object_number() const { return object_number_; }

    void leave(); // `exit`
    void end();

    /// The current line defines `object`.
    void define(std::string object);

    /// Worth knowing, though the line was taken.
    void note(std::string text) { notes_.push_back(std::move(text)); }

    /// A part of the line that has no effect.
    void ignore(std::string reason) { ignored_part_ = std::move(reason); }

  private:
    Verdict carry_out(const cli::Parsed& parsed);
    Verdict in_skipped_block(std::string_view text);

    Config config_;
    cli::Mode mode_{cli::Mode::Config};
    std::string object_;
    std::uint32_t object_number_{0};
    bool ended_{false};
    Origins origins_;
    unsigned number_{0};
    std::vector<std::string> notes_;
    std::string ignored_part_;
};

} // namespace adit::config
