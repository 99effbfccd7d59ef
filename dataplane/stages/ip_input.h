// SPDX-License-Identifier: Apache-2.0
// Step: checks every IPv4 header off the wire before anybody believes it (RFC 1812 5.2.2,
// RFC 1122 3.2.1).
//
// In:  data starts where an IPv4 header should.
// Out: a sound header; Ethernet padding behind the datagram is gone; meta has addresses, protocol,
//      ports, kFragment and kPortsKnown.
// Exits by drop: IpMalformed, IpChecksum, IpSource, IpOptions, InterfaceDown.
#pragma once

#include "dataplane/packet_flow.h"
#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

bool ip_input(rte_mbuf* packet, WorkerContext& context) noexcept;

/// RFC 1812 5.3.7: "martian" sources.
inline bool is_sane_source(std::uint32_t source, const Tables& tables) {
    return source >> 24 != 0 && source >> 24 != 127 && source < 0xe0000000 &&
           !tables.is_own_address(source);
}

/// Source or options: drops the packet for what is wrong. True: nothing is.
bool judge_header(rte_mbuf* packet, WorkerContext& context) noexcept;

/// The rest of it for a packet out of an SA, whose lengths, checksum and flow esp_inbound has
/// looked at. Exits by drop: IpSource, IpOptions, IpMalformed (options).
ADIT_STEP inner_ip_input(Passing& passing, WorkerContext& context) noexcept {
    const bool is_plain = wire::Ipv4Header{passing.at}.header_bytes() == wire::kIpv4Bytes &&
                          is_sane_source(passing.source, *context.tables);
    return is_plain || judge_header(passing.packet, context);
}

} // namespace adit::dataplane
