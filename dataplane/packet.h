// SPDX-License-Identifier: Apache-2.0
// A packet between two stages: an mbuf whose data starts at the IPv4 header (eth_input removed the
// Ethernet header, ip_output puts one back), and what the stages found out about it, kept in the
// mbuf's private area. Pools are made with kPacketMetaBytes of private data.
//
// Threading: a packet belongs to the core that holds it.
#pragma once

#include "common/error.h"
#include "common/types.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <rte_mbuf.h>

namespace adit::dataplane {

struct InboundSa;
struct OutboundSa;

enum PacketFlags : std::uint8_t {
    kFromSa = 1 << 0,     // came out of an inbound SA: exempt from the clear-text check
    kFromUs = 1 << 1,     // made here (ICMP, ARP, IKE): not counted as received
    kUdpEncap = 1 << 2,   // ESP arrived inside UDP 4500; data starts at the ESP header
    kFragment = 1 << 3,   // a non-first fragment: ports are unknown
    kLinkGroup = 1 << 4,  // arrived as an Ethernet broadcast: never answered with an ICMP error
    kPortsKnown = 1 << 5, // the ports were read from the packet; otherwise they are 0
};

/// What a packet wants of the worker that it was handed over to. Wants come in this order, so a
/// packet crosses at most once for each of them, whatever happens to SAs meanwhile.
enum class Handover : std::uint8_t {
    None,       // still where it was received
    EspInbound, // data starts at the ESP header; its SPI is that worker's
    Protect,    // matched `policy`, whose SA is there
    Transmit,   // a frame, to leave by that worker's queue
};

struct PacketMeta {
    union {
        InboundSa* inbound;           // set by the SPI look-up
        OutboundSa* outbound;         // set by outbound_policy
        std::uint64_t tables_version; // Handover::Protect: where `policy` was found
    } sa;

    // Of the header that data starts at, host order. Neighbours on the wire stand here in the order
    // in which one big-endian load brings them, so that read_plain_flow stores them at once.
    std::uint32_t destination, source;
    std::uint16_t destination_port, source_port;
    std::uint32_t next_hop; // host order, set by the route look-up
    std::uint32_t policy;   // PolicyId, or kNoPolicy
    std::uint16_t in_interface, out_interface;
    std::uint8_t protocol;
    std::uint8_t flags; // PacketFlags
    // Of the outer header of an ESP packet, kept while the header itself is gone.
    std::uint8_t outer_tos;
    Handover handover;
    std::uint32_t outer_source, outer_destination;
    std::uint16_t outer_source_port, outer_destination_port;
};

inline constexpr std::uint16_t kPacketMetaBytes = 64;
static_assert(sizeof(PacketMeta) <= kPacketMetaBytes);
static_assert(offsetof(PacketMeta, source) == offsetof(PacketMeta, destination) + 4 &&
              offsetof(PacketMeta, source_port) == offsetof(PacketMeta, destination_port) + 2 &&
              offsetof(PacketMeta, handover) == offsetof(PacketMeta, protocol) + 3);

inline PacketMeta& meta(rte_mbuf* packet) {
    return *static_cast<PacketMeta*>(rte_mbuf_to_priv(packet));
}

/// Policy and way out are not known yet; the interface it came in by is. One store for all three.
inline void start_meta(PacketMeta& m) {
    static_assert(offsetof(PacketMeta, in_interface) == offsetof(PacketMeta, policy) + 4 &&
                  offsetof(PacketMeta, out_interface) == offsetof(PacketMeta, policy) + 6);
    const std::uint64_t start = std::uint64_t{kNoInterface.value} << 48 |
                                std::uint64_t{m.in_interface} << 32 | kNoPolicy.value;
    std::memcpy(&m.policy, &start, sizeof start);
}

inline std::uint8_t* data(rte_mbuf* packet) {
    return rte_pktmbuf_mtod(packet, std::uint8_t*);
}

/// Moves the start of data behind a header of `bytes` octets that is known to be there.
inline void advance(rte_mbuf* packet, std::uint32_t bytes) {
    packet->data_off = static_cast<std::uint16_t>(packet->data_off + bytes);
    packet->data_len = static_cast<std::uint16_t>(packet->data_len - bytes);
    packet->pkt_len -= bytes;
}

/// Makes room for a header of `bytes` octets in front of data; the headroom is known to suffice.
inline void lead(rte_mbuf* packet, std::uint32_t bytes) {
    packet->data_off = static_cast<std::uint16_t>(packet->data_off - bytes);
    packet->data_len = static_cast<std::uint16_t>(packet->data_len + bytes);
    packet->pkt_len += bytes;
}

/// Lengthens a packet fresh from a pool, whose room is known to suffice.
inline std::uint8_t* append(rte_mbuf* packet, std::size_t bytes) {
    char* at = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(bytes));
    ENSURE(at != nullptr);
    return reinterpret_cast<std::uint8_t*>(at);
}

/// Room that every pool leaves in front of and behind a received frame: outer IPv4 + UDP + ESP + IV
/// in front, padding, trailer and ICV behind.
inline constexpr std::uint16_t kHeadroomBytes = 128;
inline constexpr std::uint16_t kTailroomBytes = 320; // 255 padding + 2 + 32 ICV, rounded up

} // namespace adit::dataplane
