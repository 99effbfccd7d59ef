// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/link_output.h"

#include "dataplane/stages/fragment.h"

namespace adit::dataplane {

void fit_link(rte_mbuf* packet, WorkerContext& context) noexcept {
    const Limit limit{context.tables->interfaces[meta(packet).out_interface].ip_mtu, true};
    Burst pieces;
    if (!make_fit(packet, limit, pieces, context))
        context.drop(packet, DropReason::TooBigDf); // more pieces than an empty burst has places
    for (unsigned i = 0; i < pieces.count; ++i)
        eth_output(Passing{pieces.packets[i]}, context);
}

void end_without_frame(rte_mbuf* packet, WorkerContext& context) noexcept {
    const PacketMeta& m = meta(packet);
    if (m.out_interface == kTunnelInterface)
        context.drop(packet, DropReason::TunnelRecursion);
    else if (!context.tables->interfaces[m.out_interface].up)
        context.drop(packet, DropReason::InterfaceDown);
    else if (rte_pktmbuf_headroom(packet) < wire::kEthernetBytes)
        context.drop(packet, DropReason::NoBuffer);
    else if (!context.queues.unresolved.push(packet))
        context.drop(packet, DropReason::NeighborUnresolved);
}

} // namespace adit::dataplane
