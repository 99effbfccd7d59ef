// SPDX-License-Identifier: Apache-2.0
// Finds out where a packet goes (RFC 1812 5.2.4): meta gets out_interface and next_hop.
//
// Exits by burst: packets to our own addresses, to context.local.
// Exits by drop: NotForwardable; NoRoute, answered with ICMP network unreachable.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void route(Burst& burst, WorkerContext& context) noexcept;

/// The same for what we send ourselves: a packet of ours to an address of ours is dropped as
/// NotForwardable, so nothing can go round in here.
void route_own(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
