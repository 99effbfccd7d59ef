// SPDX-License-Identifier: Apache-2.0
#include "control/ike/flow_choice.h"

#include "control/ike/dynamic_flow.h"
#include "control/ike/subset_flow.h"
#include "control/ike/transaction.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// What the peer wants protected, seen from here: IDci is behind it, IDcr behind us. Without
/// identities the two gateways themselves (RFC 2409 5.5).
Result<TrafficSelector> requested_selector(Turn& turn) {
    std::vector<ByteView> bodies;
    for (const Payload& payload : turn.message->payloads)
        if (payload.type == PayloadType::Identification)
            bodies.push_back(payload.body);
    TrafficSelector selector;
    if (bodies.empty()) {
        selector.local = Ipv4Range::host(turn.session.local.address);
        selector.remote = Ipv4Range::host(turn.session.remote.address);
        return selector;
    }
    const Identity idci = TRY(parse_identity(bodies[0]));
    const Identity idcr = TRY(parse_identity(bodies[1]));
    const ClientRange theirs = TRY(client_range(idci));
    const ClientRange ours = TRY(client_range(idcr));
    if (theirs.protocol != ours.protocol)
        return fail(ErrorCode::Malformed, "IDci and IDcr name different protocols");
    turn.quick->answer_idci = to_bytes(bodies[0]);
    turn.quick->answer_idcr = to_bytes(bodies[1]);
    selector.local = ours.range;
    selector.local_port = ours.port;
    selector.remote = theirs.range;
    selector.remote_port = theirs.port;
    selector.protocol = ours.protocol;
    return selector;
}

/// In transport mode the identities are the gateways themselves. Behind a NAT a peer names itself
/// by an address that nobody here ever sees, and us by one that the NAT put in place of ours.
void see_through_nat(const Session& session, TrafficSelector& selector) {
    const auto is_host = [](const Ipv4Range& range) { return range.first == range.last; };
    if (!is_host(selector.local) || !is_host(selector.remote))
        return;
    if (session.nat.local_behind)
        selector.local = Ipv4Range::host(session.local.address);
    if (session.nat.peer_behind)
        selector.remote = Ipv4Range::host(session.remote.address);
}

/// The entries for this very peer.
std::vector<const Connection*> serving(const Turn& turn) {
    std::vector<const Connection*> connections =
        connections_with(turn.env.config, turn.session.remote.address);
    std::erase_if(connections, [&](const Connection* connection) {
        return connection->local != turn.session.local.address ||
               !is_for(*connection, turn.session.remote.address, turn.session.profile);
    });
    return connections;
}

struct Match {
    const Connection* connection{nullptr};
    const Flow* flow{nullptr};
};

Match match_flow(const std::vector<const Connection*>& entries, const TrafficSelector& wanted) {
    for (const Connection* connection : entries) {
        const auto flow = std::ranges::find(connection->flows, wanted, &Flow::selector);
        if (flow != connection->flows.end())
            return {connection, &*flow};
    }
    return {};
}

/// How many of the parts agree; to name the line that was probably meant.
int likeness(const TrafficSelector& left, const TrafficSelector& right) {
    return 2 * (left.local == right.local) + 2 * (left.remote == right.remote) +
           (left.protocol == right.protocol) +
           (left.local_port == right.local_port && left.remote_port == right.remote_port);
}

std::string difference(const TrafficSelector& theirs, const TrafficSelector& ours) {
    std::string differs;
    const auto add = [&](bool same, const char* what) {
        if (!same)
            differs += (differs.empty() ? "" : ", ") + std::string{what};
    };
    add(theirs.local == ours.local, "our side");
    add(theirs.remote == ours.remote, "their side");
    add(theirs.protocol == ours.protocol, "protocol");
    add(theirs.local_port == ours.local_port && theirs.remote_port == ours.remote_port, "ports");
    return differs;
}

std::string proxy_evidence(const std::vector<const Connection*>& entries,
                           const TrafficSelector& wanted) {
    const Connection* nearest = nullptr;
    const Flow* line = nullptr;
    for (const Connection* connection : entries)
        for (const Flow& flow : connection->flows)
            if (line == nullptr ||
                likeness(flow.selector, wanted) > likeness(line->selector, wanted)) {
                nearest = connection;
                line = &flow;
            }
    const std::string asked = "they ask for " + describe(wanted);
    if (line == nullptr)
        return asked + "; no crypto map entry and no tunnel names this peer";
    const std::string place = nearest->routed ? " (the tunnel interface) "
                                              : " (access list " + nearest->acl_name + ", line " +
                                                    std::to_string(line->acl_sequence) + ") ";
    return asked + "; nearest of ours is " + nearest->name + place + describe(line->selector) +
           ", which differs in " + difference(wanted, line->selector);
}

} // namespace

Verdict choose_flow(Turn& turn, const SaView& sa, const Connection*& connection) {
    QuickMode& quick = *turn.quick;
    auto wanted = requested_selector(turn);
    if (wanted && turn.session.nat.detected() && offers_only_transport(sa))
        see_through_nat(turn.session, *wanted);
    if (!wanted)
        return refuse(
            ending(Failure::ProxyMismatch, wanted.error().text, NotifyType::InvalidIdInformation));
    TRY_VOID(check_claim(turn, *wanted));
    const std::vector<const Connection*> entries = serving(turn);
    if (const Match match = match_flow(entries, *wanted); match.flow != nullptr) {
        connection = match.connection;
        quick.connection = connection->name;
        quick.policy = match.flow->policy;
        quick.selector = match.flow->selector;
        quick.replay_window = connection->replay_window;
        return {};
    }
    std::string objections;
    TRY_VOID(claim_subset(turn, entries, *wanted, connection, objections));
    if (connection == nullptr)
        TRY_VOID(claim_flow(turn, *wanted, connection));
    if (connection != nullptr)
        return {};
    debug(turn, "IPSec policy invalidated proposal with error 32");
    return refuse(ending(Failure::ProxyMismatch,
                         proxy_evidence(entries, *wanted) + objections,
                         NotifyType::InvalidIdInformation));
}

void take_flow(QuickMode& quick, const Connection& connection, FlowLease lease) {
    quick.connection = connection.name;
    quick.lease = std::move(lease);
    quick.policy = quick.lease->policy;
    quick.selector = quick.lease->selector;
    quick.replay_window = connection.replay_window;
}

std::string describe(const TrafficSelector& selector) {
    return "local " + ident_string(selector.local, selector.protocol, selector.local_port) +
           " remote " + ident_string(selector.remote, selector.protocol, selector.remote_port);
}

Refusal ending(Failure failure, std::string text, NotifyType notify) {
    return Refusal{failure, std::move(text)}.telling(notify).ending();
}

} // namespace adit::ike
