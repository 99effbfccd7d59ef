// SPDX-License-Identifier: Apache-2.0
// The identification payload, in its two uses: who the peer is (phase 1) and what an SA protects
// (phase 2, IDci and IDcr).
//
// Threading: pure functions. Errors: Truncated, Malformed; Unsupported for types that cannot say
// what is asked (a name as selector, IPv6).
// Source: RFC 2407 4.6.2; RFC 2409 5.5.
#pragma once

#include "common/address.h"
#include "common/bytes.h"
#include "control/ike/constants.h"

#include <cstdint>
#include <optional>
#include <string>

namespace adit::ike {

/// RFC 2407 4.6.2.1: an X.500 name is the longest there is; nobody needs more.
inline constexpr std::size_t kMaxIdentityBytes = 2048;

struct Identity {
    IdType type{};
    std::uint8_t protocol{};
    std::uint16_t port{};
    Bytes data;

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// `body` starts at the ID type. Lengths of addresses, subnets and ranges are checked, and names
/// hold no control characters.
Result<Identity> parse_identity(ByteView body);
Bytes build_identity(const Identity& identity);

Identity identity_of(Ipv4Address address);
std::optional<Ipv4Address> address_of(const Identity& identity);

/// "192.0.2.20", "gw.example.com", "key-id 0x0102": safe to log whatever the peer sent.
std::string to_string(const Identity& identity);

/// One side of a traffic selector, as a client identity says it.
struct ClientRange {
    Ipv4Range range;
    std::uint8_t protocol{};
    PortRange port;

    friend bool operator==(const ClientRange&, const ClientRange&) = default;
};

Result<ClientRange> client_range(const Identity& identity);
/// A single address, a subnet when the range is one, else a range.
Identity client_identity(const ClientRange& client);

/// As IOS prints it: address/mask/protocol/port.
std::string to_string(const ClientRange& client);

} // namespace adit::ike
