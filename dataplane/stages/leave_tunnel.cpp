// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/leave_tunnel.h"

#include "common/wire/ipv4.h"
#include "dataplane/sa.h"
#include "dataplane/tcp_mss.h"

namespace adit::dataplane {

void clamp_segments(const Burst& inner, const WorkerContext& context) noexcept {
    for (unsigned i = 0; i < inner.count; ++i) {
        rte_mbuf* packet = inner.packets[i];
        const PacketMeta& m = meta(packet);
        if (m.protocol != wire::kProtocolTcp)
            continue;
        const Tunnel* tunnel = context.tables->tunnel_of(m.sa.inbound->policy);
        if (tunnel != nullptr && tunnel->tcp_mss != 0)
            clamp_tcp_mss(data(packet), rte_pktmbuf_data_len(packet), tunnel->tcp_mss);
    }
}

} // namespace adit::dataplane
