// SPDX-License-Identifier: Apache-2.0
#include "control/config/check.h"

#include "control/config/check_parts.h"
#include "control/config/isakmp_policies.h"

namespace adit::config {

void Findings::add(Severity severity,
                   const std::string& origin,
                   std::string message,
                   std::string remedy) {
    const auto line = origins_.find(origin);
    problems_.push_back({.line = line == origins_.end() ? 0 : line->second,
                         .severity = severity,
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
}

// --- facts

namespace {

void add_keys(const std::vector<IsakmpKey>& keys, PrefixSet& to) {
    for (const IsakmpKey& key : keys)
        if (!Facts::has_name(key))
            to.add(key.address);
}

/// A key for a network of peers, or for whoever calls itself so: a named one has no address.
bool serves_strangers(const IsakmpKey& key) {
    constexpr std::uint8_t kOnePeer = 32;
    return key.address.length < kOnePeer;
}

} // namespace

Facts::Facts(const Config& config) : config_(config) {
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

bool Facts::leads_into_tunnel(Ipv4Address peer) const {
    if (is_connected(peer))
        return is_tunnel_network(peer);
    for (int length = 32; length >= 0; --length) {
        const auto bits = static_cast<std::uint8_t>(length);
        const auto found = best_route_.find({Ipv4Address{peer.value & mask_of_length(bits)}, bits});
        if (found == best_route_.end())
            continue;
        const StaticRoute& route = *found->second;
        return is_tunnel(route.interface) ||
               (route.interface.empty() && is_tunnel_network(*route.next_hop));
    }
    return false;
}

bool Facts::has_certificate() const {
    return std::any_of(
        config_.trustpoints.begin(), config_.trustpoints.end(), [](const auto& trustpoint) {
            return !trustpoint.second.certificate_file.empty();
        });
}

bool Facts::has_authority() const {
    return std::any_of(config_.trustpoints.begin(),
                       config_.trustpoints.end(),
                       [](const auto& trustpoint) { return !trustpoint.second.ca_file.empty(); });
}

bool Facts::takes_signatures() const {
    const bool meant =
        !has_default_isakmp_policies(config_) || (has_certificate() && has_authority());
    const IsakmpPolicies& policies = isakmp_policies_in_force(config_);
    return meant && std::any_of(policies.begin(), policies.end(), [](const auto& policy) {
               return policy.second.authentication != AuthenticationMethod::PreShare;
           });
}

bool Facts::has_key(const IpsecProfile& entry, Ipv4Address peer) const {
    const auto aggressive = config_.isakmp_peers.find(peer);
    if (aggressive != config_.isakmp_peers.end() && aggressive->second.key != nullptr)
        return true;
    const auto profile = config_.isakmp_profiles.find(entry.isakmp_profile);
    const bool chosen =
        profile != config_.isakmp_profiles.end() && !profile->second.keyrings.empty();
    if (!chosen && global_keys_.covers(peer))
        return true;
    return std::any_of(config_.keyrings.begin(), config_.keyrings.end(), [&](const auto& keyring) {
        const bool meant = !chosen || std::count(profile->second.keyrings.begin(),
                                                 profile->second.keyrings.end(),
                                                 keyring.first) != 0;
        return meant && keyring_keys_.at(keyring.first).covers(peer);
    });
}

bool Facts::may_know_strangers() const {
    return any_key(serves_strangers) || takes_signatures();
}

Ipv4Prefix network(const Interface& interface) {
    return {Ipv4Address{interface.address->value & mask_of_length(interface.prefix_length)},
            interface.prefix_length};
}

bool is_subnet(const AclAddress& term) {
    return (term.wildcard.value & (term.wildcard.value + 1)) == 0;
}

std::vector<Problem> check(const Config& config, const Origins& origins) {
    const Facts facts{config};
    Findings findings{origins};
    check_interfaces_and_routes(facts, findings);
    check_phase1(facts, findings);
    check_maps(facts, findings);
    check_tunnels_and_profiles(facts, findings);
    check_remote_access(facts, findings);
    return std::move(findings).take();
}

} // namespace adit::config
