// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_crypto_map.h"

#include "control/cli/show_text.h"
#include "control/config/names.h"
#include "control/config/render.h"
#include "control/config/tunnel.h"

namespace adit::cli {
namespace {

/// "access-list 110 permit ..." for every line that selects traffic.
void append_access_list(std::string& out, const config::Config& config, const std::string& name) {
    append(out, "\tExtended IP access list %s\n", name.c_str());
    const auto found = config.access_lists.find(name);
    if (found == config.access_lists.end())
        return;
    for (const config::AclLine& line : found->second.lines)
        if (line.remark.empty())
            append(out,
                   "\t    access-list %s %s\n",
                   name.c_str(),
                   config::acl_line_text(line).c_str());
}

void append_peers(std::string& out, const config::CryptoMapEntry& entry) {
    for (const Ipv4Address peer : entry.peers)
        append(out, "\tPeer = %s\n", to_string(peer).c_str());
}

/// The peer of a live flow, else the one that is tried first.
Ipv4Address current_peer(const Snapshot& snapshot,
                         const std::string& map,
                         std::uint32_t sequence,
                         const config::CryptoMapEntry& entry) {
    for (const FlowStatus& flow : snapshot.flows)
        if (flow.map_name == map && flow.map_sequence == sequence)
            return flow.peer.address;
    return entry.peers.front();
}

void append_transform_sets(std::string& out,
                           const config::Config& config,
                           const config::IpsecProfile& entry) {
    out += "\tTransform sets={ \n";
    for (const std::string& name : entry.transform_sets) {
        const auto found = config.transform_sets.find(name);
        if (found == config.transform_sets.end())
            continue; // named by the configuration check
        append(out,
               "\t\t%s:  { %s } , \n",
               name.c_str(),
               transform_words(found->second.cipher, found->second.mac).c_str());
    }
    out += "\t}\n";
}

void append_terms(std::string& out,
                  const config::Config& config,
                  const config::IpsecProfile& entry) {
    append(out,
           "\tSecurity association lifetime: %s\n"
           "\tDualstack (Y/N): N\n"
           "\n"
           "\tResponder-Only (Y/N): N\n",
           lifetime_words(entry.lifetime, config.sa_lifetime).c_str());
    if (entry.pfs)
        append(out, "\tPFS (Y/N): Y\n\tDH group:  group%u\n", static_cast<unsigned>(*entry.pfs));
    else
        out += "\tPFS (Y/N): N\n";
    out += "\tMixed-mode : Disabled\n";
    append_transform_sets(out, config, entry);
}

/// An identity as an access list says it, when it can.
std::string term_words(const Ipv4Range& range) {
    const std::uint32_t wildcard = range.last.value - range.first.value;
    const bool is_subnet = (wildcard & (wildcard + 1)) == 0 && (range.first.value & wildcard) == 0;
    if (!is_subnet)
        return "range " + to_string(range.first) + " " + to_string(range.last);
    return config::term_text({range.first, Ipv4Address{wildcard}});
}

std::string selector_words(const TrafficSelector& selector) {
    return config::protocol_name(selector.protocol) + ' ' + term_words(selector.local) +
           config::ports_text(selector.protocol, selector.local_port) + ' ' +
           term_words(selector.remote) +
           config::ports_text(selector.protocol, selector.remote_port);
}

/// The entry of "DYN/10"; null when it is no longer there.
const config::CryptoMapEntry* template_of(const config::Config& config, const std::string& name) {
    const std::size_t slash = name.rfind('/');
    const auto map = config.dynamic_maps.find(name.substr(0, slash));
    if (map == config.dynamic_maps.end())
        return nullptr;
    const auto entry =
        map->second.find(static_cast<std::uint32_t>(std::stoul(name.substr(slash + 1))));
    return entry == map->second.end() ? nullptr : &entry->second;
}

void append_interfaces(std::string& out, const config::Config& config, const std::string& map) {
    append(out, "\tInterfaces using crypto map %s:\n", map.c_str());
    for (const auto& [name, interface] : config.interfaces)
        if (interface.crypto_map == map)
            append(out, "\t\t%s\n", name.c_str());
}

void append_entry(std::string& out,
                  const Snapshot& snapshot,
                  const std::string& map,
                  std::uint32_t sequence,
                  const config::CryptoMapEntry& entry) {
    const config::Config& config = *snapshot.config;
    append(out, "Crypto Map IPv4 \"%s\" %u ipsec-isakmp\n", map.c_str(), sequence);
    if (!entry.dynamic_map.empty())
        return append(out, "\tDynamic map template tag: %s\n", entry.dynamic_map.c_str());
    if (!entry.description.empty())
        append(out, "\tDescription: %s\n", entry.description.c_str());
    append_peers(out, entry);
    const bool complete = !entry.peers.empty() && !entry.match_address.empty();
    if (!complete)
        out += "\tWARNING: This crypto map is in an incomplete state!\n"
               "\t(missing peer or access-list definitions)\n";
    out += "\tAccess-List SS dynamic: False\n";
    if (!entry.match_address.empty())
        append_access_list(out, config, entry.match_address);
    if (!entry.peers.empty())
        append(out,
               "\tCurrent peer: %s\n",
               to_string(current_peer(snapshot, map, sequence, entry)).c_str());
    append_terms(out, config, entry);
}

/// Numbers of instances start behind those of entries, as on a router.
constexpr std::uint32_t kFirstInstance = 65'536;

/// What a peer of a dynamic entry claimed, as an entry of its own.
void append_instance(std::string& out,
                     const Snapshot& snapshot,
                     const FlowStatus& flow,
                     std::uint32_t number) {
    const config::Config& config = *snapshot.config;
    const std::string peer = to_string(flow.peer.address);
    const TrafficSelector& selector = flow.flow.selector;
    append(out,
           "Crypto Map IPv4 \"%s\" %u ipsec-isakmp\n"
           "\tPeer = %s\n"
           "\tAccess-List SS dynamic: True\n"
           "\tExtended IP access list \n"
           "\t    access-list  permit %s\n"
           "\t    dynamic (created from dynamic map %s)\n"
           "\tCurrent peer: %s\n",
           flow.map_name.c_str(),
           number,
           peer.c_str(),
           selector_words(selector).c_str(),
           flow.dynamic_map.c_str(),
           peer.c_str());
    if (const config::CryptoMapEntry* entry = template_of(config, flow.dynamic_map))
        append_terms(out, config, *entry);
}

bool is_used_by(const config::Config& config, const std::string& map, const std::string& name) {
    const auto found = config.interfaces.find(name);
    return found != config.interfaces.end() && found->second.crypto_map == map;
}

/// The map that a router makes of a tunnel's protection, and the peer it is in use with.
void append_tunnel(std::string& out,
                   const Snapshot& snapshot,
                   const std::string& interface,
                   const config::TunnelSettings& tunnel,
                   const config::IpsecProfile& profile) {
    const config::Config& config = *snapshot.config;
    const std::string map = config::head_of(interface);
    append(out,
           "Crypto Map IPv4 \"%s\" %u ipsec-isakmp\n"
           "\tProfile name: %s\n",
           map.c_str(),
           kFirstInstance,
           tunnel.profile.c_str());
    append_terms(out, config, profile);
    std::uint32_t instance = kFirstInstance;
    for (const FlowStatus& flow : snapshot.flows) {
        if (flow.map_name != map)
            continue;
        const std::string peer = to_string(flow.peer.address);
        append(out,
               "Crypto Map IPv4 \"%s\" %u ipsec-isakmp\n"
               "\tMap is a PROFILE INSTANCE.\n"
               "\tPeer = %s\n"
               "\tExtended IP access list \n"
               "\t    access-list  permit %s\n"
               "\tCurrent peer: %s\n",
               map.c_str(),
               ++instance,
               peer.c_str(),
               selector_words(flow.flow.selector).c_str(),
               peer.c_str());
        append_terms(out, config, profile);
    }
    append(out, "\tInterfaces using crypto map %s:\n\t\t%s\n\n", map.c_str(), interface.c_str());
}

} // namespace

std::string show_crypto_map(const Snapshot& snapshot, const CryptoMapFilter& filter) {
    const config::Config& config = *snapshot.config;
    std::string out;
    for (const auto& [map, entries] : config.crypto_maps) {
        if (!filter.name.empty() && filter.name != map)
            continue;
        if (!filter.interface.empty() && !is_used_by(config, map, filter.interface))
            continue;
        for (const auto& [sequence, entry] : entries)
            append_entry(out, snapshot, map, sequence, entry);
        std::uint32_t instance = kFirstInstance;
        for (const FlowStatus& flow : snapshot.flows)
            if (flow.map_name == map && !flow.dynamic_map.empty())
                append_instance(out, snapshot, flow, instance++);
        append_interfaces(out, config, map);
        out += '\n';
    }
    for (const auto& [name, interface] : config.interfaces) {
        const auto profile = config.ipsec_profiles.find(interface.tunnel.profile);
        if (profile == config.ipsec_profiles.end() ||
            (!filter.name.empty() && filter.name != config::head_of(name)) ||
            (!filter.interface.empty() && filter.interface != name))
            continue;
        append_tunnel(out, snapshot, name, interface.tunnel, profile->second);
    }
    return out.empty() ? "No crypto maps found.\n" : out;
}

std::string show_ipsec_profile(const Snapshot& snapshot, const std::string& name) {
    std::string out;
    for (const auto& [profile_name, profile] : snapshot.config->ipsec_profiles) {
        if (!name.empty() && name != profile_name)
            continue;
        append(out, "IPSEC profile %s\n", profile_name.c_str());
        if (!profile.description.empty())
            append(out, "\tDescription: %s\n", profile.description.c_str());
        append_terms(out, *snapshot.config, profile);
        out += '\n';
    }
    return out;
}

std::string show_crypto_dynamic_map(const Snapshot& snapshot, const std::string& tag) {
    const config::Config& config = *snapshot.config;
    std::string out;
    for (const auto& [name, entries] : config.dynamic_maps) {
        if (!tag.empty() && tag != name)
            continue;
        for (const auto& [sequence, entry] : entries) {
            append(out, "Crypto Map Template\"%s\" %u\n", name.c_str(), sequence);
            if (!entry.description.empty())
                append(out, "\tDescription: %s\n", entry.description.c_str());
            append_peers(out, entry);
            if (entry.match_address.empty())
                out += "\tNo matching address list set.\n";
            else
                append_access_list(out, config, entry.match_address);
            append_terms(out, config, entry);
        }
        out += '\n';
    }
    return out.empty() ? "No crypto map templates found.\n" : out;
}

} // namespace adit::cli
