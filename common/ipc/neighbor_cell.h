// SPDX-License-Identifier: Apache-2.0
// Writing and reading one NeighborEntry, whose fields belong together: a sequence lock.
//
// Threading: one writer (the housekeeper), any reader, in any process. A reader never waits for the
// writer: after a few tries it says that there is no answer now.
#pragma once

#include "common/ipc/stats.h"

#include <array>
#include <optional>

namespace adit::ipc {

struct Neighbor {
    NeighborState state{NeighborState::Empty};
    std::uint32_t address{0};
    std::uint16_t interface{0};
    std::array<std::uint8_t, 6> mac{};
    std::uint64_t updated_ns{0}; // CLOCK_MONOTONIC
};

void store_neighbor(NeighborEntry& cell, const Neighbor& neighbor);

/// Nothing when the entry is empty, holds no known state, or keeps changing while it is read.
std::optional<Neighbor> load_neighbor(const NeighborEntry& cell);

} // namespace adit::ipc
