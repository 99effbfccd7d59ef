// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/outer_output.h"

#include "dataplane/stages/route.h"

namespace adit::dataplane {

namespace {

/// Remembers the way of a routed packet, unless its link is down or its neighbour unknown.
void remember_way(rte_mbuf* packet, WorkerContext& context) {
    const PacketMeta& m = meta(packet);
    const Interface& link = context.tables->interfaces[m.out_interface];
    const auto mac = context.neighbors.lookup(m.out_interface, m.next_hop);
    if (!mac || !link.up)
        return;
    Egress way{.destination = m.destination, .ip_mtu = link.ip_mtu, .interface = m.out_interface};
    wire::EthernetHeader{way.ethernet}.write(
        *mac, context.ports[m.out_interface].mac, wire::kEtherTypeIpv4);
    context.egress.remember(way);
}

} // namespace

void find_way_out(rte_mbuf* packet, WorkerContext& context) noexcept {
    Passing passing{packet};
    if (!route_own(passing, context))
        return;
    remember_way(packet, context);
    ENSURE(!link_output(passing, context)); // it keeps every packet
}

} // namespace adit::dataplane
