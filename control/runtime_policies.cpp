// SPDX-License-Identifier: Apache-2.0
#include "control/runtime_policies.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace adit {

std::optional<PolicyId> RuntimePolicies::allocate() {
    free_gone();
    return numbers_.take(watch_.has_sas);
}

void RuntimePolicies::release(PolicyId policy) {
    gone_.push_back(policy); // an inbound SA of it may be left in a worker
}

std::optional<ipc::SetPolicy> RuntimePolicies::add(const ike::AddPolicyAction& action,
                                                   const Provision& provision) {
    Policy& policy =
        policies_.emplace(action.policy, Policy{action.connection, action.selector}).first->second;
    const auto row = runtime_row(provision, action.policy, policy.connection, policy.selector);
    policy.in_dataplane = row.has_value();
    return row;
}

namespace {

bool same(const ipc::SetRoute& left, const ipc::SetRoute& right) {
    return left.prefix == right.prefix && left.prefix_length == right.prefix_length &&
           left.interface == right.interface && left.next_hop == right.next_hop;
}

} // namespace

RuntimePolicies::RouteChange
RuntimePolicies::lead_to(PolicyId policy, Ipv4Address peer, const Provision& provision) {
    const auto found = policies_.find(policy);
    if (found == policies_.end() || !found->second.in_dataplane)
        return {};
    Policy& leading = found->second;
    leading.peer = peer;
    std::vector<ipc::SetRoute> routes =
        reverse_routes(provision, leading.connection, leading.selector, peer);
    if (std::ranges::equal(routes, leading.routes, same))
        return {};
    RouteChange change{std::exchange(leading.routes, routes), {}};
    change.fresh = std::move(routes);
    return change;
}

std::vector<ipc::SetRoute> RuntimePolicies::take_routes(PolicyId policy) {
    const auto found = policies_.find(policy);
    return found == policies_.end() ? std::vector<ipc::SetRoute>{}
                                    : std::exchange(found->second.routes, {});
}

bool RuntimePolicies::remove(PolicyId policy) {
    const auto found = policies_.find(policy);
    if (found == policies_.end())
        return false;
    const bool in_dataplane = found->second.in_dataplane;
    policies_.erase(found);
    if (in_dataplane)
        leaving_.insert(policy);
    else
        gone_.push_back(policy);
    return in_dataplane;
}

void RuntimePolicies::acknowledged(PolicyId policy) {
    if (leaving_.erase(policy) > 0)
        gone_.push_back(policy);
}

void RuntimePolicies::refused(PolicyId policy) {
    if (const auto found = policies_.find(policy); found != policies_.end())
        found->second.in_dataplane = false;
}

std::vector<ipc::SetPolicy> RuntimePolicies::rows(const Provision& provision) {
    std::vector<ipc::SetPolicy> rows;
    for (auto& [number, policy] : policies_) {
        const auto row = policy.in_dataplane
                             ? runtime_row(provision, number, policy.connection, policy.selector)
                             : std::nullopt;
        policy.in_dataplane = row.has_value();
        if (row)
            rows.push_back(*row);
    }
    return rows;
}

std::vector<ipc::SetRoute> RuntimePolicies::routes(const Provision& provision) {
    std::vector<ipc::SetRoute> all;
    for (auto& [number, policy] : policies_) {
        policy.routes.clear();
        if (policy.in_dataplane && policy.peer)
            policy.routes =
                reverse_routes(provision, policy.connection, policy.selector, *policy.peer);
        std::ranges::copy(policy.routes, std::back_inserter(all));
    }
    return all;
}

void RuntimePolicies::start_over() {
    for (auto& [number, policy] : policies_) {
        policy.in_dataplane = false;
        policy.routes.clear();
    }
    reattached();
}

void RuntimePolicies::reattached() {
    for (const PolicyId policy : std::exchange(leaving_, {}))
        gone_.push_back(policy);
}

void RuntimePolicies::free_gone() {
    while (!gone_.empty() && !watch_.has_sas(gone_.front())) {
        watch_.freed(gone_.front());
        numbers_.give_back(gone_.front());
        gone_.pop_front();
    }
}

} // namespace adit
