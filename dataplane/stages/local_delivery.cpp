// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/local_delivery.h"

#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/stages/esp_delivery.h"

#include <rte_ip.h>

namespace adit::dataplane {

namespace {

bool came_from_sa(rte_mbuf* packet) {
    return (meta(packet).flags & kFromSa) != 0;
}

void refuse(rte_mbuf* packet, std::uint8_t unreachable_code, WorkerContext& context) {
    context.send_icmp_error(packet, {wire::IcmpType::DestinationUnreachable, unreachable_code, 0});
    context.drop(packet, DropReason::LocalUnknown);
}

void punt(rte_mbuf* packet, std::uint16_t header_bytes, WorkerContext& context) {
    rte_pktmbuf_adj(packet, header_bytes);
    if (rte_pktmbuf_pkt_len(packet) > ipc::kMaxIkeDatagramBytes)
        context.drop(packet, DropReason::PuntTooLong);
    else if (!context.queues.punt.push(packet))
        context.drop(packet, DropReason::PuntFull);
}

/// One's complement sum of all that follows the IP header, over all segments; of big-endian words.
std::uint16_t payload_sum(rte_mbuf* packet, std::uint16_t ip_header_bytes) {
    std::uint16_t sum = 0;
    const std::uint32_t length = rte_pktmbuf_pkt_len(packet) - ip_header_bytes;
    rte_raw_cksum_mbuf(packet, ip_header_bytes, length, &sum);
    return rte_be_to_cpu_16(sum);
}

bool udp_checksum_holds(rte_mbuf* packet, std::uint16_t ip_header_bytes) {
    const wire::UdpHeader udp{data(packet) + ip_header_bytes};
    const PacketMeta& m = meta(packet);
    if (udp.checksum() == 0) // RFC 768: the sender made none
        return true;
    return wire::checksum_finish(
               wire::checksum_pseudo(m.source, m.destination, m.protocol, udp.length()) +
               payload_sum(packet, ip_header_bytes)) == 0;
}

/// RFC 3948 2.2, 2.3: ESP, the non-ESP marker or a keepalive, by the first octets.
void deliver_nat_traversal(rte_mbuf* packet, std::uint16_t headers, WorkerContext& context) {
    const std::uint32_t payload = rte_pktmbuf_pkt_len(packet) - headers;
    if (payload == 1 && data(packet)[headers] == wire::kNatKeepalive) {
        context.drop(packet, DropReason::NatKeepalive);
        return;
    }
    if (payload < wire::kNonEspMarkerBytes ||
        rte_pktmbuf_data_len(packet) < headers + wire::kNonEspMarkerBytes) {
        context.drop(packet, DropReason::UdpMalformed);
        return;
    }
    if (load_be<std::uint32_t>(data(packet) + headers) != 0) {
        meta(packet).flags |= kUdpEncap;
        deliver_esp(packet, data(packet), headers, context);
        return;
    }
    const auto ip_header_bytes = static_cast<std::uint16_t>(headers - wire::kUdpBytes);
    if (udp_checksum_holds(packet, ip_header_bytes))
        punt(packet, static_cast<std::uint16_t>(headers + wire::kNonEspMarkerBytes), context);
    else
        context.drop(packet, DropReason::UdpMalformed);
}

void deliver_udp(rte_mbuf* packet, std::uint16_t ip_header_bytes, WorkerContext& context) {
    const auto headers = static_cast<std::uint16_t>(ip_header_bytes + wire::kUdpBytes);
    const std::uint32_t have = rte_pktmbuf_pkt_len(packet) - ip_header_bytes;
    const std::uint32_t length = rte_pktmbuf_data_len(packet) < headers
                                     ? 0
                                     : wire::UdpHeader{data(packet) + ip_header_bytes}.length();
    if (length < wire::kUdpBytes || length > have) {
        context.drop(packet, DropReason::UdpMalformed);
        return;
    }
    // Octets behind the UDP length are no part of the datagram.
    if (rte_pktmbuf_trim(packet, static_cast<std::uint16_t>(have - length)) != 0) {
        context.drop(packet, DropReason::UdpMalformed);
        return;
    }
    const PacketMeta& m = meta(packet);
    if (!came_from_sa(packet) && m.destination_port == wire::kNatTraversalPort)
        deliver_nat_traversal(packet, headers, context);
    else if (came_from_sa(packet) || m.destination_port != wire::kIkePort)
        refuse(packet, wire::kPortUnreachable, context);
    else if (udp_checksum_holds(packet, ip_header_bytes))
        punt(packet, headers, context);
    else
        context.drop(packet, DropReason::UdpMalformed);
}

/// RFC 1122 3.2.2.6: the request comes back with its data, from the address it was sent to.
void answer_echo(rte_mbuf* packet, std::uint16_t ip_header_bytes, WorkerContext& context) {
    PacketMeta& m = meta(packet);
    std::uint8_t* icmp = data(packet) + ip_header_bytes;
    const std::uint16_t request_word = load_be<std::uint16_t>(icmp);
    icmp[0] = static_cast<std::uint8_t>(wire::IcmpType::EchoReply);
    store_be(icmp + 2,
             wire::checksum_update(
                 load_be<std::uint16_t>(icmp + 2), request_word, load_be<std::uint16_t>(icmp)));
    // Options are not returned: move the start to where a header without them begins.
    const std::uint8_t tos = wire::Ipv4Header{data(packet)}.tos();
    rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(ip_header_bytes - wire::kIpv4Bytes));
    wire::Ipv4Header{data(packet)}.write(
        {.tos = tos,
         .total_bytes = static_cast<std::uint16_t>(rte_pktmbuf_pkt_len(packet)),
         .id = context.next_ip_id++,
         .protocol = wire::kProtocolIcmp,
         .source = m.destination,
         .destination = m.source});
    std::swap(m.source, m.destination);
    m.flags = kFromUs;
    context.originate(packet);
}

void deliver_icmp(rte_mbuf* packet, std::uint16_t ip_header_bytes, WorkerContext& context) {
    const bool is_echo =
        rte_pktmbuf_data_len(packet) >= ip_header_bytes + wire::kIcmpBytes &&
        data(packet)[ip_header_bytes] == static_cast<std::uint8_t>(wire::IcmpType::Echo);
    if (is_echo && wire::checksum_finish(payload_sum(packet, ip_header_bytes)) == 0)
        answer_echo(packet, ip_header_bytes, context);
    else
        context.drop(packet, DropReason::LocalUnknown);
}

void deliver(rte_mbuf* packet, WorkerContext& context) {
    const std::uint16_t header_bytes = wire::Ipv4Header{data(packet)}.header_bytes();
    switch (meta(packet).protocol) {
    case wire::kProtocolEsp:
        if (came_from_sa(packet))
            context.drop(packet, DropReason::LocalUnknown);
        else
            deliver_esp(packet, data(packet), header_bytes, context);
        return;
    case wire::kProtocolUdp:
        deliver_udp(packet, header_bytes, context);
        return;
    case wire::kProtocolIcmp:
        deliver_icmp(packet, header_bytes, context);
        return;
    default:
        refuse(packet, wire::kProtocolUnreachable, context);
    }
}

/// The datagram that this fragment completes, with metadata of the whole; or null.
rte_mbuf* reassemble(rte_mbuf* fragment, WorkerContext& context) {
    rte_mbuf* whole = context.reassembly.add(fragment, context.esp.now_ns);
    if (whole != nullptr)
        meta(whole).flags &= static_cast<std::uint8_t>(~kFragment);
    return whole;
}

} // namespace

void local_delivery(Burst& burst, WorkerContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        if (wire::Ipv4Header{data(packet)}.is_fragment())
            packet = reassemble(packet, context);
        if (packet != nullptr)
            deliver(packet, context);
    }
    burst.count = 0;
}

} // namespace adit::dataplane
