// SPDX-License-Identifier: Apache-2.0
#include "dataplane/route_table.h"

#include "common/error.h"

#include <algorithm>

namespace adit::dataplane {

RouteTable::RouteTable() : root_(1U << 16, 0), routes_(1) {}

std::uint32_t RouteTable::descend(std::vector<std::uint32_t>& level, std::uint32_t index) {
    const std::uint32_t cell = level[index];
    if ((cell & kIsChunk) != 0)
        return cell & ~kIsChunk;
    const auto offset = static_cast<std::uint32_t>(chunks_.size());
    // `level` may be chunks_ itself: write the link before the vector moves.
    level[index] = kIsChunk | offset;
    chunks_.insert(chunks_.end(), kChunkCells, cell);
    return offset;
}

void RouteTable::add(Ipv4Prefix prefix, const Route& route) {
    const auto number = static_cast<std::uint32_t>(routes_.size());
    routes_.push_back(route);
    if (route.kind == RouteKind::Local) {
        ENSURE(prefix.length == 32);
        local_filter_ |= filter_bit(prefix.address.value);
    }
    const std::uint32_t first = prefix.address.value;
    if (prefix.length <= 16) {
        std::fill_n(root_.begin() + (first >> 16), 1U << (16 - prefix.length), number);
        return;
    }
    std::uint32_t chunk = descend(root_, first >> 16);
    if (prefix.length <= 24) {
        std::fill_n(
            chunks_.begin() + chunk + (first >> 8 & 0xff), 1U << (24 - prefix.length), number);
        return;
    }
    chunk = descend(chunks_, chunk + (first >> 8 & 0xff));
    std::fill_n(chunks_.begin() + chunk + (first & 0xff), 1U << (32 - prefix.length), number);
}

} // namespace adit::dataplane
