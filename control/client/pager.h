// SPDX-License-Identifier: Apache-2.0
// Output for a screen: one page at a time, ` --More-- ` between, and nothing in it that could drive
// the terminal (names that peers send are part of some outputs). Pure: text in, bytes out.
//
// Threading: a value; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adit::client {

/// LF as CRLF; control characters other than TAB as '?'.
std::string screen_text(std::string_view text);
/// The same for a file or pipe: LF stays.
std::string plain_text(std::string_view text);

class Pager {
  public:
    /// A new output begins; `page_lines` 0: no pages.
    void start(std::uint16_t page_lines);

    /// What can be printed of it now.
    std::string write(std::string_view text);

    /// ` --More-- ` stands on the screen.
    [[nodiscard]] bool waiting() const { return waiting_; }

    /// The answer: blank a page, Enter a line, any other key stops.
    std::string key(char byte);

  private:
    std::string advance();

    std::uint16_t page_lines_{0};
    std::uint32_t lines_left_{0};
    std::string rest_;
    bool waiting_{false};
    bool stopped_{false};
};

} // namespace adit::client
