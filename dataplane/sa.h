// SPDX-License-Identifier: Apache-2.0
// One direction of one ESP SA as a worker keeps it. The lines are laid out by who touches them:
//
//   line 0      read for every packet, written only at installation
//   line 1      written for every packet by the owning core
//   line 2      touched when something rare happens (limits, a moved peer)
//   key block   16 lines, 64-aligned: GCM key data, or CBC schedules and HMAC pads (crypto_mb)
//
// The stride of either struct is an odd number of cache lines, or the same line of every SA would
// fall into the same few sets of L1.
//
// A packet is counted in as few words as tell what control wants to know: sequence numbers and
// octets left are needed anyway. SaTable::publish works the counters out of them.
//
// Threading: an SA belongs to one worker; nothing here is shared. Its memory belongs to SaTable,
// which wipes it on removal. All integers in host order unless named _be.
#pragma once

#include "common/algorithms.h"
#include "common/esp_layout.h"
#include "common/ipc/records.h"
#include "dataplane/replay_window.h"

#include <cstdint>
#include <limits>

namespace adit::dataplane {

/// Expanded keys; only CryptoMb looks inside.
struct alignas(64) KeyBlock {
    std::uint8_t bytes[1024];
};

/// Cache lines of a KeyBlock, one bit each.
using KeyLines = std::uint16_t;

enum SaTraits : std::uint8_t {
    kTraitExtendedSequence = 1 << 0,
    kTraitUdp = 1 << 1,          // UDP-encapsulated (RFC 3948)
    kTraitCombined = 1 << 2,     // GCM: one pass, ICV from the cipher
    kTraitSelectsPorts = 1 << 3, // the selector is narrower than any port
    kTraitTransport = 1 << 4,    // transport mode; otherwise tunnel mode
};

/// Octets left until the next thing to report. `left` counts down for every packet; only when it
/// would pass zero does the stage look at the thresholds. A limit of 0 in the record means never.
struct ByteLimits {
    std::uint64_t granted;    // what `left` has counted down from, in all
    std::uint64_t until_hard; // from the soft limit to the hard one
    bool soft_reported;
    bool expired; // the hard limit was reached: the SA carries nothing any more
};

inline constexpr std::uint64_t kNoByteLimit = std::numeric_limits<std::uint64_t>::max();

struct alignas(64) InboundSa {
    // Line 0.
    std::uint32_t spi; // 0: the slot is empty
    std::uint32_t sa_id;
    std::uint32_t local_address;
    std::uint32_t remote_address;
    std::uint16_t local_port, remote_port;
    KeyLines key_lines;
    EspCipher cipher;
    EspMac mac;
    std::uint8_t traits; // SaTraits
    EspLayout layout;
    std::uint16_t min_esp;   // layout.min_esp()
    std::uint8_t salt_be[4]; // RFC 4106 4
    ipc::SelectorRecord selector;

    // Line 1.
    ReplayWindow window;
    std::uint64_t window_words[2]; // windows up to 128 packets
    std::uint64_t bytes_left;
    std::uint64_t packets; // accepted
    // RFC 3948: the address last reported, so that a moved peer is reported once.
    std::uint32_t moved_address;
    std::uint16_t moved_port;

    // Line 2.
    alignas(64) ByteLimits limits;
    std::uint32_t original_local, original_remote; // as in ipc::InstallSa
    std::uint32_t policy;

    KeyBlock keys;
    std::uint64_t wide_window_words[ReplayWindow::kMaxPackets / 64];

    [[nodiscard]] bool has(SaTraits trait) const { return (traits & trait) != 0; }
};

struct alignas(64) OutboundSa {
    // Line 0: first the outer IPv4 header, UDP header if any, and the SPI, as they go on the wire.
    // Total length, identification, TOS and checksum of IPv4 and the UDP length are zero in it.
    std::uint8_t header_template[32];
    std::uint32_t template_sum; // one's complement sum of the IPv4 header above, not folded
    std::uint32_t sa_id;
    KeyLines key_lines;
    std::uint16_t path_mtu; // octets of the outer path, 0: the egress interface's
    std::uint8_t salt_be[4];
    EspCipher cipher;
    EspMac mac;
    std::uint8_t traits; // SaTraits
    EspLayout layout;
    std::uint8_t outer_header; // octets in front of the SPI: 20 or 28
    std::uint16_t
        df_from_inner;       // outer DF = inner DF and this, or df_always: both kIpv4DontFragment
    std::uint16_t df_always; // or 0, as ipc::DfPolicy says

    // Line 1.
    std::uint64_t next_sequence;
    std::uint64_t last_sequence; // the last number that may be sent
    std::uint64_t soft_sequence; // SoftExpire when this one is sent
    std::uint64_t bytes_left;
    std::uint64_t iv_mask; // GCM: IV = sequence number xor this, different for every installation

    // Line 2.
    alignas(64) ByteLimits limits;
    std::uint64_t first_sequence;
    std::uint64_t surplus_pieces; // fragments beyond one a packet, not yet published
    std::uint32_t spi;            // 0: the slot is empty
    std::uint32_t policy;
    std::uint32_t local_address;
    std::uint32_t remote_address;
    std::uint16_t local_port, remote_port;
    bool soft_sequence_reported;
    bool hard_sequence_reported;

    KeyBlock keys;

    [[nodiscard]] bool has(SaTraits trait) const { return (traits & trait) != 0; }

    /// Whether a packet may be fragmented for this SA although it forbids it (DfPolicy::Clear).
    [[nodiscard]] bool ignores_df() const { return (df_from_inner | df_always) == 0; }

    [[nodiscard]] Encapsulation encapsulation() const {
        return has(kTraitUdp) ? Encapsulation::Udp : Encapsulation::Native;
    }

    /// The largest inner packet this SA can carry over a path of `interface_mtu` octets, or over
    /// the path's own MTU when that is known and smaller. Transport mode takes whole datagrams
    /// (RFC 4303 3.3.4): what comes of them is fragmented behind it.
    [[nodiscard]] std::uint32_t inner_mtu(std::uint32_t interface_mtu) const {
        if (has(kTraitTransport))
            return kOuterIpv4Bytes + plaintext_mtu(layout, encapsulation(), kMaxIpv4Bytes);
        const std::uint32_t outer =
            path_mtu != 0 && path_mtu < interface_mtu ? path_mtu : interface_mtu;
        return plaintext_mtu(layout, encapsulation(), outer);
    }
};

static_assert(sizeof(InboundSa) % 128 == 64, "odd number of cache lines");
static_assert(sizeof(OutboundSa) % 128 == 64, "odd number of cache lines");
static_assert(offsetof(InboundSa, window) == 64 && offsetof(InboundSa, limits) == 128);
static_assert(offsetof(OutboundSa, next_sequence) == 64 && offsetof(OutboundSa, limits) == 128);

} // namespace adit::dataplane
