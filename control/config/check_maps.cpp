// SPDX-License-Identifier: Apache-2.0
#include "control/config/check_parts.h"
#include "control/config/names.h"
#include "control/config/render.h"

namespace adit::config {

namespace {

class MapPart : EntryPart {
  public:
    using EntryPart::EntryPart;

    void run() {
        for (const auto& [name, map] : config_.crypto_maps)
            check_map(name, map);
        for (const auto& [name, map] : config_.dynamic_maps)
            check_dynamic_map(name, map);
    }

  private:
    [[nodiscard]] bool is_applied(const std::string& map) const {
        return std::any_of(config_.interfaces.begin(),
                           config_.interfaces.end(),
                           [&](const auto& i) { return i.second.crypto_map == map; });
    }

    void check_map(const std::string& name, const CryptoMap& map) {
        const bool applied = is_applied(name);
        if (!applied && !map.empty())
            add(Severity::Warning,
                "crypto map " + name + ' ' + std::to_string(map.begin()->first),
                "crypto map " + name + " is applied to no interface");
        // What is in the making may have gaps; what is in use protects nothing through them.
        severity_ = applied ? Severity::Error : Severity::Warning;
        for (const auto& [sequence, entry] : map) {
            what_ = "crypto map " + name + ' ' + std::to_string(sequence);
            if (!entry.dynamic_map.empty()) {
                check_reference(entry.dynamic_map, map, sequence);
                continue;
            }
            if (entry.peers.empty())
                add(severity_, what_, what_ + " is incomplete: it has no peer", "write set peer");
            if (entry.match_address.empty())
                add(severity_,
                    what_,
                    what_ + " is incomplete: nothing says what is protected",
                    "write match address");
            check_entry(entry);
        }
    }

    void check_entry(const CryptoMapEntry& entry) {
        check_peers(entry);
        check_terms(entry, protects_networks(entry));
        if (!entry.match_address.empty())
            check_match(entry);
    }

    void check_reference(const std::string& dynamic, const CryptoMap& map, std::uint32_t sequence) {
        if (!config_.dynamic_maps.contains(dynamic))
            add(severity_,
                what_,
                what_ + ": there is no crypto dynamic-map " + dynamic,
                "write crypto dynamic-map " + dynamic + " 10");
        const auto later =
            std::find_if(map.upper_bound(sequence), map.end(), [](const auto& other) {
                return other.second.dynamic_map.empty();
            });
        if (later != map.end())
            add(Severity::Warning,
                what_,
                what_ + " stands for unknown peers and comes before entry " +
                    std::to_string(later->first) + ", whose peers are known",
                "give it the highest number");
    }

    static bool refers_to(const CryptoMap& map, const std::string& dynamic) {
        return std::any_of(map.begin(), map.end(), [&](const auto& entry) {
            return entry.second.dynamic_map == dynamic;
        });
    }

    [[nodiscard]] bool is_referred_to(const std::string& dynamic) const {
        return std::any_of(
            config_.crypto_maps.begin(), config_.crypto_maps.end(), [&](const auto& map) {
                return is_applied(map.first) && refers_to(map.second, dynamic);
            });
    }

    /// Clients that are given an address, under the entry's profile or the map that refers to it.
    [[nodiscard]] bool serves_clients(const std::string& dynamic,
                                      const CryptoMapEntry& entry) const {
        const auto gives_addresses = [](const ClientAccess& access) {
            return access.respond || access.initiate;
        };
        const auto profile = config_.isakmp_profiles.find(entry.isakmp_profile);
        if (profile != config_.isakmp_profiles.end() && gives_addresses(profile->second.access))
            return true;
        return std::any_of(
            config_.client_access.begin(), config_.client_access.end(), [&](const auto& access) {
                const auto map = config_.crypto_maps.find(access.first);
                return gives_addresses(access.second) && map != config_.crypto_maps.end() &&
                       refers_to(map->second, dynamic);
            });
    }

    void check_dynamic_map(const std::string& name, const CryptoMap& map) {
        const bool applied = is_referred_to(name);
        if (!applied && !map.empty())
            add(Severity::Warning,
                "crypto dynamic-map " + name + ' ' + std::to_string(map.begin()->first),
                "crypto dynamic-map " + name + " belongs to no crypto map of an interface",
                "write crypto map ... 65535 ipsec-isakmp dynamic " + name);
        severity_ = applied ? Severity::Error : Severity::Warning;
        for (const auto& [sequence, entry] : map) {
            what_ = "crypto dynamic-map " + name + ' ' + std::to_string(sequence);
            check_entry(entry);
            // The group has the key, and each client asks for the address it was given.
            if (serves_clients(name, entry))
                continue;
            if (entry.peers.empty() && !facts_.may_know_strangers())
                add(Severity::Warning,
                    what_,
                    what_ + " is for peers of any address, and each pre-shared key is for one",
                    "write crypto isakmp key ... address 0.0.0.0 0.0.0.0");
            if (entry.match_address.empty())
                add(Severity::Warning,
                    what_,
                    what_ +
                        " has no access list: each peer gets what it asks for, as far as nobody "
                        "else has it",
                    "write match address");
        }
    }

    void check_peers(const CryptoMapEntry& entry) {
        for (const Ipv4Address peer : entry.peers)
            check_peer(entry, peer, what_ + " peer " + to_string(peer));
    }

    /// Whether a line is about more than one host at each end.
    [[nodiscard]] bool protects_networks(const CryptoMapEntry& entry) const {
        const auto list = config_.access_lists.find(entry.match_address);
        return list != config_.access_lists.end() &&
               std::ranges::any_of(list->second.lines, [](const AclLine& line) {
                   return line.remark.empty() && line.permit &&
                          (line.source.wildcard.value | line.destination.wildcard.value) != 0;
               });
    }

    void check_match(const CryptoMapEntry& entry) {
        const std::string origin = what_ + " match";
        const auto list = config_.access_lists.find(entry.match_address);
        if (list == config_.access_lists.end()) {
            add(severity_,
                origin,
                what_ + ": there is no access list " + entry.match_address,
                "write ip access-list extended " + entry.match_address);
            return;
        }
        bool protects = false;
        for (const AclLine& line : list->second.lines) {
            if (!line.remark.empty())
                continue;
            protects = protects || line.permit;
            if (line.permit)
                check_identity(list->first, line);
        }
        if (!protects)
            add(severity_,
                origin,
                what_ + ": access list " + entry.match_address + " permits nothing");
    }

    /// RFC 2407 4.6.2: a proxy identity is a host or a subnet with one port or all of them.
    void check_identity(const std::string& list, const AclLine& line) {
        const std::string origin = "access-list " + list + ' ' + std::to_string(line.sequence);
        const std::string what = "access list " + list + ", line " + std::to_string(line.sequence) +
                                 " (" + acl_line_text(line) + "): ";
        if (!checked_.insert(origin + to_string(severity_)).second)
            return;
        for (const AclAddress& term : {line.source, line.destination})
            if (!is_subnet(term))
                add(severity_,
                    origin,
                    what + "wildcard " + to_string(term.wildcard) +
                        " has holes and cannot be a proxy identity",
                    "write one line per network");
        for (const PortRange& ports : {line.source_port, line.destination_port})
            if (!ports.is_any() && ports.first != ports.last)
                add(severity_,
                    origin,
                    what + "a range of ports cannot be a proxy identity",
                    "write one line per port, or all ports");
    }

    std::set<std::string> checked_; // lists may serve several entries
};

} // namespace

// --- what tunnels have as well

void EntryPart::check_terms(const IpsecProfile& entry, bool networks) {
    check_transform_sets(entry, networks);
    if (!entry.isakmp_profile.empty() && !config_.isakmp_profiles.contains(entry.isakmp_profile))
        add(severity_,
            what_ + " isakmp-profile",
            what_ + ": there is no isakmp profile " + entry.isakmp_profile,
            "write crypto isakmp profile " + entry.isakmp_profile);
    if (entry.pfs == ike::Group::Modp768 || entry.pfs == ike::Group::Modp1024)
        add(Severity::Warning,
            what_ + " pfs",
            what_ + " uses PFS group " + group_number(*entry.pfs) + ", which can be broken",
            "write set pfs group14 or above");
}

void EntryPart::check_peer(const IpsecProfile& entry, Ipv4Address peer, const std::string& origin) {
    const std::string subject = what_ + ": peer " + to_string(peer);
    if (facts_.is_own(peer))
        add(severity_, origin, subject + " is our own address");
    else if (!facts_.is_routed(peer))
        add(Severity::Warning, origin, subject + " is on no route", "write ip route");
    if (!facts_.has_key(entry, peer) && !facts_.takes_signatures())
        // It may come by a name that has a key, in aggressive mode.
        add(facts_.any_key(Facts::has_name) ? Severity::Warning : severity_,
            origin,
            subject + " has no pre-shared key",
            "write crypto isakmp key ... address " + to_string(peer));
}

void EntryPart::check_transform_sets(const IpsecProfile& entry, bool networks) {
    const std::string origin = what_ + " transform-set";
    if (entry.transform_sets.empty())
        add(severity_,
            what_,
            what_ + " is incomplete: it has no transform set",
            "write set transform-set");
    for (const std::string& name : entry.transform_sets) {
        const auto set = config_.transform_sets.find(name);
        if (set == config_.transform_sets.end())
            add(severity_,
                origin,
                what_ + ": there is no transform set " + name,
                "write crypto ipsec transform-set " + name);
        else if (set->second.mode_required && networks)
            add(Severity::Warning,
                origin,
                what_ + ": transform set " + name +
                    " requires transport mode; packets between networks need tunnel mode",
                "write mode transport, or mode tunnel");
    }
}

void check_maps(const Facts& facts, Findings& findings) {
    MapPart{facts, findings}.run();
}

} // namespace adit::config
