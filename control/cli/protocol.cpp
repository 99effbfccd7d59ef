// SPDX-License-Identifier: Apache-2.0
#include "control/cli/protocol.h"

#include <algorithm>

namespace adit::cli {
namespace {

template <class... Ts> struct Overloaded : Ts... {
    using Ts::operator()...;
};

/// A frame whose body is appended by the caller; finish() fills in the length.
class FrameWriter {
  public:
    explicit FrameWriter(FrameType type) {
        out_.u8(static_cast<std::uint8_t>(type));
        out_.u8(0);
        out_.u16(0);
    }

    FrameWriter& u8(std::uint8_t value) {
        out_.u8(value);
        return *this;
    }

    FrameWriter& u16(std::uint16_t value) {
        out_.u16(value);
        return *this;
    }

    FrameWriter& text(std::string_view text, std::size_t limit = kMaxBodyBytes) {
        const std::size_t room = kMaxBodyBytes - (out_.size() - kFrameHeaderBytes);
        out_.append(as_bytes(text.substr(0, std::min(limit, room))));
        return *this;
    }

    Bytes finish() {
        out_.patch_u16(2, static_cast<std::uint16_t>(out_.size() - kFrameHeaderBytes));
        return std::move(out_).take();
    }

  private:
    Writer out_;
};

Result<bool> read_flag(Reader& from) {
    const std::uint8_t value = TRY(from.u8());
    if (value > 1)
        return fail(ErrorCode::Malformed, "flag is " + std::to_string(value));
    return value == 1;
}

Result<std::string> read_rest(Reader& from, std::size_t limit) {
    if (from.left() > limit)
        return fail(ErrorCode::Malformed,
                    "text of " + std::to_string(from.left()) + " octets, at most " +
                        std::to_string(limit));
    return to_text(TRY(from.take(from.left())));
}

Result<std::string> read_line_text(Reader& from) {
    std::string line = TRY(read_rest(from, kMaxLineBytes));
    if (!is_line(line))
        return fail(ErrorCode::Malformed, "line with control characters");
    return line;
}

Result<Hello> read_hello(Reader& from) {
    Hello hello;
    hello.version = TRY(from.u16());
    hello.terminal = TRY(read_flag(from));
    hello.columns = TRY(from.u16());
    hello.rows = TRY(from.u16());
    hello.user = TRY(read_rest(from, kMaxUserBytes));
    if (!is_line(hello.user))
        return fail(ErrorCode::Malformed, "user name with control characters");
    return hello;
}

Result<Line> read_line(Reader& from) {
    Line line;
    line.end = TRY(read_flag(from)) ? LineEnd::LeaveConfiguration : LineEnd::Enter;
    line.text = TRY(read_line_text(from));
    return line;
}

Result<WindowSize> read_window(Reader& from) {
    WindowSize window;
    window.columns = TRY(from.u16());
    window.rows = TRY(from.u16());
    return window;
}

Result<Prompt> read_prompt(Reader& from) {
    Prompt prompt;
    prompt.echo = TRY(read_flag(from));
    prompt.page_lines = TRY(from.u16());
    prompt.columns = TRY(from.u16());
    prompt.text = TRY(read_rest(from, kMaxPromptBytes));
    return prompt;
}

std::unexpected<Error> unknown_type(std::uint8_t type) {
    return fail(ErrorCode::Unsupported, "frame type " + std::to_string(type));
}

Result<ClientMessage> read_client_body(FrameType type, Reader& from) {
    switch (type) {
    case FrameType::Hello:
        return TRY(read_hello(from));
    case FrameType::Line:
        return TRY(read_line(from));
    case FrameType::Question:
        return Question{TRY(read_line_text(from))};
    case FrameType::Complete:
        return Complete{TRY(read_line_text(from))};
    case FrameType::Interrupt:
        return Interrupt{};
    case FrameType::WindowSize:
        return TRY(read_window(from));
    default:
        return unknown_type(static_cast<std::uint8_t>(type));
    }
}

Result<ServerMessage> read_server_body(FrameType type, Reader& from) {
    switch (type) {
    case FrameType::Prompt:
        return TRY(read_prompt(from));
    case FrameType::Output:
        return Output{TRY(read_rest(from, kMaxBodyBytes))};
    case FrameType::Completion:
        return Completion{TRY(read_line_text(from))};
    case FrameType::Done:
        return Done{TRY(read_flag(from))};
    case FrameType::Async:
        return Async{TRY(read_rest(from, kMaxBodyBytes))};
    case FrameType::Bye:
        return Bye{TRY(read_rest(from, kMaxBodyBytes))};
    default:
        return unknown_type(static_cast<std::uint8_t>(type));
    }
}

Status nothing_left(const Reader& from) {
    if (!from.empty())
        return fail(ErrorCode::Malformed, std::to_string(from.left()) + " octets too many");
    return {};
}

} // namespace

Bytes encode(const ClientMessage& message) {
    return std::visit(
        Overloaded{
            [](const Hello& hello) {
                return FrameWriter{FrameType::Hello}
                    .u16(hello.version)
                    .u8(hello.terminal)
                    .u16(hello.columns)
                    .u16(hello.rows)
                    .text(hello.user, kMaxUserBytes)
                    .finish();
            },
            [](const Line& line) {
                return FrameWriter{FrameType::Line}
                    .u8(static_cast<std::uint8_t>(line.end))
                    .text(line.text, kMaxLineBytes)
                    .finish();
            },
            [](const Question& question) {
                return FrameWriter{FrameType::Question}
                    .text(question.partial, kMaxLineBytes)
                    .finish();
            },
            [](const Complete& complete) {
                return FrameWriter{FrameType::Complete}
                    .text(complete.partial, kMaxLineBytes)
                    .finish();
            },
            [](const Interrupt&) { return FrameWriter{FrameType::Interrupt}.finish(); },
            [](const WindowSize& window) {
                return FrameWriter{FrameType::WindowSize}
                    .u16(window.columns)
                    .u16(window.rows)
                    .finish();
            },
        },
        message);
}

Bytes encode(const ServerMessage& message) {
    return std::visit(
        Overloaded{
            [](const Prompt& prompt) {
                return FrameWriter{FrameType::Prompt}
                    .u8(prompt.echo)
                    .u16(prompt.page_lines)
                    .u16(prompt.columns)
                    .text(prompt.text, kMaxPromptBytes)
                    .finish();
            },
            [](const Output& output) {
                return FrameWriter{FrameType::Output}.text(output.text).finish();
            },
            [](const Completion& completion) {
                return FrameWriter{FrameType::Completion}
                    .text(completion.line, kMaxLineBytes)
                    .finish();
            },
            [](const Done& done) { return FrameWriter{FrameType::Done}.u8(done.failed).finish(); },
            [](const Async& async) {
                return FrameWriter{FrameType::Async}.text(async.text).finish();
            },
            [](const Bye& bye) { return FrameWriter{FrameType::Bye}.text(bye.text).finish(); },
        },
        message);
}

void append_text(Bytes& to, FrameType type, std::string_view text) {
    while (!text.empty()) {
        const std::string_view part = text.substr(0, kMaxBodyBytes);
        const Bytes frame = FrameWriter{type}.text(part).finish();
        to.insert(to.end(), frame.begin(), frame.end());
        text.remove_prefix(part.size());
    }
}

bool is_line(std::string_view text) {
    return text.size() <= kMaxLineBytes && std::ranges::none_of(text, [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return (byte < 0x20 && byte != '\t') || byte == 0x7f;
           });
}

Result<ClientMessage> decode_client(const Frame& frame) {
    Reader from{frame.body};
    auto message = TRY(read_client_body(static_cast<FrameType>(frame.type), from));
    TRY_VOID(nothing_left(from));
    return message;
}

Result<ServerMessage> decode_server(const Frame& frame) {
    Reader from{frame.body};
    auto message = TRY(read_server_body(static_cast<FrameType>(frame.type), from));
    TRY_VOID(nothing_left(from));
    return message;
}

Result<std::optional<Frame>> FrameReader::next() {
    Reader from{ByteView{buffer_}.subspan(consumed_)};
    if (from.left() < kFrameHeaderBytes)
        return std::nullopt;
    Frame frame;
    frame.type = TRY(from.u8());
    const std::uint8_t zero = TRY(from.u8());
    const std::uint16_t length = TRY(from.u16());
    if (zero != 0 || length > kMaxBodyBytes)
        return fail(ErrorCode::Malformed, "no frame of this protocol");
    if (from.left() < length)
        return std::nullopt;
    frame.body = to_bytes(TRY(from.take(length)));
    consumed_ += kFrameHeaderBytes + length;
    if (consumed_ == buffer_.size() || consumed_ > kMaxBodyBytes) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(consumed_));
        consumed_ = 0;
    }
    return frame;
}

} // namespace adit::cli
