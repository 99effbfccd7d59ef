// SPDX-License-Identifier: Apache-2.0
#include "control/ike/dynamic_flow.h"

#include "control/ike/flow_choice.h"
#include "control/ike/subset_flow.h"

#include <algorithm>

namespace adit::ike {

std::string
objection(const EngineConfig& config, const Connection& dynamic, const TrafficSelector& selector) {
    if (!dynamic.acl_name.empty())
        return permitting_line(dynamic, selector) != nullptr
                   ? ""
                   : "no line of access list " + dynamic.acl_name + " permits that";
    for (const Ipv4Address own : config.own_addresses)
        if (selector.remote.contains(own))
            return "their side would hold our own address " + to_string(own);
    for (const Connection& other : config.connections) {
        if (other.dynamic || other.routed)
            continue;
        const auto line = std::ranges::find_if(
            other.flows, [&](const Flow& flow) { return overlap(flow.selector, selector); });
        if (line != other.flows.end())
            return "that overlaps what " + other.name + " protects (access list " + other.acl_name +
                   ", line " + std::to_string(line->acl_sequence) + ")";
    }
    return "";
}

bool is_open_to(const Connection& dynamic,
                Ipv4Address local,
                Ipv4Address peer,
                const std::string& profile) {
    return dynamic.dynamic && dynamic.local == local &&
           (dynamic.profile.empty() || dynamic.profile == profile) &&
           (dynamic.peers.empty() || std::ranges::find(dynamic.peers, peer) != dynamic.peers.end());
}

Claimant claimant_of(const Turn& turn) {
    const Secured* keys = turn.session.secured();
    ENSURE(keys != nullptr);
    const Session& session = turn.session;
    const Ipv4Address at = session.assigned ? session.assigned->address : session.remote.address;
    if (session.login)
        return {{}, at, session.user()};
    if (session.assigned)
        return {keys->identity, at};
    const Identity& identity = keys->identity;
    const bool is_name = identity.type == IdType::Fqdn || identity.type == IdType::UserFqdn ||
                         identity.type == IdType::DerDn;
    const bool alone =
        is_name && (keys->psk == nullptr || is_key_of_name(turn.env.config, identity, *keys->psk));
    if (alone)
        return {identity, std::nullopt};
    return {identity, at};
}

namespace {

std::string in_use(const TrafficSelector& wanted, const RuntimeFlow& holder) {
    return "they ask for " + describe(wanted) + "; " + to_string(*holder.claimant) + " has " +
           describe(holder.selector) + " by " + holder.connection + ", and that SA is alive";
}

} // namespace

Verdict claim_flow(Turn& turn, const TrafficSelector& wanted, const Connection*& connection) {
    const Session& session = turn.session;
    std::string objections;
    for (const Connection& dynamic : turn.env.config.connections) {
        if (!is_open_to(dynamic, session.local.address, session.remote.address, session.profile))
            continue;
        connection = &dynamic;
        const std::string against = objection(turn.env.config, dynamic, wanted);
        if (!against.empty()) {
            objections += "; " + dynamic.name + ": " + against;
            continue;
        }
        auto lease = turn.env.flows.claim(dynamic.name, wanted, claimant_of(turn));
        if (!lease && lease.error().holder == nullptr)
            return refuse(Refusal{Failure::InstallRefused, dynamic.name + ": no free policy number"}
                              .ending());
        if (!lease) {
            turn.out.emplace_back(HolderDoubted{lease.error().holder->policy});
            return refuse(ending(Failure::ProxyInUse,
                                 in_use(wanted, *lease.error().holder),
                                 NotifyType::InvalidIdInformation));
        }
        take_flow(*turn.quick, dynamic, std::move(*lease));
        return {};
    }
    if (connection == nullptr)
        return {};
    return refuse(ending(Failure::ProxyMismatch,
                         "they ask for " + describe(wanted) + objections,
                         NotifyType::InvalidIdInformation));
}

} // namespace adit::ike
