// SPDX-License-Identifier: Apache-2.0
// How much of us strangers may use. Below a threshold of half-open exchanges everybody is welcome;
// above it each network of strangers has a budget. Configured peers have none: whoever spoofs their
// address would use it up. What bounds their first messages, and all others, is the table: the
// oldest exchange in which only a first message has come makes room (Engine::Core::make_room).
//
// A first message of aggressive mode costs arithmetic, whoever sent it, so there even configured
// peers have a budget, all of them one. When it is used up, a copy of a message that found it so
// draws on another one: who waits for an answer repeats itself, a flood says something new each
// time.
//
// Threading: belongs to its engine. Source: RFC 2408 2.5.3; token buckets per prefix.
#pragma once

#include "common/address.h"
#include "common/clock.h"

#include <array>
#include <cstdint>
#include <vector>

namespace adit::ike {

class TokenBucket {
  public:
    /// One token, when there is one. `per_second` and `burst` are the caller's.
    bool take(Instant now, std::uint32_t per_second, std::uint32_t burst);

  private:
    Instant filled_at_;
    double tokens_{0};
    bool started_{false};
};

class Admission {
  public:
    static constexpr std::size_t kCalm = 512; // half-open exchanges before budgets apply
    static constexpr std::uint32_t kStrangersPerSecond = 20; // of one /24
    static constexpr std::uint32_t kStrangersBurst = 5;
    static constexpr std::uint32_t kRefusalsPerSecond = 200;
    static constexpr std::uint32_t kRefusalsBurst = 200;
    static constexpr std::uint32_t kComputationsPerSecond = 200; // a fifth of a core, MODP-2048
    static constexpr std::uint32_t kComputationsBurst = 50;
    static constexpr std::uint32_t kCopiesPerSecond = 50;
    static constexpr std::uint32_t kCopiesBurst = 50;
    /// No implementation repeats itself sooner, and none waits longer.
    static constexpr Duration kSoonestCopy = std::chrono::milliseconds{400};
    static constexpr Duration kLatestCopy = std::chrono::seconds{30};

    explicit Admission(std::uint64_t secret) : secret_(secret) {}

    /// May this first message make a half-open entry?
    bool admit(Ipv4Address from, bool configured, std::size_t half_open, Instant now);

    /// May a first message cost a Diffie-Hellman computation, as aggressive mode's does? `digest`
    /// is the message's.
    bool may_compute(bool configured, std::uint64_t digest, Instant now);

    /// May a stranger be told why not? Silence costs nothing.
    bool may_refuse(Instant now) { return refusals_.take(now, kRefusalsPerSecond, kRefusalsBurst); }

  private:
    TokenBucket& bucket_of(std::uint32_t prefix);
    bool is_copy(std::uint64_t digest, Instant now);

    /// Fixed, indexed by a keyed hash: spoofed prefixes cannot grow it, nor aim at a neighbour.
    static constexpr std::size_t kBuckets = 4096;

    /// A message that was turned away, by part of its digest, and when.
    struct TurnedAway {
        std::uint32_t tag{0};
        std::uint32_t milliseconds{0};
    };

    /// At five thousand a second nine of ten are still there two seconds later.
    static constexpr std::size_t kTurnedAway = 65'536;

    std::uint64_t secret_;
    std::array<TokenBucket, kBuckets> strangers_;
    TokenBucket refusals_;
    std::array<TokenBucket, 2> computations_; // for those whom a crypto map names: the second
    TokenBucket copies_;
    std::vector<TurnedAway> turned_away_; // made when the first one is
};

} // namespace adit::ike
