// SPDX-License-Identifier: Apache-2.0
// ARP for IPv4 over Ethernet (RFC 826). parse() is the inverse of write().
#pragma once

#include "common/wire/ethernet.h"

#include <cstdint>
#include <optional>

namespace adit::wire {

inline constexpr std::size_t kArpBytes = 28;

enum class ArpOperation : std::uint16_t {
    Request = 1,
    Reply = 2,
};

struct ArpPacket {
    ArpOperation operation{ArpOperation::Request};
    MacAddress sender_mac;
    std::uint32_t sender_address{}; // host order
    MacAddress target_mac;
    std::uint32_t target_address{}; // host order

    /// Nothing when it is too short, not Ethernet and IPv4, or neither request nor reply. Trailing
    /// octets are Ethernet padding.
    static std::optional<ArpPacket> parse(ByteView bytes) {
        if (bytes.size() < kArpBytes)
            return std::nullopt;
        const std::uint8_t* at = bytes.data();
        const auto operation = load_be<std::uint16_t>(at + 6);
        if (load_be<std::uint16_t>(at) != kHardwareEthernet ||
            load_be<std::uint16_t>(at + 2) != kEtherTypeIpv4 || at[4] != 6 || at[5] != 4 ||
            operation < 1 || operation > 2)
            return std::nullopt;
        return ArpPacket{static_cast<ArpOperation>(operation),
                         MacAddress::load(at + 8),
                         load_be<std::uint32_t>(at + 14),
                         MacAddress::load(at + 18),
                         load_be<std::uint32_t>(at + 24)};
    }

    /// Writes kArpBytes.
    void write(std::uint8_t* at) const {
        store_be(at, kHardwareEthernet);
        store_be(at + 2, kEtherTypeIpv4);
        at[4] = 6;
        at[5] = 4;
        store_be(at + 6, static_cast<std::uint16_t>(operation));
        sender_mac.store(at + 8);
        store_be(at + 14, sender_address);
        target_mac.store(at + 18);
        store_be(at + 24, target_address);
    }

  private:
    static constexpr std::uint16_t kHardwareEthernet = 1;
};

} // namespace adit::wire
