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
#include "control/policy_numbers.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace adit {

struct PortInfo {
    std::string name;
    InterfaceIndex index;
    std::uint32_t mtu{1500};
};

/// Where the policies of a dynamic entry stand, when no line of an access list says it better.
struct EntryPlace {
    InterfaceIndex interface;
    std::uint32_t entry{};
    std::uint32_t order{};
    bool reverse_route{false};
};

/// A tunnel interface that can be used: its row, without kTunnelUp, and its connection's ends. The
/// connection has the interface's name.
struct TunnelPlan {
    ipc::SetTunnel row{};
    std::string carrier;
    Ipv4Address local, remote;

    [[nodiscard]] PolicyId policy() const { return PolicyId{row.policy}; }
};

struct Provision {
    std::vector<ipc::SetInterface> interfaces;
    std::map<std::string, TunnelPlan> tunnels;        // by interface
    std::map<std::string, std::string> tunnel_faults; // of the other tunnels: why they stay down
    std::vector<ipc::SetRoute> routes;                // of one prefix the preferred one last
    std::vector<ipc::SetPolicy> policies;
    std::shared_ptr<const ike::EngineConfig> engine;
    std::map<PolicyId, std::string> connection_of_policy;
    std::map<std::string, EntryPlace> dynamic_entries;     // by connection
    std::unordered_map<PolicyId, std::size_t> row_of_line; // of permit lines: place in `policies`
    std::vector<std::string> problems;                     // one line each
};

Provision make_provision(const config::Config& config,
                         const std::vector<PortInfo>& ports,
                         PolicyNumbers& numbers,
                         std::uint64_t generation,
                         const ike::Credentials& credentials = {});

/// The row of a policy made at run time: just before the access list line that permits it, or at
/// the place of its entry, the narrower before the wider. Nothing when neither is there any more.
std::optional<ipc::SetPolicy> runtime_row(const Provision& provision,
                                          PolicyId policy,
                                          const std::string& connection,
                                          const TrafficSelector& selector);

/// reverse-route: routes to what a peer has claimed, the way that its own address goes. None when
/// the entry makes none, the peer is on no route, or the claim reaches into a network that we are
/// connected to: no peer turns our own hosts' traffic away from them.
std::vector<ipc::SetRoute> reverse_routes(const Provision& provision,
                                          const std::string& connection,
                                          const TrafficSelector& selector,
                                          Ipv4Address peer);

/// What an ACL line protects, seen from here: source is local. Invalid when a wildcard mask has
/// holes, which no proxy identity can express (RFC 2407 4.6.2).
Result<TrafficSelector> selector_of(const config::AclLine& line);

ipc::SelectorRecord to_record(const TrafficSelector& selector);

} // namespace adit
