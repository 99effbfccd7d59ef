// SPDX-License-Identifier: Apache-2.0
// ESP for us, on its way to esp_inbound.
//
// Step esp_to_us: native ESP in a plain packet to the address of the interface it came in by takes
// this short way; policy and route would let it pass to the same place. Everything else goes on.
//
// Exits by burst: to context.esp_in. Exits by handover: packets whose SA is another worker's.
#pragma once

#include "common/wire/ipv4.h"
#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

/// The packet may belong to an SA of another worker.
void deliver_esp_to_owner(rte_mbuf* esp, WorkerContext& context) noexcept;

/// Keeps what the ESP stage needs of the headers in front and moves data behind them.
inline void
deliver_esp(rte_mbuf* packet, std::uint8_t* at, std::uint32_t headers, WorkerContext& context) {
    PacketMeta& m = meta(packet);
    m.outer_tos = wire::Ipv4Header{at}.tos();
    m.outer_source = m.source;
    m.outer_destination = m.destination;
    m.outer_source_port = m.source_port;
    m.outer_destination_port = m.destination_port;
    advance(packet, headers);
    if (context.handover.alone()) [[likely]]
        context.esp_in.push(packet);
    else
        deliver_esp_to_owner(packet, context);
}

ADIT_STEP esp_to_us(Passing& passing, WorkerContext& context) noexcept {
    const PacketMeta& m = meta(passing.packet);
    const bool is_for_us =
        m.protocol == wire::kProtocolEsp && (m.flags & kFragment) == 0 &&
        passing.destination == context.tables->interfaces[m.in_interface].address &&
        passing.at[0] == wire::kPlainVersionAndLength &&
        !wire::Ipv4Header{passing.at}.is_fragment();
    if (!is_for_us)
        return true;
    deliver_esp(passing.packet, passing.at, wire::kIpv4Bytes, context);
    return false;
}

} // namespace adit::dataplane
