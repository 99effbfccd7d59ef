// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/route.h"

namespace adit::dataplane {

namespace {

/// RFC 1812 5.3.7 (martian destinations), RFC 3927 2.7 (link-local).
bool is_forwardable(std::uint32_t destination) {
    return destination >> 24 != 0 && destination >> 24 != 127 && destination < 0xe0000000 &&
           destination >> 16 != 0xa9fe;
}

enum class Fate : std::uint8_t { Forward, Local, Gone };

Fate find(rte_mbuf* packet, WorkerContext& context) {
    PacketMeta& m = meta(packet);
    const Route& found = context.tables->routes.lookup(m.destination);
    if (found.kind == RouteKind::Local)
        return Fate::Local;
    // RFC 1812 5.3.4: what came as a link broadcast is not forwarded.
    if (found.kind == RouteKind::Broadcast || !is_forwardable(m.destination) ||
        (m.flags & kLinkGroup) != 0) {
        context.drop(packet, DropReason::NotForwardable);
        return Fate::Gone;
    }
    if (found.kind == RouteKind::None) {
        context.send_icmp_error(packet,
                                {wire::IcmpType::DestinationUnreachable, wire::kNetUnreachable, 0});
        context.drop(packet, DropReason::NoRoute);
        return Fate::Gone;
    }
    m.out_interface = found.interface;
    m.next_hop = found.kind == RouteKind::Gateway ? found.gateway : m.destination;
    return Fate::Forward;
}

} // namespace

void route(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        const Fate fate = find(packet, context);
        if (fate == Fate::Forward)
            burst.packets[kept++] = packet;
        else if (fate == Fate::Local)
            context.local.push(packet);
    }
    burst.count = kept;
}

void route_own(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        const Fate fate = find(packet, context);
        if (fate == Fate::Forward)
            burst.packets[kept++] = packet;
        else if (fate == Fate::Local)
            context.drop(packet, DropReason::NotForwardable);
    }
    burst.count = kept;
}

} // namespace adit::dataplane
