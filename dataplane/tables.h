// SPDX-License-Identifier: Apache-2.0
// What the workers look up and control decides: interfaces, routes, policies. Control sends them as
// a whole; TableBuilder validates each record and makes a Tables, which is never changed again. A
// table that was refused or never finished leaves the one in use untouched.
//
// Threading: TableBuilder belongs to the housekeeper; a published Tables is read by every worker.
#pragma once

#include "common/ipc/records.h"
#include "common/ipc/stats.h"
#include "dataplane/policy_table.h"
#include "dataplane/route_table.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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

struct Tables {
    std::array<Interface, ipc::kMaxPorts> interfaces{};
    std::array<PolicyTable, ipc::kMaxPorts> policies{};
    RouteTable routes;
    /// Counts the controls whose tables these are. A worker that sees a new number removes the SAs
    /// of the control before, which nobody rekeys or deletes any more.
    std::uint64_t sa_epoch{0};
    /// Counts publications, from 1. A policy number means the same only under the same version.
    std::uint64_t version{0};

    [[nodiscard]] bool is_own_address(std::uint32_t address) const {
        return routes.is_local(address);
    }
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

    /// Ends the staging. The tables are null when the verdict is not Ok.
    struct Published {
        Verdict verdict;
        std::unique_ptr<Tables> tables;
    };

    Published publish();

  private:
    struct StagedRoute {
        Ipv4Prefix prefix;
        std::uint16_t interface; // kNoInterface: where the next hop is connected
        std::uint32_t next_hop;
    };

    struct Staging {
        std::array<Interface, ipc::kMaxPorts> interfaces{};
        std::array<std::vector<PolicyLine>, ipc::kMaxPorts> policies{};
        std::vector<StagedRoute> routes;
        std::vector<bool> policy_used;
    };

    [[nodiscard]] bool is_port(std::uint16_t interface) const {
        return interface < port_mtus_.size();
    }

    static void add_routes(const Staging& staging, RouteTable& to);

    std::vector<std::uint32_t> port_mtus_;
    std::uint32_t max_policies_;
    std::optional<Staging> staging_;
};

} // namespace adit::dataplane
