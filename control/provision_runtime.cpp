// SPDX-License-Identifier: Apache-2.0
// What a provision says of policies made at run time: where their rows stand, and which way their
// traffic goes.
#include "control/ike/subset_flow.h"
#include "control/provision.h"

#include <algorithm>

namespace adit {

namespace {

/// Where its entry stands, or the line that permits it.
std::optional<ipc::SetPolicy> place_of(const Provision& provision,
                                       const ike::Connection& entry,
                                       const TrafficSelector& selector) {
    if (!entry.dynamic || !entry.acl_name.empty()) {
        const ike::Flow* line = ike::permitting_line(entry, selector);
        if (line == nullptr)
            return std::nullopt;
        return provision.policies.at(provision.row_of_line.at(line->policy));
    }
    const auto place = provision.dynamic_entries.find(entry.name);
    if (place == provision.dynamic_entries.end())
        return std::nullopt;
    ipc::SetPolicy row{};
    row.interface = place->second.interface.value;
    row.entry = place->second.entry;
    row.order = place->second.order;
    return row;
}

} // namespace

std::optional<ipc::SetPolicy> runtime_row(const Provision& provision,
                                          PolicyId policy,
                                          const std::string& connection,
                                          const TrafficSelector& selector) {
    const ike::Connection* entry = ike::find_connection(*provision.engine, connection);
    if (entry == nullptr)
        return std::nullopt;
    std::optional<ipc::SetPolicy> row = place_of(provision, *entry, selector);
    if (!row)
        return std::nullopt;
    row->policy = policy.value;
    row->breadth = ike::breadth(selector);
    row->action = static_cast<std::uint8_t>(ipc::PolicyAction::Protect);
    row->selector = to_record(selector);
    return row;
}

namespace {

Ipv4Prefix prefix_of(const ipc::SetRoute& route) {
    return {Ipv4Address{route.prefix}, route.prefix_length};
}

Ipv4Prefix network_of(const ipc::SetInterface& interface) {
    return {Ipv4Address{interface.address & mask_of_length(interface.prefix_length)},
            interface.prefix_length};
}

bool reaches_into_our_networks(const Provision& provision, const Ipv4Range& range) {
    return std::ranges::any_of(provision.interfaces, [&](const ipc::SetInterface& interface) {
        const Ipv4Prefix network = network_of(interface);
        return interface.address != 0 && network.first() <= range.last &&
               range.first <= network.last();
    });
}

/// Interface and next hop towards an address, its prefix left open.
std::optional<ipc::SetRoute> way_to(const Provision& provision, Ipv4Address peer) {
    ipc::SetRoute way{};
    way.interface = kNoInterface.value; // where the next hop is connected
    way.next_hop = peer.value;
    const auto connects = [&](const ipc::SetInterface& interface) {
        return interface.address != 0 && network_of(interface).contains(peer);
    };
    if (std::ranges::any_of(provision.interfaces, connects))
        return way;
    const ipc::SetRoute* best = nullptr;
    for (const ipc::SetRoute& route : provision.routes)
        if (prefix_of(route).contains(peer) &&
            (best == nullptr ||
             route.prefix_length >= best->prefix_length)) // the last is preferred
            best = &route;
    if (best == nullptr || best->interface == ipc::kToNowhere || best->interface == ipc::kToUs)
        return std::nullopt;
    way.interface = best->interface;
    if (best->interface == ipc::kIntoTunnel || best->next_hop != 0)
        way.next_hop = best->next_hop;
    return way;
}

/// The fewest prefixes that make up the range: one for a subnet, 62 at worst.
std::vector<Ipv4Prefix> prefixes_of(const Ipv4Range& range) {
    std::vector<Ipv4Prefix> prefixes;
    std::uint64_t first = range.first.value;
    const std::uint64_t end = std::uint64_t{range.last.value} + 1;
    while (first < end) {
        std::uint8_t length = 32;
        std::uint64_t size = 1;
        while (length > 0 && first % (2 * size) == 0 && first + 2 * size <= end) {
            size *= 2;
            --length;
        }
        prefixes.push_back({Ipv4Address{static_cast<std::uint32_t>(first)}, length});
        first += size;
    }
    return prefixes;
}

} // namespace

std::vector<ipc::SetRoute> reverse_routes(const Provision& provision,
                                          const std::string& connection,
                                          const TrafficSelector& selector,
                                          Ipv4Address peer) {
    const auto place = provision.dynamic_entries.find(connection);
    if (place == provision.dynamic_entries.end() || !place->second.reverse_route ||
        reaches_into_our_networks(provision, selector.remote))
        return {};
    std::optional<ipc::SetRoute> way = way_to(provision, peer);
    if (!way)
        return {};
    std::vector<ipc::SetRoute> routes;
    for (const Ipv4Prefix prefix : prefixes_of(selector.remote)) {
        way->prefix = prefix.address.value;
        way->prefix_length = prefix.length;
        routes.push_back(*way);
    }
    return routes;
}

} // namespace adit
