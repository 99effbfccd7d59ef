// SPDX-License-Identifier: Apache-2.0
// Step: makes a routed packet, or its fragments, frames for the link and queues them for their
// port. Nothing goes on from here.
//
// Exits by queue: next hop unknown, to the housekeeper, which asks by ARP and sends them on.
// Exits by drop: TooBigDf, answered with ICMP fragmentation needed (RFC 1191 4); NoBuffer;
// NeighborUnresolved when the queue is full; InterfaceDown; TunnelRecursion: what should carry a
// tunnel would enter one; TxFull.
#pragma once

#include "dataplane/stages/step.h"
#include "dataplane/stages/tx.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// Larger than the link's MTU, or in several segments.
void fit_link(rte_mbuf* packet, WorkerContext& context) noexcept;

/// The link is down, its neighbour unknown, or there is no room for a header.
void end_without_frame(rte_mbuf* packet, WorkerContext& context) noexcept;

/// Queues a complete frame.
[[gnu::always_inline]] inline void
queue_frame(rte_mbuf* frame, std::uint16_t interface, WorkerContext& context) noexcept {
    WorkerPort& port = context.ports[interface];
    if (port.out.full()) [[unlikely]]
        transmit(port, context);
    port.out.push(frame);
}

/// Puts the Ethernet header in front of a packet that fits, and queues it.
[[gnu::always_inline]] inline void eth_output(const Passing& passing,
                                              WorkerContext& context) noexcept {
    rte_mbuf* packet = passing.packet;
    const std::uint16_t interface = passing.out_interface;
    const auto& mac = context.next_hop.find(context.neighbors, interface, passing.next_hop);
    if (!mac || !context.tables->interfaces[interface].up ||
        rte_pktmbuf_headroom(packet) < wire::kEthernetBytes) [[unlikely]] {
        end_without_frame(packet, context);
        return;
    }
    lead(packet, wire::kEthernetBytes);
    wire::EthernetHeader{passing.at - wire::kEthernetBytes}.write(
        *mac, context.ports[interface].mac, wire::kEtherTypeIpv4);
    queue_frame(packet, interface, context);
}

ADIT_STEP link_output(Passing& passing, WorkerContext& context) noexcept {
    const std::uint32_t mtu = context.tables->interfaces[passing.out_interface].ip_mtu;
    if (passing.bytes <= mtu && passing.packet->nb_segs == 1) [[likely]]
        eth_output(passing, context);
    else
        fit_link(passing.packet, context);
    return false;
}

} // namespace adit::dataplane
