// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/route.h"

namespace adit::dataplane {

void end_route(rte_mbuf* packet, RouteKind kind, Origin origin, WorkerContext& context) noexcept {
    if (kind == RouteKind::Local && origin == Origin::Elsewhere) {
        context.local.push(packet);
        return;
    }
    const PacketMeta& m = meta(packet);
    if (kind != RouteKind::None || !is_forwardable(m.destination) || (m.flags & kLinkGroup) != 0) {
        context.drop(packet, DropReason::NotForwardable);
        return;
    }
    context.send_icmp_error(packet,
                            {wire::IcmpType::DestinationUnreachable, wire::kNetUnreachable, 0});
    context.drop(packet, DropReason::NoRoute);
}

} // namespace adit::dataplane
