// SPDX-License-Identifier: Apache-2.0
// What policies see of a packet: the fields RFC 4301 4.4.1.1 calls selectors, in host order.
#pragma once

#include <cstdint>

namespace adit::dataplane {

struct Flow {
    std::uint32_t source{}, destination{};
    std::uint16_t source_port{}, destination_port{};
    std::uint8_t protocol{};
    bool ports_known{true}; // false for non-first fragments

    /// The same packet seen from the other end.
    [[nodiscard]] Flow mirrored() const {
        return {destination, source, destination_port, source_port, protocol, ports_known};
    }
};

} // namespace adit::dataplane
