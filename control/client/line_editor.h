// SPDX-License-Identifier: Apache-2.0
// The line editor as a pure class: keys in, bytes for the terminal out. It prints typed characters,
// backspaces and blanks and nothing else: no escape sequences, no redraws, so that programs which
// drive a router by its terminal find every command echoed exactly as they sent it.
//
// Keys are the Emacs ones of router consoles: Ctrl-A/E/B/F, Ctrl-D/K/U/W/X/Y, Ctrl-P/N, Ctrl-L/R,
// Esc-B/F/D, arrows, Home, End, Delete; Ctrl-V takes the next key as it is. The history stays in
// memory: lines may hold keys and passwords.
//
// Threading: a value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adit::client {

enum class EditorEvent : std::uint8_t {
    None,
    Line,               // Enter
    LeaveConfiguration, // Ctrl-Z: run what is there, then leave configuration
    Interrupt,          // Ctrl-C
    EndOfInput,         // Ctrl-D on an empty line
    Question,           // `?`
    Complete,           // TAB
};

enum class Echo : std::uint8_t {
    On,
    Off, // secrets: nothing is shown, `?` and TAB are characters, nothing is remembered
};

class LineEditor {
  public:
    static constexpr std::size_t kMaxHistory = 256;

    struct Step {
        EditorEvent event{EditorEvent::None};
        std::string output;
    };

    explicit LineEditor(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

    /// 0: as wide as one likes. Only edits that would back up over a row's end ask for it.
    void set_columns(std::uint16_t columns) { columns_ = columns; }

    /// A new line under a prompt; the output is the prompt.
    std::string begin(std::string prompt, Echo echo);

    /// The same line again, after the answer to a question; the output is prompt and line.
    std::string resume(std::string prompt);

    /// One key, or a part of one. After an event other than None the owner acts on line() and then
    /// calls begin(), resume() or completed() before the next key.
    Step key(char byte);

    /// The answer to Complete: `line` takes the place of what is left of the cursor.
    std::string completed(std::string_view line);

    [[nodiscard]] const std::string& line() const { return line_; }

    /// What stands left of the cursor: what a question or TAB is about.
    [[nodiscard]] std::string before_cursor() const { return line_.substr(0, cursor_); }

    /// Takes prompt and line off the screen so that other text can be printed; show() brings them
    /// back.
    [[nodiscard]] std::string hide() const;
    [[nodiscard]] std::string show() const;

  private:
    enum class Escape : std::uint8_t {
        None,
        Started,  // ESC
        Sequence, // ESC [ or ESC O
        Literal,  // Ctrl-V
    };

    EditorEvent control_key(char byte);
    void escape_key(char byte);
    void sequence_end(char byte);
    EditorEvent finish(EditorEvent event, const char* shown);

    void insert(std::string_view text);
    void replace(std::size_t from, std::size_t until, std::string_view with);
    void kill(std::size_t from, std::size_t until);
    void move_to(std::size_t to);
    void walk_history(std::size_t to);
    void remember();
    void redisplay();

    [[nodiscard]] std::size_t previous(std::size_t from) const;
    [[nodiscard]] std::size_t next(std::size_t from) const;
    [[nodiscard]] std::size_t word_left() const;
    [[nodiscard]] std::size_t word_right() const;
    [[nodiscard]] bool same_row(std::size_t left, std::size_t right) const;

    std::size_t max_line_bytes_;
    std::uint16_t columns_{0};
    std::string prompt_;
    Echo echo_{Echo::On};
    std::string line_;
    std::size_t cursor_{0}; // octet of line_, on a character's start
    std::string killed_;
    std::string output_; // of the step that runs

    std::vector<std::string> history_; // oldest first
    std::size_t history_at_{0};        // history_.size(): the line being typed
    std::string typed_;                // that line, while the history is walked

    Escape escape_{Escape::None};
    std::string parameters_; // of an escape sequence
    bool after_return_{false};
};

} // namespace adit::client
