// SPDX-License-Identifier: Apache-2.0
// Asks a NIC to choose the receive queue of ESP by its SPI: without that, all tunnels between two
// gateways have one address pair and so one queue.
//
// Threading: main thread, on a started port.
#pragma once

#include <cstdint>

namespace adit::dataplane {

struct SpiRss {
    bool esp{false};  // ESP of its own
    bool natt{false}; // ESP in UDP 4500
};

/// Makes the flow rules that the driver accepts; the others change nothing. They end with the port.
SpiRss spread_by_spi(std::uint16_t port, std::uint16_t rx_queues, const char* driver);

} // namespace adit::dataplane
