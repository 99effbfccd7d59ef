// SPDX-License-Identifier: Apache-2.0
// A whole ISAKMP message: a header and its payloads, read from or written to a datagram, in the
// clear or encrypted.
//
// Threading: pure functions. Errors: Truncated, Malformed; Invalid for ciphertext of an odd length.
// Source: RFC 2408 3.1, RFC 2409 5 and appendix B.
#pragma once

#include "common/bytes.h"
#include "control/ike/constants.h"
#include "control/ike/keymat.h"
#include "control/ike/wire.h"

#include <utility>
#include <vector>

namespace adit::ike {

/// Borrows the bytes it was parsed from (the datagram, or the decrypted copy).
struct Message {
    Header header;
    std::vector<Payload> payloads;

    /// The first of its type; null when there is none.
    [[nodiscard]] const Payload* find(PayloadType type) const;
    [[nodiscard]] std::size_t count(PayloadType type) const;
    /// All payloads, generic headers included.
    [[nodiscard]] std::size_t payloads_bytes() const;
    /// Everything behind the first payload, which is the HASH: what HASH(1) and HASH(2) cover.
    [[nodiscard]] ByteView behind_first() const;
};

Result<Message> parse_clear(ByteView datagram);

/// Decrypts the body in `datagram` in place and parses it. A wrong key shows as Malformed.
Result<Message> parse_encrypted(MutableBytes datagram, const IvChain& chain, ByteView key);

/// Collects payload bodies in order and writes the chain.
class MessageBuilder {
  public:
    MessageBuilder& add(PayloadType type, Bytes body);

    MessageBuilder& append(const MessageBuilder& others);

    /// The payloads from number `from` on, generic headers included.
    [[nodiscard]] Bytes chain(std::size_t from = 0) const;

    /// Sets a body that could only be computed from those behind it (HASH).
    void set(std::size_t index, Bytes body);

    [[nodiscard]] Bytes clear(Header header) const;
    /// Pads to whole blocks, encrypts, moves the chain.
    [[nodiscard]] Bytes encrypted(Header header, IvChain& chain, ByteView key) const;

  private:
    std::vector<std::pair<PayloadType, Bytes>> payloads_;
};

} // namespace adit::ike
