// SPDX-License-Identifier: Apache-2.0
// Step: clear text that a policy wants protected is not let in (RFC 4301 5.2 step 4): otherwise
// anybody on the outer link could speak for the other side of the tunnel. IKE and ESP to our own
// address are what protection is made of, and pass.
//
// In:  from ip_input, off the wire.
// Exits by drop: PolicyCleartext, counted for the policy and noticed.
#pragma once

#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// The look-up, on an interface that has policies.
bool passes_inbound_policy(rte_mbuf* packet, WorkerContext& context) noexcept;

ADIT_STEP inbound_policy(Passing& passing, WorkerContext& context) noexcept {
    return context.tables->policies[meta(passing.packet).in_interface].empty() ||
           passes_inbound_policy(passing.packet, context);
}

} // namespace adit::dataplane
