// SPDX-License-Identifier: Apache-2.0
// Step: what the policies of the egress interface say about a packet (RFC 4301 5.1).
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

#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// The look-up, on an interface that has policies. True: in clear.
bool passes_outbound_policy(rte_mbuf* packet, WorkerContext& context) noexcept;

ADIT_STEP outbound_policy(Passing& passing, WorkerContext& context) noexcept {
    return context.tables->policies[passing.out_interface].empty() ||
           passes_outbound_policy(passing.packet, context);
}

/// In: packets that another worker matched under our tables and handed over to the owner of their
/// SA. Exits as above; nothing stays in the burst.
void outbound_policy_matched(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
