// SPDX-License-Identifier: Apache-2.0
// What the workers look up and control decides: interfaces, tunnels, routes, policies. Control
// sends them as a whole, and afterwards edits of single routes and policies; TableBuilder validates
// each record and makes a Tables, which is never changed again. A table that was refused or never
// finished leaves the one in use untouched, and so does a batch of edits.
//
// Threading: TableBuilder belongs to the housekeeper; a published Tables is read by every worker.
#pragma once

#include "common/ipc/records.h"
#include "common/ipc/stats.h"
#include "dataplane/policy_table.h"
#include "dataplane/route_table.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

namespace adit::dataplane {

struct Interface {
    bool up{false}; // `no shutdown`
    std::uint8_t prefix_length{};
    std::uint32_t address{}; // 0: none
    std::uint32_t ip_mtu{};

    [[nodiscard]] bool carries_ip() const { return up && address != 0; }

    [[nodiscard]] bool on_link(std::uint32_t other) const {
        return address != 0 && ((other ^ address) & mask_of_length(prefix_length)) == 0;
    }
};

/// Where every tunnel lies, for routes and packets: behind the ports. It has no address, no policy
/// table and is never up, so that nothing leaves by it but through its tunnel.
inline constexpr std::uint16_t kTunnelInterface = ipc::kMaxPorts;

using Interfaces = std::array<Interface, ipc::kMaxPorts + 1>;

/// What routes lead into is protected by one policy. A packet on its way into a tunnel has
/// kTunnelInterface as its way out and the tunnel's place as its next hop.
struct Tunnel {
    std::uint32_t policy{};
    std::uint32_t address{}; // of ICMP errors about what came out of an SA; 0: none
    std::uint32_t ip_mtu{};
    std::uint16_t tcp_mss{}; // 0: segments are left alone
    std::uint16_t link{};    // whose MTU the sealed packet must fit
    std::uint8_t prefix_length{};
    bool up{false};

    friend bool operator==(const Tunnel&, const Tunnel&) = default;
};

struct Tables {
    Interfaces interfaces{};
    std::array<PolicyTable, ipc::kMaxPorts + 1> policies{};
    RouteTable routes;
    std::vector<Tunnel> tunnels; // by policy
    bool clamps_segments{false}; // one of the tunnels does
    /// Counts the controls whose tables these are. A worker that sees a new number removes the SAs
    /// of the control before, which nobody rekeys or deletes any more.
    std::uint64_t sa_epoch{0};
    /// Counts publications, from 1. A policy number means the same only under the same version.
    std::uint64_t version{0};

    [[nodiscard]] bool is_own_address(std::uint32_t address) const {
        return routes.is_local(address);
    }

    /// nullptr: the policy is no tunnel's.
    [[nodiscard]] const Tunnel* tunnel_of(std::uint32_t policy) const;
};

/// How a command ended, as its Ack says it.
struct Verdict {
    ipc::AckResult result{ipc::AckResult::Ok};
    std::uint32_t detail{0}; // BadValue: offset of the field in the record

    friend bool operator==(const Verdict&, const Verdict&) = default;
};

class TableBuilder {
  public:
    /// Staged routes; more are answered with NoMemory. One for each of 100,000 tunnels, with room;
    /// at worst, hosts all over the address space, they take 85 MB.
    static constexpr std::size_t kMaxRoutes = 131'072;

    /// `port_mtus`: one a port, octets. Policies are numbered below `max_policies`.
    TableBuilder(std::vector<std::uint32_t> port_mtus, std::uint32_t max_policies);

    Verdict begin();
    Verdict set(const ipc::SetInterface& command);
    Verdict set(const ipc::SetRoute& command);
    Verdict set(const ipc::SetPolicy& command);
    Verdict set(const ipc::SetTunnel& command);

    /// The tables are null when the verdict is not Ok.
    struct Published {
        Verdict verdict;
        std::unique_ptr<Tables> tables;
    };

    /// Ends the staging.
    Published publish();

    // Edits of what was published last; NotStaging when there is none. A record that is refused
    // leaves the batch as it was.
    Verdict add(const ipc::SetPolicy& command);
    Verdict remove(const ipc::RemovePolicy& command);
    Verdict add(const ipc::SetRoute& command);
    Verdict remove(const ipc::SetRoute& command);
    Verdict change(const ipc::SetTunnel& command);

    /// Ends the batch: all of it is taken or, when lines would not stand together, none. What it
    /// does not touch is copied from `current`, the tables published last.
    Published publish_edits(const Tables& current);

    /// What was published belongs to a control that is gone: its successor may not edit it.
    void forget_published();

  private:
    struct StagedRoute {
        Ipv4Prefix prefix;
        std::uint16_t interface; // kNoInterface: where the next hop is connected; kIntoTunnel,
                                 // kToNowhere, kToUs
        std::uint32_t next_hop;

        friend bool operator==(const StagedRoute&, const StagedRoute&) = default;
    };

    using Lines = std::array<std::vector<PolicyLine>, ipc::kMaxPorts>;

    /// Tables as control said them.
    struct Staging {
        Interfaces interfaces{};
        Lines policies{}; // of published tables in order
        std::vector<StagedRoute> routes;
        std::map<std::uint32_t, Tunnel> tunnels; // by policy
        std::vector<bool> policy_used;
    };

    struct Edits {
        Lines added{};
        std::unordered_set<std::uint32_t> removed; // policies that were published
        std::vector<StagedRoute> added_routes;
        std::vector<StagedRoute> removed_routes;
        std::vector<Tunnel> changed_tunnels;

        [[nodiscard]] bool move_routes() const {
            return !added_routes.empty() || !removed_routes.empty() || !changed_tunnels.empty();
        }
    };

    [[nodiscard]] bool is_port(std::uint16_t interface) const {
        return interface < port_mtus_.size();
    }

    static StagedRoute staged(const ipc::SetRoute& command);
    [[nodiscard]] Verdict check(const ipc::SetPolicy& command, const Staging& staging) const;
    [[nodiscard]] Verdict check(const ipc::SetRoute& command) const;
    [[nodiscard]] Verdict check(const ipc::SetTunnel& command) const;
    /// Tunnels, and all routes.
    static void add_ways(const Staging& staging, Tables& to);
    /// The edited lines of the interfaces that the batch touches; nothing when they would not stand
    /// together.
    [[nodiscard]] std::optional<std::vector<std::pair<std::size_t, std::vector<PolicyLine>>>>
    edited_lines() const;
    void take_back_edits();

    std::vector<std::uint32_t> port_mtus_;
    std::uint32_t max_policies_;
    std::optional<Staging> staging_;
    std::optional<Staging> published_;
    Edits edits_;
};

} // namespace adit::dataplane
