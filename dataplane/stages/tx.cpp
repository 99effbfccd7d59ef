// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/tx.h"

#include <rte_ethdev.h>

namespace adit::dataplane {

void transmit(WorkerPort& port, WorkerContext& context) noexcept {
    if (port.out.count == 0)
        return;
    if (port.sender) {
        for (unsigned i = 0; i < port.out.count; ++i)
            context.hand_over(port.out.packets[i], *port.sender, Handover::Transmit);
        port.out.count = 0;
        return;
    }
    const auto count = static_cast<std::uint16_t>(port.out.count);
    const std::uint16_t sent =
        rte_eth_tx_burst(port.dpdk_port, port.tx_queue, port.out.packets, count);
    for (unsigned i = sent; i < port.out.count; ++i)
        context.drop(port.out.packets[i], DropReason::TxFull);
    port.out.count = 0;
}

} // namespace adit::dataplane
