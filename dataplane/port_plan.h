// SPDX-License-Identifier: Apache-2.0
// What a port is configured with, chosen from what its driver offers: pure functions.
//
// Threading: any.
#pragma once

#include <cstdint>
#include <rte_ethdev.h>

namespace adit::dataplane {

struct QueueCounts {
    std::uint16_t rx, tx;

    friend bool operator==(const QueueCounts&, const QueueCounts&) = default;
};

enum class RxSpread : std::uint8_t {
    OverConfigured, // RSS spreads over the queues we ask for
    OverAll,        // the device spreads over all it has: every one must be polled
};

/// One of each a worker, at most what the driver has; nothing less than one.
QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers);

/// The largest MTU that rte_eth_dev_configure will take.
std::uint32_t largest_mtu(const rte_eth_dev_info& info);

} // namespace adit::dataplane
