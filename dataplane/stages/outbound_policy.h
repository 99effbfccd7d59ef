// SPDX-License-Identifier: Apache-2.0
// Step: what the policies of the egress interface say about a packet (RFC 4301 5.1). A tunnel has
// no table of them: what is routed into it is protected by its one policy.
//
// In:  routed.
// Out: packets that leave in clear.
// Exits by burst: packets with an SA, to context.protect, with meta.sa.outbound set.
// Exits by queue: packets whose SA is still to be negotiated, to context.held; control gets an
//      Acquire.
// Exits by handover: packets whose SA is another worker's.
// Exits by drop: PolicyDrop; NoSa when the queue is full, or when a packet that was handed over to
//      its SA's worker finds it gone to yet another one.
#pragma once

#include "dataplane/crypto_mb.h"
#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

#include <rte_prefetch.h>

namespace adit::dataplane {

/// Its SA is another worker's, or still to be negotiated.
void protect_elsewhere(rte_mbuf* packet, std::uint32_t policy, WorkerContext& context) noexcept;

/// Its policy is known; its SA is the policy's current one.
[[gnu::always_inline]] inline void protect_by_current_sa(const Passing& passing,
                                                         std::uint32_t policy,
                                                         WorkerContext& context) noexcept {
    OutboundSa* sa = context.esp.sas.outbound_for_policy(policy);
    if (sa == nullptr) [[unlikely]] {
        protect_elsewhere(passing.packet, policy, context);
        return;
    }
    // What esp_outbound is going to touch: the SA, and the places of outer header and trailer.
    rte_prefetch0(sa);
    rte_prefetch0(&sa->next_sequence);
    rte_prefetch0(passing.at - RTE_CACHE_LINE_SIZE);
    rte_prefetch0(passing.at + passing.bytes);
    meta(passing.packet).sa.outbound = sa;
    context.protect.push(passing.packet);
}

/// To the SA of `policy`. With many SAs in two steps, so that neither waits for memory: see
/// outbound_policy_matched.
[[gnu::always_inline]] inline void
protect(const Passing& passing, std::uint32_t policy, WorkerContext& context) noexcept {
    PacketMeta& m = meta(passing.packet);
    m.policy = policy;
    if (context.esp.crypto.keys_are_cold()) {
        rte_prefetch0(context.esp.sas.outbound_place(policy));
        context.matched.push(passing.packet);
    } else {
        protect_by_current_sa(passing, policy, context);
    }
}

/// The route leads into a tunnel.
void enter_tunnel(const Passing& passing, WorkerContext& context) noexcept;

ADIT_STEP outbound_policy(Passing& passing, WorkerContext& context) noexcept {
    if (passing.out_interface == kTunnelInterface) [[unlikely]] {
        enter_tunnel(passing, context);
        return false;
    }
    const PolicyTable& policies = context.tables->policies[passing.out_interface];
    if (policies.empty())
        return true;
    const PolicyMatch match = policies.match(flow_of(passing.packet));
    if (match.action == ipc::PolicyAction::Bypass)
        return true;
    if (match.action == ipc::PolicyAction::Protect) [[likely]]
        protect(passing, match.policy.value, context);
    else
        context.drop(passing.packet, DropReason::PolicyDrop);
    return false;
}

/// What waited for the SA of a tunnel leaves by a tunnel or not at all: its route may lead
/// elsewhere by now, in clear. Dropped as NoSa; before packets that waited are routed again.
void keep_to_tunnels(Burst& waited, WorkerContext& context) noexcept;

/// The way to the policy's line for the step that follows in another pass.
ADIT_STEP fetch_policy(Passing& passing, WorkerContext& context) noexcept {
    context.tables->policies[passing.out_interface].prefetch(flow_of(passing.packet));
    return true;
}

/// In: packets whose meta.policy was matched, here (context.matched) or by another worker under our
/// tables, who handed them over to the owner of their SA. Exits as above; nothing stays in the
/// burst.
void outbound_policy_matched(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
