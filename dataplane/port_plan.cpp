// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_plan.h"

#include <algorithm>

namespace adit::dataplane {

QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers) {
    const auto at_most = [&](std::uint16_t limit) {
        return std::max<std::uint16_t>(std::min(workers, limit), 1);
    };
    return {spread == RxSpread::OverAll ? most.rx : at_most(most.rx), at_most(most.tx)};
}

std::uint32_t largest_mtu(const rte_eth_dev_info& info) {
    // As ethdev reckons: a driver that names no MTU limit has one by its frame length.
    const bool names_limit = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
    if (names_limit)
        return info.max_mtu;
    constexpr std::uint32_t kOverheadBytes = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
    const std::uint32_t by_length =
        info.max_rx_pktlen > kOverheadBytes ? info.max_rx_pktlen - kOverheadBytes : 0;
    return std::min<std::uint32_t>(by_length, info.max_mtu);
}

} // namespace adit::dataplane
