// SPDX-License-Identifier: Apache-2.0
#include "control/ike/admission.h"

#include "control/ike/engine.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// splitmix64's finaliser: spreads a keyed prefix over the buckets.
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

} // namespace

bool TokenBucket::take(Instant now, std::uint32_t per_second, std::uint32_t burst) {
    if (!started_) {
        started_ = true;
        tokens_ = burst;
        filled_at_ = now;
    }
    const double elapsed = std::chrono::duration<double>(now - filled_at_).count();
    tokens_ = std::min<double>(burst, tokens_ + elapsed * per_second);
    filled_at_ = now;
    if (tokens_ < 1)
        return false;
    tokens_ -= 1;
    return true;
}

bool Admission::admit(Ipv4Address from, bool configured, std::size_t half_open, Instant now) {
    if (half_open >= Engine::kMaxHalfOpen)
        return false;
    if (half_open < kCalm || configured)
        return true;
    constexpr unsigned kHostBits = 8;
    return bucket_of(from.value >> kHostBits).take(now, kStrangersPerSecond, kStrangersBurst);
}

TokenBucket& Admission::bucket_of(std::uint32_t prefix) {
    return strangers_[mix(secret_ ^ prefix) % kBuckets];
}

} // namespace adit::ike
