// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_ip.h"

#include "control/cli/show_text.h"
#include "control/config/render.h"

#include <algorithm>
#include <map>
#include <set>

namespace adit::cli {
namespace {

using Number = unsigned long long; // what %llu takes

// --- routes --------------------------------------------------------------------------------------

using RoutesOfPrefix = std::map<Ipv4Prefix, std::vector<const RouteStatus*>>;

/// Class A, B or C network that a prefix lies in (RFC 791 3.2): the table is grouped by these.
Ipv4Prefix classful_network(Ipv4Prefix prefix) {
    const std::uint32_t first = prefix.address.value >> 24;
    const std::uint8_t length = first < 128 ? 8 : first < 192 ? 16 : 24;
    if (prefix.length <= length)
        return prefix; // a class network itself, or a supernet: stands alone
    return {Ipv4Address{prefix.address.value & mask_of_length(length)}, length};
}

char source_letter(RouteStatus::Source source) {
    switch (source) {
    case RouteStatus::Source::Connected:
        return 'C';
    case RouteStatus::Source::Local:
        return 'L';
    case RouteStatus::Source::Static:
        return 'S';
    }
    return '?';
}

std::string way_words(const RouteStatus& route) {
    if (!route.next_hop)
        return "is directly connected, " + route.interface;
    return text("[%u/0] via %s", route.distance, to_string(*route.next_hop).c_str());
}

enum class Column : std::uint8_t {
    Alone = 6,
    Grouped = 9,
};

void append_route(std::string& out,
                  const std::vector<const RouteStatus*>& ways,
                  Column column,
                  const std::string& destination) {
    const RouteStatus& first = *ways.front();
    std::string code{source_letter(first.source)};
    if (first.prefix.length == 0)
        code += '*';
    const std::string start =
        text("%-*s%s ", static_cast<int>(column), code.c_str(), destination.c_str());
    append(out, "%s%s\n", start.c_str(), way_words(first).c_str());
    for (std::size_t i = 1; i < ways.size(); ++i)
        append(out, "%*s%s\n", static_cast<int>(start.size()), "", way_words(*ways[i]).c_str());
}

void append_group(std::string& out, Ipv4Prefix network, const RoutesOfPrefix& members) {
    std::set<std::uint8_t> masks;
    for (const auto& [prefix, ways] : members)
        masks.insert(prefix.length);
    if (members.size() == 1 && members.begin()->first == network)
        return append_route(out, members.begin()->second, Column::Alone, to_string(network));
    const bool one_mask = masks.size() == 1;
    if (one_mask)
        append(out,
               "      %s/%u is subnetted, %zu subnets\n",
               to_string(network.address).c_str(),
               *masks.begin(),
               members.size());
    else
        append(out,
               "      %s is variably subnetted, %zu subnets, %zu masks\n",
               to_string(network).c_str(),
               members.size(),
               masks.size());
    for (const auto& [prefix, ways] : members)
        append_route(
            out, ways, Column::Grouped, one_mask ? to_string(prefix.address) : to_string(prefix));
}

std::string last_resort(const Snapshot& snapshot) {
    for (const RouteStatus& route : snapshot.routes)
        if (route.active && route.prefix.length == 0)
            return "Gateway of last resort is " +
                   to_string(route.next_hop.value_or(Ipv4Address{})) + " to network 0.0.0.0\n";
    return "Gateway of last resort is not set\n";
}

// --- access lists --------------------------------------------------------------------------------

/// Packets that hit one line, over all map entries that use the list.
std::uint64_t matches_of(const Snapshot& snapshot, const std::string& list, std::uint32_t line) {
    std::uint64_t matches = 0;
    for (const FlowStatus& flow : snapshot.flows)
        if (flow.acl_name == list && flow.flow.acl_sequence == line)
            matches += flow.counters.matches;
    return matches;
}

void append_acl_line(std::string& out,
                     const Snapshot& snapshot,
                     const std::string& list,
                     const config::AclLine& line) {
    append(out, "    %u %s", line.sequence, config::acl_line_text(line).c_str());
    const std::uint64_t matches = matches_of(snapshot, list, line.sequence);
    if (matches == 1)
        out += " (1 match)";
    else if (matches > 1)
        append(out, " (%llu matches)", Number{matches});
    out += '\n';
}

} // namespace

std::string show_ip_route(const Snapshot& snapshot) {
    std::map<Ipv4Prefix, RoutesOfPrefix> groups;
    for (const RouteStatus& route : snapshot.routes)
        if (route.active)
            groups[classful_network(route.prefix)][route.prefix].push_back(&route);
    std::string out = "Codes: L - local, C - connected, S - static, * - candidate default\n\n" +
                      last_resort(snapshot) + "\n";
    for (const auto& [network, members] : groups)
        append_group(out, network, members);
    return out;
}

std::string show_ip_arp(const Snapshot& snapshot) {
    std::string out = "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n";
    for (const ArpStatus& entry : snapshot.arp) {
        const bool complete = entry.ours || entry.state != ipc::NeighborState::Incomplete;
        append(out,
               "Internet  %-15s%10s   %-14s  ARPA   %s\n",
               to_string(entry.address).c_str(),
               entry.ours ? "-" : std::to_string(entry.age_minutes).c_str(),
               complete ? mac_dotted(entry.mac).c_str() : "Incomplete",
               complete ? entry.interface.c_str() : "");
    }
    return out;
}

std::string show_access_lists(const Snapshot& snapshot, const std::string& name) {
    std::string out;
    for (const auto& [list, contents] : snapshot.config->access_lists) {
        if (!name.empty() && name != list)
            continue;
        append(out, "Extended IP access list %s\n", list.c_str());
        for (const config::AclLine& line : contents.lines)
            if (line.remark.empty())
                append_acl_line(out, snapshot, list, line);
    }
    return out;
}

std::string show_ip_local_pool(const Snapshot& snapshot) {
    std::string out = text(" %-23s %-15s  %-15s  %5s  %6s  %8s\n",
                           "Pool",
                           "Begin",
                           "End",
                           "Free",
                           "In use",
                           "Refused");
    for (const ike::PoolView& pool : snapshot.pools)
        append(out,
               " %-23s %-15s  %-15s  %5u  %6u  %8llu\n",
               pool.name.c_str(),
               to_string(pool.range.first).c_str(),
               to_string(pool.range.last).c_str(),
               pool.range.last.value - pool.range.first.value + 1 - pool.in_use,
               pool.in_use,
               static_cast<unsigned long long>(pool.exhausted));
    return out;
}

} // namespace adit::cli
