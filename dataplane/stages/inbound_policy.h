// SPDX-License-Identifier: Apache-2.0
// Clear text that a policy wants protected is not let in (RFC 4301 5.2 step 4): otherwise anybody
// on the outer link could speak for the other side of the tunnel. IKE and ESP to our own address
// are what protection is made of, and pass.
//
// In:  from ip_input, off the wire.
// Exits by drop: PolicyCleartext, counted for the policy and noticed.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void inbound_policy(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
