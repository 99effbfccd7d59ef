// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/outbound_policy.h"

#include "common/wire/ipv4.h"
#include "dataplane/tcp_mss.h"

namespace adit::dataplane {

namespace {

void ask_control(rte_mbuf* packet, std::uint32_t policy, WorkerContext& context) {
    if (!context.held.wants_acquire(policy, context.esp.now_ns))
        return;
    ipc::EventRecord event{};
    event.acquire.header.type = static_cast<std::uint16_t>(ipc::EventType::Acquire);
    event.acquire.policy = policy;
    event.acquire.flow = flow_record_of(packet);
    context.esp.events.push(event);
}

void hold(rte_mbuf* packet, std::uint32_t policy, WorkerContext& context) {
    ask_control(packet, policy, context);
    if (!context.held.hold(packet, policy, context.esp.now_ns))
        context.drop_for_want_of_sa(packet, policy);
}

} // namespace

void protect_elsewhere(rte_mbuf* packet, std::uint32_t policy, WorkerContext& context) noexcept {
    if (const auto owner = context.handover.other_owner(policy))
        context.hand_over_matched(packet, *owner);
    else
        hold(packet, policy, context);
}

void enter_tunnel(const Passing& passing, WorkerContext& context) noexcept {
    const Tunnel& tunnel = context.tables->tunnels[passing.next_hop];
    if (tunnel.tcp_mss != 0 && meta(passing.packet).protocol == wire::kProtocolTcp)
        clamp_tcp_mss(passing.at, rte_pktmbuf_data_len(passing.packet), tunnel.tcp_mss);
    protect(passing, tunnel.policy, context);
}

void keep_to_tunnels(Burst& waited, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < waited.count; ++i) {
        rte_mbuf* packet = waited.packets[i];
        const PacketMeta& m = meta(packet);
        if (m.out_interface == kTunnelInterface &&
            context.tables->routes.lookup(m.destination).interface != kTunnelInterface)
            context.drop_for_want_of_sa(packet, m.policy);
        else
            waited.packets[kept++] = packet;
    }
    waited.count = kept;
}

void outbound_policy_matched(Burst& burst, WorkerContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i)
        protect_by_current_sa(Passing{burst.packets[i]}, meta(burst.packets[i]).policy, context);
    burst.count = 0;
}

} // namespace adit::dataplane
