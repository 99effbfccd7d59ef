// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/eth_input.h"

namespace adit::dataplane {

namespace {

bool end(rte_mbuf* packet, DropReason reason, WorkerContext& context) {
    context.drop(packet, reason);
    return false;
}

} // namespace

bool eth_input(rte_mbuf* packet, WorkerContext& context) noexcept {
    if (rte_pktmbuf_data_len(packet) < wire::kEthernetBytes)
        return end(packet, DropReason::EthUnknownType, context);
    const wire::EthernetHeader ethernet{data(packet)};
    const wire::MacAddress& own = context.ports[meta(packet).in_interface].mac;
    const bool to_group = ethernet.destination().is_broadcast();
    if ((!to_group && ethernet.destination() != own) || ethernet.source() == own)
        return end(packet, DropReason::EthNotForUs, context);
    const bool tagged = (packet->ol_flags & RTE_MBUF_F_RX_VLAN) != 0;
    const std::uint16_t type = ethernet.type();
    if (tagged || (type != wire::kEtherTypeIpv4 && type != wire::kEtherTypeArp))
        return end(packet, DropReason::EthUnknownType, context);
    // What no later step is sure to write.
    PacketMeta& m = meta(packet);
    start_meta(m);
    m.flags = static_cast<std::uint8_t>(to_group ? kLinkGroup : 0);
    m.handover = Handover::None;
    advance(packet, wire::kEthernetBytes);
    if (type == wire::kEtherTypeIpv4)
        return true;
    if (!context.queues.arp.push(packet))
        context.drop(packet, DropReason::ArpMalformed);
    return false;
}

} // namespace adit::dataplane
