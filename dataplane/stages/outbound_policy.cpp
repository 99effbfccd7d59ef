// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/outbound_policy.h"

#include <rte_prefetch.h>

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
        if (const auto owner = context.handover.other_owner(policy))
            context.hand_over_matched(packet, *owner);
        else
            hold(packet, policy, context);
        return;
    }
    // What esp_outbound is going to touch: the SA, and the places of outer header and trailer.
    rte_prefetch0(sa);
    rte_prefetch0(&sa->next_sequence);
    rte_prefetch0(data(packet) - RTE_CACHE_LINE_SIZE);
    rte_prefetch0(data(packet) + packet->data_len);
    ipc::add(context.policy_stats[policy].hits, 1);
    meta(packet).sa.outbound = sa;
    context.protect.push(packet);
}

} // namespace

bool passes_outbound_policy(rte_mbuf* packet, WorkerContext& context) noexcept {
    const PolicyTable& policies = context.tables->policies[meta(packet).out_interface];
    const PolicyMatch match = policies.match(flow_of(packet));
    if (match.action == ipc::PolicyAction::Bypass)
        return true;
    if (match.action == ipc::PolicyAction::Protect)
        protect(packet, match.policy.value, context);
    else
        context.drop(packet, DropReason::PolicyDrop);
    return false;
}

void outbound_policy_matched(Burst& burst, WorkerContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i)
        protect(burst.packets[i], meta(burst.packets[i]).policy, context);
    burst.count = 0;
}

} // namespace adit::dataplane
