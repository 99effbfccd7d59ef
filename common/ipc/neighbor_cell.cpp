// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/neighbor_cell.h"

#include <bit>
#include <cstddef>

namespace adit::ipc {

namespace {

/// A NeighborEntry but for its version, as the 32-bit words it is moved in.
struct Body {
    std::uint32_t state;
    std::uint32_t address;
    std::uint16_t interface;
    std::array<std::uint8_t, 6> mac;
    std::uint32_t padding;
    std::uint32_t updated_ns_low, updated_ns_high; // x86: little end first
};

using Words = std::array<std::uint32_t, sizeof(Body) / sizeof(std::uint32_t)>;

static_assert(offsetof(NeighborEntry, state) == sizeof(std::uint32_t));
static_assert(offsetof(NeighborEntry, updated_ns) ==
              sizeof(std::uint32_t) + offsetof(Body, updated_ns_low));
static_assert(sizeof(NeighborEntry) == sizeof(std::uint32_t) + sizeof(Body));

/// A reader gives up after this many looks: the writer needs nanoseconds, so more means that the
/// other process is broken.
constexpr int kTries = 16;

const std::uint32_t* body_words(const NeighborEntry& cell) {
    return static_cast<const std::uint32_t*>(static_cast<const void*>(&cell)) + 1;
}

std::uint32_t* body_words(NeighborEntry& cell) {
    return static_cast<std::uint32_t*>(static_cast<void*>(&cell)) + 1;
}

std::optional<Neighbor> decode(const Body& body) {
    const auto state = static_cast<NeighborState>(body.state);
    switch (state) {
    case NeighborState::Incomplete:
    case NeighborState::Reachable:
    case NeighborState::Stale:
        return Neighbor{
            .state = state,
            .address = body.address,
            .interface = body.interface,
            .mac = body.mac,
            .updated_ns = std::uint64_t{body.updated_ns_high} << 32 | body.updated_ns_low,
        };
    case NeighborState::Empty:
        break;
    }
    return std::nullopt;
}

} // namespace

void store_neighbor(NeighborEntry& cell, const Neighbor& neighbor) {
    const auto words = std::bit_cast<Words>(Body{
        .state = static_cast<std::uint32_t>(neighbor.state),
        .address = neighbor.address,
        .interface = neighbor.interface,
        .mac = neighbor.mac,
        .padding = 0,
        .updated_ns_low = static_cast<std::uint32_t>(neighbor.updated_ns),
        .updated_ns_high = static_cast<std::uint32_t>(neighbor.updated_ns >> 32),
    });
    const std::uint32_t version = cell.version.load(std::memory_order_relaxed);
    cell.version.store(version + 1, std::memory_order_relaxed);
    // Release on each word: a reader that sees one of them also sees the odd version before it.
    for (std::size_t word = 0; word < words.size(); ++word)
        __atomic_store_n(body_words(cell) + word, words[word], __ATOMIC_RELEASE);
    // Release: a reader that sees this version sees all the words.
    cell.version.store(version + 2, std::memory_order_release);
}

std::optional<Neighbor> load_neighbor(const NeighborEntry& cell) {
    for (int tries = 0; tries < kTries; ++tries) {
        const std::uint32_t before = cell.version.load(std::memory_order_acquire);
        Words words;
        // Acquire on each word: the second look at the version cannot move before it.
        for (std::size_t word = 0; word < words.size(); ++word)
            words[word] = __atomic_load_n(body_words(cell) + word, __ATOMIC_ACQUIRE);
        const std::uint32_t after = cell.version.load(std::memory_order_relaxed);
        if (before == after && before % 2 == 0)
            return decode(std::bit_cast<Body>(words));
    }
    return std::nullopt;
}

} // namespace adit::ipc
