// SPDX-License-Identifier: Apache-2.0
// How a packet gets to the worker that can go on with it: the one whose SA it needs, or one that
// has a transmit queue. One ring for each ordered pair of workers, so each has one producer and one
// consumer, and what one worker hands to another arrives in order.
//
//      worker 0 --- stages ---> desk 0: batch for 1 ==ring 0>1==> desk 1 --- stages ---> tx
//                               desk 0 <==ring 1>0== batch for 0: desk 1
//
// What the packet wants there stands in its metadata (Handover in packet.h).
//
// Threading: HandoverRings: shared, each ring between its two workers. HandoverDesk: its worker.
#pragma once

#include "common/error.h"
#include "common/spi.h"
#include "dataplane/burst.h"
#include "dataplane/mbuf_ring.h"
#include "dataplane/packet.h"
#include "dataplane/policy_owners.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace adit::dataplane {

class HandoverRings {
  public:
    /// Eight full bursts: what comes in while the consumer's turn is one long burst of CBC.
    static constexpr unsigned kSlots = 1024;

    /// None: for a worker that is alone.
    HandoverRings() = default;

    static Result<HandoverRings> create(unsigned workers);

    [[nodiscard]] unsigned workers() const { return workers_; }

    [[nodiscard]] MbufRing& between(WorkerId from, WorkerId to) {
        // Nobody hands over to itself, so a row has one place less.
        const unsigned column = to.value < from.value ? to.value : to.value - 1U;
        return rings_[from.value * (workers_ - 1) + column];
    }

  private:
    unsigned workers_{1};
    std::vector<MbufRing> rings_;
};

/// What only several workers share.
struct Crossing {
    HandoverRings rings;
    PolicyOwners owners{0};

    static Result<Crossing> create(unsigned workers, std::uint32_t max_policies);
};

/// One worker's ends of the rings. Packets to hand over gather in a batch for each worker until the
/// turn ends or the batch is full.
class HandoverDesk {
  public:
    static constexpr unsigned kBatch = 32;
    /// Taken from one ring in one turn: as much as from a queue of a port.
    static constexpr unsigned kTakeFromRing = kRxBurst;

    /// Of a worker that is alone: everything is its own.
    HandoverDesk() = default;

    HandoverDesk(Crossing& crossing, WorkerId self);

    [[nodiscard]] bool alone() const { return workers_ == 1; }

    [[nodiscard]] unsigned workers() const { return workers_; }

    /// The other worker that has the SA of this inbound SPI, if its bits name one.
    [[nodiscard]] std::optional<WorkerId> other_owner(Spi spi) const {
        const WorkerId owner = spi_worker(spi);
        return owner != self_ && owner.value < workers_ ? std::optional{owner} : std::nullopt;
    }

    /// The other worker that has the outbound SA of this policy.
    [[nodiscard]] std::optional<WorkerId> other_owner(std::uint32_t policy) const {
        if (alone())
            return std::nullopt;
        const std::optional<WorkerId> owner = crossing_->owners.owner(policy);
        return owner != self_ ? owner : std::nullopt;
    }

    /// Whether the batch for `to` is full now, and must be flushed before the next packet.
    [[nodiscard]] bool add(rte_mbuf* packet, WorkerId to, Handover want);

    /// Moves the batch for `to` into its ring. Returns what found it full, which is the caller's;
    /// valid until the next add().
    [[nodiscard]] std::span<rte_mbuf* const> flush(WorkerId to);

    [[nodiscard]] bool pending(WorkerId to) const { return batches_[to.value].count > 0; }

    /// Takes what the others handed over; another ring is first each time. How much it was.
    unsigned receive(Burst& taken);

  private:
    struct Batch {
        std::array<rte_mbuf*, kBatch> packets;
        unsigned count{0};
    };

    Crossing* crossing_{nullptr};
    WorkerId self_{0};
    unsigned workers_{1};
    unsigned first_{0};
    std::vector<Batch> batches_; // by worker
};

} // namespace adit::dataplane
