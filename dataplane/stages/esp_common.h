// SPDX-License-Identifier: Apache-2.0
// What both ESP stages do to packets and counters. Private to stages/esp_*.cpp.
#pragma once

#include "dataplane/crypto_mb.h"
#include "dataplane/packet.h"
#include "dataplane/sa.h"
#include "dataplane/stages/esp_context.h"

#include <cstdint>
#include <cstring>
#include <emmintrin.h>
#include <rte_mbuf.h>

namespace adit::dataplane {

/// One segment, ours alone: it can be enciphered in place.
inline bool is_plain(const rte_mbuf* packet) {
    return packet->nb_segs == 1 && RTE_MBUF_DIRECT(packet) && rte_mbuf_refcnt_read(packet) == 1;
}

/// Slow path: replaces a chained or shared packet, or one that lacks room, by a single-segment copy
/// with its metadata. On failure the packet stays and nullptr is returned.
inline rte_mbuf* copy_to_plain(rte_mbuf* packet, rte_mempool* pool) {
    if (pool == nullptr)
        return nullptr;
    rte_mbuf* copy = rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
    if (copy == nullptr)
        return nullptr;
    if (copy->nb_segs != 1) { // longer than a buffer of the pool
        rte_pktmbuf_free(copy);
        return nullptr;
    }
    meta(copy) = meta(packet);
    rte_pktmbuf_free(packet);
    return copy;
}

inline constexpr std::size_t kGcmIvBytes = 8; // RFC 4106 3.1
inline constexpr std::size_t kMaxIvBytes = 16;
inline constexpr std::size_t kMaxIcvBytes = 32;
/// Packets between asking for the keys of one and using them.
inline constexpr unsigned kFetchAhead = 4;

/// Asks for what of an SA's keys a text of this length makes the library read.
template <class Sa>
[[gnu::always_inline]] inline void
fetch_keys(const Sa& sa, std::uint32_t text_bytes, const CryptoMb& crypto) {
    unsigned lines = sa.key_lines;
    if (sa.has(kTraitCombined))
        lines |= crypto.gcm_power_lines(text_bytes);
    prefetch_keys(sa.keys, static_cast<KeyLines>(lines));
}

/// Salt and IV as GCM wants them (RFC 4106 4), stored in one piece: the cipher loads it at once,
/// and a load is served from stores still under way only when one of them covers it.
class GcmNonce {
  public:
    GcmNonce(const std::uint8_t (&salt)[4], const std::uint8_t* iv) {
        std::uint32_t first;
        std::uint64_t rest;
        std::memcpy(&first, salt, sizeof first);
        std::memcpy(&rest, iv, sizeof rest);
        octets_ = _mm_set_epi64x(static_cast<long long>(rest >> 32),
                                 static_cast<long long>(rest << 32 | first));
    }

    [[nodiscard]] const std::uint8_t* bytes() const {
        return static_cast<const std::uint8_t*>(static_cast<const void*>(&octets_));
    }

  private:
    __m128i octets_;
};

enum class Charge : std::uint8_t {
    Within,
    Expired, // the hard limit is or was passed: the packet must not be carried
};

/// The rare half of charge_bytes: a threshold was reached. Reports each threshold once.
Charge pass_threshold(std::uint32_t sa_id,
                      std::uint64_t& bytes_left,
                      ByteLimits& limits,
                      std::uint32_t bytes,
                      EventQueue& events);

/// Counts plaintext octets against the SA's limits.
template <class Sa> Charge charge_bytes(Sa& sa, std::uint32_t bytes, EventQueue& events) {
    if (sa.bytes_left >= bytes) [[likely]] {
        sa.bytes_left -= bytes;
        return Charge::Within;
    }
    return pass_threshold(sa.sa_id, sa.bytes_left, sa.limits, bytes, events);
}

void report_expiry(EventQueue& events,
                   ipc::EventType type,
                   std::uint32_t sa_id,
                   ipc::ExpireKind kind);

} // namespace adit::dataplane
