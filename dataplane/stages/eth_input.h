// SPDX-License-Identifier: Apache-2.0
// Step: frames in, IPv4 packets out. Data starts at the IPv4 header; meta is started (in_interface
// was set on reception).
//
// Exits by drop: EthUnknownType (also VLAN tags: no interface of ours has one), EthNotForUs.
// Exits by queue: ARP, to the housekeeper (ArpMalformed when its queue is full).
#pragma once

#include "dataplane/stages/step.h"
#include "dataplane/worker_context.h"

namespace adit::dataplane {

bool eth_input(rte_mbuf* packet, WorkerContext& context) noexcept;

} // namespace adit::dataplane
