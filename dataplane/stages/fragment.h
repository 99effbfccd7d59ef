// SPDX-License-Identifier: Apache-2.0
// Makes packets fit: into their tunnel before encryption (so that the peer decrypts each piece as
// it comes, RFC 4301 8), or onto the link they leave by.
//
// Exits by drop: TooBigDf, answered with ICMP fragmentation needed (RFC 1191 4) unless the SA
// clears don't-fragment bits; NoBuffer.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

struct Limit {
    std::uint32_t mtu;
    bool respects_df;
};

/// Puts `packet`, which is too large or in several segments, or its fragments into `out`; or drops
/// it. False, with nothing done, when `out` has no room for all of them.
[[nodiscard]] bool
make_fit(rte_mbuf* packet, const Limit& limit, Burst& out, WorkerContext& context) noexcept;

/// Whether every packet fits into meta.sa.outbound as it is: nearly always, and then there is
/// nothing to do.
[[nodiscard]] bool all_fit_tunnel(const Burst& packets, const WorkerContext& context) noexcept;

/// Stage: what fits into meta.sa.outbound over the egress interface. One packet may become many, so
/// this fills `out` from where `next` says and is called until `in` is used up; order is kept:
///
///     for (unsigned next = 0; fit_tunnel(in, next, out, context); out.count = 0) ...
///
/// False when nothing is left.
[[nodiscard]] bool
fit_tunnel(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept;

} // namespace adit::dataplane
