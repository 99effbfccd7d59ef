// SPDX-License-Identifier: Apache-2.0
// The inbound SPI is an address. We choose our inbound SPIs, so their bits name the worker that
// owns the SA and its slot in that worker's table: finding the SA is one array access and one
// compare of the full SPI, and any core knows at once to which core a packet belongs.
//
//      31        24 23                      4 3      0
//     +------------+-------------------------+--------+
//     | check      | slot                    | worker |
//     +------------+-------------------------+--------+
//
// `check` is random and never 0, so the value stays clear of the reserved 0..255 (RFC 4303 2.1),
// and a stale packet for an earlier SA of the same slot does not match the new one.
#pragma once

#include "common/types.h"

#include <cstdint>

namespace adit {

inline constexpr unsigned kSpiWorkerBits = 4;
inline constexpr unsigned kSpiSlotBits = 20;
inline constexpr std::uint32_t kMaxWorkers = 1U << kSpiWorkerBits;
inline constexpr std::uint32_t kMaxSaSlots = 1U << kSpiSlotBits;

constexpr Spi make_spi(WorkerId worker, std::uint32_t slot, std::uint8_t check) {
    return Spi{static_cast<std::uint32_t>(check) << (kSpiWorkerBits + kSpiSlotBits) |
               (slot & (kMaxSaSlots - 1)) << kSpiWorkerBits | (worker.value & (kMaxWorkers - 1))};
}

constexpr WorkerId spi_worker(Spi spi) {
    return WorkerId{static_cast<std::uint8_t>(spi.value & (kMaxWorkers - 1))};
}

constexpr std::uint32_t spi_slot(Spi spi) {
    return (spi.value >> kSpiWorkerBits) & (kMaxSaSlots - 1);
}

} // namespace adit
