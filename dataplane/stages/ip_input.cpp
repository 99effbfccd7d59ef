// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/ip_input.h"

#include "common/wire/ipv4.h"

#include <optional>

namespace adit::dataplane {

namespace {

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionLooseSourceRoute = 131;
constexpr std::uint8_t kOptionStrictSourceRoute = 137;

/// RFC 1812 5.2.2 (1) to (5), and RFC 791 3.1 for the lengths.
bool lengths_hold(rte_mbuf* packet) {
    const std::uint32_t have = rte_pktmbuf_pkt_len(packet);
    if (rte_pktmbuf_data_len(packet) < wire::kIpv4Bytes)
        return false;
    const wire::Ipv4Header ip{data(packet)};
    return ip.version() == 4 && ip.header_bytes() >= wire::kIpv4Bytes &&
           ip.header_bytes() <= rte_pktmbuf_data_len(packet) &&
           ip.total_bytes() >= ip.header_bytes() && ip.total_bytes() <= have;
}

/// RFC 1812 5.3.7: "martian" sources.
bool source_is_sane(std::uint32_t source) {
    return source >> 24 != 0 && source >> 24 != 127 && source < 0xe0000000;
}

/// Source routes are refused (RFC 7126 4.3, 4.4), other options pass unread. A list that does not
/// parse is refused too.
std::optional<DropReason> check_options(ByteView options) {
    for (std::size_t at = 0; at < options.size() && options[at] != kOptionEnd;) {
        if (options[at] == kOptionLooseSourceRoute || options[at] == kOptionStrictSourceRoute)
            return DropReason::IpOptions;
        if (options[at] == kOptionNop) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < options.size() ? options[at + 1] : 0;
        if (length < 2 || at + length > options.size())
            return DropReason::IpMalformed;
        at += length;
    }
    return std::nullopt;
}

std::optional<DropReason> check(rte_mbuf* packet, const Tables& tables) {
    if (!tables.interfaces[meta(packet).in_interface].carries_ip())
        return DropReason::InterfaceDown;
    if (!lengths_hold(packet))
        return DropReason::IpMalformed;
    const wire::Ipv4Header ip{data(packet)};
    if (!ip.checksum_holds())
        return DropReason::IpChecksum;
    if (!source_is_sane(ip.source()) || tables.is_own_address(ip.source()))
        return DropReason::IpSource;
    return ip.header_bytes() == wire::kIpv4Bytes ? std::nullopt : check_options(ip.options());
}

constexpr bool has_ports(std::uint8_t protocol) {
    constexpr std::uint8_t kDccp = 33, kSctp = 132, kUdpLite = 136;
    return protocol == wire::kProtocolTcp || protocol == wire::kProtocolUdp || protocol == kDccp ||
           protocol == kSctp || protocol == kUdpLite;
}

void fill_meta(rte_mbuf* packet) {
    const wire::Ipv4Header ip{data(packet)};
    PacketMeta& m = meta(packet);
    m.source = ip.source();
    m.destination = ip.destination();
    m.protocol = ip.protocol();
    m.source_port = 0;
    m.destination_port = 0;
    m.flags &= static_cast<std::uint8_t>(~kFragment);
    if (!ip.is_first_fragment()) {
        m.flags |= kFragment;
        return;
    }
    const std::uint16_t header = ip.header_bytes();
    if (has_ports(m.protocol) && rte_pktmbuf_data_len(packet) >= header + 4U &&
        ip.total_bytes() >= header + 4U) {
        m.source_port = load_be<std::uint16_t>(data(packet) + header);
        m.destination_port = load_be<std::uint16_t>(data(packet) + header + 2);
    }
}

} // namespace

void ip_input(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        if (const std::optional<DropReason> reason = check(packet, *context.tables)) {
            context.drop(packet, *reason);
            continue;
        }
        // RFC 894: what is behind the datagram pads a short frame.
        const std::uint32_t total = wire::Ipv4Header{data(packet)}.total_bytes();
        rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(rte_pktmbuf_pkt_len(packet) - total));
        fill_meta(packet);
        burst.packets[kept++] = packet;
    }
    burst.count = kept;
}

} // namespace adit::dataplane
