// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_delivery.h"

namespace adit::dataplane {

void deliver_esp_to_owner(rte_mbuf* esp, WorkerContext& context) noexcept {
    std::optional<WorkerId> owner;
    if (rte_pktmbuf_data_len(esp) >= sizeof(std::uint32_t)) // shorter: esp_inbound counts it
        owner = context.handover.other_owner(Spi{load_be<std::uint32_t>(data(esp))});
    if (owner)
        context.hand_over(esp, *owner, Handover::EspInbound);
    else
        context.esp_in.push(esp);
}

} // namespace adit::dataplane
