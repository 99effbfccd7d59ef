// SPDX-License-Identifier: Apache-2.0
// Packets to our own addresses: what a gateway serves, and nothing more.
//
//     ESP, UDP 4500 with an SPI          -> context.esp_in, data at the ESP header; or handed over
//                                           to the worker that the SPI names
//     UDP 500, UDP 4500 with the marker  -> punt queue, data at the ISAKMP header
//     UDP 4500, one octet 0xff           -> NatKeepalive
//     ICMP echo                          -> answered
//     UDP to another port                -> LocalUnknown, ICMP port unreachable
//     other protocols                    -> LocalUnknown, ICMP protocol unreachable
//
// Fragments are reassembled first. IKE and ESP are served outside of tunnels only.
//
// Exits by drop: the above; UdpMalformed, PuntFull, PuntTooLong, FragmentTable, FragmentTimeout.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void local_delivery(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
