// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/forward.h"

namespace adit::dataplane {

void end_life(rte_mbuf* packet, WorkerContext& context) noexcept {
    context.send_icmp_error(packet, {wire::IcmpType::TimeExceeded, wire::kTtlExceeded, 0});
    context.drop(packet, DropReason::TtlExpired);
}

} // namespace adit::dataplane
