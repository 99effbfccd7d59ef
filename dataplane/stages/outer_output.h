// SPDX-License-Identifier: Apache-2.0
// Step: what came out of esp_outbound leaves by the way to its peer. A tunnel's packets all take
// the same way, so the worker remembers the ways it found (egress_cache.h) instead of looking up
// route and neighbour for each. Nothing goes on from here.
//
// Exits: those of route_own and link_output.
#pragma once

#include "dataplane/stages/link_output.h"
#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// No way is remembered, or the packet does not fit on it.
void find_way_out(rte_mbuf* packet, WorkerContext& context) noexcept;

ADIT_STEP outer_output(Passing& passing, WorkerContext& context) noexcept {
    rte_mbuf* packet = passing.packet;
    const Egress* way = context.egress.find(passing.destination);
    if (way == nullptr || passing.bytes > way->ip_mtu ||
        rte_pktmbuf_headroom(packet) < wire::kEthernetBytes) [[unlikely]] {
        find_way_out(packet, context);
        return false;
    }
    meta(packet).out_interface = way->interface;
    lead(packet, wire::kEthernetBytes);
    std::memcpy(passing.at - wire::kEthernetBytes, way->ethernet, wire::kEthernetBytes);
    queue_frame(packet, way->interface, context);
    return false;
}

} // namespace adit::dataplane
