// SPDX-License-Identifier: Apache-2.0
// From configuration to what runs: the dataplane's tables and the IKE engine's connections. Pure:
// the same configuration and ports give the same result, except that policy numbers stay with the
// ACL line they were given to, so that a reconfiguration does not disturb SAs whose line did not
// change.
//
// Threading: control's loop. Errors: what cannot be provisioned is named in `problems` and left
// out; the rest is provisioned.
#pragma once

#include "common/ipc/records.h"
#include "control/config/model.h"
#include "control/ike/interface.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace adit {

struct PortInfo {
    std::string name;
    InterfaceIndex index;
    std::uint32_t mtu{1500};
};

/// Gives each ACL line its row in the dataplane's policy table and remembers it while the line
/// exists.
class PolicyNumbers {
  public:
    /// The same key gets the same number until forget_others() let go of it.
    PolicyId number(const std::string& key);

    /// Numbers that `kept` does not name may be given to new keys, longest unused first.
    void forget_others(const std::map<PolicyId, std::string>& kept);

  private:
    std::map<std::string, PolicyId> numbers_;
    std::deque<PolicyId> free_;
};

struct Provision {
    std::vector<ipc::SetInterface> interfaces;
    std::vector<ipc::SetRoute> routes;
    std::vector<ipc::SetPolicy> policies;
    std::shared_ptr<const ike::EngineConfig> engine;
    std::map<PolicyId, std::string> connection_of_policy;
    std::vector<std::string> problems; // one line each
};

Provision make_provision(const config::Config& config,
                         const std::vector<PortInfo>& ports,
                         PolicyNumbers& numbers,
                         std::uint64_t generation);

/// What an ACL line protects, seen from here: source is local. Invalid when a wildcard mask has
/// holes, which no proxy identity can express (RFC 2407 4.6.2).
Result<TrafficSelector> selector_of(const config::AclLine& line);

ipc::SelectorRecord to_record(const TrafficSelector& selector);

} // namespace adit
