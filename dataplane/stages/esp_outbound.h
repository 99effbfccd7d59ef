// SPDX-License-Identifier: Apache-2.0
// Inner IPv4 packets in, ESP out (RFC 4303 3.3, RFC 4301 5.1.2, RFC 3948 3.3, 3.4): in tunnel mode,
// or in transport mode what the gateway itself has to say to its peer.
//
// In:  data starts at a sound inner IPv4 header whose TTL was already counted down;
//      meta.sa.outbound is set; small enough (fit_tunnel).
// Out: data starts at a complete outer IPv4 header; meta has the outer addresses and protocol 50 or
//      17, kFromSa cleared; ready for the way out (outer_output).
// Exits by drop: SaExpired, SeqOverflow, NoBuffer, EspTransport. Each is counted on the core's
// page, on the SA's
//      and on the policy's.
// Events: SoftExpire, HardExpire.
#pragma once

#include "dataplane/stages/esp_context.h"

namespace adit::dataplane {

void esp_outbound(Burst& burst, EspContext& context) noexcept;

} // namespace adit::dataplane
