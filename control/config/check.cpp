// SPDX-License-Identifier: Apache-2.0
#include "control/config/check.h"

#include "control/config/isakmp_policies.h"
#include "control/config/names.h"
#include "control/config/render.h"
#include "control/config/tunnel.h"

#include <algorithm>
#include <map>
#include <set>

namespace adit::config {

namespace {

using Severity = ProblemSeverity;

/// Prefixes, asked whether one of them covers an address: tunnels come by the hundred thousand.
class PrefixSet {
  public:
    void add(Ipv4Prefix prefix) {
        prefixes_.insert(
            {Ipv4Address{prefix.address.value & mask_of_length(prefix.length)}, prefix.length});
    }

    [[nodiscard]] bool covers(Ipv4Address address) const {
        for (std::uint8_t length = 0; length <= 32; ++length)
            if (prefixes_.contains({Ipv4Address{address.value & mask_of_length(length)}, length}))
                return true;
        return false;
    }

  private:
    std::set<Ipv4Prefix> prefixes_;
};

class Checker {
  public:
    Checker(const Config& config, const Origins& origins) : config_(config), origins_(origins) {
        for (const auto& [name, interface] : config_.interfaces)
            if (interface.address) {
                own_.insert(*interface.address);
                connected_.add(network(interface));
                if (is_tunnel(name))
                    tunnel_networks_.add(network(interface));
            }
        for (const StaticRoute& route : config_.routes) {
            routed_.add(route.prefix);
            const StaticRoute*& best = best_route_[route.prefix];
            if (best == nullptr || route.distance < best->distance)
                best = &route;
        }
        add_keys(config_.isakmp_keys, global_keys_);
        for (const auto& [name, keyring] : config_.keyrings)
            add_keys(keyring.keys, keyring_keys_[name]);
    }

    std::vector<Problem> run() && {
        check_interfaces();
        check_routes();
        check_trustpoints();
        check_policies();
        check_profiles();
        check_aggressive_mode();
        for (const auto& [name, map] : config_.crypto_maps)
            check_map(name, map);
        for (const auto& [name, map] : config_.dynamic_maps)
            check_dynamic_map(name, map);
        check_tunnels();
        for (const auto& [name, profile] : config_.ipsec_profiles)
            check_ipsec_profile(name, profile);
        for (const auto& [map, access] : config_.client_access)
            check_map_access(map, access);
        for (const auto& [name, group] : config_.client_groups)
            check_group(name, group);
        return std::move(problems_);
    }

  private:
    void add(Severity severity,
             const std::string& origin,
             std::string message,
             std::string remedy = {}) {
        const auto line = origins_.find(origin);
        problems_.push_back({.line = line == origins_.end() ? 0 : line->second,
                             .severity = severity,
                             .message = std::move(message),
                             .remedy = std::move(remedy)});
    }

    // --- interfaces and routes -------------------------------------------------------------------

    using NamedInterface = std::pair<const std::string, Interface>;

    static Ipv4Prefix network(const Interface& interface) {
        return {Ipv4Address{interface.address->value & mask_of_length(interface.prefix_length)},
                interface.prefix_length};
    }

    void check_interfaces() {
        std::vector<const NamedInterface*> by_network;
        for (const auto& one : config_.interfaces) {
            check_crypto_map_of(one.first, one.second);
            if (one.second.address && !one.second.shutdown)
                by_network.push_back(&one);
        }
        // Tunnels are many: side by side in order of address, only neighbours are compared.
        const auto first = [](const NamedInterface* i) { return network(i->second).first(); };
        std::ranges::stable_sort(by_network, {}, first);
        const NamedInterface* widest = nullptr; // reaches furthest of those before
        for (const NamedInterface* one : by_network) {
            if (widest != nullptr && first(one) <= network(widest->second).last())
                report_overlap(*widest, *one);
            if (widest == nullptr || network(widest->second).last() < network(one->second).last())
                widest = one;
        }
    }

    void report_overlap(const NamedInterface& one, const NamedInterface& other) {
        const bool in_order = InterfaceNameLess{}(one.first, other.first);
        const NamedInterface& later = in_order ? other : one;
        const NamedInterface& earlier = in_order ? one : other;
        add(Severity::Error,
            "interface " + later.first + " address",
            "network " + to_string(network(later.second)) + " of " + later.first +
                " overlaps that of " + earlier.first,
            "give each interface a network of its own");
    }

    void check_crypto_map_of(const std::string& name, const Interface& interface) {
        if (interface.crypto_map.empty())
            return;
        const std::string origin = "interface " + name + " crypto map";
        if (!config_.crypto_maps.contains(interface.crypto_map))
            add(Severity::Error,
                origin,
                name + ": there is no crypto map " + interface.crypto_map,
                "write crypto map " + interface.crypto_map + " 10 ipsec-isakmp");
        if (!interface.address)
            add(Severity::Error,
                origin,
                name + " carries a crypto map and has no address",
                "write ip address below the interface");
    }

    [[nodiscard]] bool is_own(Ipv4Address address) const { return own_.contains(address); }

    [[nodiscard]] bool is_connected(Ipv4Address address) const {
        return connected_.covers(address);
    }

    [[nodiscard]] bool is_routed(Ipv4Address address) const {
        return is_connected(address) || routed_.covers(address);
    }

    void check_routes() {
        std::set<std::pair<Ipv4Prefix, std::uint8_t>> known;
        for (const StaticRoute& route : config_.routes) {
            check_route(route);
            if (!known.emplace(route.prefix, route.distance).second)
                add(Severity::Warning,
                    "route " + to_string(route.prefix),
                    "several routes to " + to_string(route.prefix) + " of one distance",
                    "only the first is used; give the others a greater distance");
        }
    }

    void check_route(const StaticRoute& route) {
        const std::string origin = "route " + to_string(route.prefix);
        const std::string what = "route to " + to_string(route.prefix) + ": ";
        if (!route.interface.empty() && !config_.interfaces.contains(route.interface))
            add(Severity::Error,
                origin,
                what + "there is no interface " + route.interface,
                "write interface " + route.interface);
        if (!route.next_hop)
            return;
        if (is_own(*route.next_hop))
            add(Severity::Error, origin, what + "the next hop is our own address");
        else if (route.interface.empty() && !is_connected(*route.next_hop))
            add(Severity::Warning,
                origin,
                what + "the next hop " + to_string(*route.next_hop) + " is on no connected network",
                "the route is used once an interface has such a network");
    }

    // --- phase 1 ---------------------------------------------------------------------------------

    void check_policies() {
        for (const auto& [priority, policy] : config_.isakmp_policies)
            check_policy(priority, policy);
        if (isakmp_policies_in_force(config_).empty() &&
            (!config_.crypto_maps.empty() || !config_.ipsec_profiles.empty()))
            add(Severity::Error,
                {},
                "there is no crypto isakmp policy, and the built-in ones are switched off",
                "write crypto isakmp policy 10 with encr, hash, authentication and group, or "
                "crypto isakmp default policy");
    }

    void check_policy(std::uint32_t priority, const IsakmpPolicy& policy) {
        const std::string origin = "policy " + std::to_string(priority);
        const std::string what = "crypto isakmp policy " + std::to_string(priority);
        if (!policy.encryption_configured)
            add(Severity::Error,
                origin,
                what + " has no encr line; the default, DES, is not supported",
                "write encr aes 256");
        check_authentication(origin, what, policy);
        if (policy.group == ike::Group::Modp768 || policy.group == ike::Group::Modp1024)
            add(Severity::Warning,
                origin,
                what + " uses group " + group_number(policy.group) + ", which can be broken",
                "write group 14 or above");
        if (policy.hash == ike::HashAlgorithm::Md5)
            add(Severity::Warning, origin, what + " uses MD5", "write hash sha256");
    }

    // --- certificates

    [[nodiscard]] bool has_certificate() const {
        return std::any_of(
            config_.trustpoints.begin(), config_.trustpoints.end(), [](const auto& trustpoint) {
                return !trustpoint.second.certificate_file.empty();
            });
    }

    [[nodiscard]] bool has_authority() const {
        return std::any_of(
            config_.trustpoints.begin(), config_.trustpoints.end(), [](const auto& trustpoint) {
                return !trustpoint.second.ca_file.empty();
            });
    }

    void check_authentication(const std::string& origin,
                              const std::string& what,
                              const IsakmpPolicy& policy) {
        if (policy.authentication == AuthenticationMethod::PreShare)
            return;
        const std::string method = authentication_name(policy.authentication);
        if (!has_certificate() || !has_authority())
            add(Severity::Error,
                origin,
                what + " authenticates by " + method +
                    (policy.authentication == AuthenticationMethod::RsaSig ? " (the default)"
                                                                           : "") +
                    ", and no crypto pki trustpoint has " +
                    (has_authority() ? "a certificate-file" : "a ca-file"),
                "write authentication pre-share, or a trustpoint with ca-file, certificate-file "
                "and key-file");
        const bool has_curve = policy.hash == ike::HashAlgorithm::Sha256 ||
                               policy.hash == ike::HashAlgorithm::Sha384 ||
                               policy.hash == ike::HashAlgorithm::Sha512;
        // RFC 4754 3: the hash chooses the curve.
        if (policy.authentication == AuthenticationMethod::EcdsaSig && !has_curve)
            add(Severity::Error,
                origin,
                what + " authenticates by ecdsa-sig with a hash that belongs to no curve",
                "write hash sha256 for keys on P-256, sha384 for P-384, sha512 for P-521");
    }

    void check_trustpoints() {
        for (const auto& [name, trustpoint] : config_.trustpoints) {
            const std::string origin = "trustpoint " + name;
            const std::string what = "crypto pki trustpoint " + name;
            if (trustpoint.certificate_file.empty() != trustpoint.key_file.empty())
                add(Severity::Error,
                    origin,
                    what + " has " +
                        (trustpoint.key_file.empty() ? "a certificate-file and no key-file"
                                                     : "a key-file and no certificate-file"),
                    "write both");
            if (trustpoint.check_revocation && !trustpoint.ca_file.empty() &&
                trustpoint.crl_file.empty())
                add(Severity::Error,
                    origin,
                    what + " checks revocation and has no crl-file: every peer would be refused",
                    "write crl-file, or revocation-check none");
        }
    }

    /// Peers may prove themselves by signature. A policy for it that somebody wrote is complained
    /// of when there are no certificates, a built-in one is only for who has them.
    [[nodiscard]] bool takes_signatures() const {
        const bool meant =
            !has_default_isakmp_policies(config_) || (has_certificate() && has_authority());
        const IsakmpPolicies& policies = isakmp_policies_in_force(config_);
        return meant && std::any_of(policies.begin(), policies.end(), [](const auto& policy) {
                   return policy.second.authentication != AuthenticationMethod::PreShare;
               });
    }

    // --- who is who

    void check_profiles() {
        for (const auto& [name, profile] : config_.isakmp_profiles) {
            const std::string origin = "isakmp profile " + name;
            const std::string what = "crypto isakmp profile " + name;
            if (profile.access != ClientAccess{})
                check_access(what, origin + " client", "", profile.access);
            if (profile.matches.empty())
                add(Severity::Warning,
                    origin,
                    what + " matches nobody",
                    "write match identity below it");
            for (const std::string& keyring : profile.keyrings)
                if (!config_.keyrings.contains(keyring))
                    add(Severity::Error,
                        origin + " keyring " + keyring,
                        what + ": there is no keyring " + keyring,
                        "write crypto keyring " + keyring);
        }
        for (const auto& [address, peer] : config_.isakmp_peers)
            if (peer.key == nullptr)
                add(Severity::Warning,
                    "isakmp peer " + to_string(address),
                    "crypto isakmp peer " + to_string(address) + " has no password and no effect",
                    "write set aggressive-mode password");
    }

    /// CVE-2018-5389: whoever asks, or listens, can try out keys at leisure.
    void check_aggressive_mode() {
        if (config_.aggressive_mode == ike::AggressiveMode::Disabled)
            return;
        const auto warn = [&](const std::string& origin, const std::string& what) {
            add(Severity::Warning,
                origin,
                what + " has aggressive mode answered with pre-shared keys: its messages let "
                       "anyone try out keys offline (CVE-2018-5389)",
                "use certificates, or a random key of at least 20 characters");
        };
        if (config_.aggressive_mode == ike::AggressiveMode::Enabled)
            warn("isakmp aggressive-mode", "crypto isakmp aggressive-mode enable");
        for_each_key([&](const IsakmpKey& key) {
            if (has_name(key))
                warn("key " + key.hostname, "the key for the name " + key.hostname);
        });
        for (const auto& [name, group] : config_.client_groups)
            if (group.key != nullptr)
                warn("client group " + name, "crypto isakmp client configuration group " + name);
        for (const auto& [address, peer] : config_.isakmp_peers)
            if (peer.key != nullptr)
                warn("isakmp peer " + to_string(address),
                     "crypto isakmp peer " + to_string(address));
    }

    static bool has_name(const IsakmpKey& key) { return !key.hostname.empty(); }

    static void add_keys(const std::vector<IsakmpKey>& keys, PrefixSet& to) {
        for (const IsakmpKey& key : keys)
            if (!has_name(key))
                to.add(key.address);
    }

    /// Of the global keyring and of all others.
    template <class Visit> void for_each_key(const Visit& visit) const {
        std::for_each(config_.isakmp_keys.begin(), config_.isakmp_keys.end(), visit);
        for (const auto& [name, keyring] : config_.keyrings)
            std::for_each(keyring.keys.begin(), keyring.keys.end(), visit);
    }

    template <class Predicate> [[nodiscard]] bool any_key(const Predicate& holds) const {
        bool any = false;
        for_each_key([&](const IsakmpKey& key) { any = any || holds(key); });
        return any;
    }

    /// Looked up as the engine does: the keyrings of the entry's profile, else all there are.
    [[nodiscard]] bool has_key(const IpsecProfile& entry, Ipv4Address peer) const {
        const auto aggressive = config_.isakmp_peers.find(peer);
        if (aggressive != config_.isakmp_peers.end() && aggressive->second.key != nullptr)
            return true;
        const auto profile = config_.isakmp_profiles.find(entry.isakmp_profile);
        const bool chosen =
            profile != config_.isakmp_profiles.end() && !profile->second.keyrings.empty();
        if (!chosen && global_keys_.covers(peer))
            return true;
        return std::any_of(
            config_.keyrings.begin(), config_.keyrings.end(), [&](const auto& keyring) {
                const bool meant = !chosen || std::count(profile->second.keyrings.begin(),
                                                         profile->second.keyrings.end(),
                                                         keyring.first) != 0;
                return meant && keyring_keys_.at(keyring.first).covers(peer);
            });
    }

    /// A key for a network of peers, or for whoever calls itself so: a named one has no address.
    static bool serves_strangers(const IsakmpKey& key) {
        constexpr std::uint8_t kOnePeer = 32;
        return key.address.length < kOnePeer;
    }

    /// Could a peer of an address that nothing names prove itself?
    [[nodiscard]] bool may_know_strangers() const {
        return any_key(serves_strangers) || takes_signatures();
    }

    // --- crypto maps -----------------------------------------------------------------------------

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

    /// `networks`: more than what the two gateways say to each other is protected.
    void check_terms(const IpsecProfile& entry, bool networks) {
        check_transform_sets(entry, networks);
        if (!entry.isakmp_profile.empty() &&
            !config_.isakmp_profiles.contains(entry.isakmp_profile))
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
            if (entry.peers.empty() && !may_know_strangers())
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

    void check_peer(const IpsecProfile& entry, Ipv4Address peer, const std::string& origin) {
        const std::string subject = what_ + ": peer " + to_string(peer);
        if (is_own(peer))
            add(severity_, origin, subject + " is our own address");
        else if (!is_routed(peer))
            add(Severity::Warning, origin, subject + " is on no route", "write ip route");
        if (!has_key(entry, peer) && !takes_signatures())
            // It may come by a name that has a key, in aggressive mode.
            add(any_key(has_name) ? Severity::Warning : severity_,
                origin,
                subject + " has no pre-shared key",
                "write crypto isakmp key ... address " + to_string(peer));
    }

    // --- tunnel interfaces -----------------------------------------------------------------------

    void check_tunnels() {
        std::map<std::pair<Ipv4Address, Ipv4Address>, std::string> known; // by both ends
        for (const auto& [name, tunnel] : config_.interfaces) {
            if (!is_tunnel(name))
                continue;
            what_ = name;
            // What is shut down may be in the making.
            severity_ = tunnel.shutdown ? Severity::Warning : Severity::Error;
            check_tunnel(name, tunnel);
            const Result<TunnelEnds> ends = tunnel_ends(config_, tunnel);
            if (tunnel.shutdown || !ends)
                continue;
            const auto [other, fresh] = known.try_emplace({ends->local, ends->remote}, name);
            if (!fresh)
                add(Severity::Error,
                    "interface " + name + " tunnel",
                    name + " has source and destination of " + other->second +
                        ": nothing tells their packets apart",
                    "give one of them another destination");
        }
    }

    void check_tunnel(const std::string& name, const Interface& tunnel) {
        const std::string origin = "interface " + name + " tunnel";
        if (const Result<TunnelEnds> ends = tunnel_ends(config_, tunnel); !ends)
            add(severity_,
                config_origin(origin, name),
                name + " stays down: " + ends.error().text,
                tunnel_remedy(tunnel.tunnel));
        const auto profile = config_.ipsec_profiles.find(tunnel.tunnel.profile);
        if (profile != config_.ipsec_profiles.end() && tunnel.tunnel.destination)
            check_peer(profile->second, *tunnel.tunnel.destination, origin);
        if (tunnel.tunnel.destination && leads_into_tunnel(*tunnel.tunnel.destination))
            add(Severity::Warning,
                origin,
                name + ": the route to its peer " + to_string(*tunnel.tunnel.destination) +
                    " leads into a tunnel, where nothing that carries one is let in",
                "write ip route " + to_string(*tunnel.tunnel.destination) +
                    " 255.255.255.255 by the source interface");
        if (!tunnel.unnumbered.empty() && !address_of(config_, tunnel))
            add(severity_,
                "interface " + name + " address",
                name + ": " + tunnel.unnumbered + " has no address to lend",
                "write ip address below it");
    }

    [[nodiscard]] bool is_tunnel_network(Ipv4Address address) const {
        return tunnel_networks_.covers(address);
    }

    /// By the longest route; networks we are connected to come before it.
    [[nodiscard]] bool leads_into_tunnel(Ipv4Address peer) const {
        if (is_connected(peer))
            return is_tunnel_network(peer);
        for (int length = 32; length >= 0; --length) {
            const auto bits = static_cast<std::uint8_t>(length);
            const auto found =
                best_route_.find({Ipv4Address{peer.value & mask_of_length(bits)}, bits});
            if (found == best_route_.end())
                continue;
            const StaticRoute& route = *found->second;
            return is_tunnel(route.interface) ||
                   (route.interface.empty() && is_tunnel_network(*route.next_hop));
        }
        return false;
    }

    [[nodiscard]] std::string config_origin(const std::string& exact,
                                            const std::string& name) const {
        return origins_.contains(exact) ? exact : "interface " + name;
    }

    /// What to write when a line is missing.
    [[nodiscard]] std::string tunnel_remedy(const TunnelSettings& tunnel) const {
        if (!tunnel.ipsec)
            return "write tunnel mode ipsec ipv4";
        if (tunnel.source_interface.empty() && !tunnel.source)
            return "write tunnel source";
        if (!tunnel.destination)
            return "write tunnel destination";
        if (tunnel.profile.empty())
            return "write tunnel protection ipsec profile";
        return config_.ipsec_profiles.contains(tunnel.profile)
                   ? ""
                   : "write crypto ipsec profile " + tunnel.profile;
    }

    void check_ipsec_profile(const std::string& name, const IpsecProfile& profile) {
        const bool used = std::ranges::any_of(config_.interfaces, [&](const auto& interface) {
            return !interface.second.shutdown && interface.second.tunnel.profile == name;
        });
        severity_ = used ? Severity::Error : Severity::Warning;
        what_ = "crypto ipsec profile " + name;
        check_terms(profile, true);
    }

    /// Whether a line is about more than one host at each end.
    bool protects_networks(const CryptoMapEntry& entry) const {
        const auto list = config_.access_lists.find(entry.match_address);
        return list != config_.access_lists.end() &&
               std::ranges::any_of(list->second.lines, [](const AclLine& line) {
                   return line.remark.empty() && line.permit &&
                          (line.source.wildcard.value | line.destination.wildcard.value) != 0;
               });
    }

    void check_transform_sets(const IpsecProfile& entry, bool networks) {
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

    // --- remote access ---------------------------------------------------------------------------

    void check_map_access(const std::string& map, const ClientAccess& access) {
        const std::string what = "crypto map " + map;
        if (!config_.crypto_maps.contains(map))
            add(Severity::Error, what + " client", "there is no " + what);
        check_access(what, what + " client", what, access);
    }

    /// `what` is let in so; `before` stands in front of the lines to write.
    void check_access(const std::string& what,
                      const std::string& origin,
                      const std::string& before,
                      const ClientAccess& access) {
        const std::string line = before.empty() ? "write " : "write " + before + " ";
        if (!config_.aaa_new_model)
            add(Severity::Warning,
                origin,
                what + " names lists, and aaa new-model is not written",
                "write aaa new-model");
        const std::string& login = access.authentication_list;
        if (!login.empty() && !config_.login_lists.contains(login))
            add(Severity::Error,
                origin,
                what + ": there is no login list " + login + " of local users; nobody gets in",
                "write aaa authentication login " + login + " local");
        if (!login.empty() && config_.users.empty())
            add(Severity::Warning,
                origin,
                what + " asks clients for a user name, and there are no users",
                "write username NAME secret 0 PASSWORD");
        const std::string& network = access.authorization_list;
        if (!network.empty() && !config_.network_lists.contains(network))
            add(Severity::Error,
                origin,
                what + ": there is no network list " + network + " of local groups",
                "write aaa authorization network " + network + " local");
        if ((access.respond || access.initiate) && network.empty())
            add(Severity::Error,
                origin,
                what + " gives addresses and does not say where groups are known",
                line + "isakmp authorization list");
        if (!access.group.empty() && !config_.client_groups.contains(access.group))
            add(Severity::Error,
                origin,
                what + ": there is no client group " + access.group,
                "write crypto isakmp client configuration group " + access.group);
        if (login.empty())
            add(Severity::Warning,
                origin,
                "clients of " + what + " are let in by what proves them in phase 1 alone",
                line + "client authentication list");
    }

    void check_group(const std::string& name, const ClientGroup& group) {
        const std::string origin = "client group " + name;
        const std::string what = "client group " + name;
        if (group.pool.empty())
            add(Severity::Warning, origin, what + " has no pool: its clients get no address");
        else if (!config_.pools.contains(group.pool))
            add(Severity::Error,
                origin + " pool",
                what + ": there is no pool " + group.pool,
                "write ip local pool " + group.pool);
        if (group.acl.empty())
            return;
        const auto list = config_.access_lists.find(group.acl);
        if (list == config_.access_lists.end())
            return add(Severity::Error,
                       origin + " acl",
                       what + ": there is no access list " + group.acl,
                       "write ip access-list extended " + group.acl);
        for (const AclLine& line : list->second.lines)
            if (line.remark.empty() && (!line.permit || !is_subnet(line.source)))
                add(Severity::Error,
                    "access-list " + group.acl + ' ' + std::to_string(line.sequence),
                    what + ": line " + std::to_string(line.sequence) + " of access list " +
                        group.acl + " is not a permitted subnet, which is all a client takes");
    }

    const Config& config_;
    const Origins& origins_;
    std::set<Ipv4Address> own_;
    PrefixSet connected_, tunnel_networks_, routed_, global_keys_;
    std::map<Ipv4Prefix, const StaticRoute*> best_route_;
    std::map<std::string, PrefixSet> keyring_keys_;
    std::vector<Problem> problems_;
    std::set<std::string> checked_; // lists may serve several entries

    // Of the entry in hand.
    Severity severity_{Severity::Error};
    std::string what_;
};

} // namespace

bool is_subnet(const AclAddress& term) {
    return (term.wildcard.value & (term.wildcard.value + 1)) == 0;
}

std::vector<Problem> check(const Config& config, const Origins& origins) {
    return Checker{config, origins}.run();
}

} // namespace adit::config
