// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tables.h"

#include "common/address.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace adit::dataplane {

namespace {

/// RFC 791 3.2: every link carries datagrams of 68 octets.
constexpr std::uint32_t kMinIpMtu = 68;

constexpr Verdict kOk{};

constexpr Verdict bad(std::size_t offset) {
    return {ipc::AckResult::BadValue, static_cast<std::uint32_t>(offset)};
}

bool is_unicast(std::uint32_t address) {
    const Ipv4Address ip{address};
    return !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback() && address >> 28 != 0xf;
}

/// RFC 1122 3.2.1.3: neither all zeros nor all ones in the host part; links of two have neither.
bool is_host_of(std::uint32_t address, std::uint8_t prefix_length) {
    const std::uint32_t host = ~mask_of_length(prefix_length);
    return prefix_length >= 31 || ((address & host) != 0 && (address & host) != host);
}

TrafficSelector selector_of(const ipc::SelectorRecord& record) {
    return {{Ipv4Address{record.local_first}, Ipv4Address{record.local_last}},
            {Ipv4Address{record.remote_first}, Ipv4Address{record.remote_last}},
            record.protocol,
            {record.local_port_first, record.local_port_last},
            {record.remote_port_first, record.remote_port_last}};
}

Verdict check_selector(const ipc::SelectorRecord& record) {
    constexpr std::size_t kBase = offsetof(ipc::SetPolicy, selector);
    if (record.local_first > record.local_last)
        return bad(kBase + offsetof(ipc::SelectorRecord, local_first));
    if (record.remote_first > record.remote_last)
        return bad(kBase + offsetof(ipc::SelectorRecord, remote_first));
    if (record.local_port_first > record.local_port_last)
        return bad(kBase + offsetof(ipc::SelectorRecord, local_port_first));
    if (record.remote_port_first > record.remote_port_last)
        return bad(kBase + offsetof(ipc::SelectorRecord, remote_port_first));
    return kOk;
}

PolicyLine line_of(const ipc::SetPolicy& command) {
    return {.order = command.order,
            .policy = PolicyId{command.policy},
            .action = static_cast<ipc::PolicyAction>(command.action),
            .entry = command.entry,
            .selector = selector_of(command.selector),
            .breadth = command.breadth};
}

} // namespace

const Tunnel* Tables::tunnel_of(std::uint32_t policy) const {
    const auto found = std::ranges::lower_bound(tunnels, policy, {}, &Tunnel::policy);
    return found != tunnels.end() && found->policy == policy ? &*found : nullptr;
}

TableBuilder::TableBuilder(std::vector<std::uint32_t> port_mtus, std::uint32_t max_policies)
    : port_mtus_(std::move(port_mtus)), max_policies_(max_policies) {}

Verdict TableBuilder::begin() {
    staging_ = Staging{};
    staging_->policy_used.resize(max_policies_, false);
    // What is routed into a tunnel is cut to the tunnel's size, not to that of a link.
    staging_->interfaces[kTunnelInterface].ip_mtu = UINT32_MAX;
    return kOk;
}

Verdict TableBuilder::set(const ipc::SetInterface& command) {
    if (!staging_)
        return {ipc::AckResult::NotStaging};
    if (!is_port(command.interface))
        return {ipc::AckResult::NoSuchInterface};
    if (command.prefix_length > 32)
        return bad(offsetof(ipc::SetInterface, prefix_length));
    if ((command.flags & ~ipc::kInterfaceUp) != 0)
        return bad(offsetof(ipc::SetInterface, flags));
    if (command.ip_mtu < kMinIpMtu || command.ip_mtu > port_mtus_[command.interface])
        return bad(offsetof(ipc::SetInterface, ip_mtu));
    if (command.address != 0) {
        if (command.prefix_length == 0)
            return bad(offsetof(ipc::SetInterface, prefix_length));
        if (!is_unicast(command.address) || !is_host_of(command.address, command.prefix_length))
            return bad(offsetof(ipc::SetInterface, address));
        for (std::size_t i = 0; i < staging_->interfaces.size(); ++i)
            if (i != command.interface && staging_->interfaces[i].address == command.address)
                return bad(offsetof(ipc::SetInterface, address));
    }
    staging_->interfaces[command.interface] = {(command.flags & ipc::kInterfaceUp) != 0,
                                               command.prefix_length,
                                               command.address,
                                               command.ip_mtu};
    return kOk;
}

TableBuilder::StagedRoute TableBuilder::staged(const ipc::SetRoute& command) {
    return {
        {Ipv4Address{command.prefix}, command.prefix_length}, command.interface, command.next_hop};
}

Verdict TableBuilder::check(const ipc::SetRoute& command) const {
    const bool into_tunnel = command.interface == ipc::kIntoTunnel;
    const bool to_us = command.interface == ipc::kToUs;
    const bool ends_here = to_us || command.interface == ipc::kToNowhere;
    if (command.interface != kNoInterface.value && !into_tunnel && !ends_here &&
        !is_port(command.interface))
        return {ipc::AckResult::NoSuchInterface};
    if (command.prefix_length > 32)
        return bad(offsetof(ipc::SetRoute, prefix_length));
    if ((command.prefix & ~mask_of_length(command.prefix_length)) != 0)
        return bad(offsetof(ipc::SetRoute, prefix));
    if (into_tunnel)
        return command.next_hop < max_policies_ ? kOk : bad(offsetof(ipc::SetRoute, next_hop));
    if (to_us && (command.prefix_length != 32 || !is_unicast(command.prefix)))
        return bad(offsetof(ipc::SetRoute, prefix));
    if (ends_here)
        return command.next_hop == 0 ? kOk : bad(offsetof(ipc::SetRoute, next_hop));
    const bool needs_next_hop = command.interface == kNoInterface.value;
    if (command.next_hop == 0 ? needs_next_hop : !is_unicast(command.next_hop))
        return bad(offsetof(ipc::SetRoute, next_hop));
    return kOk;
}

Verdict TableBuilder::set(const ipc::SetRoute& command) {
    if (!staging_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command); verdict != kOk)
        return verdict;
    if (staging_->routes.size() == kMaxRoutes)
        return {ipc::AckResult::NoMemory};
    staging_->routes.push_back(staged(command));
    return kOk;
}

Verdict TableBuilder::check(const ipc::SetPolicy& command, const Staging& staging) const {
    // Every policy of the list is numbered once, so their number is bounded too.
    if (command.policy >= max_policies_ || staging.policy_used[command.policy])
        return bad(offsetof(ipc::SetPolicy, policy));
    if (!is_port(command.interface))
        return {ipc::AckResult::NoSuchInterface};
    if (command.action > static_cast<std::uint8_t>(ipc::PolicyAction::Drop))
        return bad(offsetof(ipc::SetPolicy, action));
    return check_selector(command.selector);
}

Verdict TableBuilder::set(const ipc::SetPolicy& command) {
    if (!staging_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command, *staging_); verdict != kOk)
        return verdict;
    staging_->policy_used[command.policy] = true;
    staging_->policies[command.interface].push_back(line_of(command));
    return kOk;
}

Verdict TableBuilder::check(const ipc::SetTunnel& command) const {
    if (command.policy >= max_policies_)
        return bad(offsetof(ipc::SetTunnel, policy));
    if (!is_port(command.link))
        return {ipc::AckResult::NoSuchInterface};
    if (command.ip_mtu < kMinIpMtu || command.ip_mtu > UINT16_MAX)
        return bad(offsetof(ipc::SetTunnel, ip_mtu));
    if (command.prefix_length > 32 || (command.address == 0 && command.prefix_length != 0))
        return bad(offsetof(ipc::SetTunnel, prefix_length));
    if ((command.flags & ~ipc::kTunnelUp) != 0)
        return bad(offsetof(ipc::SetTunnel, flags));
    const bool fits =
        command.prefix_length == 0 || is_host_of(command.address, command.prefix_length);
    if (command.address != 0 && (!is_unicast(command.address) || !fits))
        return bad(offsetof(ipc::SetTunnel, address));
    return kOk;
}

namespace {

Tunnel tunnel_of(const ipc::SetTunnel& command) {
    return {.policy = command.policy,
            .address = command.address,
            .ip_mtu = command.ip_mtu,
            .tcp_mss = command.tcp_mss,
            .link = command.link,
            .prefix_length = command.prefix_length,
            .up = (command.flags & ipc::kTunnelUp) != 0};
}

} // namespace

Verdict TableBuilder::set(const ipc::SetTunnel& command) {
    if (!staging_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command); verdict != kOk)
        return verdict;
    if (staging_->policy_used[command.policy])
        return bad(offsetof(ipc::SetTunnel, policy));
    staging_->policy_used[command.policy] = true;
    staging_->tunnels.emplace(command.policy, tunnel_of(command));
    return kOk;
}

namespace {

/// Routes by prefix length, in the order in which RouteTable wants them.
class RouteList {
  public:
    void add(Ipv4Prefix prefix, const Route& route) {
        of_length_[prefix.length].push_back({prefix, route});
    }

    /// What an interface brings along: its link, its broadcast addresses, its own.
    void add_interface(std::uint16_t index, const Interface& own) {
        add_network(own.address, own.prefix_length, {RouteKind::Connected, index, 0});
    }

    void add_tunnel(const Tunnel& own, const Route& into) {
        if (own.prefix_length != 0)
            add_network(own.address, own.prefix_length, into);
    }

    void write(RouteTable& to) const {
        for (const auto& routes : of_length_)
            for (const auto& [prefix, route] : routes)
                to.add(prefix, route);
    }

  private:
    void add_network(std::uint32_t address, std::uint8_t prefix_length, const Route& way) {
        const Ipv4Address network{address & mask_of_length(prefix_length)};
        const Ipv4Prefix link{network, prefix_length};
        add(link, way);
        if (prefix_length < 31) {
            add({link.first(), 32}, {RouteKind::Broadcast, way.interface, way.gateway});
            add({link.last(), 32}, {RouteKind::Broadcast, way.interface, way.gateway});
        }
        add({Ipv4Address{address}, 32}, {RouteKind::Local, way.interface, way.gateway});
    }

    std::array<std::vector<std::pair<Ipv4Prefix, Route>>, 33> of_length_;
};

} // namespace

void TableBuilder::add_ways(const Staging& staging, Tables& to) {
    RouteList routes;
    to.tunnels.reserve(staging.tunnels.size());
    for (const auto& [policy, tunnel] : staging.tunnels) {
        to.tunnels.push_back(tunnel);
        to.clamps_segments = to.clamps_segments || tunnel.tcp_mss != 0;
    }
    const auto way_into = [&](const Tunnel& tunnel) -> Route {
        const auto place = static_cast<std::uint32_t>(&tunnel - to.tunnels.data());
        return {RouteKind::Gateway, kTunnelInterface, place};
    };
    const auto connected_at = [&](std::uint32_t next_hop) -> std::uint16_t {
        for (std::uint16_t i = 0; i < staging.interfaces.size(); ++i)
            if (staging.interfaces[i].carries_ip() && staging.interfaces[i].on_link(next_hop))
                return i;
        return kNoInterface.value;
    };
    for (const StagedRoute& staged : staging.routes) {
        if (staged.interface == ipc::kIntoTunnel) {
            const Tunnel* tunnel = to.tunnel_of(staged.next_hop);
            if (tunnel != nullptr && tunnel->up)
                routes.add(staged.prefix, way_into(*tunnel));
            continue;
        }
        if (staged.interface == ipc::kToNowhere) {
            routes.add(staged.prefix, Route{}); // hides the shorter ones
            continue;
        }
        if (staged.interface == ipc::kToUs) {
            routes.add(staged.prefix, {RouteKind::Local, kNoInterface.value, 0});
            continue;
        }
        const std::uint16_t interface = staged.interface == kNoInterface.value
                                            ? connected_at(staged.next_hop)
                                            : staged.interface;
        // As on a router: a route over a link that is down, or by a next hop on no link, is unused.
        if (interface == kNoInterface.value || !staging.interfaces[interface].carries_ip())
            continue;
        const RouteKind kind = staged.next_hop == 0 ? RouteKind::Connected : RouteKind::Gateway;
        routes.add(staged.prefix, {kind, interface, staged.next_hop});
    }
    // Behind the static ones: for one prefix the connected route wins (distance 0 before 1).
    for (std::uint16_t i = 0; i < staging.interfaces.size(); ++i)
        if (staging.interfaces[i].carries_ip())
            routes.add_interface(i, staging.interfaces[i]);
    for (const Tunnel& tunnel : to.tunnels)
        if (tunnel.up)
            routes.add_tunnel(tunnel, way_into(tunnel));
    routes.write(to.routes);
}

TableBuilder::Published TableBuilder::publish() {
    if (!staging_)
        return {{ipc::AckResult::NotStaging}, nullptr};
    Staging staging = std::exchange(staging_, std::nullopt).value();
    auto tables = std::make_unique<Tables>();
    tables->interfaces = staging.interfaces;
    for (std::size_t i = 0; i < staging.policies.size(); ++i) {
        put_in_order(staging.policies[i]);
        if (!lines_stand_together(staging.policies[i]))
            return {bad(offsetof(ipc::SetPolicy, entry)), nullptr};
        tables->policies[i] = PolicyTable{staging.policies[i]};
    }
    add_ways(staging, *tables);
    published_ = std::move(staging);
    edits_ = {};
    return {kOk, std::move(tables)};
}

// --- edits

Verdict TableBuilder::add(const ipc::SetPolicy& command) {
    if (!published_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command, *published_); verdict != kOk)
        return verdict;
    published_->policy_used[command.policy] = true;
    edits_.added[command.interface].push_back(line_of(command));
    return kOk;
}

Verdict TableBuilder::remove(const ipc::RemovePolicy& command) {
    if (!published_)
        return {ipc::AckResult::NotStaging};
    if (command.policy >= max_policies_ || !published_->policy_used[command.policy])
        return {ipc::AckResult::NoSuchPolicy};
    published_->policy_used[command.policy] = false;
    for (std::vector<PolicyLine>& added : edits_.added)
        if (std::erase_if(added, [&](const PolicyLine& line) {
                return line.policy.value == command.policy;
            }) > 0)
            return kOk;
    edits_.removed.insert(command.policy);
    return kOk;
}

Verdict TableBuilder::add(const ipc::SetRoute& command) {
    if (!published_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command); verdict != kOk)
        return verdict;
    if (published_->routes.size() + edits_.added_routes.size() >= kMaxRoutes)
        return {ipc::AckResult::NoMemory};
    edits_.added_routes.push_back(staged(command));
    return kOk;
}

Verdict TableBuilder::remove(const ipc::SetRoute& command) {
    if (!published_)
        return {ipc::AckResult::NotStaging};
    const auto route = staged(command);
    auto& added = edits_.added_routes;
    if (const auto found = std::ranges::find(added, route); found != added.end()) {
        added.erase(found);
        return kOk;
    }
    const auto there = std::ranges::count(published_->routes, route);
    if (there == std::ranges::count(edits_.removed_routes, route))
        return bad(offsetof(ipc::SetRoute, prefix));
    edits_.removed_routes.push_back(route);
    return kOk;
}

Verdict TableBuilder::change(const ipc::SetTunnel& command) {
    if (!published_)
        return {ipc::AckResult::NotStaging};
    if (const Verdict verdict = check(command); verdict != kOk)
        return verdict;
    if (!published_->tunnels.contains(command.policy))
        return {ipc::AckResult::NoSuchPolicy};
    edits_.changed_tunnels.push_back(tunnel_of(command));
    return kOk;
}

std::optional<std::vector<std::pair<std::size_t, std::vector<PolicyLine>>>>
TableBuilder::edited_lines() const {
    const auto is_removed = [&](const PolicyLine& line) {
        return edits_.removed.contains(line.policy.value);
    };
    std::vector<std::pair<std::size_t, std::vector<PolicyLine>>> edited;
    for (std::size_t i = 0; i < edits_.added.size(); ++i) {
        const std::vector<PolicyLine>& before = published_->policies[i];
        if (edits_.added[i].empty() &&
            (edits_.removed.empty() || std::ranges::none_of(before, is_removed)))
            continue;
        std::vector<PolicyLine> lines;
        lines.reserve(before.size() + edits_.added[i].size());
        std::ranges::remove_copy_if(before, std::back_inserter(lines), is_removed);
        std::ranges::copy(edits_.added[i], std::back_inserter(lines));
        put_in_order(lines);
        if (!lines_stand_together(lines))
            return std::nullopt;
        edited.emplace_back(i, std::move(lines));
    }
    return edited;
}

void TableBuilder::take_back_edits() {
    for (const std::vector<PolicyLine>& added : edits_.added)
        for (const PolicyLine& line : added)
            published_->policy_used[line.policy.value] = false;
    for (const std::uint32_t policy : edits_.removed)
        published_->policy_used[policy] = true;
    edits_ = {};
}

TableBuilder::Published TableBuilder::publish_edits(const Tables& current) {
    if (!published_)
        return {{ipc::AckResult::NotStaging}, nullptr};
    auto edited = edited_lines();
    if (!edited) {
        take_back_edits();
        return {bad(offsetof(ipc::SetPolicy, entry)), nullptr};
    }
    const Edits edits = std::exchange(edits_, {});
    auto tables = std::make_unique<Tables>();
    tables->interfaces = current.interfaces;
    tables->sa_epoch = current.sa_epoch;
    for (auto& [interface, lines] : *edited)
        published_->policies[interface] = std::move(lines);
    for (std::size_t i = 0; i < tables->policies.size(); ++i) {
        const bool touched =
            std::ranges::any_of(*edited, [&](const auto& e) { return e.first == i; });
        tables->policies[i] = touched ? PolicyTable{published_->policies[i]} : current.policies[i];
    }
    if (!edits.move_routes()) {
        tables->routes = current.routes;
        tables->tunnels = current.tunnels;
        tables->clamps_segments = current.clamps_segments;
    } else {
        for (const StagedRoute& route : edits.removed_routes)
            published_->routes.erase(std::ranges::find(published_->routes, route));
        std::ranges::copy(edits.added_routes, std::back_inserter(published_->routes));
        for (const Tunnel& tunnel : edits.changed_tunnels)
            published_->tunnels[tunnel.policy] = tunnel;
        add_ways(*published_, *tables);
    }
    return {kOk, std::move(tables)};
}

void TableBuilder::forget_published() {
    published_.reset();
    edits_ = {};
}

} // namespace adit::dataplane
