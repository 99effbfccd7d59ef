// SPDX-License-Identifier: Apache-2.0
// The ESP header and trailer (RFC 4303 2):
//
//     +---------------------------------------------------------------+
//     |               Security Parameters Index (SPI)                 |
//     |                      Sequence Number                          |
//     |                IV, payload data ... padding                   |
//     |                             |  Pad Length   |  Next Header    |
//     |                Integrity Check Value (ICV)                    |
//
// Views over octets whose number the caller checked. Host order.
#pragma once

#include "common/bytes.h"

#include <array>
#include <cstdint>

namespace adit::wire {

inline constexpr std::size_t kEspBytes = 8;
inline constexpr std::size_t kEspTrailerBytes = 2;

/// RFC 4303 2.6: what the payload is.
inline constexpr std::uint8_t kNextHeaderIpv4 = 4;
inline constexpr std::uint8_t kNextHeaderNone = 59; // a dummy packet

class EspHeader {
  public:
    explicit EspHeader(std::uint8_t* at) : at_(at) {}

    [[nodiscard]] std::uint32_t spi() const { return load_be<std::uint32_t>(at_); }

    [[nodiscard]] std::uint32_t sequence() const { return load_be<std::uint32_t>(at_ + 4); }

    void set_sequence(std::uint32_t value) { store_be(at_ + 4, value); }

  private:
    std::uint8_t* at_;
};

/// RFC 4303 2.4: default padding is 1, 2, 3 ... 255.
inline constexpr auto kEspPadding = [] {
    std::array<std::uint8_t, 255> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<std::uint8_t>(i + 1);
    return octets;
}();

} // namespace adit::wire
