// SPDX-License-Identifier: Apache-2.0
// What a port's NIC does so that its workers need not. Everything here has a software fallback.
//
// Threading: written before the workers start.
#pragma once

#include <cstdint>
#include <rte_mbuf.h>

namespace adit::dataplane {

struct PortOffloads {
    /// The NIC checks IPv4 header checksums and says so in the packet.
    bool rx_ipv4_checksum{false};
    /// The driver gives sent buffers back to the pool unread. Holds as long as all frames come from
    /// the one pool, are single segments (fit_link sees to it) and nobody else holds a reference:
    /// whoever clones packets must leave it off.
    bool fast_free{false};
    // Transmit checksums are not asked for. The outer header's is a few additions to the SA's
    // template and a forwarded packet's is updated for its TTL, while i40e and ixgbe leave their
    // vector transmit path for any offload beyond fast free.
};

/// True only when the NIC found the IPv4 header checksum good. "Unknown", "bad" and "none" are for
/// software to decide, and so is a packet in which the NIC saw a tunnel with a bad outer header:
/// its verdict may be the inner header's. For headers off the wire alone: what ESP uncovers no NIC
/// has seen, though the flags are still there.
inline bool nic_vouches_for_ipv4(const PortOffloads& offloads, const rte_mbuf* packet) {
    constexpr std::uint64_t kRelevant =
        RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD;
    return offloads.rx_ipv4_checksum &&
           (packet->ol_flags & kRelevant) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}
} // namespace adit::dataplane
