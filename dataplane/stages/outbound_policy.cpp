// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/outbound_policy.h"

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

void protect(rte_mbuf* packet, std::uint32_t policy, WorkerContext& context) {
    meta(packet).policy = policy;
    OutboundSa* sa = context.esp.sas.outbound_for_policy(policy);
    if (sa == nullptr) {
        hold(packet, policy, context);
        return;
    }
    ipc::add(context.policy_stats[policy].hits, 1);
    meta(packet).sa.outbound = sa;
    context.protect.push(packet);
}

} // namespace

void outbound_policy(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        const PolicyTable& policies = context.tables->policies[meta(packet).out_interface];
        const PolicyMatch match = policies.match(flow_of(packet));
        switch (match.action) {
        case ipc::PolicyAction::Bypass:
            burst.packets[kept++] = packet;
            break;
        case ipc::PolicyAction::Protect:
            protect(packet, match.policy.value, context);
            break;
        case ipc::PolicyAction::Drop:
            context.drop(packet, DropReason::PolicyDrop);
            break;
        }
    }
    burst.count = kept;
}

} // namespace adit::dataplane
