// SPDX-License-Identifier: Apache-2.0
// What an IPv4 header says about its packet: whether it is sound, and whose flow it belongs to. For
// headers off the wire (ip_input) and from inside an SA (esp_inbound) alike.
#pragma once

#include "common/wire/ipv4.h"
#include "dataplane/packet.h"

#include <cstdint>

namespace adit::dataplane {

/// RFC 1812 5.2.2 (1), (3), (4), (5), and RFC 791 3.1 for the lengths. `contiguous` octets lie in
/// the first segment, `available` in all.
inline bool lengths_hold(wire::Ipv4Header ip, std::uint32_t contiguous, std::uint32_t available) {
    if (contiguous < wire::kIpv4Bytes)
        return false;
    const std::uint32_t header = ip.header_bytes();
    const std::uint32_t total = ip.total_bytes();
    return ip.version() == 4 && header >= wire::kIpv4Bytes && header <= contiguous &&
           total >= header && total <= available;
}

constexpr bool has_ports(std::uint8_t protocol) {
    constexpr std::uint8_t kDccp = 33, kSctp = 132, kUdpLite = 136;
    constexpr std::uint64_t kLow = std::uint64_t{1} << wire::kProtocolTcp |
                                   std::uint64_t{1} << wire::kProtocolUdp |
                                   std::uint64_t{1} << kDccp;
    if (protocol < 64) [[likely]]
        return (kLow >> protocol & 1) != 0;
    return protocol == kSctp || protocol == kUdpLite;
}

/// Fills in addresses, protocol, ports, kFragment and kPortsKnown from a header whose lengths hold.
inline void read_flow(PacketMeta& m, std::uint8_t* at, std::uint32_t contiguous) {
    const wire::Ipv4Header ip{at};
    m.source = ip.source();
    m.destination = ip.destination();
    m.protocol = ip.protocol();
    m.source_port = 0;
    m.destination_port = 0;
    unsigned flags = m.flags & ~unsigned{kFragment | kPortsKnown};
    const std::uint32_t ports_at = ip.header_bytes();
    if (!ip.is_first_fragment()) {
        flags |= kFragment;
    } else if (has_ports(m.protocol) && contiguous >= ports_at + 4 &&
               ip.total_bytes() >= ports_at + 4) {
        m.source_port = load_be<std::uint16_t>(at + ports_at);
        m.destination_port = load_be<std::uint16_t>(at + ports_at + 2);
        flags |= kPortsKnown;
    }
    m.flags = static_cast<std::uint8_t>(flags);
}

// The same for a plain header: without options, no fragment. `at`: kIpv4Bytes octets at least.

/// Whether it is one, with sound lengths. `available` octets, at least kIpv4Bytes.
inline bool is_plain_ipv4(const std::uint8_t* at, std::uint32_t available) {
    // Version 4 and header length 5; neither "more fragments" nor an offset.
    constexpr std::uint64_t kMask = 0xff00'0000'0000'3fff;
    constexpr std::uint64_t kPlain = 0x4500'0000'0000'0000;
    const auto first = load_be<std::uint64_t>(at);
    const auto total = static_cast<std::uint16_t>(first >> 32);
    return (first & kMask) == kPlain && total >= wire::kIpv4Bytes && total <= available;
}

/// Also starts flags, outer_tos and handover: a core's stores are what a short packet spends most
/// on, so they are few and wide here.
inline void read_plain_flow(PacketMeta& m, const std::uint8_t* at, std::uint32_t total) {
    const auto addresses = load_be<std::uint64_t>(at + 12);
    std::memcpy(&m.destination, &addresses, sizeof addresses);
    const std::uint32_t protocol = at[9];
    const bool has =
        has_ports(static_cast<std::uint8_t>(protocol)) && total >= wire::kIpv4Bytes + 4;
    const std::uint32_t ports = has ? load_be<std::uint32_t>(at + wire::kIpv4Bytes) : 0;
    std::memcpy(&m.destination_port, &ports, sizeof ports);
    const std::uint32_t rest = protocol | (has ? std::uint32_t{kPortsKnown} << 8 : 0);
    std::memcpy(&m.protocol, &rest, sizeof rest);
}

} // namespace adit::dataplane
