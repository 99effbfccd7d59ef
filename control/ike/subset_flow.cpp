// SPDX-License-Identifier: Apache-2.0
#include "control/ike/subset_flow.h"

#include "control/ike/flow_choice.h"

#include <algorithm>

namespace adit::ike {

const Flow* permitting_line(const Connection& entry, const TrafficSelector& selector) {
    const bool claimed = entry.dynamic.has_value();
    std::uint32_t denied_from = ~std::uint32_t{0}; // access list lines behind this do not count
    for (const Flow& exception : entry.exceptions)
        if (claimed ? covers(exception.selector, selector) : overlap(exception.selector, selector))
            denied_from = std::min(denied_from, exception.acl_sequence);
    const Flow* narrowest = nullptr;
    for (const Flow& line : entry.flows)
        if (line.acl_sequence < denied_from && covers(line.selector, selector) &&
            (narrowest == nullptr || breadth(line.selector) < breadth(narrowest->selector)))
            narrowest = &line;
    return narrowest;
}

bool is_for(const Connection& entry, Ipv4Address peer, const std::string& profile) {
    return !entry.dynamic && (entry.profile.empty() || entry.profile == profile) &&
           std::ranges::find(entry.peers, peer) != entry.peers.end();
}

namespace {

/// Some line would permit it, were it not for those that deny.
bool is_denied(const Connection& entry, const TrafficSelector& selector) {
    return !entry.routed && std::ranges::any_of(entry.flows, [&](const Flow& line) {
        return covers(line.selector, selector);
    });
}

/// Of another peer, by the same address of ours: what is sent elsewhere meets none of our policies
/// here.
bool is_rival(const Connection& entry,
              Ipv4Address local,
              Ipv4Address peer,
              const std::string& profile) {
    return !entry.dynamic && !entry.routed && entry.local == local && !is_for(entry, peer, profile);
}

} // namespace

std::expected<const Flow*, std::string> subset_line(const EngineConfig& config,
                                                    const Connection& entry,
                                                    Ipv4Address peer,
                                                    const std::string& profile,
                                                    const TrafficSelector& selector) {
    const Flow* line = entry.routed ? nullptr : permitting_line(entry, selector);
    if (line == nullptr)
        return std::unexpected(is_denied(entry, selector) ? "a deny line takes part of that" : "");
    for (const Connection& other : config.connections) {
        if (&other == &entry)
            break; // those behind it have what it leaves
        if (!is_rival(other, entry.local, peer, profile))
            continue;
        const auto taken = std::ranges::find_if(
            other.flows, [&](const Flow& flow) { return overlap(flow.selector, selector); });
        if (taken != other.flows.end())
            return std::unexpected("that overlaps what " + other.name + " protects (access list " +
                                   other.acl_name + ", line " +
                                   std::to_string(taken->acl_sequence) + ")");
    }
    return line;
}

Verdict claim_subset(Turn& turn,
                     const std::vector<const Connection*>& entries,
                     const TrafficSelector& wanted,
                     const Connection*& connection,
                     std::string& objections) {
    const Session& session = turn.session;
    if (session.client)
        return {}; // it has what it is lent, by a dynamic entry
    const Flow* narrowest = nullptr;
    for (const Connection* entry : entries) {
        const auto line =
            subset_line(turn.env.config, *entry, session.remote.address, session.profile, wanted);
        if (!line && !line.error().empty())
            objections += "; " + entry->name + ": " + line.error();
        if (!line)
            continue;
        if (narrowest == nullptr || breadth((*line)->selector) < breadth(narrowest->selector)) {
            narrowest = *line;
            connection = entry;
        }
    }
    if (narrowest == nullptr)
        return {};
    auto lease = turn.env.flows.claim(connection->name, wanted, std::nullopt);
    if (!lease)
        return refuse(Refusal{Failure::InstallRefused, connection->name + ": no free policy number"}
                          .ending());
    take_flow(*turn.quick, *connection, std::move(*lease));
    return {};
}

} // namespace adit::ike
