// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/eth_input.h"

#include <rte_prefetch.h>

namespace adit::dataplane {

namespace {

/// Everything but in_interface, which reception wrote.
void start_meta(PacketMeta& m, bool to_group) {
    const std::uint16_t in_interface = m.in_interface;
    m = PacketMeta{};
    m.in_interface = in_interface;
    m.out_interface = kNoInterface.value;
    m.policy = kNoPolicy.value;
    if (to_group)
        m.flags = kLinkGroup;
}

} // namespace

void eth_input(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        if (i + 4 < burst.count)
            rte_prefetch0(data(burst.packets[i + 4]));
        rte_mbuf* packet = burst.packets[i];
        if (rte_pktmbuf_data_len(packet) < wire::kEthernetBytes) {
            context.drop(packet, DropReason::EthUnknownType);
            continue;
        }
        const wire::EthernetHeader ethernet{data(packet)};
        const wire::MacAddress destination = ethernet.destination();
        const wire::MacAddress& own = context.ports[meta(packet).in_interface].mac;
        if ((destination != own && !destination.is_broadcast()) || ethernet.source() == own) {
            context.drop(packet, DropReason::EthNotForUs);
            continue;
        }
        const std::uint16_t type = ethernet.type();
        const bool tagged = (packet->ol_flags & RTE_MBUF_F_RX_VLAN) != 0;
        if (tagged || (type != wire::kEtherTypeIpv4 && type != wire::kEtherTypeArp)) {
            context.drop(packet, DropReason::EthUnknownType);
            continue;
        }
        start_meta(meta(packet), destination.is_broadcast());
        rte_pktmbuf_adj(packet, wire::kEthernetBytes);
        if (type == wire::kEtherTypeIpv4)
            burst.packets[kept++] = packet;
        else if (!context.queues.arp.push(packet))
            context.drop(packet, DropReason::ArpMalformed);
    }
    burst.count = kept;
}

} // namespace adit::dataplane
