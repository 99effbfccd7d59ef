// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragmenter.h"

#include "common/wire/ipv4.h"
#include "dataplane/packet.h"

#include <algorithm>
#include <array>

namespace adit::dataplane {

namespace {

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionCopied = 0x80;

/// Octets of payload in each fragment but the last.
std::uint32_t payload_step(std::uint32_t header_bytes, std::uint32_t mtu) {
    return mtu <= header_bytes ? 0 : (mtu - header_bytes) & ~7U;
}

struct Header {
    std::array<std::uint8_t, wire::kMaxIpv4Bytes> bytes{};
    std::uint32_t length{0};
};

/// RFC 791 3.1: later fragments carry only the options with the copied flag.
Header header_of_later_fragments(const std::uint8_t* from, std::uint32_t header_bytes) {
    Header header;
    std::memcpy(header.bytes.data(), from, wire::kIpv4Bytes);
    header.length = wire::kIpv4Bytes;
    for (std::uint32_t at = wire::kIpv4Bytes; at < header_bytes && from[at] != kOptionEnd;) {
        if (from[at] == kOptionNop) {
            ++at;
            continue;
        }
        const std::uint32_t length = at + 1 < header_bytes ? from[at + 1] : 0;
        if (length < 2 || at + length > header_bytes)
            break;
        if ((from[at] & kOptionCopied) != 0) {
            std::memcpy(header.bytes.data() + header.length, from + at, length);
            header.length += length;
        }
        at += length;
    }
    header.length = (header.length + 3) & ~3U;
    header.bytes[0] = static_cast<std::uint8_t>(0x40 | header.length / 4);
    return header;
}

rte_mbuf* copy_piece(rte_mbuf* packet,
                     const Header& header,
                     std::uint32_t offset,
                     std::uint32_t length,
                     rte_mempool* pool) {
    rte_mbuf* piece = rte_pktmbuf_alloc(pool);
    if (piece == nullptr)
        return nullptr;
    char* to = rte_pktmbuf_append(piece, static_cast<std::uint16_t>(header.length + length));
    if (to == nullptr) {
        rte_pktmbuf_free(piece);
        return nullptr;
    }
    std::memcpy(to, header.bytes.data(), header.length);
    const void* from = rte_pktmbuf_read(packet, offset, length, to + header.length);
    if (from != to + header.length)
        std::memcpy(to + header.length, from, length);
    meta(piece) = meta(packet);
    return piece;
}

} // namespace

unsigned fragments_needed(rte_mbuf* packet, std::uint32_t mtu) {
    const wire::Ipv4Header ip{data(packet)};
    if (ip.total_bytes() <= mtu)
        return 1;
    const std::uint32_t step = payload_step(ip.header_bytes(), mtu);
    const std::uint32_t payload = static_cast<std::uint32_t>(ip.total_bytes()) - ip.header_bytes();
    return step == 0 ? 0 : (payload + step - 1) / step;
}

bool fragment(rte_mbuf* packet, std::uint32_t mtu, rte_mempool* pool, std::span<rte_mbuf*> to) {
    const wire::Ipv4Header ip{data(packet)};
    const std::uint32_t header_bytes = ip.header_bytes();
    const std::uint32_t payload = ip.total_bytes() - header_bytes;
    const std::uint32_t step = payload_step(header_bytes, mtu);
    const std::uint16_t first_unit = ip.flags_and_offset() & wire::kIpv4OffsetMask;
    const bool more_behind = (ip.flags_and_offset() & wire::kIpv4MoreFragments) != 0;

    Header header;
    std::memcpy(header.bytes.data(), data(packet), header_bytes);
    header.length = header_bytes;
    std::size_t made = 0;
    for (std::uint32_t done = 0; done < payload; done += step, ++made) {
        const std::uint32_t length = std::min(step, payload - done);
        rte_mbuf* piece = copy_piece(packet, header, header_bytes + done, length, pool);
        if (piece == nullptr) {
            rte_pktmbuf_free_bulk(to.data(), static_cast<unsigned>(made));
            return false;
        }
        const bool more = more_behind || done + length < payload;
        wire::Ipv4Header own{data(piece)};
        own.set_total_bytes(static_cast<std::uint16_t>(header.length + length));
        own.set_flags_and_offset(static_cast<std::uint16_t>((first_unit + done / 8) |
                                                            (more ? wire::kIpv4MoreFragments : 0)));
        own.update_checksum();
        if (done > 0 || first_unit > 0)
            meta(piece).flags |= kFragment;
        to[made] = piece;
        if (done == 0)
            header = header_of_later_fragments(data(packet), header_bytes);
    }
    rte_pktmbuf_free(packet);
    return true;
}

} // namespace adit::dataplane
