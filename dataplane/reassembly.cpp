// SPDX-License-Identifier: Apache-2.0
#include "dataplane/reassembly.h"

#include "common/wire/ipv4.h"
#include "dataplane/packet.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

constexpr std::uint32_t kMaxDatagramBytes = 65'535;

} // namespace

Reassembly::~Reassembly() {
    for (Datagram& datagram : datagrams_)
        for (unsigned i = 0; i < datagram.pieces; ++i)
            rte_pktmbuf_free(datagram.piece[i].packet);
}

rte_mbuf* Reassembly::add(rte_mbuf* fragment, std::uint64_t now_ns) {
    const wire::Ipv4Header ip{data(fragment)};
    const bool is_last = (ip.flags_and_offset() & wire::kIpv4MoreFragments) == 0;
    const std::uint32_t first = (ip.flags_and_offset() & wire::kIpv4OffsetMask) * 8U;
    const std::uint32_t length = ip.total_bytes() - ip.header_bytes();
    // RFC 791 3.2: all but the last carry a multiple of 8 octets.
    if (length == 0 || (!is_last && length % 8 != 0) ||
        first + length > kMaxDatagramBytes - wire::kMaxIpv4Bytes) {
        drops_->drop(fragment, DropReason::FragmentTable);
        return nullptr;
    }
    Datagram* datagram = find_or_start(fragment, now_ns);
    if (datagram == nullptr) {
        drops_->drop(fragment, DropReason::FragmentTable);
        return nullptr;
    }
    if (!insert(*datagram, {first, first + length, fragment}, is_last) || !complete(*datagram))
        return nullptr;
    return join(*datagram);
}

Reassembly::Datagram* Reassembly::find_or_start(rte_mbuf* fragment, std::uint64_t now_ns) {
    const wire::Ipv4Header ip{data(fragment)};
    Datagram* free = nullptr;
    std::size_t of_source = 0;
    for (Datagram& datagram : datagrams_) {
        if (datagram.pieces == 0) {
            free = free == nullptr ? &datagram : free;
            continue;
        }
        if (datagram.source != ip.source())
            continue;
        ++of_source;
        if (datagram.id == ip.id() && datagram.destination == ip.destination() &&
            datagram.protocol == ip.protocol())
            return &datagram;
    }
    if (free == nullptr || of_source == kMaxPerSource)
        return nullptr;
    free->source = ip.source();
    free->destination = ip.destination();
    free->id = ip.id();
    free->protocol = ip.protocol();
    free->payload_bytes = 0;
    free->deadline_ns = now_ns + kTimeoutNs;
    ++in_use_;
    return free;
}

bool Reassembly::insert(Datagram& datagram, const Piece& piece, bool is_last) {
    Piece* const begin = datagram.piece.data();
    Piece* const end = begin + datagram.pieces;
    Piece* const place =
        std::find_if(begin, end, [&](const Piece& other) { return other.first >= piece.first; });
    if (place != end && place->first == piece.first && place->end == piece.end) {
        drops_->drop(piece.packet, DropReason::FragmentTable);
        return false;
    }
    const bool overlaps = (place != end && place->first < piece.end) ||
                          (place != begin && place[-1].end > piece.first);
    const bool contradicts = (is_last && datagram.payload_bytes != 0) ||
                             (is_last && end != begin && end[-1].end > piece.end) ||
                             (datagram.payload_bytes != 0 && piece.end > datagram.payload_bytes);
    if (overlaps || contradicts || datagram.pieces == kMaxFragments) {
        drops_->drop(piece.packet, DropReason::FragmentTable);
        drop(datagram, DropReason::FragmentTable);
        return false;
    }
    std::move_backward(place, end, end + 1);
    *place = piece;
    ++datagram.pieces;
    if (is_last)
        datagram.payload_bytes = piece.end;
    return true;
}

bool Reassembly::complete(const Datagram& datagram) {
    if (datagram.payload_bytes == 0 || datagram.piece[0].first != 0)
        return false;
    for (unsigned i = 1; i < datagram.pieces; ++i)
        if (datagram.piece[i].first != datagram.piece[i - 1].end)
            return false;
    return true;
}

rte_mbuf* Reassembly::join(Datagram& datagram) {
    rte_mbuf* whole = datagram.piece[0].packet;
    const unsigned pieces = datagram.pieces;
    datagram.pieces = 0;
    --in_use_;
    for (unsigned i = 1; i < pieces; ++i) {
        rte_mbuf* next = datagram.piece[i].packet;
        rte_pktmbuf_adj(next, wire::Ipv4Header{data(next)}.header_bytes());
        if (rte_pktmbuf_chain(whole, next) != 0) {
            for (unsigned j = i; j < pieces; ++j)
                rte_pktmbuf_free(datagram.piece[j].packet);
            drops_->drop(whole, DropReason::FragmentTable);
            return nullptr;
        }
    }
    wire::Ipv4Header ip{data(whole)};
    ip.set_total_bytes(static_cast<std::uint16_t>(ip.header_bytes() + datagram.payload_bytes));
    ip.set_flags_and_offset(0);
    ip.update_checksum();
    return whole;
}

void Reassembly::drop(Datagram& datagram, DropReason reason) {
    for (unsigned i = 0; i < datagram.pieces; ++i)
        drops_->drop(datagram.piece[i].packet, reason);
    datagram.pieces = 0;
    --in_use_;
}

void Reassembly::expire(std::uint64_t now_ns) {
    if (in_use_ == 0)
        return;
    for (Datagram& datagram : datagrams_)
        if (datagram.pieces > 0 && datagram.deadline_ns <= now_ns)
            drop(datagram, DropReason::FragmentTimeout);
}

} // namespace adit::dataplane
