// SPDX-License-Identifier: Apache-2.0
// The parts of check(), and what they share. Only check*.cpp include this.
//
// Threading: one check, one thread.
#pragma once

#include "control/config/check.h"
#include "control/config/tunnel.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace adit::config {

using Severity = ProblemSeverity;

class Findings {
  public:
    explicit Findings(const Origins& origins) : origins_(origins) {}

    /// `origin` is what was written where; `remedy` what to write.
    void
    add(Severity severity, const std::string& origin, std::string message, std::string remedy = {});

    /// The line that says it, or else the one that begins what it belongs to.
    [[nodiscard]] std::string origin_of(const std::string& exact, const std::string& whole) const {
        return origins_.contains(exact) ? exact : whole;
    }

    [[nodiscard]] std::vector<Problem> take() && { return std::move(problems_); }

  private:
    const Origins& origins_;
    std::vector<Problem> problems_;
};

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

/// What all parts ask of a configuration.
class Facts {
  public:
    explicit Facts(const Config& config);

    [[nodiscard]] const Config& config() const { return config_; }

    // --- addresses and routes

    [[nodiscard]] bool is_own(Ipv4Address address) const { return own_.contains(address); }

    [[nodiscard]] bool is_connected(Ipv4Address address) const {
        return connected_.covers(address);
    }

    [[nodiscard]] bool is_routed(Ipv4Address address) const {
        return is_connected(address) || routed_.covers(address);
    }

    /// By the longest route; networks we are connected to come before it.
    [[nodiscard]] bool leads_into_tunnel(Ipv4Address peer) const;

    // --- how peers may prove themselves

    [[nodiscard]] bool has_certificate() const;
    [[nodiscard]] bool has_authority() const;
    /// Peers may prove themselves by signature. A policy for it that somebody wrote is complained
    /// of when there are no certificates, a built-in one is only for who has them.
    [[nodiscard]] bool takes_signatures() const;
    /// Looked up as the engine does: the keyrings of the entry's profile, else all there are.
    [[nodiscard]] bool has_key(const IpsecProfile& entry, Ipv4Address peer) const;
    /// Could a peer of an address that nothing names prove itself?
    [[nodiscard]] bool may_know_strangers() const;

    static bool has_name(const IsakmpKey& key) { return !key.hostname.empty(); }

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

  private:
    [[nodiscard]] bool is_tunnel_network(Ipv4Address address) const {
        return tunnel_networks_.covers(address);
    }

    const Config& config_;
    std::set<Ipv4Address> own_;
    PrefixSet connected_, tunnel_networks_, routed_, global_keys_;
    std::map<Ipv4Prefix, const StaticRoute*> best_route_;
    std::map<std::string, PrefixSet> keyring_keys_;
};

/// What a part begins with.
class Part {
  public:
    Part(const Facts& facts, Findings& findings)
        : config_(facts.config()), facts_(facts), findings_(findings) {}

  protected:
    void add(Severity severity,
             const std::string& origin,
             std::string message,
             std::string remedy = {}) {
        findings_.add(severity, origin, std::move(message), std::move(remedy));
    }

    const Config& config_;
    const Facts& facts_;
    Findings& findings_;
};

/// What crypto map entries and tunnels have in common.
class EntryPart : protected Part {
  public:
    using Part::Part;

  protected:
    /// `networks`: more than what the two gateways say to each other is protected.
    void check_terms(const IpsecProfile& entry, bool networks);
    void check_peer(const IpsecProfile& entry, Ipv4Address peer, const std::string& origin);

    // Of the entry in hand.
    Severity severity_{Severity::Error};
    std::string what_;

  private:
    void check_transform_sets(const IpsecProfile& entry, bool networks);
};

[[nodiscard]] Ipv4Prefix network(const Interface& interface);

void check_interfaces_and_routes(const Facts& facts, Findings& findings);
void check_phase1(const Facts& facts, Findings& findings);
void check_maps(const Facts& facts, Findings& findings);
void check_tunnels_and_profiles(const Facts& facts, Findings& findings);
void check_remote_access(const Facts& facts, Findings& findings);

/// `what` lets clients in so; `before` stands in front of the lines to write.
void check_access(const Facts& facts,
                  Findings& findings,
                  const std::string& what,
                  const std::string& origin,
                  const std::string& before,
                  const ClientAccess& access);

} // namespace adit::config
