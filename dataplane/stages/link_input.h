// SPDX-License-Identifier: Apache-2.0
// Step: eth_input and ip_input in one for what nearly every frame is: addressed to us alone, IPv4
// without options, not a fragment, in one segment. Anything else takes the two long ways; a test
// holds both side by side.
//
// In, out and exits: as eth_input.h and ip_input.h say.
#pragma once

#include "dataplane/stages/eth_input.h"
#include "dataplane/stages/ip_input.h"
#include "dataplane/stages/step.h"

namespace adit::dataplane {

ADIT_STEP link_input(Passing& passing, WorkerContext& context) noexcept {
    rte_mbuf* packet = passing.packet;
    PacketMeta& m = meta(packet);
    std::uint8_t* frame = passing.at;
    std::uint8_t* at = frame + wire::kEthernetBytes;
    const std::uint32_t bytes = rte_pktmbuf_data_len(packet);
    const wire::EthernetHeader ethernet{frame};
    const PortFace& face = context.faces[m.in_interface];
    const bool is_plain =
        bytes >= wire::kEthernetBytes + wire::kIpv4Bytes && packet->nb_segs == 1 &&
        ethernet.destination_bits() == face.mac_bits && ethernet.source_bits() != face.mac_bits &&
        ethernet.type() == wire::kEtherTypeIpv4 && (packet->ol_flags & RTE_MBUF_F_RX_VLAN) == 0 &&
        context.tables->interfaces[m.in_interface].carries_ip() &&
        is_plain_ipv4(at, bytes - std::uint32_t{wire::kEthernetBytes}) &&
        (nic_vouches_for_ipv4(face.offloads, packet) || wire::checksum_holds_20(at)) &&
        is_sane_source(wire::Ipv4Header{at}.source(), *context.tables);
    if (!is_plain) [[unlikely]]
        return take_step<eth_input>(passing, context) && take_step<ip_input>(passing, context);
    start_meta(m);
    const std::uint16_t total = wire::Ipv4Header{at}.total_bytes();
    read_plain_flow(m, at, total);
    passing.at = at;
    passing.bytes = total;
    passing.source = wire::Ipv4Header{at}.source();
    passing.destination = wire::Ipv4Header{at}.destination();
    packet->data_off = static_cast<std::uint16_t>(packet->data_off + wire::kEthernetBytes);
    packet->data_len = total;
    packet->pkt_len = total;
    return true;
}

} // namespace adit::dataplane
