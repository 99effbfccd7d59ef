// SPDX-License-Identifier: Apache-2.0
// Checks every IPv4 header before anybody believes it (RFC 1812 5.2.2, RFC 1122 3.2.1), from the
// wire and once more from inside an SA.
//
// In:  data starts where an IPv4 header should.
// Out: a sound header; Ethernet padding behind the datagram is gone; meta has addresses, protocol,
//      ports and kFragment.
// Exits by drop: IpMalformed, IpChecksum, IpSource, IpOptions, InterfaceDown.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void ip_input(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
