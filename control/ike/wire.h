// SPDX-License-Identifier: Apache-2.0
// ISAKMP on the wire: the fixed header and the chain of generic payload headers behind it. Views
// borrow the datagram; once made, no accessor can fail.
//
// Threading: pure functions. Errors: Truncated or Malformed, never anything half-parsed.
// Source: RFC 2408 3.1, 3.2.
#pragma once

#include "common/bytes.h"
#include "common/types.h"
#include "control/ike/constants.h"
#include "control/ike/keymat.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace adit::ike {

inline constexpr std::size_t kHeaderBytes = 28;
inline constexpr std::size_t kGenericHeaderBytes = 4;
/// Real first messages carry about 20 payloads, most of them vendor ids.
inline constexpr std::size_t kMaxPayloads = 48;

///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------------------------------------------------------+
/// |                       initiator cookie                        |
/// |                                                               |
/// |                       responder cookie                        |
/// |                                                               |
/// | next payload  | MjVer | MnVer | exchange type |     flags     |
/// |                          message id                           |
/// |                            length                             |
/// +---------------------------------------------------------------+
struct Header {
    CookiePair cookies;
    PayloadType next_payload{};
    ExchangeType exchange{};
    std::uint8_t flags{};
    MessageId message_id;

    [[nodiscard]] bool encrypted() const { return (flags & kFlagEncryption) != 0; }
};

/// Checks version, flags and that the length is the datagram's, no more and no less.
Result<Header> parse_header(ByteView datagram);

/// Length stays 0 until patch_length().
void write_header(Writer& writer, const Header& header);
void patch_length(Writer& writer);

struct Payload {
    PayloadType type{};
    ByteView body;  // behind the generic header
    ByteView whole; // with it: what HASH(1) and its kin cover
};

enum class Padding : std::uint8_t {
    Refused, // a message in the clear ends with its last payload
    Allowed, // RFC 2409 appendix B: a decrypted one may go on
};

Result<std::vector<Payload>> parse_chain(PayloadType first, ByteView bytes, Padding padding);

} // namespace adit::ike
