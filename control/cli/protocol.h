// SPDX-License-Identifier: Apache-2.0
// What `adit` and adit-control say to each other over the control socket: small frames, both ends
// validate each one whole before they use it.
//
//      0        1        2        3        4
//     +--------+--------+-----------------+---------------------+
//     | type   | 0      | length of body  | body ...            |
//     +--------+--------+-----------------+---------------------+
//
//     client                         server
//     Hello                  ->
//                            <-      Prompt
//     Line | Interrupt       ->
//                            <-      Output*  Done  Prompt | Bye
//     Question               ->
//                            <-      Output*  Done  Prompt
//     Complete               ->
//                            <-      Completion
//     WindowSize             ->
//                            <-      Async            at any time after Hello
//
// Numbers are big-endian. Texts are bytes up to the end of the body, with LF line ends.
// Threading: values and pure functions.
#pragma once

#include "common/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace adit::cli {

inline constexpr const char* kControlSocketPath = "/run/adit/control.sock";

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 4;
/// A longer output is sent as several frames.
inline constexpr std::size_t kMaxBodyBytes = 16'384;
/// The longest line of configuration anybody types is a key of a few hundred characters.
inline constexpr std::size_t kMaxLineBytes = 4'096;
inline constexpr std::size_t kMaxUserBytes = 64;
inline constexpr std::size_t kMaxPromptBytes = 256;

enum class FrameType : std::uint8_t {
    // client to server
    Hello = 1,
    Line = 2,
    Question = 3,
    Complete = 4,
    Interrupt = 5,
    WindowSize = 6,
    // server to client
    Prompt = 65,
    Output = 66,
    Completion = 67,
    Done = 68,
    Async = 69,
    Bye = 70,
};

struct Hello {
    std::uint16_t version{kProtocolVersion};
    bool terminal{false};
    std::uint16_t columns{}, rows{}; // 0: unknown
    std::string user;                // whom root acts for; may be empty

    bool operator==(const Hello&) const = default;
};

enum class LineEnd : std::uint8_t {
    Enter = 0,
    LeaveConfiguration = 1, // Ctrl-Z: run the line, then go to EXEC
};

struct Line {
    LineEnd end{LineEnd::Enter};
    std::string text;

    bool operator==(const Line&) const = default;
};

struct Question {
    std::string partial;

    bool operator==(const Question&) const = default;
};

struct Complete {
    std::string partial;

    bool operator==(const Complete&) const = default;
};

struct Interrupt {
    bool operator==(const Interrupt&) const = default;
};

struct WindowSize {
    std::uint16_t columns{}, rows{};

    bool operator==(const WindowSize&) const = default;
};

struct Prompt {
    bool echo{true};
    std::uint16_t page_lines{}; // 0: no pager
    std::uint16_t columns{};    // 0: unlimited
    std::string text;

    bool operator==(const Prompt&) const = default;
};

struct Output {
    std::string text;

    bool operator==(const Output&) const = default;
};

struct Completion {
    std::string line;

    bool operator==(const Completion&) const = default;
};

struct Done {
    bool failed{false};

    bool operator==(const Done&) const = default;
};

struct Async {
    std::string text;

    bool operator==(const Async&) const = default;
};

/// The server closes; `text` says why when the client did not ask for it.
struct Bye {
    std::string text;

    bool operator==(const Bye&) const = default;
};

using ClientMessage = std::variant<Hello, Line, Question, Complete, Interrupt, WindowSize>;
using ServerMessage = std::variant<Prompt, Output, Completion, Done, Async, Bye>;

/// One frame. Texts longer than the frame takes are cut: callers send long output by
/// append_text().
Bytes encode(const ClientMessage& message);
Bytes encode(const ServerMessage& message);

/// `text` as so many Output or Async frames as it needs, appended to `to`.
void append_text(Bytes& to, FrameType type, std::string_view text);

/// True when `text` may travel as a line: no longer than kMaxLineBytes, no control characters but
/// TAB.
[[nodiscard]] bool is_line(std::string_view text);

struct Frame {
    std::uint8_t type{};
    Bytes body;
};

/// Errors: Unsupported for an unknown or wrong-way type, Truncated, Malformed.
Result<ClientMessage> decode_client(const Frame& frame);
Result<ServerMessage> decode_server(const Frame& frame);

/// Cuts a stream into frames. After an error the stream is useless: close it.
class FrameReader {
  public:
    void append(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

    /// Nothing while the next frame is incomplete. Malformed when the header cannot be one.
    Result<std::optional<Frame>> next();

    /// Octets that wait for the rest of their frame.
    [[nodiscard]] std::size_t pending() const { return buffer_.size() - consumed_; }

  private:
    Bytes buffer_;
    std::size_t consumed_{0};
};

} // namespace adit::cli
