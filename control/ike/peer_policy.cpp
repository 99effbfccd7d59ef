// SPDX-License-Identifier: Apache-2.0
#include "control/ike/peer_policy.h"

#include "control/ike/proposal.h"

#include <algorithm>
#include <cctype>

namespace adit::ike {

namespace {

/// DNS names compare without case (RFC 4343); so do the domains of user names.
bool same_name(const std::string& left, const std::string& right) {
    return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    });
}

bool ends_in(const std::string& name, char separator, const std::string& domain) {
    return name.size() > domain.size() + 1 && name[name.size() - domain.size() - 1] == separator &&
           same_name(name.substr(name.size() - domain.size()), domain);
}

/// The name in an identity that has one as text; a key id is whatever its owner typed.
std::string name_in(const Identity& identity) {
    switch (identity.type) {
    case IdType::Fqdn:
    case IdType::UserFqdn:
    case IdType::KeyId:
        return {identity.data.begin(), identity.data.end()};
    default:
        return {};
    }
}

bool is_under_name(const PresharedKey& key, const Identity& peer) {
    return !key.name.empty() && same_name(key.name, name_in(peer));
}

const PresharedKey* longest(const Keyring& keys, Ipv4Address peer) {
    const auto position = keys.index().longest(peer);
    return position ? &keys[*position] : nullptr;
}

/// All keyrings, the global one first.
template <class Visit> void for_each_keyring(const EngineConfig& config, const Visit& visit) {
    visit(config.keys);
    for (const IsakmpProfile& profile : config.profiles)
        visit(profile.keys);
}

const AggressivePeer* find_aggressive_peer(const EngineConfig& config, Ipv4Address peer) {
    const auto found = std::ranges::find(config.aggressive_peers, peer, &AggressivePeer::address);
    return found == config.aggressive_peers.end() ? nullptr : &*found;
}

bool is_matched(const IsakmpProfile& profile, const Identity& peer) {
    return std::ranges::any_of(profile.matches,
                               [&](const IdentityMatch& match) { return matches(match, peer); });
}

/// A key held for this peer: under its name, or by the longest prefix.
bool holds(const Keyring& keys,
           const Identity& peer,
           Ipv4Address address,
           const SecretBuffer& key) {
    const PresharedKey* by_address = longest(keys, address);
    if (by_address != nullptr && *by_address->key == key)
        return true;
    return std::ranges::any_of(keys, [&](const PresharedKey& each) {
        return is_under_name(each, peer) && *each.key == key;
    });
}

/// A name that only aggressive mode can carry in time for choosing a key.
bool is_by_name(const IdentityMatch& match) {
    return match.kind != IdentityMatch::Kind::Address && match.kind != IdentityMatch::Kind::Any;
}

bool serves_by_name(const IsakmpProfile& profile) {
    return !profile.keys.empty() &&
           (profile.initiate_aggressive || std::ranges::any_of(profile.matches, is_by_name));
}

bool has_name(const PresharedKey& key) {
    return !key.name.empty();
}

bool names_anybody(const EngineConfig& config) {
    bool named =
        !config.aggressive_peers.empty() || std::ranges::any_of(config.profiles, serves_by_name);
    for_each_keyring(
        config, [&](const auto& keys) { named = named || std::ranges::any_of(keys, has_name); });
    return named;
}

/// For a policy of signatures: something to sign with, and somebody to judge the peer's.
bool has_certificate(const EngineConfig& config, const Phase1Policy& policy) {
    const auto scheme = scheme_of(method_of(policy));
    return scheme && config.credentials.judge != nullptr &&
           choose_own(config.credentials, *scheme, {}) != nullptr;
}

} // namespace

const IsakmpProfile* find_profile(const EngineConfig& config, const std::string& name) {
    const auto found = std::ranges::find(config.profiles, name, &IsakmpProfile::name);
    return found == config.profiles.end() ? nullptr : &*found;
}

SharedKey
key_for_address(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer) {
    if (const AggressivePeer* aggressive = find_aggressive_peer(config, peer))
        return aggressive->key;
    const PresharedKey* best = nullptr;
    const auto consider = [&](const Keyring& keys) {
        const PresharedKey* found = longest(keys, peer);
        if (found != nullptr && (best == nullptr || found->peer.length > best->peer.length))
            best = found;
    };
    if (profile != nullptr)
        consider(profile->keys);
    else
        for_each_keyring(config, consider);
    return best == nullptr ? nullptr : best->key;
}

SharedKey key_for_identity(const EngineConfig& config, const Identity& peer, Ipv4Address address) {
    SharedKey named;
    for_each_keyring(config, [&](const Keyring& keys) {
        for (const PresharedKey& key : keys)
            if (named == nullptr && is_under_name(key, peer))
                named = key.key;
    });
    if (named != nullptr)
        return named;
    for (const IsakmpProfile& profile : config.profiles)
        if (is_matched(profile, peer))
            if (SharedKey key = key_for_address(config, &profile, address))
                return key;
    return key_for_address(config, nullptr, address);
}

bool is_key_of_name(const EngineConfig& config, const Identity& peer, const SecretBuffer& key) {
    bool found = false;
    for_each_keyring(config, [&](const Keyring& keys) {
        found = found || std::ranges::any_of(keys, [&](const PresharedKey& each) {
                    return is_under_name(each, peer) && *each.key == key;
                });
    });
    return found;
}

std::vector<Phase1Policy>
provable_policies(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer) {
    const bool has_key = key_for_address(config, profile, peer) != nullptr;
    std::vector<Phase1Policy> policies;
    for (const Phase1Policy& policy : config.phase1)
        if (is_by_key(policy) ? has_key : has_certificate(config, policy))
            policies.push_back(policy);
    return policies;
}

bool is_by_key(const Phase1Policy& policy) {
    return policy.authentication == Authentication::PreSharedKey;
}

bool matches(const IdentityMatch& wanted, const Identity& peer) {
    using Kind = IdentityMatch::Kind;
    switch (wanted.kind) {
    case Kind::Address: {
        const auto address = address_of(peer);
        return address && wanted.address.contains(*address);
    }
    case Kind::Host:
        return peer.type == IdType::Fqdn && same_name(name_in(peer), wanted.text);
    case Kind::HostDomain:
        return peer.type == IdType::Fqdn && ends_in(name_in(peer), '.', wanted.text);
    case Kind::User:
        return peer.type == IdType::UserFqdn && same_name(name_in(peer), wanted.text);
    case Kind::UserDomain:
        return peer.type == IdType::UserFqdn && ends_in(name_in(peer), '@', wanted.text);
    case Kind::Group:
        return peer.type == IdType::KeyId && name_in(peer) == wanted.text;
    case Kind::Any:
        return true;
    }
    return false;
}

std::expected<const IsakmpProfile*, std::string> choose_profile(const EngineConfig& config,
                                                                const Identity& peer,
                                                                Ipv4Address address,
                                                                const SecretBuffer* key) {
    const IsakmpProfile* other_key = nullptr;
    for (const IsakmpProfile& profile : config.profiles) {
        if (!is_matched(profile, peer))
            continue;
        if (key == nullptr || holds(profile.keys, peer, address, *key))
            return &profile;
        other_key = &profile;
    }
    if (other_key != nullptr)
        return std::unexpected("profile " + other_key->name + " matches " + to_string(peer) +
                               " but its keyring holds another key for " + to_string(address));
    const AggressivePeer* aggressive = find_aggressive_peer(config, address);
    const bool aggressive_key = aggressive != nullptr && key != nullptr && *aggressive->key == *key;
    if (key == nullptr || aggressive_key || holds(config.keys, peer, address, *key))
        return nullptr;
    return std::unexpected("the key is of a profile's keyring and no profile matches " +
                           to_string(peer));
}

bool initiates_aggressive(const EngineConfig& config,
                          const IsakmpProfile* profile,
                          Ipv4Address peer) {
    if (config.aggressive == AggressiveMode::Disabled)
        return false;
    return (profile != nullptr && profile->initiate_aggressive) ||
           find_aggressive_peer(config, peer) != nullptr;
}

std::vector<Phase1Policy>
aggressive_offer(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer) {
    const bool by_key = find_aggressive_peer(config, peer) != nullptr; // it has a password
    std::vector<Phase1Policy> offer;
    for (const Phase1Policy& policy : provable_policies(config, profile, peer))
        if ((!by_key || is_by_key(policy)) &&
            (offer.empty() || (policy.group == offer.front().group &&
                               method_of(policy) == method_of(offer.front()))))
            offer.push_back(policy);
    return offer;
}

std::vector<Phase1Policy> aggressive_policies(const EngineConfig& config) {
    if (config.aggressive == AggressiveMode::Disabled)
        return {};
    const bool enabled = config.aggressive == AggressiveMode::Enabled;
    const bool with_keys = enabled || names_anybody(config);
    std::vector<Phase1Policy> policies;
    for (const Phase1Policy& policy : config.phase1)
        if (is_by_key(policy) ? with_keys : enabled && has_certificate(config, policy))
            policies.push_back(policy);
    return policies;
}

bool may_be_aggressive(const EngineConfig& config, const Identity& peer, Ipv4Address address) {
    if (config.aggressive == AggressiveMode::Disabled)
        return false;
    if (config.aggressive == AggressiveMode::Enabled ||
        find_aggressive_peer(config, address) != nullptr)
        return key_for_identity(config, peer, address) != nullptr;
    bool named = false;
    for_each_keyring(config, [&](const Keyring& keys) {
        named = named || std::ranges::any_of(keys, [&](const PresharedKey& key) {
                    return is_under_name(key, peer);
                });
    });
    return named || std::ranges::any_of(config.profiles, [&](const IsakmpProfile& profile) {
               return serves_by_name(profile) && is_matched(profile, peer) &&
                      longest(profile.keys, address) != nullptr;
           });
}

const SelfIdentity&
own_self(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer) {
    if (const AggressivePeer* aggressive = find_aggressive_peer(config, peer))
        return aggressive->self;
    return profile != nullptr && profile->self ? *profile->self : config.self;
}

Identity own_identity(const EngineConfig& config,
                      const IsakmpProfile* profile,
                      Ipv4Address local,
                      Ipv4Address peer) {
    const SelfIdentity& self = own_self(config, profile, peer);
    if (self.type == IdType::Ipv4Address || self.text.empty())
        return identity_of(local);
    return {self.type, 0, 0, to_bytes(as_bytes(self.text))};
}

} // namespace adit::ike
