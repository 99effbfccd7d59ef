// SPDX-License-Identifier: Apache-2.0
// What a port is configured with, chosen from what its driver offers: pure functions.
//
// Threading: any.
#pragma once

#include "dataplane/port_offloads.h"
#include "dataplane/spi_rss.h"

#include <cstdint>
#include <rte_ethdev.h>
#include <string>

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

PortOffloads choose_offloads(const rte_eth_dev_info& info);

/// RTE_ETH_RSS_* that spread over `rx_queues`, of those the driver knows; 0: none.
std::uint64_t choose_rss_types(const rte_eth_dev_info& info, std::uint16_t rx_queues);

/// What rte_eth_dev_configure is told.
rte_eth_conf port_config(const PortOffloads& offloads, std::uint64_t rss_types);

/// For the operator: "ip ports esp-spi".
std::string describe_rss(std::uint64_t types, const SpiRss& spi);
/// For the operator: "rx-checksum fast-free".
std::string describe_offloads(const PortOffloads& offloads);

} // namespace adit::dataplane
