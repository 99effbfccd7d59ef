// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/ip_input.h"

#include <optional>

namespace adit::dataplane {

namespace {

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionLooseSourceRoute = 131;
constexpr std::uint8_t kOptionStrictSourceRoute = 137;

/// Source routes are refused (RFC 7126 4.3, 4.4), other options pass unread. A list that does not
/// parse is refused too.
std::optional<DropReason> check_options(ByteView options) {
    for (std::size_t at = 0; at < options.size() && options[at] != kOptionEnd;) {
        if (options[at] == kOptionLooseSourceRoute || options[at] == kOptionStrictSourceRoute)
            return DropReason::IpOptions;
        if (options[at] == kOptionNop) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < options.size() ? options[at + 1] : 0;
        if (length < 2 || at + length > options.size())
            return DropReason::IpMalformed;
        at += length;
    }
    return std::nullopt;
}

bool end(rte_mbuf* packet, DropReason reason, WorkerContext& context) {
    context.drop(packet, reason);
    return false;
}

/// RFC 894: what is behind the datagram pads a short frame. It may begin in any segment.
void cut_padding(rte_mbuf* packet, std::uint16_t total_bytes) {
    rte_mbuf* last = packet;
    std::uint16_t left = total_bytes, segments = 1;
    for (; left > last->data_len; last = last->next, ++segments)
        left = static_cast<std::uint16_t>(left - last->data_len);
    last->data_len = left;
    rte_pktmbuf_free(last->next);
    last->next = nullptr;
    packet->nb_segs = segments;
    packet->pkt_len = total_bytes;
}

} // namespace

bool judge_header(rte_mbuf* packet, WorkerContext& context) noexcept {
    const wire::Ipv4Header ip{data(packet)};
    if (!is_sane_source(ip.source(), *context.tables))
        return end(packet, DropReason::IpSource, context);
    if (const auto reason = check_options(ip.options()))
        return end(packet, *reason, context);
    return true;
}

bool ip_input(rte_mbuf* packet, WorkerContext& context) noexcept {
    if (!context.tables->interfaces[meta(packet).in_interface].carries_ip())
        return end(packet, DropReason::InterfaceDown, context);
    const wire::Ipv4Header ip{data(packet)};
    if (!lengths_hold(ip, rte_pktmbuf_data_len(packet), rte_pktmbuf_pkt_len(packet)))
        return end(packet, DropReason::IpMalformed, context);
    if (!nic_vouches_for_ipv4(context.ports[meta(packet).in_interface].offloads, packet) &&
        !ip.checksum_holds())
        return end(packet, DropReason::IpChecksum, context);
    if (!judge_header(packet, context))
        return false;
    cut_padding(packet, ip.total_bytes());
    read_flow(meta(packet), data(packet), rte_pktmbuf_data_len(packet));
    return true;
}

} // namespace adit::dataplane
