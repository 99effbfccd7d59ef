// SPDX-License-Identifier: Apache-2.0
// What is remembered of one peer, whether or not anything is up with it.
#pragma once

#include "common/address.h"
#include "common/clock.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace adit::cli {

/// One thing that happened, or the same thing again and again.
struct PeerEvent {
    Instant first, last;
    std::uint32_t count{1};
    std::string code; // of the diagnosis table, or "up", "down", "clear-text", "invalid-spi" ...
    std::string text;
};

/// IKE datagrams by the port of ours.
struct PortTraffic {
    std::uint64_t sent{}, received{};
    std::uint64_t unanswered{}; // sent since anything new came from the peer, at either port
    std::optional<Instant> first_unanswered;
    std::optional<Instant> last_received;
};

struct PeerRecord {
    Ipv4Address peer;
    PortTraffic plain;       // 500
    PortTraffic floated;     // 4500
    std::uint32_t repeats{}; // how often its last datagram came again
    std::optional<Instant> last_repeat;
    std::deque<PeerEvent> events; // oldest first

    [[nodiscard]] std::optional<Instant> last_heard() const {
        return std::max(plain.last_received, floated.last_received);
    }
};

} // namespace adit::cli
