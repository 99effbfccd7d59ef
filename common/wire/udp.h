// SPDX-License-Identifier: Apache-2.0
// The UDP header (RFC 768): source port, destination port, length, checksum; and what RFC 3948 puts
// behind it on port 4500. A view over at least kUdpBytes octets. Host order throughout.
#pragma once

#include "common/bytes.h"
#include "common/wire/checksum.h"
#include "common/wire/ipv4.h"

#include <cstdint>

namespace adit::wire {

inline constexpr std::size_t kUdpBytes = 8;
inline constexpr std::uint16_t kIkePort = 500;
inline constexpr std::uint16_t kNatTraversalPort = 4500;
/// RFC 3948 2.2: four zero octets where ESP has its SPI.
inline constexpr std::size_t kNonEspMarkerBytes = 4;
/// RFC 3948 2.3: a NAT keepalive is this one octet.
inline constexpr std::uint8_t kNatKeepalive = 0xff;

class UdpHeader {
  public:
    explicit UdpHeader(std::uint8_t* at) : at_(at) {}

    [[nodiscard]] std::uint16_t source_port() const { return load_be<std::uint16_t>(at_); }

    [[nodiscard]] std::uint16_t destination_port() const { return load_be<std::uint16_t>(at_ + 2); }

    [[nodiscard]] std::uint16_t length() const { return load_be<std::uint16_t>(at_ + 4); }

    [[nodiscard]] std::uint16_t checksum() const { return load_be<std::uint16_t>(at_ + 6); }

    /// RFC 768: 0 means the sender made none. `length()` octets must be readable.
    [[nodiscard]] bool checksum_holds(std::uint32_t source, std::uint32_t destination) const {
        if (checksum() == 0)
            return true;
        const std::uint64_t sum = checksum_pseudo(source, destination, kProtocolUdp, length());
        return checksum_finish(checksum_add(sum, ByteView{at_, length()})) == 0;
    }

    void write(std::uint16_t source_port, std::uint16_t destination_port, std::uint16_t length) {
        store_be(at_, source_port);
        store_be(at_ + 2, destination_port);
        store_be(at_ + 4, length);
        store_be(at_ + 6, std::uint16_t{0});
    }

    /// RFC 768: a sum of 0 travels as all ones. `length()` octets must be in place.
    void update_checksum(std::uint32_t source, std::uint32_t destination) {
        store_be(at_ + 6, std::uint16_t{0});
        const std::uint64_t sum = checksum_pseudo(source, destination, kProtocolUdp, length());
        const std::uint16_t value = checksum_finish(checksum_add(sum, ByteView{at_, length()}));
        store_be(at_ + 6, value == 0 ? std::uint16_t{0xffff} : value);
    }

  private:
    std::uint8_t* at_;
};

} // namespace adit::wire
