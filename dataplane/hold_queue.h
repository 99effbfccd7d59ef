// SPDX-License-Identifier: Apache-2.0
// Packets that wait for the SA of their policy while control negotiates it: the first few of each
// policy, so that the ping or the TCP handshake that asked for the tunnel is not lost.
//
// Threading: one worker.
#pragma once

#include "dataplane/burst.h"

#include <array>
#include <cstdint>
#include <optional>
#include <rte_mbuf.h>
#include <vector>

namespace adit::dataplane {

class HoldQueue {
  public:
    static constexpr std::size_t kMaxPackets = 256;
    static constexpr std::size_t kMaxPerPolicy = 8;
    /// Longer than a negotiation with one retransmission; a TCP that waited longer has repeated
    /// itself.
    static constexpr std::uint64_t kMaxWaitNs = 15'000'000'000;
    /// One Acquire a second and policy: control knows after the first.
    static constexpr std::uint64_t kAcquirePeriodNs = 1'000'000'000;

    explicit HoldQueue(std::uint32_t max_policies) : next_acquire_ns_(max_policies, 0) {}

    ~HoldQueue() {
        for (std::size_t i = 0; i < count_; ++i)
            rte_pktmbuf_free(entries_[i].packet);
    }

    HoldQueue(const HoldQueue&) = delete;
    HoldQueue& operator=(const HoldQueue&) = delete;

    /// Whether control should be asked (again) for this policy's SA.
    [[nodiscard]] bool wants_acquire(std::uint32_t policy, std::uint64_t now_ns) {
        if (next_acquire_ns_[policy] > now_ns)
            return false;
        next_acquire_ns_[policy] = now_ns + kAcquirePeriodNs;
        return true;
    }

    /// False when the queue, or the policy's share of it, is full; the packet is then the caller's.
    [[nodiscard]] bool hold(rte_mbuf* packet, std::uint32_t policy, std::uint64_t now_ns) {
        if (count_ == kMaxPackets)
            return false;
        std::size_t of_policy = 0;
        for (std::size_t i = 0; i < count_; ++i)
            if (entries_[i].policy == policy)
                ++of_policy;
        if (of_policy == kMaxPerPolicy)
            return false;
        entries_[count_++] = {packet, now_ns + kMaxWaitNs, policy};
        return true;
    }

    /// Moves the packets of one policy into `to`, oldest first. At most kMaxPerPolicy.
    void release(std::uint32_t policy, Burst& to) {
        take_if([&](const Entry& entry) { return entry.policy == policy && !to.full(); },
                [&](rte_mbuf* packet, std::uint32_t) { to.push(packet); });
    }

    /// The policy of the oldest packet for which `accept(policy)` holds.
    template <class Accept>
    [[nodiscard]] std::optional<std::uint32_t> find_policy(Accept&& accept) const {
        for (std::size_t i = 0; i < count_; ++i)
            if (accept(entries_[i].policy))
                return entries_[i].policy;
        return std::nullopt;
    }

    /// Hands packets that waited too long to `drop(packet, policy)`.
    template <class Drop> void expire(std::uint64_t now_ns, Drop&& drop) {
        take_if([&](const Entry& entry) { return entry.deadline_ns <= now_ns; }, drop);
    }

    /// Hands all of them to `drop(packet, policy)`; their policies mean nothing any more.
    template <class Drop> void clear(Drop&& drop) {
        take_if([](const Entry&) { return true; }, drop);
        next_acquire_ns_.assign(next_acquire_ns_.size(), 0);
    }

    [[nodiscard]] std::size_t size() const { return count_; }

  private:
    struct Entry {
        rte_mbuf* packet;
        std::uint64_t deadline_ns;
        std::uint32_t policy;
    };

    template <class Condition, class Take> void take_if(Condition&& condition, Take&& take) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            if (condition(entries_[i]))
                take(entries_[i].packet, entries_[i].policy);
            else
                entries_[kept++] = entries_[i];
        }
        count_ = kept;
    }

    std::array<Entry, kMaxPackets> entries_;
    std::size_t count_{0};
    std::vector<std::uint64_t> next_acquire_ns_;
};

} // namespace adit::dataplane
