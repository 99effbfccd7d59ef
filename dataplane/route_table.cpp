// SPDX-License-Identifier: Apache-2.0
#include "dataplane/route_table.h"

#include "common/error.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

/// A level of the trie decides `bits` bits of the address, up to bit `end` from the left.
struct Stride {
    unsigned end, bits;
};

constexpr Stride kRootStride{16, 16};
constexpr Stride kChunkStrides[] = {{24, 8}, {28, 4}, {32, 4}};

std::size_t place_in(Stride stride, std::uint32_t address) {
    return address >> (32 - stride.end) & ((1U << stride.bits) - 1);
}

} // namespace

RouteTable::RouteTable() : root_(1U << kRootStride.bits, 0), routes_(1) {}

std::uint32_t
RouteTable::descend(std::vector<std::uint32_t>& level, std::size_t index, unsigned bits) {
    const std::uint32_t cell = level[index];
    if ((cell & kIsChunk) != 0)
        return cell & ~kIsChunk;
    const auto offset = static_cast<std::uint32_t>(chunks_.size());
    // `level` may be chunks_ itself: write the link before the vector moves.
    level[index] = kIsChunk | offset;
    chunks_.insert(chunks_.end(), std::size_t{1} << bits, cell);
    return offset;
}

void RouteTable::add(Ipv4Prefix prefix, const Route& route) {
    const auto number = static_cast<std::uint32_t>(routes_.size());
    routes_.push_back(route);
    if (route.kind == RouteKind::Local) {
        ENSURE(prefix.length == 32);
        local_filter_ |= filter_bit(prefix.address.value);
    }
    std::vector<std::uint32_t>* level = &root_;
    std::size_t index = place_in(kRootStride, prefix.address.value);
    unsigned end = kRootStride.end;
    for (const Stride& next : kChunkStrides) {
        if (prefix.length <= end)
            break;
        index = descend(*level, index, next.bits) + place_in(next, prefix.address.value);
        level = &chunks_;
        end = next.end;
    }
    const auto first = level->begin() + static_cast<std::ptrdiff_t>(index);
    std::fill_n(first, 1U << (end - prefix.length), number);
}

} // namespace adit::dataplane
