// SPDX-License-Identifier: Apache-2.0
// Which MAC address answers for a next hop. A hash table of fixed size, written by the housekeeper
// (arp.h decides what stands in it) and read by workers without a lock:
//
//     cell: | key: interface, address, in use | value: MAC address, resolved |
//
// A reader takes key, value, key again: a cell that changed hands in between does not match. Every
// change is also written to the page that control reads for `show ip arp`.
//
// Threading: one writer, any number of readers.
#pragma once

#include "common/ipc/neighbor_cell.h"
#include "common/ipc/stats.h"
#include "common/types.h"
#include "common/wire/ethernet.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace adit::dataplane {

class NeighborTable {
  public:
    /// `page`: kMaxNeighbors entries for control, or empty. Cell i is shown in entry i.
    explicit NeighborTable(std::span<ipc::NeighborEntry> page);

    /// Nothing while it is not resolved.
    [[nodiscard]] std::optional<wire::MacAddress> lookup(std::uint16_t interface,
                                                         std::uint32_t address) const {
        const std::uint64_t key = key_of(interface, address);
        for (std::size_t i = first_cell(key), probes = 0; probes < kMaxProbes; ++probes) {
            const Cell& cell = cells_[(i + probes) & kMask];
            // Acquire: a value read below is not older than this key.
            const std::uint64_t found = cell.key.load(std::memory_order_acquire);
            if (found == 0)
                return std::nullopt;
            if (found != key)
                continue;
            const std::uint64_t value = cell.value.load(std::memory_order_acquire);
            // The writer stores the key of a reused cell before its value.
            if ((value & kResolved) == 0 || cell.key.load(std::memory_order_relaxed) != key)
                return std::nullopt;
            return mac_of(value);
        }
        return std::nullopt;
    }

    /// How often a cell changed its meaning; read it before looking up what is to be remembered.
    [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

    /// Adds or changes. False when its part of the table is full.
    bool store(std::uint16_t interface,
               std::uint32_t address,
               ipc::NeighborState state,
               const wire::MacAddress& mac,
               std::uint64_t now_ns);
    void remove(std::uint16_t interface, std::uint32_t address);

  private:
    static constexpr std::size_t kCells = ipc::kMaxNeighbors;
    static constexpr std::size_t kMask = kCells - 1;
    static_assert((kCells & kMask) == 0);
    /// arp.h keeps the table at most half full; longer chains than this are then not met in
    /// practice.
    static constexpr std::size_t kMaxProbes = 64;

    static constexpr std::uint64_t kInUse = std::uint64_t{1} << 63;
    static constexpr std::uint64_t kRemoved = 1; // keeps the chains behind it whole
    static constexpr std::uint64_t kResolved = std::uint64_t{1} << 63;

    struct Cell {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::uint64_t> value{0};
    };

    static std::uint64_t key_of(std::uint16_t interface, std::uint32_t address) {
        return kInUse | std::uint64_t{interface} << 32 | address;
    }

    static std::size_t first_cell(std::uint64_t key) {
        return static_cast<std::size_t>(key * 0x9e3779b97f4a7c15U >> 40) & kMask;
    }

    static wire::MacAddress mac_of(std::uint64_t value) {
        return wire::MacAddress::of_bits(value & wire::kMacBits);
    }

    [[nodiscard]] std::optional<std::size_t> find(std::uint64_t key) const;
    [[nodiscard]] std::optional<std::size_t> find_free(std::uint64_t key) const;
    void show(std::size_t cell, const ipc::Neighbor& neighbor);

    std::unique_ptr<Cell[]> cells_;
    std::atomic<std::uint64_t> changes_{0};
    std::span<ipc::NeighborEntry> page_;
};

/// The last look-up of a worker: neighbouring packets often go to the same next hop. Forget it
/// between turns, or a change would not be seen.
class NextHop {
  public:
    void forget() { interface_ = kNoInterface.value; }

    const std::optional<wire::MacAddress>&
    find(const NeighborTable& neighbors, std::uint16_t interface, std::uint32_t address) {
        if (interface != interface_ || address != address_) [[unlikely]] {
            interface_ = interface;
            address_ = address;
            mac_ = neighbors.lookup(interface, address);
        }
        return mac_;
    }

  private:
    std::uint16_t interface_{kNoInterface.value};
    std::uint32_t address_{0};
    std::optional<wire::MacAddress> mac_;
};

} // namespace adit::dataplane
