// SPDX-License-Identifier: Apache-2.0
// Who polls and who fills which queue of which port: a queue has one user, so none needs a lock.
//
// Threading: pure functions.
#pragma once

#include "common/types.h"

#include <cstdint>
#include <span>
#include <vector>

namespace adit::dataplane {

struct RxQueue {
    std::uint16_t port; // place in the list of ports
    std::uint16_t queue;

    friend bool operator==(const RxQueue&, const RxQueue&) = default;
};

/// Queue q of port p belongs to worker (p + q) % workers: ports with a single queue spread, too.
/// `queues` holds the number of receive queues of each port.
inline std::vector<RxQueue>
rx_queues_of(WorkerId worker, unsigned workers, std::span<const std::uint16_t> queues) {
    std::vector<RxQueue> mine;
    for (std::uint16_t port = 0; port < queues.size(); ++port)
        for (std::uint16_t queue = 0; queue < queues[port]; ++queue)
            if ((unsigned{port} + queue) % workers == worker.value)
                mine.push_back({port, queue});
    return mine;
}

/// Worker w has transmit queue w. This is the worker by whose queue the frames of `worker` leave:
/// its own, or, on a port with fewer queues, one of those that have one.
inline WorkerId sender_for(WorkerId worker, std::uint16_t tx_queues) {
    return WorkerId{static_cast<std::uint8_t>(worker.value % tx_queues)};
}

} // namespace adit::dataplane
