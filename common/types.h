// SPDX-License-Identifier: Apache-2.0
// Integers with a meaning. A strong type is its integer plus a name: no arithmetic, only
// comparison, hashing and explicit access through `.value`.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace adit {

template <class Tag, class Int> struct Strong {
    Int value{};

    constexpr Strong() = default;

    constexpr explicit Strong(Int from) : value(from) {}

    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

/// Security parameters index, host order (RFC 4303 2.1). 0..255 are reserved.
using Spi = Strong<struct SpiTag, std::uint32_t>;
/// One half of an ISAKMP cookie pair (RFC 2408 2.5.3), read as a big-endian integer.
using Cookie = Strong<struct CookieTag, std::uint64_t>;
/// ISAKMP message id (RFC 2408 3.1); 0 in phase 1.
using MessageId = Strong<struct MessageIdTag, std::uint32_t>;
/// One direction of one ESP SA, as control numbers them: 2001 upwards, shown as "conn id".
/// Never reused within one control process.
using SaId = Strong<struct SaIdTag, std::uint32_t>;
/// An ISAKMP SA, 1001 upwards, shown as "conn-id"; 0 while it has no keys.
using ConnId = Strong<struct ConnIdTag, std::uint32_t>;
/// Row of the dataplane's policy table; chosen by control, dense from 0.
using PolicyId = Strong<struct PolicyIdTag, std::uint32_t>;
/// A dataplane port as control knows it: its place in the dataplane's list of ports, from 0.
using InterfaceIndex = Strong<struct InterfaceIndexTag, std::uint16_t>;
/// A polling core, from 0.
using WorkerId = Strong<struct WorkerIdTag, std::uint8_t>;

inline constexpr InterfaceIndex kNoInterface{0xffff};
inline constexpr PolicyId kNoPolicy{0xffffffff};

} // namespace adit

template <class Tag, class Int> struct std::hash<adit::Strong<Tag, Int>> {
    std::size_t operator()(const adit::Strong<Tag, Int>& strong) const noexcept {
        return std::hash<Int>{}(strong.value);
    }
};
