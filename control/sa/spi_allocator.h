// SPDX-License-Identifier: Apache-2.0
// Hands out inbound SPIs and slots of the dataplane's SA tables. A slot goes back into the free
// list only when nobody refers to it any more: neither the IKE engine nor the dataplane.
//
// The SPI names the worker that will own the pair. All SAs of a policy are one worker's, as long as
// there are any: a rekey that went elsewhere would let packets overtake each other. A policy
// without SAs gets the worker that has the fewest.
//
// Slots are used in turn (first in, first out), so that a stale packet for a removed SA does not
// find a new one for as long as possible.
//
// Threading: control's loop.
#pragma once

#include "common/random.h"
#include "common/spi.h"
#include "control/ike/interface.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace adit::sa {

/// Numbers 0..size-1, each in use at most once. Starts somewhere in the middle, so that a stranger
/// cannot tell the first SPIs after a start.
class SlotPool {
  public:
    explicit SlotPool(std::uint32_t size = 0, std::uint32_t first = 0)
        : size_(size), first_(first) {}

    std::optional<std::uint32_t> take();

    void give_back(std::uint32_t slot) { free_.push_back(slot); }

    /// These are taken already, by a control before; the others come in their turn.
    void resume(const std::vector<bool>& taken);

    [[nodiscard]] std::uint32_t size() const { return size_; }

    [[nodiscard]] bool full() const { return in_use() == size_; }

    [[nodiscard]] std::uint32_t in_use() const {
        return fresh_ - static_cast<std::uint32_t>(free_.size());
    }

  private:
    std::uint32_t size_;
    std::uint32_t first_;
    std::uint32_t fresh_{0}; // how many have ever been used, counted from first_
    std::deque<std::uint32_t> free_;
};

class InboundSpis final : public ike::SpiAllocator {
  public:
    /// `slots` of each worker.
    InboundSpis(std::uint32_t workers, std::uint32_t slots, Rng& rng);

    std::optional<Spi> allocate(PolicyId policy) override;

    /// The engine has no further use for it. The slot stays taken while the dataplane holds the SA.
    void release(Spi spi) override;

    struct Resumed {
        Spi spi;
        PolicyId policy;
        bool engine{false}; // who refers to it
        bool dataplane{false};
    };

    /// Before the first allocation: given out by a control before.
    void resume(const std::vector<Resumed>& spis);

    /// Sent to the dataplane / gone from it (its Ack came, or it restarted).
    void installed(Spi spi);
    void uninstalled(Spi spi);

    /// Whether it was given out here and somebody refers to it.
    [[nodiscard]] bool holds(Spi spi) const { return held_.contains(spi); }

    [[nodiscard]] std::size_t in_use() const { return held_.size(); }

  private:
    struct Holders {
        PolicyId policy;
        bool engine{true};
        bool dataplane{false};
    };

    /// Where a policy's SAs are.
    struct Home {
        WorkerId worker;
        std::uint32_t spis{0};
    };

    [[nodiscard]] WorkerId choose_worker(PolicyId policy) const;
    void free_if_unheld(Spi spi);

    std::vector<SlotPool> slots_; // by worker
    Rng& rng_;
    std::unordered_map<PolicyId, Home> homes_;
    std::unordered_map<Spi, Holders> held_;
};

} // namespace adit::sa
