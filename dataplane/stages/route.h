// SPDX-License-Identifier: Apache-2.0
// Step: finds out where a packet goes (RFC 1812 5.2.4): meta gets out_interface and next_hop.
//
// Exits by burst: packets to our own addresses, to context.local.
// Exits by drop: NotForwardable; NoRoute, answered with ICMP network unreachable.
#pragma once

#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// Whose packet it is: only what comes from elsewhere can be meant for us.
enum class Origin : std::uint8_t {
    Elsewhere,
    Ourselves, // a packet of ours to an address of ours is dropped, so nothing goes round in here
};

/// Everything that is not forwarded.
void end_route(rte_mbuf* packet, RouteKind kind, Origin origin, WorkerContext& context) noexcept;

/// RFC 1812 5.3.7 (martian destinations), RFC 3927 2.7 (link-local).
inline bool is_forwardable(std::uint32_t destination) {
    return destination >> 24 != 0 && destination >> 24 != 127 && destination < 0xe0000000 &&
           destination >> 16 != 0xa9fe;
}

template <Origin kOrigin> ADIT_STEP find_route(Passing& passing, WorkerContext& context) noexcept {
    PacketMeta& m = meta(passing.packet);
    const std::uint32_t destination = passing.destination;
    const Route& found = context.tables->routes.lookup(destination);
    const bool leads_on = found.kind == RouteKind::Connected || found.kind == RouteKind::Gateway;
    // RFC 1812 5.3.4: what came as a link broadcast is not forwarded.
    if (!leads_on || !is_forwardable(destination) || (m.flags & kLinkGroup) != 0) {
        end_route(passing.packet, found.kind, kOrigin, context);
        return false;
    }
    passing.out_interface = m.out_interface = found.interface;
    passing.next_hop = m.next_hop = found.kind == RouteKind::Gateway ? found.gateway : destination;
    return true;
}

ADIT_STEP route(Passing& passing, WorkerContext& context) noexcept {
    return find_route<Origin::Elsewhere>(passing, context);
}

ADIT_STEP route_own(Passing& passing, WorkerContext& context) noexcept {
    return find_route<Origin::Ourselves>(passing, context);
}

} // namespace adit::dataplane
