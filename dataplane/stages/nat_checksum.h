// SPDX-License-Identifier: Apache-2.0
// What a NAT in front of ESP did to the checksums inside it: TCP and UDP cover the addresses their
// sender saw, and nobody on the way could mend what is enciphered. In transport mode the receiver
// does (RFC 3948 3.1.2).
#pragma once

#include "common/bytes.h"
#include "common/wire/checksum.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"

#include <cstdint>

namespace adit::dataplane {

/// Host order.
struct AddressPair {
    std::uint32_t source, destination;

    [[nodiscard]] std::uint64_t sum() const {
        return std::uint64_t{source >> 16} + (source & 0xffff) + (destination >> 16) +
               (destination & 0xffff);
    }

    friend bool operator==(const AddressPair&, const AddressPair&) = default;
};

inline constexpr std::size_t kTcpBytes = 20; // RFC 9293 3.1, without options
inline constexpr std::size_t kTcpChecksumAt = 16;
inline constexpr std::size_t kUdpChecksumAt = 6;

/// RFC 1624 3: the checksum after the addresses it covers became others.
inline std::uint16_t
checksum_moved(std::uint16_t checksum, const AddressPair& from, const AddressPair& to) {
    constexpr std::uint64_t kFourWords = 4 * 0xffff; // ~a + ~b + ~c + ~d = 4 * 0xffff - sum
    return wire::checksum_finish(std::uint64_t{static_cast<std::uint16_t>(~checksum)} +
                                 (kFourWords - from.sum()) + to.sum());
}

/// `segment` was sent between the addresses `from`, zero when the peer did not name them, and is
/// now between `to`. Then UDP goes without a checksum and TCP gets a new one: the ICV has vouched
/// for both.
inline void mend_checksum(MutableBytes segment,
                          std::uint8_t protocol,
                          const AddressPair& from,
                          const AddressPair& to) {
    const bool udp = protocol == wire::kProtocolUdp && segment.size() >= wire::kUdpBytes;
    const bool tcp = protocol == wire::kProtocolTcp && segment.size() >= kTcpBytes;
    if ((!udp && !tcp) || from == to)
        return;
    std::uint8_t* at = segment.data() + (udp ? kUdpChecksumAt : kTcpChecksumAt);
    const auto before = load_be<std::uint16_t>(at);
    const bool known = from.source != 0 && from.destination != 0;
    if (udp) {
        // RFC 768: 0 says that there is none, so a sum of 0 travels as all ones.
        const std::uint16_t moved = checksum_moved(before, from, to);
        if (before != 0)
            store_be(at, !known ? std::uint16_t{0} : moved == 0 ? std::uint16_t{0xffff} : moved);
        return;
    }
    if (known)
        return store_be(at, checksum_moved(before, from, to));
    store_be(at, std::uint16_t{0});
    const std::uint64_t pseudo = wire::checksum_pseudo(
        to.source, to.destination, wire::kProtocolTcp, static_cast<std::uint16_t>(segment.size()));
    store_be(at, wire::checksum_finish(wire::checksum_add(pseudo, segment)));
}

} // namespace adit::dataplane
