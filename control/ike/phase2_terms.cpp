// SPDX-License-Identifier: Apache-2.0
#include "control/ike/phase2_terms.h"

namespace adit::ike {

namespace {

Phase2Transform in_tunnel_mode(Phase2Transform set) {
    set.transport = false;
    return set;
}

std::vector<Phase2Transform>
transforms_for(const Session& session, const Connection& connection, const QuickMode& quick) {
    const bool transport_fits = is_between_endpoints(session, quick.selector);
    std::vector<Phase2Transform> transforms;
    for (const Phase2Transform& set : connection.transforms) {
        const bool transport = set.transport && transport_fits;
        if (transport || !set.transport)
            transforms.push_back(set);
        const bool tunnel_will_do = set.transport && !set.transport_required;
        if (tunnel_will_do && (!transport || quick.role == Role::Responder))
            transforms.push_back(in_tunnel_mode(set));
    }
    return transforms;
}

} // namespace

bool is_between_endpoints(const Session& session, const TrafficSelector& selector) {
    return selector.local == Ipv4Range::host(session.local.address) &&
           selector.remote == Ipv4Range::host(session.remote.address);
}

Phase2Terms terms_of(const Session& session, const Connection& connection, const QuickMode& quick) {
    return {transforms_for(session, connection, quick),
            quick.role == Role::Initiator ? quick.pfs : connection.pfs,
            connection.lifetime,
            connection.lifetime_kilobytes,
            session.nat.detected() ? session.nat.version : NatVersion::None};
}

} // namespace adit::ike
