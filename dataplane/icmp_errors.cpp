// SPDX-License-Identifier: Apache-2.0
#include "dataplane/icmp_errors.h"

#include "common/address.h"
#include "common/wire/ipv4.h"
#include "dataplane/packet.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

/// RFC 1812 4.3.2.3: as much of the datagram as fits without the error exceeding 576 octets.
constexpr std::uint32_t kMaxErrorBytes = 576;
/// RFC 1812 4.3.2.5: precedence 6, internetwork control.
constexpr std::uint8_t kErrorTos = 0xc0;

bool names_one_host(std::uint32_t source) {
    const Ipv4Address address{source};
    return source >> 24 != 0 && !address.is_loopback() && source < 0xe0000000;
}

/// RFC 1812 4.3.2.7: never about ICMP errors, group destinations, later fragments, or to a source
/// that is no single host.
bool may_be_answered(rte_mbuf* about) {
    const wire::Ipv4Header ip{data(about)};
    if ((meta(about).flags & kLinkGroup) != 0 || !ip.is_first_fragment() ||
        !names_one_host(ip.source()) || ip.destination() >= 0xe0000000)
        return false;
    if (ip.protocol() != wire::kProtocolIcmp)
        return true;
    return rte_pktmbuf_data_len(about) > ip.header_bytes() &&
           !wire::is_icmp_error(data(about)[ip.header_bytes()]);
}

} // namespace

bool IcmpErrors::take_token(std::uint64_t now_ns) {
    constexpr std::uint64_t kNsPerToken = 1'000'000'000 / kPerSecond;
    const std::uint64_t earned = (now_ns - refilled_ns_) / kNsPerToken;
    if (earned > 0) {
        tokens_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(kBucket, tokens_ + earned));
        refilled_ns_ = now_ns;
    }
    if (tokens_ == 0)
        return false;
    --tokens_;
    return true;
}

rte_mbuf* IcmpErrors::make(rte_mbuf* about,
                           const IcmpError& error,
                           std::uint32_t source,
                           std::uint64_t now_ns) {
    if (source == 0 || !may_be_answered(about) || !take_token(now_ns))
        return nullptr;
    rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
    if (packet == nullptr)
        return nullptr;
    constexpr std::uint32_t kHeaders = wire::kIpv4Bytes + wire::kIcmpBytes;
    const std::uint32_t quoted =
        std::min<std::uint32_t>(rte_pktmbuf_data_len(about), kMaxErrorBytes - kHeaders);
    const auto total = static_cast<std::uint16_t>(kHeaders + quoted);
    std::uint8_t* at = append(packet, total);
    std::memcpy(at + kHeaders, data(about), quoted);

    wire::IcmpHeader icmp{at + wire::kIpv4Bytes};
    icmp.write(error.type, error.code, error.rest);
    icmp.update_checksum(total - wire::kIpv4Bytes);
    const std::uint32_t destination = wire::Ipv4Header{data(about)}.source();
    wire::Ipv4Header{at}.write({.tos = kErrorTos,
                                .total_bytes = total,
                                .flags_and_offset = wire::kIpv4DontFragment, // RFC 6864 4.1: id 0
                                .protocol = wire::kProtocolIcmp,
                                .source = source,
                                .destination = destination});

    PacketMeta& m = meta(packet);
    m = PacketMeta{};
    m.source = source;
    m.destination = destination;
    m.protocol = wire::kProtocolIcmp;
    m.flags = kFromUs;
    m.policy = kNoPolicy.value;
    m.in_interface = meta(about).in_interface;
    return packet;
}

} // namespace adit::dataplane
