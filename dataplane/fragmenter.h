// SPDX-License-Identifier: Apache-2.0
// IPv4 fragmentation (RFC 791 3.2, RFC 1812 5.2.6). Fragments are copies with head and tail room of
// their own, because the ESP stage writes in front of and behind each of them in place.
//
// Threading: any; the pool is the caller's.
#pragma once

#include <cstdint>
#include <rte_mbuf.h>
#include <span>

namespace adit::dataplane {

/// Number of fragments that `packet` needs for `mtu`; 1 when it fits. 0 when `mtu` is too small to
/// carry any of it.
unsigned fragments_needed(rte_mbuf* packet, std::uint32_t mtu);

/// Writes the fragments of `packet` (data starts at a sound IPv4 header; may be a chain, may itself
/// be a fragment) and frees it. `to` has fragments_needed() places. False when out of buffers:
/// nothing was made and `packet` is still the caller's. Each fragment carries the packet's
/// metadata; the don't-fragment bit is not looked at, and is clear in the fragments.
[[nodiscard]] bool
fragment(rte_mbuf* packet, std::uint32_t mtu, rte_mempool* pool, std::span<rte_mbuf*> to);

} // namespace adit::dataplane
