// SPDX-License-Identifier: Apache-2.0
// Everything that `show` prints, as plain values of one instant. Building a snapshot is app's job,
// printing it is pure: show_*.cpp turn (Snapshot, arguments) into text.
#pragma once

#include "common/clock.h"
#include "common/ipc/stats.h"
#include "control/config/model.h"
#include "control/ike/interface.h"
#include "control/pki/trustpoint_set.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace adit::cli {

/// Counters of one identity (ACL line), across rekeys.
struct FlowCounters {
    std::uint64_t encaps{}, decaps{};
    std::uint64_t encaps_bytes{}, decaps_bytes{};
    std::uint64_t send_errors{}, receive_errors{};
    std::uint64_t matches{}; // packets that hit the policy
    std::uint64_t replay_failed{}, verify_failed{}, invalid_identity{}, invalid_length{},
        no_sa_send{};
};

struct SaCounters {
    std::uint64_t packets{}, bytes{}, sequence{}, errors{};
    std::optional<Instant> last_packet{};
};

struct ChildSa {
    ike::ChildSaView view;
    SaCounters inbound, outbound;
};

/// One permit line of one crypto map entry on one interface, or what a peer of a dynamic entry
/// claimed: a block of `show crypto ipsec sa`.
struct FlowStatus {
    std::string interface;
    std::string map_name;
    std::uint32_t map_sequence{};
    std::string connection;
    std::string acl_name;
    std::string dynamic_map; // "DYN/10" when a peer claimed it by that entry; empty: configured
    ike::Flow flow;
    Ipv4Address local_endpoint;
    Endpoint peer; // current peer; the first configured one while none is up
    FlowCounters counters;
    std::vector<ChildSa> children; // newest last
    std::uint32_t path_mtu{1500}, plaintext_mtu{1500}, ip_mtu{1500};
    std::string mtu_interface; // whose MTU that is; empty: `interface`
};

/// What a tunnel interface has that others have not.
struct TunnelStatus {
    std::optional<Ipv4Address> local, remote;
    std::string carrier; // the interface with the local address
    std::string profile;
    bool protocol_up{false};
    std::string fault; // why it is not
    std::uint32_t transport_mtu{1500};
};

struct InterfaceStatus {
    std::string name;
    std::optional<TunnelStatus> tunnel;
    bool has_port{false}; // the dataplane has such a port
    bool loopback{false}; // an address that is on no link
    bool admin_up{true}, link_up{false};
    std::array<std::uint8_t, 6> mac{};
    std::uint32_t mtu{1500}, ip_mtu{1500};
    std::uint32_t speed_mbps{};
    std::uint64_t in_packets{}, in_bytes{}, in_errors{}, in_missed{}, in_no_buffer{},
        in_broadcasts{};
    std::uint64_t out_packets{}, out_bytes{}, out_errors{};

    /// Routes lead out of it.
    [[nodiscard]] bool protocol_up() const {
        return admin_up && (loopback || (tunnel ? tunnel->protocol_up : has_port && link_up));
    }
};

struct RouteStatus {
    enum class Source : std::uint8_t { Connected, Local, Static } source{};
    Ipv4Prefix prefix;
    std::optional<Ipv4Address> next_hop;
    std::string interface;
    std::uint8_t distance{};
    bool active{true};
};

struct ArpStatus {
    Ipv4Address address;
    std::array<std::uint8_t, 6> mac{};
    std::string interface;
    ipc::NeighborState state{};
    bool ours{false};
    std::uint64_t age_minutes{};
};

struct CoreStatus {
    std::string name; // "worker 0", "housekeeper"
    std::uint64_t packets{}, busy_ns{}, idle_ns{};
    std::array<std::uint64_t, kDropReasonCount> drops{};
};

struct Snapshot {
    Instant now;
    WallTime wall;
    Instant started;
    std::string version; // "0.1.0"
    std::shared_ptr<const config::Config> config;
    std::vector<ike::IsakmpSaView> isakmp;
    std::vector<FlowStatus> flows; // by interface, map, sequence, ACL line
    std::vector<InterfaceStatus> interfaces;
    std::vector<RouteStatus> routes;
    std::vector<ArpStatus> arp;
    std::vector<CoreStatus> cores;
    std::vector<ike::PoolView> pools;
    std::vector<pki::TrustpointStatus> trustpoints;
    ike::EngineCounters ike_counters;
    bool dataplane_attached{false};
    std::uint32_t dataplane_pid{};
    std::string dataplane_note; // why it is not attached
};

} // namespace adit::cli
