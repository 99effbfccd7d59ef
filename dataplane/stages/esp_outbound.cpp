// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_outbound.h"

#include "common/wire/esp.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/packet.h"
#include "dataplane/stages/esp_common.h"

#include <array>
#include <cstring>
#include <optional>

namespace adit::dataplane {

namespace {

static_assert(kMaxBurst <= CryptoMb::kMaxJobs);

/// Octets that are not in the packet but that the cipher reads.
struct alignas(16) SideBytes {
    std::uint8_t nonce[12]; // GCM: salt and IV (RFC 4106 4)
    std::uint8_t aad[12];   // GCM with ESN: SPI and the whole sequence number (RFC 4106 5)
};

struct Work {
    std::array<CryptoJob, kMaxBurst> jobs;
    std::array<SideBytes, kMaxBurst> side;
    unsigned count{0};
};

/// Padding, pad length and next header for each padding of up to 15 octets, ready to copy.
constexpr std::size_t kMaxPadding = 15;
constexpr std::size_t kTrailerCopyBytes = kMaxPadding + wire::kEspTrailerBytes;

constexpr auto kTrailers = [] {
    std::array<std::array<std::uint8_t, kTrailerCopyBytes>, kMaxPadding + 1> rows{};
    for (std::size_t padding = 0; padding < rows.size(); ++padding) {
        for (std::size_t i = 0; i < padding; ++i)
            rows[padding][i] = wire::kEspPadding[i];
        rows[padding][padding] = static_cast<std::uint8_t>(padding);
        rows[padding][padding + 1] = wire::kNextHeaderIpv4;
    }
    return rows;
}();

/// Sizes of one packet, before and behind the inner one.
struct Growth {
    std::uint16_t head;
    std::uint16_t tail;
    std::uint8_t padding;
};

Growth growth_of(const OutboundSa& sa, std::uint32_t inner_bytes) {
    const std::uint32_t padding = sa.layout.padding(inner_bytes);
    return {static_cast<std::uint16_t>(sa.outer_header + wire::kEspBytes + sa.layout.iv),
            static_cast<std::uint16_t>(padding + wire::kEspTrailerBytes + sa.layout.icv),
            static_cast<std::uint8_t>(padding)};
}

bool has_room(const rte_mbuf* packet, const Growth& growth) {
    const std::size_t tail = std::max<std::size_t>(growth.tail, kTrailerCopyBytes);
    return rte_pktmbuf_headroom(packet) >= growth.head && rte_pktmbuf_tailroom(packet) >= tail;
}

bool outer_df(const OutboundSa& sa, bool inner_df) {
    switch (sa.df_policy) {
    case ipc::DfPolicy::Set:
        return true;
    case ipc::DfPolicy::Clear:
        return false;
    case ipc::DfPolicy::Copy:
        break;
    }
    return inner_df;
}

std::optional<DropReason> size_verdict(const OutboundSa& sa, std::uint32_t outer_bytes, bool df) {
    if (outer_bytes > kMaxIpv4Bytes)
        return DropReason::TooBigDf;
    if (df && sa.path_mtu != 0 && outer_bytes > sa.path_mtu)
        return DropReason::TooBigDf;
    return std::nullopt;
}

/// RFC 4303 3.3.3: the counter must not cycle; sending stops and control must have made a new SA by
/// now.
std::optional<DropReason> sequence_verdict(OutboundSa& sa, EventQueue& events) {
    if (sa.next_sequence >= sa.soft_sequence && !sa.soft_sequence_reported) [[unlikely]] {
        sa.soft_sequence_reported = true;
        report_expiry(events, ipc::EventType::SoftExpire, sa.sa_id, ipc::ExpireKind::Sequence);
    }
    // next_sequence is 0 once 2^64-1 was sent.
    if (sa.next_sequence <= sa.last_sequence && sa.next_sequence != 0) [[likely]]
        return std::nullopt;
    if (!sa.hard_sequence_reported) {
        sa.hard_sequence_reported = true;
        report_expiry(events, ipc::EventType::HardExpire, sa.sa_id, ipc::ExpireKind::Sequence);
    }
    return DropReason::SeqOverflow;
}

void write_outer(const OutboundSa& sa,
                 std::uint8_t* at,
                 std::uint32_t outer_bytes,
                 std::uint8_t tos,
                 bool df,
                 CryptoMb& crypto) {
    constexpr std::size_t kNative = kOuterIpv4Bytes + sizeof(std::uint32_t);
    std::memcpy(at, sa.header_template, kNative);
    if (sa.has(kTraitUdp)) {
        std::memcpy(at + kNative, sa.header_template + kNative, kUdpHeaderBytes);
        // RFC 3948 2.1: length as usual, checksum 0.
        store_be(at + kOuterIpv4Bytes + 4,
                 static_cast<std::uint16_t>(outer_bytes - kOuterIpv4Bytes));
    }
    std::uint16_t id = 0; // RFC 6864 4.1: means nothing when DF is set
    if (!df) {
        std::uint8_t random[2];
        crypto.random(random);
        id = load_be<std::uint16_t>(random);
    }
    const std::uint16_t flags = df ? wire::kIpv4DontFragment : std::uint16_t{0};
    at[1] = tos;
    store_be(at + 2, static_cast<std::uint16_t>(outer_bytes));
    store_be(at + 4, id);
    store_be(at + 6, flags);
    const std::uint64_t sum = std::uint64_t{sa.template_sum} + tos + outer_bytes + id + flags;
    store_be(at + 10, wire::checksum_finish(sum));
}

/// Writes sequence number and IV behind the SPI, and what the job must know of them.
void write_esp(OutboundSa& sa,
               std::uint8_t* esp,
               std::uint64_t sequence,
               CryptoMb& crypto,
               CryptoJob& job,
               SideBytes& side) {
    wire::EspHeader{esp}.set_sequence(static_cast<std::uint32_t>(sequence));
    std::uint8_t* iv = esp + wire::kEspBytes;
    job.authenticated = esp;
    job.iv = iv;
    if (!sa.has(kTraitCombined)) {
        // RFC 3602 3: unpredictable. A counter enciphered elsewhere is; the last block of the
        // packet before is not.
        crypto.random({iv, sa.layout.iv});
        return;
    }
    // RFC 4106 3.1: never twice under one key. The sequence number never repeats within an SA; the
    // mask keeps two installations of one key apart.
    store_be(iv, sequence ^ sa.iv_mask);
    std::memcpy(side.nonce, sa.salt_be, sizeof sa.salt_be);
    std::memcpy(side.nonce + sizeof sa.salt_be, iv, sizeof sequence);
    job.iv = side.nonce;
    job.authenticated_bytes = wire::kEspBytes;
    if (sa.has(kTraitExtendedSequence)) {
        std::memcpy(side.aad, esp, 4);
        store_be(side.aad + 4, sequence);
        job.authenticated = side.aad;
        job.authenticated_bytes = sizeof side.aad;
    }
}

/// Puts the outer headers in front and the trailer behind; all checks are done.
void encapsulate(rte_mbuf* packet,
                 OutboundSa& sa,
                 const Growth& growth,
                 bool df,
                 CryptoMb& crypto,
                 CryptoJob& job,
                 SideBytes& side) {
    std::uint8_t* inner = data(packet);
    const std::uint32_t inner_bytes = packet->data_len;
    const std::uint8_t tos =
        inner[1]; // RFC 4301 5.1.2.1, RFC 6040 4.1 normal mode: DSCP and ECN copied
    const std::uint64_t sequence = sa.next_sequence++;

    std::uint8_t* trailer = inner + inner_bytes;
    std::memcpy(trailer, kTrailers[growth.padding].data(), kTrailerCopyBytes);
    packet->data_off = static_cast<std::uint16_t>(packet->data_off - growth.head);
    packet->data_len = static_cast<std::uint16_t>(inner_bytes + growth.head + growth.tail);
    packet->pkt_len = packet->data_len;
    std::uint8_t* outer = data(packet);
    write_outer(sa, outer, packet->data_len, tos, df, crypto);

    job.keys = &sa.keys;
    job.text = inner;
    job.text_bytes =
        inner_bytes + growth.padding + static_cast<std::uint32_t>(wire::kEspTrailerBytes);
    job.tag = inner + job.text_bytes;
    job.cipher = sa.cipher;
    job.mac = sa.mac;
    std::uint8_t* esp = outer + sa.outer_header;
    write_esp(sa, esp, sequence, crypto, job, side);
    if (!sa.has(kTraitCombined)) {
        job.authenticated_bytes = static_cast<std::uint32_t>(job.tag - esp);
        if (sa.has(kTraitExtendedSequence)) {
            // RFC 4303 2.2.1: the upper half is authenticated behind the packet, but not sent: it
            // stands where the ICV will.
            store_be(job.tag, static_cast<std::uint32_t>(sequence >> 32));
            job.authenticated_bytes += sizeof(std::uint32_t);
        }
    }

    ipc::add(sa.stats->packets, 1);
    ipc::add(sa.stats->bytes, inner_bytes);
    sa.stats->sequence.store(sequence, std::memory_order_relaxed);
    ipc::add(sa.policy_stats->sent, 1);
}

void update_meta(rte_mbuf* packet, const OutboundSa& sa) {
    PacketMeta& info = meta(packet);
    const std::uint8_t* at = sa.header_template;
    info.source = load_be<std::uint32_t>(at + 12);
    info.destination = load_be<std::uint32_t>(at + 16);
    info.protocol = at[9];
    info.source_port = 0;
    info.destination_port = 0;
    if (sa.has(kTraitUdp)) {
        info.source_port = load_be<std::uint16_t>(at + kOuterIpv4Bytes);
        info.destination_port = load_be<std::uint16_t>(at + kOuterIpv4Bytes + 2);
    }
    info.flags = static_cast<std::uint8_t>(info.flags & ~(kFromSa | kFragment));
}

/// Everything that can refuse a packet, then its encapsulation. May replace the packet by a copy.
std::optional<DropReason> prepare(rte_mbuf*& packet, Work& work, EspContext& context) {
    OutboundSa& sa = *meta(packet).sa.outbound;
    if (!is_plain(packet)) [[unlikely]] {
        rte_mbuf* copy = copy_to_plain(packet, context.pool);
        if (copy == nullptr)
            return DropReason::NoBuffer;
        packet = copy;
    }
    const std::uint32_t inner_bytes = packet->data_len;
    const Growth growth = growth_of(sa, inner_bytes);
    const bool df = outer_df(sa, wire::Ipv4Header{data(packet)}.dont_fragment());
    if (const auto reason = size_verdict(sa, inner_bytes + growth.head + growth.tail, df))
        return reason;
    if (!has_room(packet, growth)) [[unlikely]] {
        rte_mbuf* copy = copy_to_plain(packet, context.pool);
        if (copy == nullptr)
            return DropReason::NoBuffer;
        packet = copy;
        if (!has_room(packet, growth))
            return DropReason::NoBuffer;
    }
    if (const auto reason = sequence_verdict(sa, context.events))
        return reason;
    if (charge_bytes(sa, inner_bytes, context.events) == Charge::Expired)
        return DropReason::SaExpired;
    encapsulate(
        packet, sa, growth, df, context.crypto, work.jobs[work.count], work.side[work.count]);
    sa.stats->last_packet_ns.store(context.now_ns, std::memory_order_relaxed);
    update_meta(packet, sa);
    ++work.count;
    return std::nullopt;
}

void refuse(rte_mbuf* packet, DropReason reason, EspContext& context) {
    const OutboundSa& sa = *meta(packet).sa.outbound;
    ipc::add(sa.stats->other_drops, 1);
    ipc::add(sa.policy_stats->send_drops, 1);
    context.drops.drop(packet, reason);
}

} // namespace

void esp_outbound(Burst& burst, EspContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i) {
        const OutboundSa* sa = meta(burst.packets[i]).sa.outbound;
        rte_prefetch0(sa);
        rte_prefetch0(&sa->next_sequence);
    }
    Work work;
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        if (const auto reason = prepare(packet, work, context)) [[unlikely]]
            refuse(packet, *reason, context);
        else
            burst.packets[kept++] = packet;
    }
    burst.count = kept;
    context.crypto.seal({work.jobs.data(), work.count});
}

} // namespace adit::dataplane
