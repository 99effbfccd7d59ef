// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_inbound.h"

#include "common/wire/esp.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/packet_flow.h"
#include "dataplane/stages/ecn.h"
#include "dataplane/stages/esp_common.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace adit::dataplane {

namespace {

static_assert(kMaxBurst <= CryptoMb::kMaxJobs);

constexpr std::size_t kMaxIcvBytes = 32;

/// What is known about one packet while it passes through.
struct Passage {
    rte_mbuf* packet;
    InboundSa* sa;
    std::uint64_t sequence;
    const std::uint8_t* received_icv; // in the packet, or saved_icv
    std::uint32_t text_bytes;
    std::uint8_t nonce[12]; // GCM: salt and IV (RFC 4106 4)
    std::uint8_t computed_icv[kMaxIcvBytes];
    union {
        std::uint8_t aad[12];                 // GCM with ESN (RFC 4106 5)
        std::uint8_t saved_icv[kMaxIcvBytes]; // HMAC with ESN writes over it in the packet
    };
};

using Verdict = std::optional<DropReason>; // nothing: go on

// ---------------------------------------------------------------------------------------------------
// drops

void count_on_sa(InboundSa& sa, DropReason reason) {
    ipc::Counter& counter = reason == DropReason::EspReplay ? sa.stats->replay_drops
                            : reason == DropReason::EspIcv  ? sa.stats->integrity_drops
                                                            : sa.stats->other_drops;
    ipc::add(counter, 1);
}

void notify(rte_mbuf* packet,
            const InboundSa* sa,
            std::uint32_t spi,
            std::uint64_t sequence,
            DropReason reason,
            EspContext& context) {
    std::uint32_t more = 0;
    if (!context.notices.admit(reason, context.now_ns, more))
        return;
    const PacketMeta& info = meta(packet);
    const bool udp = (info.flags & kUdpEncap) != 0;
    ipc::EventRecord event{};
    event.packet_notice = {
        .header = {.type = static_cast<std::uint16_t>(ipc::EventType::PacketNotice)},
        .reason = static_cast<std::uint8_t>(reason),
        .sa_id = sa != nullptr ? sa->sa_id : 0,
        .spi = spi,
        .policy = sa != nullptr ? sa->policy : kNoPolicy.value,
        .sequence_number = sequence,
        .flow = {.source = info.outer_source,
                   .destination = info.outer_destination,
                   .source_port = udp ? info.outer_source_port : std::uint16_t{0},
                   .destination_port = udp ? info.outer_destination_port : std::uint16_t{0},
                   .protocol = udp ? wire::kProtocolUdp : wire::kProtocolEsp},
        .more = more
    };
    context.events.push(event);
}

void refuse(const Passage& passage, DropReason reason, EspContext& context) {
    count_on_sa(*passage.sa, reason);
    if (reason != DropReason::EspDummy) // RFC 4303 2.6: nothing is wrong with it
        notify(passage.packet, passage.sa, passage.sa->spi, passage.sequence, reason, context);
    context.drops.drop(passage.packet, reason);
}

/// No SA to count it on.
void refuse_stranger(rte_mbuf* packet, std::uint32_t spi, DropReason reason, EspContext& context) {
    notify(packet, nullptr, spi, 0, reason, context);
    context.drops.drop(packet, reason);
}

// ---------------------------------------------------------------------------------------------------
// before the cipher

/// RFC 4301 4.1: a unicast SA is named by its SPI; destination and form (native or UDP) must be its
/// own.
bool is_at_its_endpoint(const InboundSa& sa, const PacketMeta& info) {
    const bool udp = (info.flags & kUdpEncap) != 0;
    return info.outer_destination == sa.local_address && udp == sa.has(kTraitUdp) &&
           (!udp || info.outer_destination_port == sa.local_port);
}

/// The checks that cost nothing, in RFC 4303 3.4's order; lengths before any arithmetic on them.
Verdict admit(Passage& passage) {
    const InboundSa& sa = *passage.sa;
    if (!is_at_its_endpoint(sa, meta(passage.packet)))
        return DropReason::EspWrongEndpoint;
    const std::uint32_t length = passage.packet->data_len;
    if (length < sa.min_esp)
        return DropReason::EspShort;
    passage.text_bytes =
        length - static_cast<std::uint32_t>(wire::kEspBytes) - sa.layout.iv - sa.layout.icv;
    if (!sa.layout.is_whole_blocks(passage.text_bytes))
        return DropReason::EspLength;
    const auto verdict = sa.window.check(wire::EspHeader{data(passage.packet)}.sequence());
    passage.sequence = verdict.sequence;
    if (!verdict.accept)
        return DropReason::EspReplay;
    // bytes_left is 0 whenever the limit was passed, and lies in a line that is needed anyway.
    if (sa.bytes_left == 0 && sa.limits.expired) [[unlikely]]
        return DropReason::SaExpired;
    return std::nullopt;
}

void fill_gcm(Passage& passage, std::uint8_t* esp, CryptoJob& job) {
    const InboundSa& sa = *passage.sa;
    std::memcpy(passage.nonce, sa.salt_be, sizeof sa.salt_be);
    std::memcpy(passage.nonce + sizeof sa.salt_be, job.iv, 8);
    job.iv = passage.nonce;
    job.authenticated = esp;
    job.authenticated_bytes = wire::kEspBytes;
    if (sa.has(kTraitExtendedSequence)) {
        std::memcpy(passage.aad, esp, 4);
        store_be(passage.aad + 4, passage.sequence);
        job.authenticated = passage.aad;
        job.authenticated_bytes = sizeof passage.aad;
    }
}

void fill_hmac(Passage& passage, std::uint8_t* esp, std::uint8_t* icv, CryptoJob& job) {
    job.authenticated = esp;
    job.authenticated_bytes = static_cast<std::uint32_t>(icv - esp);
    if (passage.sa->has(kTraitExtendedSequence)) {
        // RFC 4303 2.2.1: the upper half is authenticated as if it followed the packet.
        std::memcpy(passage.saved_icv, icv, passage.sa->layout.icv);
        passage.received_icv = passage.saved_icv;
        store_be(icv, static_cast<std::uint32_t>(passage.sequence >> 32));
        job.authenticated_bytes += sizeof(std::uint32_t);
    }
}

void fill_job(Passage& passage, CryptoJob& job) {
    const InboundSa& sa = *passage.sa;
    std::uint8_t* esp = data(passage.packet);
    job.keys = &sa.keys;
    job.iv = esp + wire::kEspBytes;
    job.text = esp + wire::kEspBytes + sa.layout.iv;
    job.text_bytes = passage.text_bytes;
    job.tag = passage.computed_icv;
    job.cipher = sa.cipher;
    job.mac = sa.mac;
    std::uint8_t* icv = job.text + job.text_bytes;
    passage.received_icv = icv;
    if (sa.has(kTraitCombined))
        fill_gcm(passage, esp, job);
    else
        fill_hmac(passage, esp, icv, job);
}

// ---------------------------------------------------------------------------------------------------
// between verification and the inner packet

/// In constant time. An ICV has 12, 16, 24 or 32 octets: words of eight from both ends meet.
bool icv_holds(const Passage& passage) {
    const std::size_t last = passage.sa->layout.icv - sizeof(std::uint64_t);
    const auto difference_at = [&](std::size_t at) {
        return load_be<std::uint64_t>(passage.computed_icv + at) ^
               load_be<std::uint64_t>(passage.received_icv + at);
    };
    std::uint64_t difference = difference_at(0) | difference_at(last);
    if (last > sizeof(std::uint64_t))
        difference |= difference_at(8) | difference_at(16);
    return difference == 0;
}

/// RFC 3948 4.1 leaves the new address to policy; here only control decides, told once per address
/// by the newest authenticated packet, so that a replayed or delayed one cannot redirect a tunnel.
void watch_peer(const Passage& passage, EspContext& context) {
    InboundSa& sa = *passage.sa;
    const PacketMeta& info = meta(passage.packet);
    if (info.outer_source == sa.moved_address && info.outer_source_port == sa.moved_port) [[likely]]
        return;
    sa.moved_address = info.outer_source;
    sa.moved_port = info.outer_source_port;
    ipc::EventRecord event{};
    event.peer_moved = {.header = {.type = static_cast<std::uint16_t>(ipc::EventType::PeerMoved)},
                        .sa_id = sa.sa_id,
                        .address = info.outer_source,
                        .port = info.outer_source_port};
    context.events.push(event);
}

/// ICV, then the window: two copies of one packet in a burst both verify, one commits.
Verdict authenticate(const Passage& passage, EspContext& context) {
    InboundSa& sa = *passage.sa;
    if (!icv_holds(passage))
        return DropReason::EspIcv;
    const bool newest = passage.sequence > sa.window.highest();
    if (!sa.window.commit(passage.sequence))
        return DropReason::EspReplay;
    sa.stats->sequence.store(sa.window.highest(), std::memory_order_relaxed);
    if (newest && sa.has(kTraitUdp))
        watch_peer(passage, context);
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------
// the inner packet

constexpr std::size_t kMaxShortPadding = 15;

/// The last `padding` of 16 octets: what stands there, and which bits count.
struct ShortPadding {
    std::uint64_t octets[2];
    std::uint64_t mask[2];
};

constexpr auto kShortPaddings = [] {
    std::array<ShortPadding, kMaxShortPadding + 1> rows{};
    for (std::size_t padding = 0; padding < rows.size(); ++padding) {
        std::array<std::uint8_t, 16> octets{}, mask{};
        for (std::size_t i = 0; i < padding; ++i) {
            octets[16 - padding + i] = wire::kEspPadding[i];
            mask[16 - padding + i] = 0xff;
        }
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(octets);
        const auto masks = std::bit_cast<std::array<std::uint64_t, 2>>(mask);
        rows[padding] = {{halves[0], halves[1]}, {masks[0], masks[1]}};
    }
    return rows;
}();

/// RFC 4303 2.4: padding is 1, 2, 3 ... and ends at the pad length field. Short padding is compared
/// as the end of 16 octets: headers in front make sure that so many lie there.
bool padding_holds(const std::uint8_t* pad_length_field) {
    const std::size_t padding = *pad_length_field;
    if (padding > kMaxShortPadding) [[unlikely]]
        return std::memcmp(pad_length_field - padding, wire::kEspPadding.data(), padding) == 0;
    const ShortPadding& row = kShortPaddings[padding];
    std::uint64_t have[2];
    std::memcpy(have, pad_length_field - sizeof have, sizeof have);
    return (((have[0] ^ row.octets[0]) & row.mask[0]) | ((have[1] ^ row.octets[1]) & row.mask[1])) ==
           0;
}

/// RFC 4301 5.2 step 4. The peer's side is the source. An SA that selects ports carries no later
/// fragments and no protocol without ports (RFC 4301 7.1: refused rather than guessed).
bool is_selected(const InboundSa& sa, const PacketMeta& info) {
    const ipc::SelectorRecord& selector = sa.selector;
    if (info.source < selector.remote_first || info.source > selector.remote_last ||
        info.destination < selector.local_first || info.destination > selector.local_last)
        return false;
    if (selector.protocol != 0 && selector.protocol != info.protocol)
        return false;
    if (!sa.has(kTraitSelectsPorts))
        return true;
    return (info.flags & kPortsKnown) != 0 && info.source_port >= selector.remote_port_first &&
           info.source_port <= selector.remote_port_last &&
           info.destination_port >= selector.local_port_first &&
           info.destination_port <= selector.local_port_last;
}

/// RFC 6040 4.2. False: the packet must be dropped.
bool combine_ecn(std::uint8_t* at, std::uint8_t outer_tos) {
    if (ecn_of(outer_tos) == Ecn::NotEct) [[likely]] // first column of figure 4: as it was
        return true;
    const auto combined = decapsulated_ecn(ecn_of(at[1]), ecn_of(outer_tos));
    if (!combined)
        return false;
    if (*combined != ecn_of(at[1])) {
        const auto before = load_be<std::uint16_t>(at);
        at[1] =
            static_cast<std::uint8_t>((at[1] & ~kEcnMask) | static_cast<std::uint8_t>(*combined));
        store_be(at + 10,
                 wire::checksum_update(
                     load_be<std::uint16_t>(at + 10), before, load_be<std::uint16_t>(at)));
    }
    return true;
}

/// Strips ESP from a deciphered packet and judges what was inside.
Verdict decapsulate(const Passage& passage, EspContext& context) {
    InboundSa& sa = *passage.sa;
    rte_mbuf* packet = passage.packet;
    std::uint8_t* inner = data(packet) + wire::kEspBytes + sa.layout.iv;
    const std::uint8_t* pad_length_field = inner + passage.text_bytes - wire::kEspTrailerBytes;
    const std::uint8_t next_header = pad_length_field[1];
    if (*pad_length_field + wire::kEspTrailerBytes > passage.text_bytes ||
        !padding_holds(pad_length_field))
        return DropReason::EspPadding;
    if (next_header == wire::kNextHeaderNone)
        return DropReason::EspDummy;
    const auto available = static_cast<std::uint32_t>(pad_length_field - inner) - *pad_length_field;
    const wire::Ipv4Header header{inner};
    if (next_header != wire::kNextHeaderIpv4 || !lengths_hold(header, available, available) ||
        header.ttl() == 0 || !header.checksum_holds())
        return DropReason::EspInner;

    PacketMeta& info = meta(packet);
    const std::uint32_t inner_bytes = header.total_bytes();
    read_flow(info, inner, inner_bytes);
    if (!is_selected(sa, info))
        return DropReason::EspSelector;
    if (!combine_ecn(inner, info.outer_tos))
        return DropReason::EspEcn;
    if (charge_bytes(sa, inner_bytes, context.events) == Charge::Expired)
        return DropReason::SaExpired;
    info.flags = static_cast<std::uint8_t>((info.flags & ~unsigned{kUdpEncap}) | kFromSa);
    info.sa.inbound = &sa;
    // RFC 4303 2.7: what follows the inner packet is traffic flow confidentiality padding.
    packet->data_off =
        static_cast<std::uint16_t>(packet->data_off + wire::kEspBytes + sa.layout.iv);
    packet->data_len = static_cast<std::uint16_t>(inner_bytes);
    packet->pkt_len = inner_bytes;
    ipc::add(sa.stats->packets, 1);
    ipc::add(sa.stats->bytes, inner_bytes);
    sa.stats->last_packet_ns.store(context.now_ns, std::memory_order_relaxed);
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------

struct Work {
    std::array<Passage, kMaxBurst> passages;
    std::array<CryptoJob, kMaxBurst> jobs;
    unsigned count{0};

    [[nodiscard]] std::span<CryptoJob> all_jobs() { return {jobs.data(), count}; }
};

/// One plain segment that holds an SPI and belongs to an SA of ours.
void look_up(rte_mbuf* packet, Work& work, EspContext& context) {
    if (!is_plain(packet)) [[unlikely]] {
        rte_mbuf* copy = copy_to_plain(packet, context.pool);
        if (copy == nullptr)
            return refuse_stranger(packet, 0, DropReason::NoBuffer, context);
        packet = copy;
    }
    if (packet->data_len < wire::kEspBytes)
        return refuse_stranger(packet, 0, DropReason::EspShort, context);
    const std::uint32_t spi = wire::EspHeader{data(packet)}.spi();
    InboundSa* sa = context.sas.find_inbound(Spi{spi});
    if (sa == nullptr)
        return refuse_stranger(packet, spi, DropReason::EspInvalidSpi, context);
    Passage& passage = work.passages[work.count];
    passage.packet = packet;
    passage.sa = sa;
    passage.sequence = 0;
    if (const Verdict verdict = admit(passage))
        return refuse(passage, *verdict, context);
    fill_job(passage, work.jobs[work.count]);
    ++work.count;
}

/// Leaves the jobs and passages that authenticated, still in arrival order.
void keep_authentic(Work& work, EspContext& context) {
    unsigned kept = 0;
    for (unsigned i = 0; i < work.count; ++i) {
        if (const Verdict verdict = authenticate(work.passages[i], context)) [[unlikely]] {
            refuse(work.passages[i], *verdict, context);
            continue;
        }
        if (kept != i) {
            work.passages[kept] = work.passages[i];
            work.jobs[kept] = work.jobs[i];
        }
        ++kept;
    }
    work.count = kept;
}

} // namespace

void esp_inbound(Burst& burst, EspContext& context) noexcept {
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        if (packet->data_len < wire::kEspBytes)
            continue;
        const auto* sa = static_cast<const InboundSa*>(
            context.sas.inbound_line(Spi{wire::EspHeader{data(packet)}.spi()}));
        rte_prefetch0(sa);
        rte_prefetch0(&sa->window);
    }
    Work work;
    for (unsigned i = 0; i < burst.count; ++i)
        look_up(burst.packets[i], work, context);
    context.crypto.verify(work.all_jobs());
    keep_authentic(work, context);
    context.crypto.decipher(work.all_jobs());
    burst.count = 0;
    for (unsigned i = 0; i < work.count; ++i) {
        const Passage& passage = work.passages[i];
        if (const Verdict verdict = decapsulate(passage, context)) [[unlikely]]
            refuse(passage, *verdict, context);
        else
            burst.push(passage.packet);
    }
}

} // namespace adit::dataplane
