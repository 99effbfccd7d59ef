// SPDX-License-Identifier: Apache-2.0
#include "control/snapshot_builder.h"

#include "common/esp_layout.h"
#include "common/ipc/neighbor_cell.h"
#include "common/version.h"
#include "control/config/tunnel.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

namespace adit {

namespace {

class SnapshotBuilder {
  public:
    explicit SnapshotBuilder(const SnapshotSources& sources) : from_(sources) {}

    cli::Snapshot build() {
        out_.now = MonotonicClock::now();
        out_.wall = std::chrono::system_clock::now();
        out_.started = from_.started;
        out_.version = kVersion;
        out_.config = from_.config;
        out_.isakmp = from_.engine.isakmp_sas();
        out_.pools = from_.engine.pools();
        out_.trustpoints = from_.trustpoints.status();
        out_.ike_counters = from_.engine.counters();
        out_.dataplane_attached = from_.channel != nullptr;
        out_.dataplane_note = from_.dataplane_trouble;
        if (from_.channel != nullptr)
            out_.dataplane_pid = from_.channel->dataplane_pid();
        add_interfaces();
        add_flows();
        finish_tunnels();
        add_routes();
        add_arp();
        add_cores();
        return std::move(out_);
    }

  private:
    // --- interfaces ------------------------------------------------------------------------------

    void add_interfaces() {
        for (const auto& [name, interface] : from_.config->interfaces) {
            cli::InterfaceStatus status;
            status.name = name;
            status.admin_up = !interface.shutdown;
            status.loopback = config::is_loopback(name);
            if (config::is_tunnel(name))
                add_tunnel(interface, status);
            else if (const ipc::PortStats* port = find_port(name))
                add_port(*port, status);
            status.ip_mtu = std::min(interface.ip_mtu.value_or(status.mtu), status.mtu);
            place_.emplace(name, out_.interfaces.size());
            out_.interfaces.push_back(std::move(status));
        }
    }

    void add_tunnel(const config::Interface& interface, cli::InterfaceStatus& status) const {
        cli::TunnelStatus tunnel;
        tunnel.profile = interface.tunnel.profile;
        tunnel.local = interface.tunnel.source;
        tunnel.carrier = interface.tunnel.source_interface;
        tunnel.remote = interface.tunnel.destination;
        const auto plan = from_.provision.tunnels.find(status.name);
        status.link_up = plan != from_.provision.tunnels.end();
        if (status.link_up) {
            tunnel.local = plan->second.local;
            tunnel.carrier = plan->second.carrier;
            tunnel.protocol_up = from_.tunnels.is_up(plan->second.policy());
            tunnel.fault = "no security association with " + to_string(plan->second.remote) + ", " +
                           std::to_string(from_.tunnels.attempts(plan->second.policy())) + " tries";
        } else if (interface.shutdown) {
            tunnel.fault = "it is shut down";
        } else if (const auto fault = from_.provision.tunnel_faults.find(status.name);
                   fault != from_.provision.tunnel_faults.end()) {
            tunnel.fault = fault->second;
        }
        status.tunnel = std::move(tunnel);
    }

    /// Counters and size are those of its SAs.
    void finish_tunnels() {
        for (const cli::FlowStatus& flow : out_.flows) {
            const auto place = place_.find(flow.interface);
            if (place == place_.end() || !out_.interfaces[place->second].tunnel)
                continue;
            cli::InterfaceStatus& status = out_.interfaces[place->second];
            status.tunnel->transport_mtu = flow.plaintext_mtu;
            const auto limit = from_.config->interfaces.at(flow.interface).ip_mtu;
            status.ip_mtu = std::min(limit.value_or(flow.plaintext_mtu), flow.plaintext_mtu);
            status.mtu = status.ip_mtu;
            status.in_packets = flow.counters.decaps;
            status.in_bytes = flow.counters.decaps_bytes;
            status.in_errors = flow.counters.receive_errors;
            status.out_packets = flow.counters.encaps;
            status.out_bytes = flow.counters.encaps_bytes;
            status.out_errors = flow.counters.send_errors;
        }
    }

    const ipc::PortStats* find_port(const std::string& name) const {
        if (from_.channel == nullptr)
            return nullptr;
        const auto& names = from_.channel->config().port_names;
        const auto found = std::ranges::find(names, name);
        if (found == names.end())
            return nullptr;
        return &from_.channel->port_stats(static_cast<std::uint32_t>(found - names.begin()));
    }

    static void add_port(const ipc::PortStats& port, cli::InterfaceStatus& status) {
        status.has_port = true;
        status.link_up = ipc::read(port.link_up) != 0;
        std::copy_n(port.mac, status.mac.size(), status.mac.begin());
        status.mtu = static_cast<std::uint32_t>(ipc::read(port.port_mtu));
        status.speed_mbps = static_cast<std::uint32_t>(ipc::read(port.speed_mbps));
        status.in_packets = ipc::read(port.in_packets);
        status.in_bytes = ipc::read(port.in_bytes);
        status.in_errors = ipc::read(port.in_errors);
        status.in_missed = ipc::read(port.in_missed);
        status.in_no_buffer = ipc::read(port.in_no_buffer);
        status.in_broadcasts = ipc::read(port.in_broadcasts);
        status.out_packets = ipc::read(port.out_packets);
        status.out_bytes = ipc::read(port.out_bytes);
        status.out_errors = ipc::read(port.out_errors);
    }

    std::uint32_t ip_mtu_of(const std::string& interface) const {
        const auto found = place_.find(interface);
        return found == place_.end() ? 1500 : out_.interfaces[found->second].ip_mtu;
    }

    // --- identities and their SAs ----------------------------------------------------------------

    void add_flows() {
        std::multimap<PolicyId, ike::ChildSaView> children;
        std::map<std::string, std::map<PolicyId, ike::Flow>> claimed; // at run time, by entry
        for (ike::ChildSaView& child : from_.engine.child_sas()) {
            if (child.own_policy)
                claimed[child.connection][child.policy] = {child.policy, child.selector, 0};
            children.emplace(child.policy, std::move(child));
        }
        for (const ike::Connection& connection : from_.provision.engine->connections) {
            if (!connection.dynamic)
                for (const ike::Flow& flow : connection.flows)
                    add_flow(connection, flow, children);
            if (const auto made = claimed.find(connection.name); made != claimed.end())
                for (const auto& [policy, flow] : made->second)
                    add_flow(connection, flow, children);
        }
    }

    void add_flow(const ike::Connection& connection,
                  const ike::Flow& flow,
                  const std::multimap<PolicyId, ike::ChildSaView>& children) {
        cli::FlowStatus status;
        status.interface = connection.interface;
        status.map_name = connection.map_name;
        status.map_sequence = connection.map_sequence;
        status.connection = connection.name;
        status.acl_name = connection.acl_name;
        if (connection.dynamic)
            status.dynamic_map =
                connection.dynamic->map_name + '/' + std::to_string(connection.dynamic->sequence);
        status.flow = flow;
        status.local_endpoint = connection.local;
        status.peer = {connection.peers.empty() ? Ipv4Address{} : connection.peers.front(), 500};
        status.counters = from_.db.flow_counters(flow.policy);
        if (connection.routed)
            status.mtu_interface = from_.provision.tunnels.at(connection.name).carrier;
        status.ip_mtu = ip_mtu_of(connection.routed ? status.mtu_interface : connection.interface);
        status.path_mtu = status.ip_mtu;
        status.plaintext_mtu = status.path_mtu;
        if (from_.channel != nullptr)
            add_policy_counters(flow.policy, status.counters);
        const auto [first, last] = children.equal_range(flow.policy);
        for (auto child = first; child != last; ++child)
            add_child(child->second, status);
        out_.flows.push_back(std::move(status));
    }

    void add_policy_counters(PolicyId policy, cli::FlowCounters& counters) const {
        if (policy.value >= from_.channel->config().max_policies)
            return;
        for (std::uint32_t worker = 0; worker < from_.channel->config().workers; ++worker) {
            const ipc::PolicyStats& stats = from_.channel->policy_stats(policy.value, worker);
            counters.matches += ipc::read(stats.hits);
            counters.no_sa_send += ipc::read(stats.send_drops);
        }
    }

    void add_child(const ike::ChildSaView& child, cli::FlowStatus& status) const {
        status.children.push_back(
            {child, from_.db.counters(child.inbound_sa), from_.db.counters(child.outbound_sa)});
        if (!child.current && !child.own_policy)
            return;
        status.peer = child.remote;
        if (!child.udp_encapsulated)
            status.peer.port = 500;
        if (!child.current)
            return;
        status.plaintext_mtu =
            plaintext_mtu(EspLayout::of(child.cipher, child.mac),
                          child.udp_encapsulated ? Encapsulation::Udp : Encapsulation::Native,
                          status.path_mtu);
        if (child.transport) // the IP header stays outside
            status.plaintext_mtu += kOuterIpv4Bytes;
    }

    // --- routes and neighbours -------------------------------------------------------------------

    void add_routes() {
        for (const auto& [name, interface] : from_.config->interfaces) {
            if (!interface.address || interface.shutdown)
                continue;
            const Ipv4Address network{interface.address->value &
                                      mask_of_length(interface.prefix_length)};
            out_.routes.push_back({cli::RouteStatus::Source::Connected,
                                   {network, interface.prefix_length},
                                   std::nullopt,
                                   name,
                                   0,
                                   is_up(name)});
            if (config::is_tunnel(name))
                tunnel_networks_.emplace(
                    network, std::pair{Ipv4Prefix{network, interface.prefix_length}, name});
            out_.routes.push_back({cli::RouteStatus::Source::Local,
                                   {*interface.address, 32},
                                   std::nullopt,
                                   name,
                                   0,
                                   is_up(name)});
        }
        for (const config::StaticRoute& route : from_.config->routes)
            out_.routes.push_back({cli::RouteStatus::Source::Static,
                                   route.prefix,
                                   route.next_hop,
                                   route.interface,
                                   route.distance,
                                   leads_on(route)});
        std::ranges::sort(out_.routes, {}, &cli::RouteStatus::prefix);
        hide_farther_routes();
    }

    /// Of one prefix those of the least distance are used.
    void hide_farther_routes() {
        for (auto first = out_.routes.begin(); first != out_.routes.end();) {
            const auto end = std::find_if(
                first, out_.routes.end(), [&](const auto& r) { return r.prefix != first->prefix; });
            unsigned least = 256;
            for (auto route = first; route != end; ++route)
                if (route->active)
                    least = std::min<unsigned>(least, route->distance);
            for (; first != end; ++first)
                first->active = first->active && first->distance == least;
        }
    }

    bool leads_on(const config::StaticRoute& route) const {
        if (!route.interface.empty())
            return route.interface == config::kNowhere || is_up(route.interface);
        // By a next hop alone: into the tunnel whose network it lies in.
        const auto behind = tunnel_networks_.upper_bound(*route.next_hop);
        if (behind == tunnel_networks_.begin())
            return true;
        const auto& [first, network] = *std::prev(behind);
        return !network.first.contains(*route.next_hop) || is_up(network.second);
    }

    bool is_up(const std::string& interface) const {
        const auto found = place_.find(interface);
        return found != place_.end() && out_.interfaces[found->second].protocol_up();
    }

    void add_arp() {
        for (const auto& status : out_.interfaces) {
            const auto interface = from_.config->interfaces.find(status.name);
            if (status.has_port && interface->second.address)
                out_.arp.push_back({*interface->second.address,
                                    status.mac,
                                    status.name,
                                    ipc::NeighborState::Reachable,
                                    true,
                                    0});
        }
        if (from_.channel == nullptr)
            return;
        for (const ipc::NeighborEntry& cell : from_.channel->neighbors())
            if (const std::optional<ipc::Neighbor> neighbor = ipc::load_neighbor(cell))
                add_neighbor(*neighbor);
        std::ranges::sort(out_.arp, {}, &cli::ArpStatus::address);
    }

    void add_neighbor(const ipc::Neighbor& neighbor) {
        const auto& names = from_.channel->config().port_names;
        if (neighbor.interface >= names.size())
            return;
        const auto now = static_cast<std::uint64_t>(out_.now.time_since_epoch().count());
        const std::uint64_t age_ns = now > neighbor.updated_ns ? now - neighbor.updated_ns : 0;
        out_.arp.push_back({Ipv4Address{neighbor.address},
                            neighbor.mac,
                            names[neighbor.interface],
                            neighbor.state,
                            false,
                            age_ns / 60'000'000'000U});
    }

    // --- cores -----------------------------------------------------------------------------------

    void add_cores() {
        if (from_.channel == nullptr)
            return;
        const std::uint32_t workers = from_.channel->config().workers;
        for (std::uint32_t worker = 0; worker < workers; ++worker)
            add_core("worker " + std::to_string(worker), from_.channel->core_stats(worker));
        add_core("housekeeper", from_.channel->housekeeper_stats());
    }

    void add_core(std::string name, const ipc::CoreStats& stats) {
        cli::CoreStatus core;
        core.name = std::move(name);
        core.packets = ipc::read(stats.packets);
        core.busy_ns = ipc::read(stats.busy_ns);
        core.idle_ns = ipc::read(stats.idle_ns);
        for (std::size_t i = 0; i < core.drops.size(); ++i)
            core.drops[i] = ipc::read(stats.drops[i]);
        out_.cores.push_back(std::move(core));
    }

    const SnapshotSources& from_;
    cli::Snapshot out_;
    std::unordered_map<std::string, std::size_t> place_; // in out_.interfaces
    /// By first address.
    std::map<Ipv4Address, std::pair<Ipv4Prefix, std::string>> tunnel_networks_;
};

} // namespace

cli::Snapshot build_snapshot(const SnapshotSources& sources) {
    return SnapshotBuilder(sources).build();
}

} // namespace adit
