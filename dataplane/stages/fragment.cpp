// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/fragment.h"

#include "common/wire/ipv4.h"
#include "dataplane/fragmenter.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

Limit tunnel_limit(rte_mbuf* packet, const Tables& tables) {
    const PacketMeta& m = meta(packet);
    const OutboundSa& sa = *m.sa.outbound;
    if (m.out_interface == kTunnelInterface) [[unlikely]] {
        const Tunnel& tunnel = tables.tunnels[m.next_hop];
        const std::uint32_t fits = sa.inner_mtu(tables.interfaces[tunnel.link].ip_mtu);
        return {std::min(tunnel.ip_mtu, fits), !sa.ignores_df()};
    }
    return {sa.inner_mtu(tables.interfaces[m.out_interface].ip_mtu), !sa.ignores_df()};
}

bool fits(rte_mbuf* packet, const Limit& limit) {
    return rte_pktmbuf_pkt_len(packet) <= limit.mtu && packet->nb_segs == 1;
}

} // namespace

bool all_fit_tunnel(const Burst& packets, const WorkerContext& context) noexcept {
    const OutboundSa* sa = nullptr;
    std::uint16_t interface = kNoInterface.value;
    Limit limit{};
    for (unsigned i = 0; i < packets.count; ++i) {
        rte_mbuf* packet = packets.packets[i];
        const PacketMeta& m = meta(packet);
        if (m.sa.outbound != sa || m.out_interface != interface) {
            sa = m.sa.outbound;
            interface = m.out_interface;
            limit = tunnel_limit(packet, *context.tables);
        }
        if (!fits(packet, limit))
            return false;
    }
    return true;
}

bool make_fit(rte_mbuf* packet, const Limit& limit, Burst& out, WorkerContext& context) noexcept {
    const wire::Ipv4Header ip{data(packet)};
    const unsigned pieces = fragments_needed(packet, limit.mtu);
    if (pieces != 1 && ip.dont_fragment() && limit.respects_df) {
        context.send_icmp_error(
            packet,
            {wire::IcmpType::DestinationUnreachable, wire::kFragmentationNeeded, limit.mtu});
        context.drop(packet, DropReason::TooBigDf);
        return true;
    }
    if (pieces == 0 || pieces > kMaxBurst) {
        context.drop(packet, DropReason::TooBigDf);
        return true;
    }
    if (out.count + pieces > kMaxBurst)
        return false;
    if (fragment(packet, limit.mtu, context.esp.pool, {out.packets + out.count, pieces}))
        out.count += pieces;
    else
        context.drop(packet, DropReason::NoBuffer);
    return true;
}

bool fit_tunnel(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept {
    for (; next < in.count; ++next) {
        rte_mbuf* packet = in.packets[next];
        const Limit limit = tunnel_limit(packet, *context.tables);
        if (fits(packet, limit)) {
            if (out.full())
                return true;
            out.push(packet);
        } else {
            OutboundSa& sa = *meta(packet).sa.outbound;
            const unsigned before = out.count;
            if (!make_fit(packet, limit, out, context))
                return true;
            sa.surplus_pieces += std::uint64_t{out.count - before} - 1;
        }
    }
    return out.count > 0;
}

} // namespace adit::dataplane
