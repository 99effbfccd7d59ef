// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/fragment.h"

#include "common/wire/ipv4.h"
#include "dataplane/fragmenter.h"

namespace adit::dataplane {

namespace {

struct Limit {
    std::uint32_t mtu;
    bool respects_df;
};

Limit tunnel_limit(rte_mbuf* packet, const Tables& tables) {
    const OutboundSa& sa = *meta(packet).sa.outbound;
    const std::uint32_t link = tables.interfaces[meta(packet).out_interface].ip_mtu;
    return {sa.inner_mtu(link), sa.df_policy != ipc::DfPolicy::Clear};
}

Limit link_limit(rte_mbuf* packet, const Tables& tables) {
    return {tables.interfaces[meta(packet).out_interface].ip_mtu, true};
}

/// Puts `packet`, or its fragments, into `out`. False when `out` has no room for all of them.
bool fit_one(rte_mbuf* packet, const Limit& limit, Burst& out, WorkerContext& context) {
    const wire::Ipv4Header ip{data(packet)};
    const unsigned pieces = fragments_needed(packet, limit.mtu);
    if (pieces == 1 && packet->nb_segs == 1) {
        if (out.full())
            return false;
        out.push(packet);
        return true;
    }
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

template <class LimitOf>
bool fit(Burst& in, unsigned& next, Burst& out, WorkerContext& context, LimitOf limit_of) {
    for (; next < in.count; ++next)
        if (!fit_one(in.packets[next], limit_of(in.packets[next], *context.tables), out, context))
            return true;
    return out.count > 0;
}

} // namespace

bool fit_tunnel(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept {
    return fit(in, next, out, context, tunnel_limit);
}

bool fit_link(Burst& in, unsigned& next, Burst& out, WorkerContext& context) noexcept {
    return fit(in, next, out, context, link_limit);
}

} // namespace adit::dataplane
