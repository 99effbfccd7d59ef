// SPDX-License-Identifier: Apache-2.0
#include "control/client/pager.h"

namespace adit::client {
namespace {

constexpr std::string_view kMore = " --More-- ";

std::string clean(std::string_view text, std::string_view line_end) {
    std::string made;
    made.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            made += line_end;
        else if ((byte < 0x20 && c != '\t') || byte == 0x7f)
            made += '?';
        else
            made += c;
    }
    return made;
}

std::string erase_more() {
    return '\r' + std::string(kMore.size(), ' ') + '\r';
}

} // namespace

std::string screen_text(std::string_view text) {
    return clean(text, "\r\n");
}

std::string plain_text(std::string_view text) {
    return clean(text, "\n");
}

void Pager::start(std::uint16_t page_lines) {
    page_lines_ = page_lines;
    lines_left_ = page_lines > 1 ? page_lines - 1U : 1U;
    rest_.clear();
    waiting_ = false;
    stopped_ = false;
}

std::string Pager::write(std::string_view text) {
    if (page_lines_ == 0)
        return screen_text(text);
    if (!stopped_)
        rest_ += text;
    return waiting_ ? std::string{} : advance();
}

std::string Pager::advance() {
    std::size_t end = 0;
    while (end < rest_.size() && lines_left_ > 0) {
        const std::size_t line_end = rest_.find('\n', end);
        if (line_end == std::string::npos) {
            end = rest_.size();
        } else {
            end = line_end + 1;
            --lines_left_;
        }
    }
    std::string shown = screen_text(std::string_view{rest_}.substr(0, end));
    rest_.erase(0, end);
    waiting_ = !rest_.empty();
    if (waiting_)
        shown += kMore;
    return shown;
}

std::string Pager::key(char byte) {
    waiting_ = false;
    if (byte == ' ') {
        lines_left_ = page_lines_ > 1 ? page_lines_ - 1U : 1U;
        return erase_more() + advance();
    }
    if (byte == '\r' || byte == '\n') {
        lines_left_ = 1;
        return erase_more() + advance();
    }
    stopped_ = true;
    rest_.clear();
    return erase_more();
}

} // namespace adit::client
