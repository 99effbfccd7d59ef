// SPDX-License-Identifier: Apache-2.0
#include "control/ike/engine_core.h"

#include <algorithm>
#include <tuple>

namespace adit::ike {

namespace {

std::optional<Phase1Policy> policy_of(const Session& session) {
    if (const auto* agreed = std::get_if<Agreed>(&session.data))
        return agreed->policy;
    if (const auto* exchanging = std::get_if<std::unique_ptr<Exchanging>>(&session.data))
        return (*exchanging)->policy;
    if (const auto* keyed = std::get_if<std::unique_ptr<Keyed>>(&session.data))
        return (*keyed)->policy;
    if (const Secured* secured = session.secured())
        return secured->policy;
    return std::nullopt;
}

/// The entry whose peer this is; for an initiator the one that asked.
std::string connection_of(const Session& session, const EngineConfig& config) {
    if (!session.queue.empty())
        return session.queue.front().connection;
    for (const Connection* connection : connections_with(config, session.remote.address))
        if (connection->local == session.local.address)
            return connection->name;
    return {};
}

IsakmpSaView view_of(const Session& session, const EngineConfig& config) {
    IsakmpSaView view;
    view.conn_id = session.conn_id;
    view.role = session.role;
    view.local = session.local;
    view.remote = session.remote;
    view.initiator_cookie = session.cookies.initiator;
    view.responder_cookie = session.cookies.responder;
    view.state = show_state(session);
    view.policy = policy_of(session);
    view.created = session.created;
    if (const Secured* secured = session.secured()) {
        view.established = true;
        view.established_at = secured->since;
        view.expires = secured->expires;
        view.peer_identity = secured->peer_identity;
    }
    view.login = session.login.has_value();
    view.user = session.user();
    view.group = session.group;
    if (session.assigned)
        view.assigned = session.assigned->address;
    view.dpd = session.has(Vendor::Dpd);
    view.fragmentation = config.fragmentation_mtu && session.has(Vendor::Fragmentation);
    view.nat_traversal = session.nat.detected();
    view.connection = connection_of(session, config);
    view.peer_vendors = vendor_names(session.vendors);
    return view;
}

ChildSaView view_of(const Child& child) {
    ChildSaView view;
    const ChildSa& sa = child.sa;
    view.inbound_sa = sa.inbound_sa;
    // As responder we know it before message 3 allows its use.
    const bool pair = child.established;
    view.outbound_sa = pair ? sa.outbound_sa : SaId{};
    view.inbound_spi = sa.inbound_spi;
    view.outbound_spi = pair ? sa.outbound_spi : Spi{};
    view.policy = sa.policy;
    view.own_policy = sa.lease != nullptr;
    view.connection = sa.connection;
    view.role = sa.role;
    view.local = sa.local;
    view.remote = sa.remote;
    view.udp_encapsulated = sa.udp_encapsulated;
    view.cipher = sa.algorithms.cipher;
    view.mac = sa.algorithms.mac;
    view.transport = sa.algorithms.transport;
    view.esn = sa.algorithms.esn;
    view.replay_window = sa.replay_window;
    view.pfs = sa.pfs;
    view.selector = sa.selector;
    view.established_at = child.established_at;
    view.expires = child.expires;
    view.lifetime_kilobytes = sa.kilobytes;
    view.current = child.current;
    view.dying = child.retire_at.has_value();
    view.isakmp = sa.isakmp;
    view.user = sa.user;
    return view;
}

} // namespace

std::vector<IsakmpSaView> Engine::Core::isakmp_sas() const {
    std::vector<IsakmpSaView> views;
    sessions_.for_each(
        [&](const Session& session) { views.push_back(view_of(session, *config_)); });
    std::ranges::sort(views, {}, [](const IsakmpSaView& view) {
        return std::tuple{view.conn_id, view.created, view.initiator_cookie};
    });
    return views;
}

std::vector<ChildSaView> Engine::Core::child_sas() const {
    std::vector<ChildSaView> views;
    children_.for_each([&](const Child& child) { views.push_back(view_of(child)); });
    return views;
}

} // namespace adit::ike
