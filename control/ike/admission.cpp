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

bool Admission::may_compute(bool configured, std::uint64_t digest, Instant now) {
    return computations_[configured ? 1 : 0].take(
               now, kComputationsPerSecond, kComputationsBurst) ||
           (is_copy(digest, now) && copies_.take(now, kCopiesPerSecond, kCopiesBurst));
}

/// Whether this very message was turned away a while ago; from now on it was.
bool Admission::is_copy(std::uint64_t digest, Instant now) {
    turned_away_.resize(kTurnedAway);
    const std::uint64_t spread = mix(secret_ ^ digest);
    TurnedAway& place = turned_away_[spread % kTurnedAway];
    const auto tag = static_cast<std::uint32_t>(spread >> 32) | 1; // 0: nobody yet
    const auto milliseconds = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
    if (place.tag != tag) {
        place = {tag, milliseconds};
        return false;
    }
    const std::chrono::milliseconds age{milliseconds - place.milliseconds};
    if (age > kLatestCopy)
        place.milliseconds = milliseconds;
    return age >= kSoonestCopy && age <= kLatestCopy;
}

TokenBucket& Admission::bucket_of(std::uint32_t prefix) {
    return strangers_[mix(secret_ ^ prefix) % kBuckets];
}

} // namespace adit::ike
