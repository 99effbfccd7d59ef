// SPDX-License-Identifier: Apache-2.0
// Ethernet II frames: destination, source, type (RFC 894). Values in host order, addresses as
// bytes.
#pragma once

#include "common/bytes.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace adit::wire {

inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    static MacAddress load(const std::uint8_t* from) {
        MacAddress mac;
        std::memcpy(mac.octets.data(), from, mac.octets.size());
        return mac;
    }

    void store(std::uint8_t* to) const { std::memcpy(to, octets.data(), octets.size()); }

    [[nodiscard]] bool is_broadcast() const {
        return octets == std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    }

    /// IEEE 802: the lowest bit of the first octet says group address.
    [[nodiscard]] bool is_group() const { return (octets[0] & 1) != 0; }

    [[nodiscard]] bool is_zero() const { return octets == std::array<std::uint8_t, 6>{}; }

    static MacAddress of_bits(std::uint64_t value) {
        MacAddress mac;
        std::memcpy(mac.octets.data(), &value, mac.octets.size());
        return mac;
    }

    /// The six octets as they lie on the wire, in the low 48 bits: compares in one instruction.
    [[nodiscard]] std::uint64_t bits() const {
        // Two loads put together: by way of memory the wider load would wait for both stores.
        std::uint32_t first;
        std::uint16_t last;
        std::memcpy(&first, octets.data(), sizeof first);
        std::memcpy(&last, octets.data() + sizeof first, sizeof last);
        return std::uint64_t{last} << 32 | first;
    }

    friend bool operator==(const MacAddress&, const MacAddress&) = default;
};

inline constexpr std::uint64_t kMacBits = 0xffff'ffff'ffff;

inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// "02:00:00:00:00:01".
inline std::string to_string(const MacAddress& mac) {
    std::string text;
    for (const std::uint8_t octet : mac.octets) {
        if (!text.empty())
            text += ':';
        text += to_hex(ByteView{&octet, 1});
    }
    return text;
}

/// View over a frame of at least kEthernetBytes.
class EthernetHeader {
  public:
    explicit EthernetHeader(std::uint8_t* at) : at_(at) {}

    [[nodiscard]] MacAddress destination() const { return MacAddress::load(at_); }

    [[nodiscard]] MacAddress source() const { return MacAddress::load(at_ + 6); }

    /// MacAddress::bits() of either.
    [[nodiscard]] std::uint64_t destination_bits() const { return bits_at(0); }

    [[nodiscard]] std::uint64_t source_bits() const { return bits_at(6); }

    [[nodiscard]] std::uint16_t type() const { return load_be<std::uint16_t>(at_ + 12); }

    void write(const MacAddress& destination, const MacAddress& source, std::uint16_t type) {
        destination.store(at_);
        source.store(at_ + 6);
        store_be(at_ + 12, type);
    }

  private:
    /// Reads eight octets, which lie inside the header at either place.
    [[nodiscard]] std::uint64_t bits_at(std::size_t offset) const {
        std::uint64_t value;
        std::memcpy(&value, at_ + offset, sizeof value);
        return value & kMacBits;
    }

    std::uint8_t* at_;
};

} // namespace adit::wire
