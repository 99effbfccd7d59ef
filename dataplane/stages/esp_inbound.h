// SPDX-License-Identifier: Apache-2.0
// ESP packets in, inner IPv4 packets out (RFC 4303 3.4, RFC 4301 5.2).
//
// In:  data starts at the ESP header; meta has outer_source, outer_destination, outer_tos, and for
//      kUdpEncap the two outer ports.
// Out: data starts at the inner IPv4 header (in transport mode one made of the outer's addresses);
//      meta has flags kFromSa (and kFragment), the inner addresses, protocol and ports, and
//      sa.inbound. TFC padding is cut off, ECN is combined (RFC 6040).
// Exits by drop: EspShort, EspInvalidSpi, EspWrongEndpoint, EspLength, EspReplay, EspIcv,
// EspPadding,
//      EspDummy, EspInner, EspEcn, EspSelector, SaExpired, NoBuffer. Each is counted on the core's
//      page and, when the SA is known, on the SA's; the window moves only for packets that
//      authenticated.
// Events: PeerMoved, SoftExpire, HardExpire, PacketNotice.
#pragma once

#include "dataplane/stages/esp_context.h"

namespace adit::dataplane {

void esp_inbound(Burst& burst, EspContext& context) noexcept;

} // namespace adit::dataplane
