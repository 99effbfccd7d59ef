// SPDX-License-Identifier: Apache-2.0
#include "control/runtime_policies.h"

#include <utility>

namespace adit {

std::optional<PolicyId> RuntimePolicies::allocate() {
    free_gone();
    return numbers_.take(watch_.has_sas);
}

void RuntimePolicies::release(PolicyId policy) {
    numbers_.give_back(policy);
}

std::optional<ipc::SetPolicy> RuntimePolicies::add(const ike::AddPolicyAction& action,
                                                   const Provision& provision) {
    Policy& policy =
        policies_.emplace(action.policy, Policy{action.connection, action.selector, false})
            .first->second;
    const auto row = runtime_row(provision, action.policy, policy.connection, policy.selector);
    policy.in_dataplane = row.has_value();
    return row;
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

void RuntimePolicies::start_over() {
    for (auto& [number, policy] : policies_)
        policy.in_dataplane = false;
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
