// SPDX-License-Identifier: Apache-2.0
// What proposals of both phases have in common: lifetimes that come in pairs of type and duration,
// attributes that may stand once, and how offers are put into words.
//
// Threading: pure functions. Errors: Malformed, Unsupported.
// Source: RFC 2407 4.5, RFC 2409 appendix A.
#pragma once

#include "common/clock.h"
#include "control/ike/constants.h"
#include "control/ike/payload_sa.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace adit::ike {

/// Lifetimes longer than this are cut: Instants must not overflow.
inline constexpr std::uint64_t kMaxLifeSeconds = 10ULL * 365 * 86'400;

inline Duration seconds(std::uint64_t count) {
    return std::chrono::seconds{static_cast<std::int64_t>(std::min(count, kMaxLifeSeconds))};
}

inline std::uint32_t whole_seconds(Duration duration) {
    const auto count = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 1, kMaxLifeSeconds));
}

/// RFC 2409 appendix A: a duration belongs to the type in front of it.
struct Lives {
    LifeType pending{}; // 0: none
    std::optional<Duration> lifetime;
    std::optional<std::uint64_t> kilobytes;

    [[nodiscard]] bool is_pending() const { return pending != LifeType{}; }

    Status set_type(std::uint64_t value) {
        if (is_pending())
            return fail(ErrorCode::Malformed, "life type without duration");
        if (value != to_wire(LifeType::Seconds) && value != to_wire(LifeType::Kilobytes))
            return fail(ErrorCode::Unsupported, "life type " + std::to_string(value));
        pending = from_wire<LifeType>(static_cast<std::uint16_t>(value));
        return {};
    }

    Status set_duration(std::uint64_t value) {
        if (!is_pending())
            return fail(ErrorCode::Malformed, "life duration without type");
        const bool in_seconds = std::exchange(pending, LifeType{}) == LifeType::Seconds;
        if (in_seconds ? lifetime.has_value() : kilobytes.has_value())
            return fail(ErrorCode::Malformed, "two life durations of one type");
        if (value == 0)
            return {}; // strongSwan without rekeying says so: no limit of its own, ours holds
        if (in_seconds)
            lifetime = seconds(value);
        else
            kilobytes = value;
        return {};
    }
};

/// The value as what the registry says it is; an attribute that stands twice is refused.
template <class Value>
Status set_once(std::optional<Value>& field, std::uint64_t value, const std::string& what) {
    if (field)
        return fail(ErrorCode::Malformed, what + " stands twice");
    if (value > 0xffff)
        return fail(ErrorCode::Unsupported, what + " " + std::to_string(value));
    if constexpr (std::is_enum_v<Value>)
        field = from_wire<Value>(static_cast<std::underlying_type_t<Value>>(value));
    else
        field = static_cast<Value>(value);
    return {};
}

inline Result<std::uint64_t> number(const Attribute& attribute, const std::string& what) {
    if (!attribute.value)
        return fail(ErrorCode::Unsupported, what + " longer than any number");
    return *attribute.value;
}

template <class Enum> std::string text(const std::optional<Enum>& value) {
    return value ? name(*value) : "none";
}

inline std::string key_suffix(std::uint32_t key_bits) {
    return key_bits == 0 ? "" : "-" + std::to_string(key_bits);
}

template <class Range, class Text> std::string join(const Range& items, const Text& text_of) {
    constexpr std::size_t kShown = 12; // of a hundred offers the log needs no more
    std::string joined;
    std::size_t shown = 0;
    for (const auto& item : items) {
        if (shown++ == kShown)
            return joined + ", ...";
        joined += (joined.empty() ? "" : ", ") + text_of(item);
    }
    return joined.empty() ? "none" : joined;
}

} // namespace adit::ike
