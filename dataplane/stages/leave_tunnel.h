// SPDX-License-Identifier: Apache-2.0
// Stage: what comes out of the SAs of tunnels. Everything is routed like what comes off a wire; TCP
// is told of segments that fit the tunnel, on this way too (`ip tcp adjust-mss`).
//
// In:  from esp_inbound, with meta.sa.inbound.
// Out: all of them.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void clamp_segments(const Burst& inner, const WorkerContext& context) noexcept;

inline void leave_tunnel(const Burst& inner, const WorkerContext& context) noexcept {
    if (context.tables->clamps_segments) [[unlikely]]
        clamp_segments(inner, context);
}

} // namespace adit::dataplane
