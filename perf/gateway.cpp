// SPDX-License-Identifier: Apache-2.0
#include "perf/gateway.h"

#include "common/random.h"
#include "perf/harness.h"

#include <unistd.h>

namespace adit::perf {

namespace dp = dataplane;

namespace {

std::uint32_t room(const GatewaySpec& spec) {
    return spec.max_sas != 0 ? spec.max_sas : spec.tunnels;
}

} // namespace

ipc::DataplaneStats Gateway::make_stats(const GatewaySpec& spec) {
    SystemRng rng;
    return must(ipc::DataplaneStats::create({.workers = spec.workers,
                                             .max_sas = room(spec),
                                             .max_policies = room(spec),
                                             .port_names = {"lan", "wan"}},
                                            rng));
}

dp::Crossing Gateway::make_crossing(const GatewaySpec& spec) {
    return spec.workers > 1 ? must(dp::Crossing::create(spec.workers, room(spec))) : dp::Crossing{};
}

std::unique_ptr<dp::Tables> Gateway::make_tables(std::uint32_t tunnels) const {
    auto tables = std::make_unique<dp::Tables>();
    tables->interfaces[kLan] = {true, 24, kLanAddress, 1500};
    tables->interfaces[kWan] = {true, 24, kWanAddress, 1500};
    const auto route = [&](std::uint32_t prefix, std::uint8_t length, const dp::Route& to) {
        tables->routes.add({Ipv4Address{prefix}, length}, to);
    };
    route(kFarHosts, kFarPrefixLength, {dp::RouteKind::Gateway, kWan, kPeerAddress});
    route(kLanAddress & 0xffffff00, 24, {dp::RouteKind::Connected, kLan, 0});
    route(kWanAddress & 0xffffff00, 24, {dp::RouteKind::Connected, kWan, 0});
    route(kLanAddress, 32, {dp::RouteKind::Local, kLan, 0});
    route(kWanAddress, 32, {dp::RouteKind::Local, kWan, 0});
    std::vector<dp::PolicyLine> lines;
    for (std::uint32_t tunnel = 0; tunnel < tunnels; ++tunnel) {
        const Ipv4Address far{kFarHosts + tunnel};
        lines.push_back({.order = tunnel,
                         .policy = PolicyId{tunnel},
                         .action = ipc::PolicyAction::Protect,
                         .entry = tunnel,
                         .selector = {{Ipv4Address{kHost}, Ipv4Address{kHost}}, {far, far}}});
    }
    tables->policies[kWan] = dp::PolicyTable{std::move(lines)};
    return tables;
}

Gateway::Gateway(const GatewaySpec& spec)
    : spec_(spec), stats_(make_stats(spec)),
      shared_(spec.workers, stats_.neighbors(), make_crossing(spec)) {
    shared_.tables.publish(make_tables(spec.tunnels));
    shared_.neighbors.store(kLan, kHost, ipc::NeighborState::Reachable, kHostMac, 1);
    shared_.neighbors.store(kWan, kPeerAddress, ipc::NeighborState::Reachable, kPeerMac, 1);
    for (std::uint8_t id = 0; id < spec.workers; ++id) {
        workers_.push_back(make_worker(id));
        shared_.rcu.join(id);
    }
    attach_control();
    install_sas();
}

Gateway::~Gateway() {
    for (unsigned id = 0; id < spec_.workers; ++id)
        shared_.rcu.leave(id);
}

std::unique_ptr<dp::Worker> Gateway::make_worker(std::uint8_t id) {
    return must(dp::Worker::create(
        {.id = WorkerId{id},
         .crypto = dp::CryptoArch::Auto,
         .idle = dp::IdleMode::Poll,
         .ports = {{.dpdk_port = spec_.lan_port, .mac = spec_.lan_mac, .tx_queue = id},
                   {.dpdk_port = spec_.wan_port, .mac = spec_.wan_mac, .tx_queue = id}},
         .rx_queues = {{.port = kLan, .queue = id}, {.port = kWan, .queue = id}},
         .pool = spec_.pool},
        shared_,
        stats_));
}

void Gateway::attach_control() {
    auto channel = must(ipc::DataplaneChannel::create(stats_, 1));
    control_ = must(ipc::ControlChannel::attach({UniqueFd{dup(stats_.fd())},
                                                 UniqueFd{dup(channel->up_fd())},
                                                 UniqueFd{dup(channel->down_fd())},
                                                 UniqueFd{dup(channel->control_doorbell_fd())},
                                                 UniqueFd{dup(stats_.journal_fd())}}));
    shared_.channel.publish(std::move(channel));
    for (std::uint8_t id = 0; id < spec_.workers; ++id)
        commands_.emplace_back(*control_, WorkerId{id});
}

void Gateway::protect(std::uint32_t tunnels) {
    shared_.tables.publish(make_tables(tunnels));
    turn();
    shared_.tables.reclaim();
}

void Gateway::install_sas() {
    for (std::uint32_t tunnel = 0; tunnel < spec_.tunnels; ++tunnel) {
        const WorkerId owner{static_cast<std::uint8_t>(tunnel % spec_.workers)};
        for (const auto direction : {ipc::Direction::Inbound, ipc::Direction::Outbound}) {
            const ipc::InstallSa sa =
                make_sa(spec_.suite, spec_.form, owner, tunnel, Side::Gateway, direction);
            while (!commands(owner.value).try_install(sa)) {
                turn(owner.value);
                commands(owner.value).take_acks();
            }
        }
    }
    for (unsigned worker = 0; worker < spec_.workers; ++worker)
        while (!commands(worker).settled()) {
            turn(worker);
            commands(worker).take_acks();
        }
}

std::array<double, ipc::kWorkerParts> Gateway::take_part_ticks() {
    ipc::CoreStats& core = stats_.core_stats(0);
    std::array<double, ipc::kWorkerParts> ticks{};
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        const auto packets = static_cast<double>(core.part_packets[i].exchange(0));
        if (packets > 0)
            ticks[i] = static_cast<double>(core.part_ticks[i].exchange(0)) / packets;
    }
    return ticks;
}

std::uint64_t Gateway::dropped() {
    std::uint64_t sum = 0;
    for (unsigned worker = 0; worker < spec_.workers; ++worker)
        for (const ipc::Counter& counter : stats_.core_stats(worker).drops)
            sum += ipc::read(counter);
    return sum;
}

} // namespace adit::perf
