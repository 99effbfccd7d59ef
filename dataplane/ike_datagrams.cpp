// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ike_datagrams.h"

#include "common/wire/udp.h"
#include "dataplane/packet.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

/// The shortest message: an ISAKMP header (RFC 2408 3.1).
constexpr std::uint16_t kIsakmpHeaderBytes = 28;

bool is_ike_port(std::uint16_t port) {
    return port == wire::kIkePort || port == wire::kNatTraversalPort;
}

/// A NAT keepalive (RFC 3948 2.3) is the one thing on port 4500 that is no ISAKMP message.
bool is_keepalive(const ipc::DatagramRecord& record) {
    return record.source_port == wire::kNatTraversalPort && record.length == 1 &&
           record.payload[0] == wire::kNatKeepalive;
}

bool is_sendable(const ipc::DatagramRecord& record, const Tables& tables) {
    const std::uint32_t to = record.destination;
    return is_ike_port(record.source_port) && record.destination_port != 0 &&
           record.length <= ipc::kMaxIkeDatagramBytes &&
           (record.length >= kIsakmpHeaderBytes || is_keepalive(record)) &&
           tables.is_own_address(record.source) && to >> 24 != 0 && to >> 24 != 127 &&
           to < 0xe0000000 && !tables.is_own_address(to);
}

} // namespace

void to_record(rte_mbuf* packet, std::uint64_t now_ns, ipc::DatagramRecord& record) {
    const PacketMeta& m = meta(packet);
    record.arrival_ns = now_ns;
    record.source = m.source;
    record.destination = m.destination;
    record.source_port = m.source_port;
    record.destination_port = m.destination_port;
    record.interface = m.in_interface;
    record.length = static_cast<std::uint16_t>(
        std::min<std::size_t>(rte_pktmbuf_pkt_len(packet), sizeof record.payload));
    const void* from = rte_pktmbuf_read(packet, 0, record.length, record.payload);
    if (from != record.payload)
        std::memcpy(record.payload, from, record.length);
}

std::optional<DropReason>
DatagramBuilder::build(const ipc::DatagramRecord& record, const Tables& tables, Burst& to) {
    if (!is_sendable(record, tables))
        return DropReason::InjectMalformed;
    const Route& route = tables.routes.lookup(record.destination);
    if (route.kind != RouteKind::Connected && route.kind != RouteKind::Gateway)
        return DropReason::NoRoute;
    if (route.interface == kTunnelInterface)
        return DropReason::TunnelRecursion;

    std::uint32_t length{wire::kUdpBytes};
    // RFC 3948 2.2: on port 4500 IKE has four zero octets where ESP has its SPI.
    if (record.source_port == wire::kNatTraversalPort && !is_keepalive(record)) {
        store_be(udp_ + length, std::uint32_t{0});
        length += std::uint32_t{wire::kNonEspMarkerBytes};
    }
    std::memcpy(udp_ + length, record.payload, record.length);
    length += record.length;
    wire::UdpHeader udp{udp_};
    udp.write(record.source_port, record.destination_port, static_cast<std::uint16_t>(length));
    udp.update_checksum(record.source, record.destination);
    return slice(record, length, tables.interfaces[route.interface].ip_mtu, to);
}

std::optional<DropReason> DatagramBuilder::slice(const ipc::DatagramRecord& record,
                                                 std::uint32_t udp_bytes,
                                                 std::uint32_t mtu,
                                                 Burst& to) {
    // A packet must also fit into the pool's buffers, whatever the link takes.
    constexpr std::uint32_t kMaxSliceBytes = 1500;
    const std::uint32_t whole = std::min(mtu, kMaxSliceBytes) - std::uint32_t{wire::kIpv4Bytes};
    const std::uint32_t step = udp_bytes <= whole ? whole : whole & ~7U;
    const std::uint16_t id = next_ip_id_++;
    for (std::uint32_t done = 0; done < udp_bytes; done += step) {
        const std::uint32_t length = std::min(step, udp_bytes - done);
        rte_mbuf* packet = to.full() ? nullptr : rte_pktmbuf_alloc(pool_);
        if (packet == nullptr) {
            rte_pktmbuf_free_bulk(to.packets, to.count);
            to.count = 0;
            return DropReason::NoBuffer;
        }
        const auto total = static_cast<std::uint16_t>(wire::kIpv4Bytes + length);
        std::uint8_t* at = append(packet, total);
        std::memcpy(at + wire::kIpv4Bytes, udp_ + done, length);
        const bool more = done + length < udp_bytes;
        wire::Ipv4Header{at}.write({.total_bytes = total,
                                    .id = id,
                                    .flags_and_offset = static_cast<std::uint16_t>(
                                        done / 8 | (more ? wire::kIpv4MoreFragments : 0)),
                                    .protocol = wire::kProtocolUdp,
                                    .source = record.source,
                                    .destination = record.destination});
        PacketMeta& m = meta(packet);
        m = PacketMeta{};
        m.source = record.source;
        m.destination = record.destination;
        m.source_port = record.source_port;
        m.destination_port = record.destination_port;
        m.protocol = wire::kProtocolUdp;
        m.flags = kFromUs;
        if (done > 0)
            m.flags |= kFragment;
        m.in_interface = kNoInterface.value;
        m.out_interface = kNoInterface.value;
        m.policy = kNoPolicy.value;
        to.push(packet);
    }
    return std::nullopt;
}

} // namespace adit::dataplane
