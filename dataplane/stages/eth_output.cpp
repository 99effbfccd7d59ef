// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/eth_output.h"

#include "dataplane/stages/tx.h"

namespace adit::dataplane {

void queue_frame(rte_mbuf* frame, WorkerContext& context) noexcept {
    WorkerPort& port = context.ports[meta(frame).out_interface];
    if (port.out.full())
        transmit(port, context);
    port.out.push(frame);
}

void eth_output(Burst& burst, WorkerContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        const PacketMeta& m = meta(packet);
        if (!context.tables->interfaces[m.out_interface].up) {
            context.drop(packet, DropReason::InterfaceDown);
            continue;
        }
        const auto mac = context.neighbors.lookup(m.out_interface, m.next_hop);
        if (!mac) {
            if (!context.queues.unresolved.push(packet))
                context.drop(packet, DropReason::NeighborUnresolved);
            continue;
        }
        char* header = rte_pktmbuf_prepend(packet, wire::kEthernetBytes);
        if (header == nullptr) {
            context.drop(packet, DropReason::NoBuffer);
            continue;
        }
        wire::EthernetHeader{reinterpret_cast<std::uint8_t*>(header)}.write(
            *mac, context.ports[m.out_interface].mac, wire::kEtherTypeIpv4);
        queue_frame(packet, context);
    }
    burst.count = 0;
}

} // namespace adit::dataplane
