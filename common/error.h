// SPDX-License-Identifier: Apache-2.0
// Errors as values. A Result<T> either holds a T or says what went wrong in words an operator or a
// log reader can use. No exception crosses our code; see TRY for early return.
//
// Threading: plain values. The dataplane's packet path does not use Result: it uses DropReason.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <string>
#include <utility>

namespace adit {

enum class ErrorCode : std::uint8_t {
    Truncated,   // fewer bytes than the format needs
    Malformed,   // bytes that break the format's rules
    Unsupported, // well-formed, but not something we do
    Invalid,     // a value outside what is allowed here
    NotFound,
    Conflict,  // contradicts something already there
    Exhausted, // a bound was reached
    Denied,    // not allowed, or failed authentication
    System,    // the operating system refused; text holds its reason
};

const char* to_string(ErrorCode code);

struct [[nodiscard]] Error {
    ErrorCode code;
    std::string text;
};

template <class T> using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, std::string text) {
    return std::unexpected(Error{code, std::move(text)});
}

/// Error with errno's words appended: "open /run/x: Permission denied".
std::unexpected<Error> fail_errno(std::string what);

[[noreturn]] inline void ensure_failed(const char* condition, const char* file, int line) {
    std::fprintf(
        stderr, "adit: internal error: %s does not hold at %s:%d\n", condition, file, line);
    std::abort();
}

} // namespace adit

/// Value of a Result, or return its error from the enclosing function.
#define TRY(expression)                                                                            \
    __extension__({                                                                                \
        auto try_result_ = (expression);                                                           \
        if (!try_result_)                                                                          \
            return std::unexpected(std::move(try_result_).error());                                \
        std::move(*try_result_);                                                                   \
    })

/// The same for a Status, which holds no value.
#define TRY_VOID(expression)                                                                       \
    do {                                                                                           \
        auto try_status_ = (expression);                                                           \
        if (!try_status_)                                                                          \
            return std::unexpected(std::move(try_status_).error());                                \
    } while (false)

/// An invariant of our own code; always on. Never for anything a peer or an operator can cause.
#define ENSURE(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) [[unlikely]]                                                             \
            ::adit::ensure_failed(#condition, __FILE__, __LINE__);                                 \
    } while (false)
