// SPDX-License-Identifier: Apache-2.0
// One hop less to live (RFC 1812 5.3.1), for packets that we pass on.
//
// Exits by drop: TtlExpired, answered with ICMP time exceeded.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void forward(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
