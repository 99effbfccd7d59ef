// SPDX-License-Identifier: Apache-2.0
// Makes packets fit: into their tunnel before encryption (so that the peer decrypts each piece as
// it comes, RFC 4301 8), or onto the link they leave by.
//
// One packet may become many, so these stages fill `out` from where `next` says and are called
// until `in` is used up:
//
//     for (unsigned next = 0; fit_tunnel(in, next, out, context); out.count = 0) ...
//
// Order is kept. Exits by drop: TooBigDf, answered with ICMP fragmentation needed (RFC 1191 4)
// unless the SA clears don't-fragment bits; NoBuffer.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// Limit: what fits into meta.sa.outbound over the egress interface. False when nothing is left.
[[nodiscard]] bool
fit_tunnel(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept;

/// Limit: the egress interface's IP MTU. What comes out is in one segment.
[[nodiscard]] bool fit_link(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept;

} // namespace adit::dataplane
