// SPDX-License-Identifier: Apache-2.0
// What the policies of the egress interface say about a packet (RFC 4301 5.1).
//
// In:  routed.
// Out: packets that leave in clear.
// Exits by burst: packets with an SA, to context.protect, with meta.sa.outbound set.
// Exits by queue: packets whose SA is still to be negotiated, to context.held; control gets an
//      Acquire.
// Exits by drop: PolicyDrop; NoSa when the queue is full.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void outbound_policy(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
