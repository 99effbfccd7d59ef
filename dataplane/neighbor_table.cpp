// SPDX-License-Identifier: Apache-2.0
#include "dataplane/neighbor_table.h"

#include "common/error.h"

namespace adit::dataplane {

NeighborTable::NeighborTable(std::span<ipc::NeighborEntry> page)
    : cells_(std::make_unique<Cell[]>(kCells)), page_(page) {
    ENSURE(page.empty() || page.size() == kCells);
}

std::optional<std::size_t> NeighborTable::find(std::uint64_t key) const {
    for (std::size_t i = first_cell(key), probes = 0; probes < kMaxProbes; ++probes) {
        const std::size_t at = (i + probes) & kMask;
        const std::uint64_t found = cells_[at].key.load(std::memory_order_relaxed);
        if (found == key)
            return at;
        if (found == 0)
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::size_t> NeighborTable::find_free(std::uint64_t key) const {
    for (std::size_t i = first_cell(key), probes = 0; probes < kMaxProbes; ++probes) {
        const std::size_t at = (i + probes) & kMask;
        if ((cells_[at].key.load(std::memory_order_relaxed) & kInUse) == 0)
            return at;
    }
    return std::nullopt;
}

bool NeighborTable::store(std::uint16_t interface,
                          std::uint32_t address,
                          ipc::NeighborState state,
                          const wire::MacAddress& mac,
                          std::uint64_t now_ns) {
    const std::uint64_t key = key_of(interface, address);
    std::optional<std::size_t> at = find(key);
    if (!at) {
        at = find_free(key);
        if (!at)
            return false;
        cells_[*at].value.store(0, std::memory_order_release);
        cells_[*at].key.store(key, std::memory_order_release);
    }
    const bool resolved = state != ipc::NeighborState::Incomplete;
    // Release: a reader that sees this value also sees the key stored before it.
    const std::uint64_t value = resolved ? mac.bits() | kResolved : 0;
    if (cells_[*at].value.load(std::memory_order_relaxed) != value) {
        cells_[*at].value.store(value, std::memory_order_release);
        changes_.fetch_add(1, std::memory_order_release);
    }
    show(*at, {state, address, interface, mac.octets, now_ns});
    return true;
}

void NeighborTable::remove(std::uint16_t interface, std::uint32_t address) {
    const std::optional<std::size_t> at = find(key_of(interface, address));
    if (!at)
        return;
    cells_[*at].value.store(0, std::memory_order_release);
    cells_[*at].key.store(kRemoved, std::memory_order_release);
    changes_.fetch_add(1, std::memory_order_release);
    show(*at, {});
}

void NeighborTable::show(std::size_t cell, const ipc::Neighbor& neighbor) {
    if (!page_.empty())
        ipc::store_neighbor(page_[cell], neighbor);
}

} // namespace adit::dataplane
