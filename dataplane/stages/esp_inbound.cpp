// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_inbound.h"

#include "common/wire/esp.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/packet_flow.h"
#include "dataplane/stages/ecn.h"
#include "dataplane/stages/esp_common.h"
#include "dataplane/stages/nat_checksum.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <span>

namespace adit::dataplane {

namespace {

static_assert(kMaxBurst <= CryptoMb::kMaxJobs);

/// What is known about one packet between two of the loops below.
struct Arrival {
    rte_mbuf* packet;
    InboundSa* sa;
    std::uint64_t sequence;
    std::uint32_t text_bytes;
    std::uint32_t icv_start; // HMAC with ESN: the octets of the received ICV that were written over
    alignas(16) std::uint8_t computed_icv[kMaxIcvBytes];

    [[nodiscard]] std::uint8_t* esp() const { return data(packet); }

    [[nodiscard]] std::uint8_t* iv() const { return esp() + wire::kEspBytes; }

    [[nodiscard]] std::uint8_t* text() const { return iv() + sa->layout.iv; }

    [[nodiscard]] std::uint8_t* received_icv() const { return text() + text_bytes; }
};

static_assert(sizeof(Arrival) == 64);

struct Arrivals {
    std::array<Arrival, kMaxBurst> of;
    unsigned count{0};
    unsigned bulk{0}; // not GCM: these want company
};

using Verdict = std::optional<DropReason>; // nothing: go on

// ---------------------------------------------------------------------------------------------------
// drops

void count_on_sa(ipc::SaStats& stats, DropReason reason) {
    ipc::Counter& counter = reason == DropReason::EspReplay ? stats.replay_drops
                            : reason == DropReason::EspIcv  ? stats.integrity_drops
                                                            : stats.other_drops;
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
        .more = more};
    context.events.push(event);
}

void refuse(const Arrival& arrival, DropReason reason, EspContext& context) {
    count_on_sa(context.sas.stats_of(*arrival.sa), reason);
    if (reason != DropReason::EspDummy) // RFC 4303 2.6: nothing is wrong with it
        notify(arrival.packet, arrival.sa, arrival.sa->spi, arrival.sequence, reason, context);
    context.drops.drop(arrival.packet, reason);
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
Verdict admit(Arrival& arrival) {
    const InboundSa& sa = *arrival.sa;
    if (!is_at_its_endpoint(sa, meta(arrival.packet)))
        return DropReason::EspWrongEndpoint;
    const std::uint32_t length = arrival.packet->data_len;
    if (length < sa.min_esp)
        return DropReason::EspShort;
    arrival.text_bytes =
        length - static_cast<std::uint32_t>(wire::kEspBytes) - sa.layout.iv - sa.layout.icv;
    if (!sa.layout.is_whole_blocks(arrival.text_bytes))
        return DropReason::EspLength;
    const auto verdict = sa.window.check(wire::EspHeader{data(arrival.packet)}.sequence());
    arrival.sequence = verdict.sequence;
    if (!verdict.accept)
        return DropReason::EspReplay;
    // bytes_left is 0 whenever the limit was passed, and lies in a line that is needed anyway.
    if (sa.bytes_left == 0 && sa.limits.expired) [[unlikely]]
        return DropReason::SaExpired;
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------
// the cipher and the ICV

void open_gcm(Arrival& arrival, Gcm& gcm) {
    const InboundSa& sa = *arrival.sa;
    const GcmNonce nonce{sa.salt_be, arrival.iv()};
    CryptoJob job{.keys = &sa.keys,
                  .text = arrival.text(),
                  .iv = nonce.bytes(),
                  .authenticated = arrival.esp(),
                  .tag = arrival.computed_icv,
                  .text_bytes = arrival.text_bytes,
                  .authenticated_bytes = wire::kEspBytes,
                  .cipher = sa.cipher,
                  .mac = sa.mac};
    std::uint8_t aad[12];
    if (sa.has(kTraitExtendedSequence)) { // RFC 4106 5
        std::memcpy(aad, arrival.esp(), 4);
        store_be(aad + 4, arrival.sequence);
        job.authenticated = aad;
        job.authenticated_bytes = sizeof aad;
    }
    gcm.open(job);
}

CryptoJob bulk_job(Arrival& arrival) {
    const InboundSa& sa = *arrival.sa;
    return {.keys = &sa.keys,
            .text = arrival.text(),
            .iv = arrival.iv(),
            .authenticated = arrival.esp(),
            .tag = arrival.computed_icv,
            .text_bytes = arrival.text_bytes,
            .authenticated_bytes =
                static_cast<std::uint32_t>(arrival.received_icv() - arrival.esp()),
            .cipher = sa.cipher,
            .mac = sa.mac};
}

/// RFC 4303 2.2.1: the upper half of an extended sequence number is authenticated as if it followed
/// the packet, where the received ICV stands.
void cover_icv(Arrival& arrival, CryptoJob& job) {
    std::memcpy(&arrival.icv_start, arrival.received_icv(), sizeof arrival.icv_start);
    store_be(arrival.received_icv(), static_cast<std::uint32_t>(arrival.sequence >> 32));
    job.authenticated_bytes += sizeof arrival.icv_start;
}

void uncover_icv(const Arrival& arrival) {
    std::memcpy(arrival.received_icv(), &arrival.icv_start, sizeof arrival.icv_start);
}

/// HMACs of what is not GCM.
[[gnu::noinline]] void verify_bulk(Arrivals& arrivals, CryptoMb& crypto) {
    std::array<CryptoJob, kMaxBurst> jobs;
    unsigned count = 0;
    const auto is_covered = [](const Arrival& arrival) {
        return !arrival.sa->has(kTraitCombined) && arrival.sa->has(kTraitExtendedSequence);
    };
    for (Arrival& arrival : std::span{arrivals.of}.first(arrivals.count)) {
        if (arrival.sa->has(kTraitCombined))
            continue;
        jobs[count] = bulk_job(arrival);
        if (is_covered(arrival))
            cover_icv(arrival, jobs[count]);
        ++count;
    }
    crypto.verify({jobs.data(), count});
    for (const Arrival& arrival : std::span{arrivals.of}.first(arrivals.count))
        if (is_covered(arrival))
            uncover_icv(arrival);
}

[[gnu::noinline]] void decipher_bulk(Arrivals& arrivals, CryptoMb& crypto) {
    std::array<CryptoJob, kMaxBurst> jobs;
    unsigned count = 0;
    for (Arrival& arrival : std::span{arrivals.of}.first(arrivals.count))
        if (!arrival.sa->has(kTraitCombined))
            jobs[count++] = bulk_job(arrival);
    crypto.decipher({jobs.data(), count});
}

/// Computes every ICV; GCM is deciphered by the same pass.
void verify(Arrivals& arrivals, CryptoMb& crypto) {
    const bool cold = crypto.keys_are_cold();
    for (unsigned i = 0; arrivals.bulk < arrivals.count && i < arrivals.count; ++i) {
        if (cold && i + kFetchAhead < arrivals.count) {
            const Arrival& ahead = arrivals.of[i + kFetchAhead];
            fetch_keys(*ahead.sa, ahead.text_bytes, crypto);
        }
        if (arrivals.of[i].sa->has(kTraitCombined)) [[likely]]
            open_gcm(arrivals.of[i], crypto.gcm());
    }
    if (arrivals.bulk > 0)
        verify_bulk(arrivals, crypto);
}

// ---------------------------------------------------------------------------------------------------
// between verification and the inner packet

/// In constant time. An ICV has 12, 16, 24 or 32 octets: words of eight from both ends meet.
bool icv_holds(const Arrival& arrival) {
    const std::uint8_t* received = arrival.received_icv();
    const std::size_t last = arrival.sa->layout.icv - sizeof(std::uint64_t);
    const auto difference_at = [&](std::size_t at) {
        return load_be<std::uint64_t>(arrival.computed_icv + at) ^
               load_be<std::uint64_t>(received + at);
    };
    std::uint64_t difference = difference_at(0) | difference_at(last);
    if (last > sizeof(std::uint64_t))
        difference |= difference_at(8) | difference_at(16);
    return difference == 0;
}

/// RFC 3948 4.1 leaves the new address to policy; here only control decides, told once per address
/// by the newest authenticated packet, so that a replayed or delayed one cannot redirect a tunnel.
void watch_peer(const Arrival& arrival, EspContext& context) {
    InboundSa& sa = *arrival.sa;
    const PacketMeta& info = meta(arrival.packet);
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
[[gnu::always_inline]] inline Verdict authenticate(const Arrival& arrival, EspContext& context) {
    InboundSa& sa = *arrival.sa;
    if (!icv_holds(arrival))
        return DropReason::EspIcv;
    const bool newest = arrival.sequence > sa.window.highest();
    if (!sa.window.commit(arrival.sequence))
        return DropReason::EspReplay;
    if (newest && sa.has(kTraitUdp))
        watch_peer(arrival, context);
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
    return (((have[0] ^ row.octets[0]) & row.mask[0]) |
            ((have[1] ^ row.octets[1]) & row.mask[1])) == 0;
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

/// The deciphered text without its trailer.
struct Opened {
    std::uint8_t* at;
    std::uint32_t bytes;
    std::uint8_t next_header;
};

[[gnu::always_inline]] inline Verdict strip_trailer(const Arrival& arrival, Opened& opened) {
    opened.at = arrival.text();
    const std::uint8_t* pad_length_field = opened.at + arrival.text_bytes - wire::kEspTrailerBytes;
    opened.next_header = pad_length_field[1];
    if (*pad_length_field + wire::kEspTrailerBytes > arrival.text_bytes ||
        !padding_holds(pad_length_field))
        return DropReason::EspPadding;
    if (opened.next_header == wire::kNextHeaderNone)
        return DropReason::EspDummy;
    opened.bytes = static_cast<std::uint32_t>(pad_length_field - opened.at) - *pad_length_field;
    return std::nullopt;
}

/// The packet is the one that starts at `at` from here on.
[[gnu::always_inline]] inline Verdict pass_on(const Arrival& arrival,
                                              const std::uint8_t* at,
                                              std::uint32_t inner_bytes,
                                              EspContext& context) {
    InboundSa& sa = *arrival.sa;
    rte_mbuf* packet = arrival.packet;
    if (charge_bytes(sa, inner_bytes, context.events) == Charge::Expired)
        return DropReason::SaExpired;
    PacketMeta& info = meta(packet);
    info.flags = static_cast<std::uint8_t>((info.flags & ~unsigned{kUdpEncap}) | kFromSa);
    info.sa.inbound = &sa;
    packet->data_off = static_cast<std::uint16_t>(packet->data_off + (at - data(packet)));
    packet->data_len = static_cast<std::uint16_t>(inner_bytes);
    packet->pkt_len = inner_bytes;
    ++sa.packets;
    return std::nullopt;
}

/// Transport mode (RFC 4303 3.1.1): what was deciphered belongs behind the IP header in front of
/// ESP. That is gone by now and was for us alone, so one with its addresses and its TOS stands for
/// it; ECN bits are then as the path left them. Out of line: nearly every SA is in tunnel mode.
[[gnu::noinline]] Verdict
deliver_payload(const Arrival& arrival, const Opened& opened, EspContext& context) {
    const InboundSa& sa = *arrival.sa;
    PacketMeta& info = meta(arrival.packet);
    const auto inner_bytes = static_cast<std::uint32_t>(opened.bytes + wire::kIpv4Bytes);
    if (inner_bytes > kMaxIpv4Bytes)
        return DropReason::EspInner;
    const AddressPair seen{info.outer_source, info.outer_destination};
    if (sa.has(kTraitUdp))
        mend_checksum({opened.at, opened.bytes},
                      opened.next_header,
                      {sa.original_remote, sa.original_local},
                      seen);
    std::uint8_t* at = opened.at - wire::kIpv4Bytes; // over ESP header and IV, or the headroom
    wire::Ipv4Header{at}.write({.tos = info.outer_tos,
                                .total_bytes = static_cast<std::uint16_t>(inner_bytes),
                                .protocol = opened.next_header,
                                .source = seen.source,
                                .destination = seen.destination});
    read_flow(info, at, inner_bytes);
    if (!is_selected(sa, info))
        return DropReason::EspSelector;
    return pass_on(arrival, at, inner_bytes, context);
}

/// Strips ESP from a deciphered packet and judges what was inside.
[[gnu::always_inline]] inline Verdict decapsulate(const Arrival& arrival, EspContext& context) {
    InboundSa& sa = *arrival.sa;
    Opened inner{};
    if (const Verdict verdict = strip_trailer(arrival, inner)) [[unlikely]]
        return verdict;
    if (sa.has(kTraitTransport)) [[unlikely]]
        return deliver_payload(arrival, inner, context);
    const wire::Ipv4Header header{inner.at};
    if (inner.next_header != wire::kNextHeaderIpv4 ||
        !lengths_hold(header, inner.bytes, inner.bytes) || header.ttl() == 0 ||
        !header.checksum_holds())
        return DropReason::EspInner;

    PacketMeta& info = meta(arrival.packet);
    // RFC 4303 2.7: what follows the inner packet is traffic flow confidentiality padding.
    const std::uint32_t inner_bytes = header.total_bytes();
    read_flow(info, inner.at, inner_bytes);
    if (!is_selected(sa, info))
        return DropReason::EspSelector;
    if (!combine_ecn(inner.at, info.outer_tos))
        return DropReason::EspEcn;
    return pass_on(arrival, inner.at, inner_bytes, context);
}

// ---------------------------------------------------------------------------------------------------

/// One plain segment that holds an SPI and belongs to an SA of ours.
void look_up(rte_mbuf* packet, Arrivals& arrivals, EspContext& context) {
    if (!is_plain(packet)) [[unlikely]] {
        rte_mbuf* copy = copy_to_plain(packet, context.pool);
        if (copy == nullptr)
            return refuse_stranger(packet, 0, DropReason::NoBuffer, context);
        packet = copy;
    }
    if (packet->data_len < wire::kEspBytes) [[unlikely]]
        return refuse_stranger(packet, 0, DropReason::EspShort, context);
    const std::uint32_t spi = wire::EspHeader{data(packet)}.spi();
    InboundSa* sa = context.sas.find_inbound(Spi{spi});
    if (sa == nullptr) [[unlikely]]
        return refuse_stranger(packet, spi, DropReason::EspInvalidSpi, context);
    Arrival& arrival = arrivals.of[arrivals.count];
    arrival.packet = packet;
    arrival.sa = sa;
    arrival.sequence = 0;
    if (const Verdict verdict = admit(arrival)) [[unlikely]]
        return refuse(arrival, *verdict, context);
    ++arrivals.count;
    if (!sa->has(kTraitCombined))
        ++arrivals.bulk;
}

/// Leaves the arrivals that `judge` finds nothing wrong with, in order.
template <class Judge> void keep(Arrivals& arrivals, EspContext& context, const Judge& judge) {
    unsigned kept = 0;
    for (unsigned i = 0; i < arrivals.count; ++i) {
        const Arrival& arrival = arrivals.of[i];
        if (const Verdict verdict = judge(arrival)) [[unlikely]]
            refuse(arrival, *verdict, context);
        else if (kept++ != i)
            arrivals.of[kept - 1] = arrival;
    }
    arrivals.count = kept;
}

/// With many SAs their lines have left the caches: SPIs are read ahead of everything else.
void fetch_sas(const Burst& burst, EspContext& context) {
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        if (packet->data_len < wire::kEspBytes)
            continue;
        const auto* sa = static_cast<const InboundSa*>(
            context.sas.inbound_line(Spi{wire::EspHeader{data(packet)}.spi()}));
        rte_prefetch0(sa);
        rte_prefetch0(&sa->window);
    }
}

} // namespace

void esp_inbound(Burst& burst, EspContext& context) noexcept {
    if (context.crypto.keys_are_cold())
        fetch_sas(burst, context);
    Arrivals arrivals;
    for (unsigned i = 0; i < burst.count; ++i)
        look_up(burst.packets[i], arrivals, context);
    verify(arrivals, context.crypto);
    if (arrivals.bulk == 0) {
        keep(arrivals, context, [&](const Arrival& arrival) {
            const Verdict verdict = authenticate(arrival, context);
            return verdict ? verdict : decapsulate(arrival, context);
        });
    } else {
        keep(arrivals, context, [&](const Arrival& a) { return authenticate(a, context); });
        decipher_bulk(arrivals, context.crypto);
        keep(arrivals, context, [&](const Arrival& a) { return decapsulate(a, context); });
    }
    burst.count = 0;
    for (const Arrival& arrival : std::span{arrivals.of}.first(arrivals.count))
        burst.push(arrival.packet);
}

} // namespace adit::dataplane
