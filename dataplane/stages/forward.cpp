// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/forward.h"

#include "common/wire/ipv4.h"

namespace adit::dataplane {

void forward(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        wire::Ipv4Header ip{data(packet)};
        if (ip.ttl() <= 1) {
            context.send_icmp_error(packet, {wire::IcmpType::TimeExceeded, wire::kTtlExceeded, 0});
            context.drop(packet, DropReason::TtlExpired);
            continue;
        }
        ip.decrement_ttl();
        burst.packets[kept++] = packet;
    }
    burst.count = kept;
}

} // namespace adit::dataplane
