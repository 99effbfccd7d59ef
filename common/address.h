// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses, prefixes, and the traffic selectors made of them (RFC 4301 4.4.1.1).
// All values in host order; `Reader`/`Writer` do the swapping at the wire.
#pragma once

#include "common/error.h"

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace adit {

struct Ipv4Address {
    std::uint32_t value{};

    constexpr Ipv4Address() = default;

    constexpr explicit Ipv4Address(std::uint32_t from) : value(from) {}

    constexpr Ipv4Address(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
        : value(static_cast<std::uint32_t>(a) << 24 | static_cast<std::uint32_t>(b) << 16 |
                static_cast<std::uint32_t>(c) << 8 | d) {}

    [[nodiscard]] constexpr bool is_unspecified() const { return value == 0; }

    [[nodiscard]] constexpr bool is_multicast() const { return value >> 28 == 0xe; }

    [[nodiscard]] constexpr bool is_loopback() const { return value >> 24 == 127; }

    friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};

/// Dotted quad.
std::string to_string(Ipv4Address address);
/// Exactly four decimal numbers 0..255 without leading zeros.
Result<Ipv4Address> parse_ipv4(std::string_view text);

/// 255.255.0.0 for 16. `length` <= 32.
constexpr std::uint32_t mask_of_length(unsigned length) {
    return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
}

struct Ipv4Prefix {
    Ipv4Address address; // host bits are zero
    std::uint8_t length{};

    [[nodiscard]] constexpr Ipv4Address mask() const { return Ipv4Address{mask_of_length(length)}; }

    [[nodiscard]] constexpr bool contains(Ipv4Address other) const {
        return ((other.value ^ address.value) & mask_of_length(length)) == 0;
    }

    [[nodiscard]] constexpr Ipv4Address first() const { return address; }

    [[nodiscard]] constexpr Ipv4Address last() const {
        return Ipv4Address{address.value | ~mask_of_length(length)};
    }

    friend constexpr auto operator<=>(const Ipv4Prefix&, const Ipv4Prefix&) = default;
};

/// "10.1.0.0/16".
std::string to_string(Ipv4Prefix prefix);
/// "a.b.c.d/len"; host bits must be zero.
Result<Ipv4Prefix> parse_ipv4_prefix(std::string_view text);
/// Length of a contiguous mask (255.255.0.0 -> 16); Invalid for masks with holes.
Result<std::uint8_t> mask_length(Ipv4Address mask);

struct Endpoint {
    Ipv4Address address;
    std::uint16_t port{};

    friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// "192.0.2.1:500".
std::string to_string(Endpoint endpoint);

struct Ipv4Range {
    Ipv4Address first;
    Ipv4Address last{0xffffffff};

    static constexpr Ipv4Range of(Ipv4Prefix prefix) { return {prefix.first(), prefix.last()}; }

    static constexpr Ipv4Range host(Ipv4Address address) { return {address, address}; }

    [[nodiscard]] constexpr bool contains(Ipv4Address address) const {
        return first <= address && address <= last;
    }

    [[nodiscard]] constexpr bool contains(const Ipv4Range& other) const {
        return first <= other.first && other.last <= last;
    }

    friend constexpr auto operator<=>(const Ipv4Range&, const Ipv4Range&) = default;
};

struct PortRange {
    std::uint16_t first{0};
    std::uint16_t last{0xffff};

    [[nodiscard]] constexpr bool is_any() const { return first == 0 && last == 0xffff; }

    [[nodiscard]] constexpr bool contains(std::uint16_t port) const {
        return first <= port && port <= last;
    }

    friend constexpr auto operator<=>(const PortRange&, const PortRange&) = default;
};

/// What one SA pair protects, seen from this gateway. `local` is behind us, `remote` behind the
/// peer.
struct TrafficSelector {
    Ipv4Range local;
    Ipv4Range remote;
    std::uint8_t protocol{0}; // IP protocol, 0 = any
    PortRange local_port;
    PortRange remote_port;

    friend constexpr auto operator<=>(const TrafficSelector&, const TrafficSelector&) = default;
};

/// "10.1.0.0/255.255.0.0/0/0" as IOS prints an identity: address/mask/protocol/port. A range that
/// is no prefix prints as "first-last/protocol/port".
std::string ident_string(const Ipv4Range& range, std::uint8_t protocol, const PortRange& port);

} // namespace adit

template <> struct std::hash<adit::Ipv4Address> {
    std::size_t operator()(adit::Ipv4Address address) const noexcept {
        return std::hash<std::uint32_t>{}(address.value);
    }
};
