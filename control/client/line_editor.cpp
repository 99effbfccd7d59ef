// SPDX-License-Identifier: Apache-2.0
#include "control/client/line_editor.h"

#include <algorithm>

namespace adit::client {
namespace {

constexpr char control(char letter) {
    return static_cast<char>(letter & 0x1f);
}

constexpr char kEscape = 0x1b;
constexpr char kDelete = 0x7f;
constexpr std::size_t kMaxParameters = 16; // no key of any terminal sends more

bool continues_character(char byte) { // UTF-8: 10xxxxxx
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

/// Columns a text takes: one a character.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

bool is_printable(char byte) {
    return static_cast<unsigned char>(byte) >= 0x20 && byte != kDelete;
}

std::string blanks(std::size_t count) {
    return std::string(count, ' ');
}

std::string backspaces(std::size_t count) {
    return std::string(count, '\b');
}

} // namespace

std::string LineEditor::begin(std::string prompt, Echo echo) {
    prompt_ = std::move(prompt);
    echo_ = echo;
    line_.clear();
    cursor_ = 0;
    history_at_ = history_.size();
    typed_.clear();
    return prompt_;
}

std::string LineEditor::resume(std::string prompt) {
    prompt_ = std::move(prompt);
    return show();
}

std::string LineEditor::hide() const {
    const std::size_t shown = width(prompt_) + (echo_ == Echo::On ? width(line_) : 0);
    if (columns_ != 0 && shown >= columns_)
        return "\r\n"; // more than a row: leave it there
    return '\r' + blanks(shown) + '\r';
}

std::string LineEditor::show() const {
    if (echo_ == Echo::Off)
        return prompt_;
    return prompt_ + line_ + backspaces(width(std::string_view{line_}.substr(cursor_)));
}

LineEditor::Step LineEditor::key(char byte) {
    output_.clear();
    EditorEvent event = EditorEvent::None;
    const bool second_of_crlf = after_return_ && byte == '\n';
    after_return_ = byte == '\r' && escape_ == Escape::None;
    if (second_of_crlf)
        return {};
    if (escape_ != Escape::None)
        escape_key(byte);
    else if (is_printable(byte) && (byte != '?' || echo_ == Echo::Off))
        insert({&byte, 1});
    else
        event = control_key(byte);
    return {event, std::move(output_)};
}

EditorEvent LineEditor::control_key(char byte) {
    switch (byte) {
    case '\r':
    case '\n':
        remember();
        return finish(EditorEvent::Line, "\r\n");
    case '?':
        return finish(EditorEvent::Question, "?\r\n");
    case '\t':
        return echo_ == Echo::On ? EditorEvent::Complete : EditorEvent::None;
    case control('Z'):
        remember();
        return finish(EditorEvent::LeaveConfiguration, "^Z\r\n");
    case control('C'):
        return finish(EditorEvent::Interrupt, "^C\r\n");
    case control('D'):
        if (line_.empty())
            return finish(EditorEvent::EndOfInput, "\r\n");
        replace(cursor_, next(cursor_), "");
        break;
    case control('H'):
    case kDelete:
        replace(previous(cursor_), cursor_, "");
        break;
    case control('A'):
        move_to(0);
        break;
    case control('E'):
        move_to(line_.size());
        break;
    case control('B'):
        move_to(previous(cursor_));
        break;
    case control('F'):
        move_to(next(cursor_));
        break;
    case control('K'):
        kill(cursor_, line_.size());
        break;
    case control('U'):
    case control('X'):
        kill(0, cursor_);
        break;
    case control('W'):
        kill(word_left(), cursor_);
        break;
    case control('Y'):
        insert(killed_);
        break;
    case control('P'):
        walk_history(history_at_ > 0 ? history_at_ - 1 : 0);
        break;
    case control('N'):
        walk_history(std::min(history_at_ + 1, history_.size()));
        break;
    case control('L'):
    case control('R'):
        redisplay();
        break;
    case control('V'):
        escape_ = Escape::Literal;
        break;
    case kEscape:
        escape_ = Escape::Started;
        parameters_.clear();
        break;
    default:
        break;
    }
    return EditorEvent::None;
}

void LineEditor::escape_key(char byte) {
    switch (escape_) {
    case Escape::Literal:
        escape_ = Escape::None;
        if (is_printable(byte))
            insert({&byte, 1});
        return;
    case Escape::Started:
        escape_ = byte == '[' || byte == 'O' ? Escape::Sequence : Escape::None;
        if (byte == 'b' || byte == 'B')
            move_to(word_left());
        else if (byte == 'f' || byte == 'F')
            move_to(word_right());
        else if (byte == 'd' || byte == 'D')
            kill(cursor_, word_right());
        return;
    case Escape::Sequence:
        // ECMA-48 5.4: parameters 0x20..0x3f, then one final octet 0x40..0x7e.
        if (byte >= 0x20 && byte <= 0x3f) {
            if (parameters_.size() < kMaxParameters)
                parameters_ += byte;
            return;
        }
        escape_ = Escape::None;
        sequence_end(byte);
        return;
    case Escape::None:
        return;
    }
}

void LineEditor::sequence_end(char byte) {
    switch (byte) {
    case 'A':
        control_key(control('P'));
        break;
    case 'B':
        control_key(control('N'));
        break;
    case 'C':
        move_to(next(cursor_));
        break;
    case 'D':
        move_to(previous(cursor_));
        break;
    case 'H':
        move_to(0);
        break;
    case 'F':
        move_to(line_.size());
        break;
    case '~':
        if (parameters_ == "1" || parameters_ == "7")
            move_to(0);
        else if (parameters_ == "4" || parameters_ == "8")
            move_to(line_.size());
        else if (parameters_ == "3")
            replace(cursor_, next(cursor_), "");
        break;
    default:
        break;
    }
}

EditorEvent LineEditor::finish(EditorEvent event, const char* shown) {
    if (event == EditorEvent::Question) {
        output_ += shown;
        return event;
    }
    // What is printed next must not overwrite what stands right of the cursor.
    move_to(line_.size());
    output_ += shown;
    return event;
}

std::string LineEditor::completed(std::string_view line) {
    output_.clear();
    if (line.starts_with(std::string_view{line_}.substr(0, cursor_)))
        insert(line.substr(cursor_));
    return std::move(output_);
}

void LineEditor::insert(std::string_view text) {
    if (line_.size() + text.size() <= max_line_bytes_)
        replace(cursor_, cursor_, text);
    else
        output_ += '\a';
}

/// Every change of the line: [from, until) becomes `with`, and the cursor stands behind it.
void LineEditor::replace(std::size_t from, std::size_t until, std::string_view with) {
    const std::size_t old_cursor = cursor_;
    const std::string tail = line_.substr(until);
    const std::size_t old_width = width(line_);
    const bool one_row = same_row(from, old_cursor) && same_row(from, line_.size());
    const std::string before = line_.substr(from, old_cursor > from ? old_cursor - from : 0);
    const std::string skipped = line_.substr(old_cursor, from > old_cursor ? from - old_cursor : 0);
    const bool appends = tail.empty() && from == old_cursor && from == until;

    line_ = line_.substr(0, from) + std::string{with} + tail;
    cursor_ = from + with.size();
    if (echo_ == Echo::Off)
        return;
    if (!appends && !(one_row && same_row(from, line_.size()))) {
        redisplay();
        return;
    }
    const std::size_t new_width = width(line_);
    const std::size_t gone = old_width > new_width ? old_width - new_width : 0;
    output_ += backspaces(width(before)) + skipped + std::string{with} + tail + blanks(gone) +
               backspaces(gone + width(tail));
}

void LineEditor::kill(std::size_t from, std::size_t until) {
    if (from == until)
        return;
    killed_ = line_.substr(from, until - from);
    replace(from, until, "");
}

void LineEditor::move_to(std::size_t to) {
    if (echo_ == Echo::On) {
        if (to < cursor_)
            output_ += backspaces(width(std::string_view{line_}.substr(to, cursor_ - to)));
        else
            output_ += line_.substr(cursor_, to - cursor_);
    }
    cursor_ = to;
}

void LineEditor::walk_history(std::size_t to) {
    if (echo_ == Echo::Off || to == history_at_)
        return;
    if (history_at_ == history_.size())
        typed_ = line_;
    history_at_ = to;
    replace(0, line_.size(), to == history_.size() ? typed_ : history_[to]);
}

void LineEditor::remember() {
    const bool empty = line_.find_first_not_of(' ') == std::string::npos;
    if (echo_ == Echo::Off || empty || (!history_.empty() && history_.back() == line_))
        return;
    if (history_.size() == kMaxHistory)
        history_.erase(history_.begin());
    history_.push_back(line_);
}

void LineEditor::redisplay() {
    output_ += "\r\n" + show();
}

std::size_t LineEditor::previous(std::size_t from) const {
    while (from > 0 && continues_character(line_[--from])) {
    }
    return from;
}

std::size_t LineEditor::next(std::size_t from) const {
    if (from < line_.size())
        ++from;
    while (from < line_.size() && continues_character(line_[from]))
        ++from;
    return from;
}

std::size_t LineEditor::word_left() const {
    std::size_t at = cursor_;
    while (at > 0 && line_[at - 1] == ' ')
        --at;
    while (at > 0 && line_[at - 1] != ' ')
        --at;
    return at;
}

std::size_t LineEditor::word_right() const {
    std::size_t at = cursor_;
    while (at < line_.size() && line_[at] == ' ')
        ++at;
    while (at < line_.size() && line_[at] != ' ')
        ++at;
    return at;
}

/// A backspace does not lead from a row to the one above. At a row's end terminals differ in where
/// the cursor waits, so that counts as another row.
bool LineEditor::same_row(std::size_t left, std::size_t right) const {
    if (columns_ == 0)
        return true;
    const auto column = [this](std::size_t at) {
        return width(prompt_) + width(std::string_view{line_}.substr(0, at));
    };
    return column(left) / columns_ == column(right) / columns_ &&
           (column(right) == 0 || column(right) % columns_ != 0);
}

} // namespace adit::client
