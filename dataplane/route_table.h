// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match for IPv4: a trie of strides 16, 8, 4 and 4, so a look-up is one to four
// reads. An edge box has tens to thousands of routes: the root takes 256 kB, where rte_lpm would
// reserve 64 MB for each of the two tables that exist while a new one is published. The short
// strides below /24 are for the routes to single hosts that remote access brings: one alone in its
// /24 costs 128 octets (and its /16 a kilobyte), neighbours share.
//
// Own addresses and the broadcast addresses of our links are routes too: one look-up says whether a
// packet is for us, may not be forwarded, or where it goes.
//
// Threading: built by the housekeeper, then read-only; any worker may look up.
#pragma once

#include "common/address.h"
#include "common/prefetch.h"
#include "common/types.h"

#include <cstddef>
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
    std::uint32_t gateway{0}; // with kTunnelInterface the tunnel's place in Tables::tunnels

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
            cell = chunks_[(cell & ~kIsChunk) + (destination >> 4 & 0xf)];
        if ((cell & kIsChunk) != 0)
            cell = chunks_[(cell & ~kIsChunk) + (destination & 0xf)];
        return routes_[cell];
    }

    /// Whether `address` is one of ours. Most are not, and a bit of a filter tells.
    [[nodiscard]] bool is_local(std::uint32_t address) const {
        return (local_filter_ & filter_bit(address)) != 0 &&
               lookup(address).kind == RouteKind::Local;
    }

    /// Fetches what lookup() reads first. The root alone takes a quarter of a usual L2 cache.
    void prefetch(std::uint32_t destination) const { adit::prefetch(&root_[destination >> 16]); }

    /// Of the trie, octets.
    [[nodiscard]] std::size_t memory() const {
        return (root_.size() + chunks_.size()) * sizeof(std::uint32_t) +
               routes_.size() * sizeof(Route);
    }

  private:
    static std::uint64_t filter_bit(std::uint32_t address) {
        return std::uint64_t{1} << (address * 0x9e3779b1U >> 26);
    }

    static constexpr std::uint32_t kIsChunk = 1U << 31;

    /// Offset of the chunk below the cell, made of its present content when there is none.
    std::uint32_t descend(std::vector<std::uint32_t>& level, std::size_t index, unsigned bits);

    std::vector<std::uint32_t> root_;   // 65536 cells: index into routes_, or kIsChunk | offset
    std::vector<std::uint32_t> chunks_; // of 256 or 16 cells, one behind the other
    std::vector<Route> routes_;         // [0] is "no route"
    std::uint64_t local_filter_{0};     // bits of all addresses with a Local route
};

} // namespace adit::dataplane
