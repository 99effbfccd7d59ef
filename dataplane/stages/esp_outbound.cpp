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

/// Room for the largest outer headers and IV, and for the largest trailer and ICV. Asking for that
/// much whatever the SA needs keeps the check short.
constexpr std::uint32_t kHeadroomNeeded =
    outer_header_bytes(Encapsulation::Udp) + kEspHeaderBytes + kMaxIvBytes;
constexpr std::uint32_t kTailroomNeeded = kTrailerCopyBytes + kMaxIcvBytes;

bool has_room(const rte_mbuf* packet) {
    return packet->data_off >= kHeadroomNeeded &&
           packet->buf_len >= packet->data_off + packet->data_len + kTailroomNeeded;
}

/// RFC 4303 3.3.3: the counter must not cycle; sending stops and control must have made a new SA by
/// now. `soft_sequence` is where somebody has to look, first for the report, then at the end.
std::optional<DropReason> sequence_verdict(OutboundSa& sa, EventQueue& events) {
    if (!sa.soft_sequence_reported) {
        sa.soft_sequence_reported = true;
        sa.soft_sequence = sa.last_sequence;
        report_expiry(events, ipc::EventType::SoftExpire, sa.sa_id, ipc::ExpireKind::Sequence);
    }
    if (sa.next_sequence <= sa.last_sequence)
        return std::nullopt;
    if (!sa.hard_sequence_reported) {
        sa.hard_sequence_reported = true;
        report_expiry(events, ipc::EventType::HardExpire, sa.sa_id, ipc::ExpireKind::Sequence);
    }
    return DropReason::SeqOverflow;
}

/// The words of the outer header that change from packet to packet.
struct OuterWords {
    std::uint16_t total_bytes;
    std::uint16_t id;
    std::uint16_t flags;
    std::uint8_t tos;
};

OuterWords outer_words(const OutboundSa& sa,
                       wire::Ipv4Header inner,
                       std::uint16_t total_bytes,
                       std::uint64_t sequence) {
    const auto flags = static_cast<std::uint16_t>(
        (inner.flags_and_offset() & wire::kIpv4DontFragment & sa.df_from_inner) | sa.df_always);
    // RFC 6864 4.1: an identification means nothing when DF is set. 4.3: otherwise it must not come
    // again soon, and a number that is counted does so as late as 16 bits allow.
    const auto id = static_cast<std::uint16_t>(flags != 0 ? 0 : sequence ^ sa.iv_mask);
    // RFC 4301 5.1.2.1, RFC 6040 4.1 normal mode: DSCP and ECN are copied.
    return {total_bytes, id, flags, inner.tos()};
}

/// The outer IPv4 header, UDP header if any, and the SPI: all but the words in front of the TTL and
/// the checksum, which is summed up from those, is copied.
void write_outer(const OutboundSa& sa, std::uint8_t* at, const OuterWords& words) {
    constexpr std::size_t kFirstFixed = 8; // TTL
    constexpr std::size_t kNative = kOuterIpv4Bytes + sizeof(std::uint32_t);
    std::memcpy(at + kFirstFixed, sa.header_template + kFirstFixed, kNative - kFirstFixed);
    if (sa.has(kTraitUdp)) {
        std::memcpy(at + kNative, sa.header_template + kNative, kUdpHeaderBytes);
        // RFC 3948 2.1: length as usual, checksum 0.
        store_be(at + kOuterIpv4Bytes + 4,
                 static_cast<std::uint16_t>(words.total_bytes - kOuterIpv4Bytes));
    }
    store_be(at,
             std::uint64_t{wire::kPlainVersionAndLength} << 56 | std::uint64_t{words.tos} << 48 |
                 std::uint64_t{words.total_bytes} << 32 | std::uint32_t{words.id} << 16 |
                 words.flags);
    const std::uint32_t sum =
        sa.template_sum + words.tos + words.total_bytes + words.id + words.flags;
    store_be(at + 10, static_cast<std::uint16_t>(~wire::fold_32(sum)));
}

/// Jobs that want company: CBC and HMAC of the whole burst are done together.
struct BulkJobs {
    std::array<CryptoJob, kMaxBurst> jobs;
    unsigned count{0};
};

/// IV and job of a CBC (or NULL) packet. Out of line: it would only be in GCM's way.
[[gnu::noinline]] void add_bulk_job(const OutboundSa& sa,
                                    std::uint8_t* esp,
                                    std::uint32_t text_bytes,
                                    std::uint64_t sequence,
                                    CryptoMb& crypto,
                                    BulkJobs& bulk) {
    CryptoJob& job = bulk.jobs[bulk.count++];
    std::uint8_t* iv = esp + wire::kEspBytes;
    // RFC 3602 3: unpredictable. A counter enciphered elsewhere is; the last block of the packet
    // before is not.
    crypto.random({iv, sa.layout.iv});
    job = {.keys = &sa.keys,
           .text = iv + sa.layout.iv,
           .iv = iv,
           .authenticated = esp,
           .tag = iv + sa.layout.iv + text_bytes,
           .text_bytes = text_bytes,
           .authenticated_bytes =
               static_cast<std::uint32_t>(wire::kEspBytes) + sa.layout.iv + text_bytes,
           .cipher = sa.cipher,
           .mac = sa.mac};
    if (sa.has(kTraitExtendedSequence)) {
        // RFC 4303 2.2.1: the upper half is authenticated behind the packet, but not sent: it
        // stands where the ICV will.
        store_be(job.tag, static_cast<std::uint32_t>(sequence >> 32));
        job.authenticated_bytes += sizeof(std::uint32_t);
    }
}

/// The cipher of a packet that was encapsulated. Apart from it, because a core that loads in wide
/// pieces what it has just stored in small ones has to wait.
void seal_gcm(rte_mbuf* packet, Gcm& gcm) {
    const OutboundSa& sa = *meta(packet).sa.outbound;
    std::uint8_t* esp = data(packet) + sa.outer_header;
    std::uint8_t* iv = esp + wire::kEspBytes;
    std::uint8_t* text = iv + kGcmIvBytes;
    const std::uint32_t text_bytes =
        packet->data_len - static_cast<std::uint32_t>(text - data(packet)) - sa.layout.icv;
    const GcmNonce nonce{sa.salt_be, iv};
    CryptoJob job{.keys = &sa.keys,
                  .text = text,
                  .iv = nonce.bytes(),
                  .authenticated = esp,
                  .tag = text + text_bytes,
                  .text_bytes = text_bytes,
                  .authenticated_bytes = wire::kEspBytes,
                  .cipher = sa.cipher,
                  .mac = sa.mac};
    std::uint8_t aad[12];
    if (sa.has(kTraitExtendedSequence)) {
        // RFC 4106 5: SPI and the whole sequence number, of which the IV is the image.
        std::memcpy(aad, esp, 4);
        store_be(aad + 4, load_be<std::uint64_t>(iv) ^ sa.iv_mask);
        job.authenticated = aad;
        job.authenticated_bytes = sizeof aad;
    }
    gcm.seal(job);
}

/// The outer header's flow; nobody asks for its ports.
void update_meta(PacketMeta& info, const OutboundSa& sa) {
    info.source = load_be<std::uint32_t>(sa.header_template + 12);
    info.destination = load_be<std::uint32_t>(sa.header_template + 16);
    info.protocol = sa.header_template[9];
    info.flags = static_cast<std::uint8_t>(info.flags & ~(kFromSa | kFragment));
}

/// Sequence number and IV; what is not GCM becomes a job.
[[gnu::always_inline]] inline void start_esp(const OutboundSa& sa,
                                             std::uint8_t* esp,
                                             std::uint32_t text_bytes,
                                             std::uint64_t sequence,
                                             BulkJobs& bulk,
                                             EspContext& context) {
    wire::EspHeader{esp}.set_sequence(static_cast<std::uint32_t>(sequence));
    if (sa.has(kTraitCombined)) [[likely]]
        // RFC 4106 3.1: never twice under one key. The sequence number never repeats within an SA;
        // the mask keeps two installations of one key apart.
        store_be(esp + wire::kEspBytes, sequence ^ sa.iv_mask);
    else
        add_bulk_job(sa, esp, text_bytes, sequence, context.crypto, bulk);
}

/// RFC 4303 3.1.1: ESP goes between the IP header, which stays what it is, and what it carries. Out
/// of line: nearly every SA is in tunnel mode.
[[gnu::noinline]] void encapsulate_in_transport_mode(rte_mbuf* packet,
                                                     OutboundSa& sa,
                                                     BulkJobs& bulk,
                                                     EspContext& context) {
    std::uint8_t* header = data(packet);
    std::uint8_t* payload = header + wire::kIpv4Bytes;
    const std::uint32_t inner_bytes = packet->data_len;
    const auto payload_bytes = static_cast<std::uint32_t>(inner_bytes - wire::kIpv4Bytes);
    const std::uint32_t padding = sa.layout.padding(payload_bytes);
    const std::uint64_t sequence = sa.next_sequence++;
    std::uint8_t* trailer = payload + payload_bytes;
    std::memcpy(trailer, kTrailers[padding].data(), kTrailerCopyBytes);
    trailer[padding + 1] = wire::Ipv4Header{header}.protocol();

    std::uint8_t* esp = payload - wire::kEspBytes - sa.layout.iv;
    std::uint8_t* outer = esp - sa.outer_header;
    const std::uint32_t text_bytes =
        payload_bytes + padding + static_cast<std::uint32_t>(wire::kEspTrailerBytes);
    const auto total_bytes =
        static_cast<std::uint16_t>(payload - outer + text_bytes + sa.layout.icv);
    std::memmove(outer, header, wire::kIpv4Bytes);
    wire::Ipv4Header ip{outer};
    ip.set_total_bytes(total_bytes);
    ip.set_protocol(sa.header_template[9]);
    ip.update_checksum();
    // UDP header, if any, and SPI.
    std::memcpy(outer + wire::kIpv4Bytes,
                sa.header_template + wire::kIpv4Bytes,
                sa.outer_header - wire::kIpv4Bytes + sizeof(std::uint32_t));
    if (sa.has(kTraitUdp))
        store_be(outer + wire::kIpv4Bytes + 4,
                 static_cast<std::uint16_t>(total_bytes - wire::kIpv4Bytes));
    start_esp(sa, esp, text_bytes, sequence, bulk, context);
    packet->data_off = static_cast<std::uint16_t>(packet->data_off - (header - outer));
    packet->data_len = total_bytes;
    packet->pkt_len = total_bytes;
    update_meta(meta(packet), sa);
}

/// Puts the outer headers in front and the trailer behind; all checks are done.
void encapsulate(rte_mbuf* packet, OutboundSa& sa, BulkJobs& bulk, EspContext& context) {
    std::uint8_t* inner = data(packet);
    const std::uint32_t inner_bytes = packet->data_len;
    const std::uint32_t padding = sa.layout.padding(inner_bytes);
    const std::uint64_t sequence = sa.next_sequence++;
    std::memcpy(inner + inner_bytes, kTrailers[padding].data(), kTrailerCopyBytes);

    std::uint8_t* esp = inner - wire::kEspBytes - sa.layout.iv;
    std::uint8_t* outer = esp - sa.outer_header;
    const std::uint32_t text_bytes =
        inner_bytes + padding + static_cast<std::uint32_t>(wire::kEspTrailerBytes);
    const auto total_bytes = static_cast<std::uint16_t>(inner - outer + text_bytes + sa.layout.icv);
    write_outer(sa, outer, outer_words(sa, wire::Ipv4Header{inner}, total_bytes, sequence));
    start_esp(sa, esp, text_bytes, sequence, bulk, context);
    packet->data_off = static_cast<std::uint16_t>(packet->data_off - (inner - outer));
    packet->data_len = total_bytes;
    packet->pkt_len = total_bytes;
    update_meta(meta(packet), sa);
}

/// A packet that cannot be enciphered where it lies is replaced by a copy.
std::optional<DropReason> make_room(rte_mbuf*& packet, rte_mempool* pool) {
    rte_mbuf* copy = copy_to_plain(packet, pool);
    if (copy == nullptr)
        return DropReason::NoBuffer;
    packet = copy;
    return has_room(copy) ? std::nullopt : std::optional{DropReason::NoBuffer};
}

/// Transport mode is for whole datagrams between the endpoints (RFC 4303 3.3.4, RFC 4301 4.1). We
/// put no options into ours.
bool suits_transport_mode(const OutboundSa& sa, std::uint8_t* at) {
    const wire::Ipv4Header ip{at};
    return ip.source() == sa.local_address && ip.destination() == sa.remote_address &&
           ip.header_bytes() == wire::kIpv4Bytes && !ip.is_fragment();
}

/// Everything that can refuse a packet.
std::optional<DropReason> admit(rte_mbuf*& packet, OutboundSa& sa, EspContext& context) {
    if (!is_plain(packet) || !has_room(packet)) [[unlikely]]
        if (const auto reason = make_room(packet, context.pool))
            return reason;
    if (sa.has(kTraitTransport) && !suits_transport_mode(sa, data(packet))) [[unlikely]]
        return DropReason::EspTransport;
    if (sa.next_sequence >= sa.soft_sequence) [[unlikely]]
        if (const auto reason = sequence_verdict(sa, context.events))
            return reason;
    if (charge_bytes(sa, packet->data_len, context.events) == Charge::Expired) [[unlikely]]
        return DropReason::SaExpired;
    return std::nullopt;
}

void refuse(rte_mbuf* packet, DropReason reason, EspContext& context) {
    const OutboundSa& sa = *meta(packet).sa.outbound;
    ipc::PolicyStats& policy = context.sas.stats_of_policy(sa.policy);
    ipc::add(context.sas.stats_of(sa).other_drops, 1);
    ipc::add(policy.hits, 1);
    ipc::add(policy.send_drops, 1);
    context.drops.drop(packet, reason);
}

/// With many SAs their keys have left the caches, and what a packet needs is asked for while those
/// before it are worked on; the SA itself was by outbound_policy. Short packets' few lines are
/// asked for while headers are written; the many that long ones use would have left L1 again by
/// then, and the cipher of a long packet takes long enough.
constexpr std::uint32_t kShortBytes = 256;

enum class Length : std::uint8_t { Short, Long };

void fetch_keys_ahead(const Burst& burst, unsigned i, Length length, const CryptoMb& crypto) {
    if (i + kFetchAhead >= burst.count)
        return;
    rte_mbuf* ahead = burst.packets[i + kFetchAhead];
    if ((ahead->data_len <= kShortBytes) == (length == Length::Short))
        fetch_keys(*meta(ahead).sa.outbound, ahead->data_len, crypto);
}

void encapsulate_all(Burst& burst, BulkJobs& bulk, EspContext& context) {
    const bool cold = context.crypto.keys_are_cold();
    const unsigned count = burst.count;
    unsigned kept = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (cold)
            fetch_keys_ahead(burst, i, Length::Short, context.crypto);
        rte_mbuf* packet = burst.packets[i];
        OutboundSa& sa = *meta(packet).sa.outbound;
        if (const auto reason = admit(packet, sa, context)) [[unlikely]] {
            refuse(packet, *reason, context);
            continue;
        }
        if (sa.has(kTraitTransport)) [[unlikely]]
            encapsulate_in_transport_mode(packet, sa, bulk, context);
        else
            encapsulate(packet, sa, bulk, context);
        burst.packets[kept++] = packet;
    }
    burst.count = kept;
}

void seal_all(const Burst& burst, BulkJobs& bulk, CryptoMb& crypto) {
    const bool cold = crypto.keys_are_cold();
    for (unsigned i = 0; bulk.count < burst.count && i < burst.count; ++i) {
        if (cold)
            fetch_keys_ahead(burst, i, Length::Long, crypto);
        if (meta(burst.packets[i]).sa.outbound->has(kTraitCombined)) [[likely]]
            seal_gcm(burst.packets[i], crypto.gcm());
    }
    crypto.seal({bulk.jobs.data(), bulk.count});
}

} // namespace

void esp_outbound(Burst& burst, EspContext& context) noexcept {
    BulkJobs bulk;
    encapsulate_all(burst, bulk, context);
    seal_all(burst, bulk, context.crypto);
}

} // namespace adit::dataplane
