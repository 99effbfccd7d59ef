// SPDX-License-Identifier: Apache-2.0
#include "perf/gateway.h"

#include "common/random.h"
#include "perf/harness.h"

#include <unistd.h>

namespace adit::perf {

namespace dp = dataplane;

ipc::DataplaneStats Gateway::make_stats(const GatewaySpec& spec) {
    SystemRng rng;
    return must(ipc::DataplaneStats::create(
        {.max_sas = spec.tunnels, .max_policies = spec.tunnels, .port_names = {"lan", "wan"}},
        rng));
}

std::unique_ptr<dp::Tables> Gateway::make_tables(Policies policies) const {
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
    const std::uint32_t tunnels = policies == Policies::On ? spec_.tunnels : 0;
    for (std::uint32_t tunnel = 0; tunnel < tunnels; ++tunnel) {
        const Ipv4Address far{kFarHosts + tunnel};
        lines.push_back({
            .order = tunnel,
            .policy = PolicyId{tunnel},
            .action = ipc::PolicyAction::Protect,
            .entry = tunnel,
            .selector = {{Ipv4Address{kHost}, Ipv4Address{kHost}}, {far, far}}
        });
    }
    tables->policies[kWan] = dp::PolicyTable{std::move(lines)};
    return tables;
}

Gateway::Gateway(const GatewaySpec& spec)
    : spec_(spec), stats_(make_stats(spec)), shared_(1, stats_.neighbors()) {
    shared_.tables.publish(make_tables(Policies::On));
    shared_.neighbors.store(kLan, kHost, ipc::NeighborState::Reachable, kHostMac, 1);
    shared_.neighbors.store(kWan, kPeerAddress, ipc::NeighborState::Reachable, kPeerMac, 1);
    worker_ = must(dp::Worker::create(
        {
            .id = WorkerId{0},
            .crypto = dp::CryptoArch::Auto,
            .idle = dp::IdleMode::Poll,
            .ports = {{.dpdk_port = spec.lan_port, .mac = spec.lan_mac},
                      {.dpdk_port = spec.wan_port, .mac = spec.wan_mac}},
            .rx_queues = {{.port = kLan, .queue = 0}, {.port = kWan, .queue = 0}},
            .pool = spec.pool
    },
        shared_,
        stats_));
    shared_.rcu.join(0);
    attach_control();
    install_sas();
}

Gateway::~Gateway() {
    shared_.rcu.leave(0);
}

void Gateway::attach_control() {
    auto channel = must(ipc::DataplaneChannel::create(stats_, 1));
    control_ = must(ipc::ControlChannel::attach({UniqueFd{dup(stats_.fd())},
                                                 UniqueFd{dup(channel->up_fd())},
                                                 UniqueFd{dup(channel->down_fd())},
                                                 UniqueFd{dup(channel->control_doorbell_fd())}}));
    shared_.channel.publish(std::move(channel));
}

void Gateway::apply(Policies policies) {
    shared_.tables.publish(make_tables(policies));
    turn();
    shared_.tables.reclaim();
}

void Gateway::install_sas() {
    for (std::uint32_t slot = 0; slot < spec_.tunnels; ++slot)
        for (const auto direction : {ipc::Direction::Inbound, ipc::Direction::Outbound})
            install(make_sa(
                spec_.suite, spec_.form, WorkerId{0}, slot, Side::Gateway, direction));
    while (acks_ < commands_) {
        turn();
        take_acks();
    }
}

void Gateway::install(const ipc::InstallSa& sa) {
    ipc::CommandRecord command{};
    command.install_sa = sa;
    command.header.type = static_cast<std::uint16_t>(ipc::CommandType::InstallSa);
    command.header.sequence = ++commands_;
    while (!control_->commands(0).try_push(command)) {
        turn();
        take_acks();
    }
}

void Gateway::take_acks() {
    ipc::EventRecord event{};
    while (control_->events(0).try_pop(event) == ipc::PopResult::Got) {
        ENSURE(event.header.type == static_cast<std::uint16_t>(ipc::EventType::Ack));
        ENSURE(event.ack.result == static_cast<std::uint16_t>(ipc::AckResult::Ok));
        ++acks_;
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
    for (const ipc::Counter& counter : stats_.core_stats(0).drops)
        sum += ipc::read(counter);
    return sum;
}

} // namespace adit::perf
