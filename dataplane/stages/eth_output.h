// SPDX-License-Identifier: Apache-2.0
// Puts an Ethernet header in front of packets whose next hop is known and queues them for their
// port.
//
// Exits by queue: next hop unknown, to the housekeeper, which asks by ARP and sends them on.
// Exits by drop: NeighborUnresolved when that queue is full; NoBuffer; InterfaceDown; TxFull.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void eth_output(Burst& burst, WorkerContext& context) noexcept;

/// Queues a complete frame for meta.out_interface.
void queue_frame(rte_mbuf* frame, WorkerContext& context) noexcept;

} // namespace adit::dataplane
