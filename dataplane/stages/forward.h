// SPDX-License-Identifier: Apache-2.0
// Step: one hop less to live (RFC 1812 5.3.1), for packets that we pass on.
//
// Exits by drop: TtlExpired, answered with ICMP time exceeded.
#pragma once

#include "common/wire/ipv4.h"
#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

void end_life(rte_mbuf* packet, WorkerContext& context) noexcept;

ADIT_STEP forward(Passing& passing, WorkerContext& context) noexcept {
    wire::Ipv4Header ip{passing.at};
    if (ip.ttl() <= 1) [[unlikely]] {
        end_life(passing.packet, context);
        return false;
    }
    ip.decrement_ttl();
    return true;
}

} // namespace adit::dataplane
