// SPDX-License-Identifier: Apache-2.0
// Frames in, IPv4 packets out: data starts at the IPv4 header, meta is initialised (in_interface
// was set on reception).
//
// Exits by drop: EthUnknownType (also VLAN tags: no interface of ours has one), EthNotForUs.
// Exits by queue: ARP, to the housekeeper (ArpMalformed when its queue is full).
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void eth_input(Burst& burst, WorkerContext& context) noexcept;

} // namespace adit::dataplane
