// SPDX-License-Identifier: Apache-2.0
// IKE fragmentation: a message too large for one packet travels as several small ISAKMP messages,
// so that no firewall on the way has to let IP fragments pass. Only the form is here; what is kept
// of fragments that have come is in reassembly.h.
//
// Threading: pure functions. Errors: Truncated, Malformed.
// Source: [MS-IKEE] 2.2.3.1, 3.3.5.3, 3.3.6.1. Routers and open implementations speak the same.
#pragma once

#include "common/bytes.h"
#include "control/ike/wire.h"

#include <cstdint>
#include <vector>

namespace adit::ike {

///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------------------------------------------------------+
/// |       0       |   reserved    |        payload length         |
/// |          fragment id          |    number     |     flags     |
/// |                             data                              |
/// +---------------------------------------------------------------+
struct Fragment {
    std::uint16_t id{};
    std::uint8_t number{}; // from 1
    bool last{false};
    ByteView data; // borrows the datagram
};

/// The one number of octets that a fragment has before its data: header, generic header, and its
/// own four.
inline constexpr std::size_t kFragmentOverhead = kHeaderBytes + kGenericHeaderBytes + 4;
/// The number is one octet, and 0 is none.
inline constexpr std::size_t kMaxFragments = 255;

/// Reads a datagram whose header names a fragment first. It must be the only payload.
Result<Fragment> parse_fragment(ByteView datagram);

/// Cuts a message into datagrams of at most `datagram_bytes`, under a header of their own. Nothing
/// when it would take more than kMaxFragments: then IP has to do it.
std::vector<Bytes>
fragments_of(ByteView message, Header header, std::uint16_t id, std::size_t datagram_bytes);

} // namespace adit::ike
