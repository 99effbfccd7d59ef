// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match for IPv4: a trie of strides 16, 8 and 8, so a look-up is one to three reads.
// An edge box has tens to thousands of routes: the root takes 256 kB, where rte_lpm would reserve
// 64 MB for each of the two tables that exist while a new one is published.
//
// Own addresses and the broadcast addresses of our links are routes too: one look-up says whether a
// packet is for us, may not be forwarded, or where it goes.
//
// Threading: built by the housekeeper, then read-only; any worker may look up.
#pragma once

#include "common/address.h"
#include "common/types.h"

#include <cstdint>
#include <vector>

namespace adit::dataplane {

enum class RouteKind : std::uint8_t {
    None,      // no route
    Local,     // one of our addresses
    Broadcast, // of a connected prefix: delivered locally or dropped, never forwarded
    Connected, // the destination is on the link
    Gateway,   // by way of `gateway`
};

struct Route {
    RouteKind kind{RouteKind::None};
    std::uint16_t interface{kNoInterface.value};
    std::uint32_t gateway{0};

    friend bool operator==(const Route&, const Route&) = default;
};

class RouteTable {
  public:
    RouteTable();

    /// A later route for the same prefix replaces the earlier one. Prefixes must be added in order
    /// of rising length: a shorter one would overwrite the longer ones inside it.
    void add(Ipv4Prefix prefix, const Route& route);

    [[nodiscard]] const Route& lookup(std::uint32_t destination) const {
        std::uint32_t cell = root_[destination >> 16];
        if ((cell & kIsChunk) != 0)
            cell = chunks_[(cell & ~kIsChunk) + (destination >> 8 & 0xff)];
        if ((cell & kIsChunk) != 0)
            cell = chunks_[(cell & ~kIsChunk) + (destination & 0xff)];
        return routes_[cell];
    }

    /// Whether `address` is one of ours. Most are not, and a bit of a filter tells.
    [[nodiscard]] bool is_local(std::uint32_t address) const {
        return (local_filter_ & filter_bit(address)) != 0 &&
               lookup(address).kind == RouteKind::Local;
    }

  private:
    static std::uint64_t filter_bit(std::uint32_t address) {
        return std::uint64_t{1} << (address * 0x9e3779b1U >> 26);
    }

    static constexpr std::uint32_t kIsChunk = 1U << 31;
    static constexpr std::uint32_t kChunkCells = 256;

    /// Offset of the chunk below `cell`, made from its present content when there is none.
    std::uint32_t descend(std::vector<std::uint32_t>& level, std::uint32_t index);

    std::vector<std::uint32_t> root_;   // 65536 cells: index into routes_, or kIsChunk | offset
    std::vector<std::uint32_t> chunks_; // of kChunkCells each
    std::vector<Route> routes_;         // [0] is "no route"
    std::uint64_t local_filter_{0};     // bits of all addresses with a Local route
};

} // namespace adit::dataplane
