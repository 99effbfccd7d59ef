// SPDX-License-Identifier: Apache-2.0
#include "control/tunnel_keeper.h"

#include <algorithm>
#include <utility>

namespace adit {

void TunnelKeeper::fall_due(PolicyId policy, Tunnel& tunnel, Instant when) {
    rest(policy, tunnel);
    tunnel.due = when;
    waiting_.emplace(when, policy);
}

void TunnelKeeper::rest(PolicyId policy, Tunnel& tunnel) {
    if (tunnel.due)
        waiting_.erase({*tunnel.due, policy});
    tunnel.due.reset();
}

TunnelKeeper::Change TunnelKeeper::go_down(PolicyId policy, Tunnel& tunnel, Instant now) {
    if (now - tunnel.up_since >= kLasting)
        tunnel.wait = kShortestWait;
    fall_due(policy, tunnel, now + tunnel.wait);
    return {tunnel.interface, policy, false};
}

std::vector<TunnelKeeper::Change>
TunnelKeeper::configure(const std::map<std::string, TunnelPlan>& plans, Instant now) {
    std::vector<Change> gone;
    for (auto known = tunnels_.begin(); known != tunnels_.end();) {
        auto& [policy, tunnel] = *known;
        const auto plan = plans.find(tunnel.interface);
        if (plan != plans.end() && plan->second.policy() == policy) {
            ++known;
            continue;
        }
        rest(policy, tunnel);
        for (const SaId sa : tunnel.sas)
            policy_of_.erase(sa.value);
        if (!tunnel.sas.empty())
            gone.push_back({tunnel.interface, policy, false});
        known = tunnels_.erase(known);
    }
    for (const auto& [name, plan] : plans) {
        Tunnel& tunnel = tunnels_[plan.policy()];
        const bool moved = tunnel.local != plan.local || tunnel.remote != plan.remote;
        tunnel.interface = name;
        tunnel.local = plan.local;
        tunnel.remote = plan.remote;
        if (!moved)
            continue;
        tunnel.wait = kShortestWait;
        tunnel.attempts = 0;
        // One that is up falls due when the engine has removed the SAs with its former peer.
        if (tunnel.sas.empty())
            fall_due(plan.policy(), tunnel, now);
    }
    return gone;
}

std::vector<TunnelKeeper::Change> TunnelKeeper::start_over(Instant now) {
    std::vector<Change> down;
    policy_of_.clear();
    for (auto& [policy, tunnel] : tunnels_) {
        if (!tunnel.sas.empty())
            down.push_back({tunnel.interface, policy, false});
        tunnel.sas.clear();
        tunnel.wait = kShortestWait;
        fall_due(policy, tunnel, now);
    }
    return down;
}

void TunnelKeeper::expect(SaId sa, PolicyId policy) {
    if (tunnels_.contains(policy))
        policy_of_[sa.value] = policy;
}

std::optional<TunnelKeeper::Change> TunnelKeeper::installed(SaId sa, Instant now) {
    const auto known = policy_of_.find(sa.value);
    const auto found = known == policy_of_.end() ? tunnels_.end() : tunnels_.find(known->second);
    if (found == tunnels_.end())
        return std::nullopt;
    auto& [policy, tunnel] = *found;
    const bool was_down = tunnel.sas.empty();
    tunnel.sas.insert(sa);
    rest(policy, tunnel);
    if (!was_down)
        return std::nullopt;
    tunnel.up_since = now;
    tunnel.attempts = 0;
    return Change{tunnel.interface, policy, true};
}

std::optional<TunnelKeeper::Change> TunnelKeeper::removed(SaId sa, Instant now) {
    const auto known = policy_of_.extract(sa.value);
    const auto found = known.empty() ? tunnels_.end() : tunnels_.find(known.mapped());
    if (found == tunnels_.end() || found->second.sas.erase(sa) == 0 || !found->second.sas.empty())
        return std::nullopt;
    return go_down(found->first, found->second, now);
}

std::vector<std::pair<std::string, PolicyId>> TunnelKeeper::due(Instant now) {
    std::vector<std::pair<std::string, PolicyId>> tried;
    while (tried.size() < kMaxAtOnce && !waiting_.empty() && waiting_.begin()->first <= now) {
        const PolicyId policy = waiting_.begin()->second;
        Tunnel& tunnel = tunnels_.at(policy);
        tried.emplace_back(tunnel.interface, policy);
        ++tunnel.attempts;
        fall_due(policy, tunnel, now + tunnel.wait);
        tunnel.wait = std::min(2 * tunnel.wait, kLongestWait);
    }
    return tried;
}

std::optional<Instant> TunnelKeeper::next_due() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->first};
}

bool TunnelKeeper::is_up(PolicyId policy) const {
    const auto found = tunnels_.find(policy);
    return found != tunnels_.end() && !found->second.sas.empty();
}

std::uint32_t TunnelKeeper::attempts(PolicyId policy) const {
    const auto found = tunnels_.find(policy);
    return found == tunnels_.end() ? 0 : found->second.attempts;
}

} // namespace adit
