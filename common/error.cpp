// SPDX-License-Identifier: Apache-2.0
#include "common/error.h"

#include <cerrno>
#include <cstring>

namespace adit {

const char* to_string(ErrorCode code) {
    switch (code) {
    case ErrorCode::Truncated:
        return "truncated";
    case ErrorCode::Malformed:
        return "malformed";
    case ErrorCode::Unsupported:
        return "unsupported";
    case ErrorCode::Invalid:
        return "invalid";
    case ErrorCode::NotFound:
        return "missing";
    case ErrorCode::Conflict:
        return "conflict";
    case ErrorCode::Exhausted:
        return "exhausted";
    case ErrorCode::Denied:
        return "denied";
    case ErrorCode::System:
        return "system";
    }
    return "unknown";
}

std::unexpected<Error> fail_errno(std::string what) {
    const int saved = errno;
    return fail(ErrorCode::System, std::move(what) + ": " + std::strerror(saved));
}

} // namespace adit
