// SPDX-License-Identifier: Apache-2.0
// Policies that peers brought along, of dynamic crypto map entries or for part of a static entry's
// line: their numbers, and their rows in the dataplane's policy table.
//
// A number is free again when nobody can act on it any more: the engine has given it up, the
// dataplane has acknowledged that the row is gone, and no SA of it is left in a worker.
//
// Threading: control's loop.
#pragma once

#include "control/ike/interface.h"
#include "control/provision.h"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace adit {

class RuntimePolicies final : public ike::PolicyAllocator {
  public:
    /// Whether the dataplane still has an SA of the policy; and a number is about to be free.
    struct Watch {
        std::function<bool(PolicyId)> has_sas;
        std::function<void(PolicyId)> freed;
    };

    RuntimePolicies(PolicyNumbers& numbers, Watch watch)
        : numbers_(numbers), watch_(std::move(watch)) {}

    std::optional<PolicyId> allocate() override;
    void release(PolicyId policy) override;

    /// The row for the dataplane; nothing when the configuration no longer has the entry.
    std::optional<ipc::SetPolicy> add(const ike::AddPolicyAction& action,
                                      const Provision& provision);

    /// Which routes of a policy go and which come.
    struct RouteChange {
        std::vector<ipc::SetRoute> gone;
        std::vector<ipc::SetRoute> fresh;
    };

    /// Its SA leads to this peer now: what reverse-route makes of that.
    RouteChange lead_to(PolicyId policy, Ipv4Address peer, const Provision& provision);
    /// The routes to remove along with the policy.
    std::vector<ipc::SetRoute> take_routes(PolicyId policy);

    /// Whether the dataplane has to be told; then acknowledged() follows.
    bool remove(PolicyId policy);
    void acknowledged(PolicyId policy);

    /// The dataplane did not take the row.
    void refused(PolicyId policy);

    /// All rows for a publication of tables as a whole; and behind them, all routes.
    std::vector<ipc::SetPolicy> rows(const Provision& provision);
    std::vector<ipc::SetRoute> routes(const Provision& provision);

    /// The dataplane is another one: it has no row of ours.
    void start_over();
    /// The same dataplane has lost its control and has us again: rows() will contain all rows.
    void reattached();

    [[nodiscard]] std::size_t size() const { return policies_.size(); }

  private:
    struct Policy {
        std::string connection;
        TrafficSelector selector;
        bool in_dataplane{false};
        std::optional<Ipv4Address> peer; // whom its SA leads to
        std::vector<ipc::SetRoute> routes{};
    };

    void free_gone();

    PolicyNumbers& numbers_;
    Watch watch_;
    std::map<PolicyId, Policy> policies_;
    std::set<PolicyId> leaving_; // removal not yet acknowledged
    std::deque<PolicyId> gone_;  // acknowledged; an SA may be left in a worker
};

} // namespace adit
