// SPDX-License-Identifier: Apache-2.0
// The IPv4 header (RFC 791 3.1):
//
//      0                   1                   2                   3
//     +-------+-------+---------------+-------------------------------+
//     |Version|  IHL  |Type of Service|          Total Length         |
//     +-------+-------+---------------+-----+-------------------------+
//     |         Identification        |Flags|     Fragment Offset     |
//     +---------------+---------------+-----+-------------------------+
//     |  Time to Live |    Protocol   |        Header Checksum        |
//     +---------------+---------------+-------------------------------+
//     |                       Source Address                          |
//     |                    Destination Address                        |
//     |                 Options, 0 to 40 octets                       |
//
// A view over at least kIpv4Bytes octets; nothing here checks, ip_input does. Host order
// throughout.
#pragma once

#include "common/bytes.h"
#include "common/wire/checksum.h"

#include <cstdint>

namespace adit::wire {

inline constexpr std::size_t kIpv4Bytes = 20;
inline constexpr std::size_t kMaxIpv4Bytes = 60;

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolEsp = 50;

/// RFC 1122 3.2.1.7 (RFC 1700's value): TTL of what we send ourselves.
inline constexpr std::uint8_t kDefaultTtl = 64;

/// First octet of a header without options.
inline constexpr std::uint8_t kPlainVersionAndLength = 0x45;

inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr std::uint16_t kIpv4OffsetMask = 0x1fff; // units of 8 octets

class Ipv4Header {
  public:
    explicit Ipv4Header(std::uint8_t* at) : at_(at) {}

    [[nodiscard]] std::uint8_t version() const { return at_[0] >> 4; }

    [[nodiscard]] std::uint16_t header_bytes() const {
        return static_cast<std::uint16_t>((at_[0] & 0xf) * 4);
    }

    [[nodiscard]] std::uint8_t tos() const { return at_[1]; }

    [[nodiscard]] std::uint16_t total_bytes() const { return load_be<std::uint16_t>(at_ + 2); }

    [[nodiscard]] std::uint16_t id() const { return load_be<std::uint16_t>(at_ + 4); }

    [[nodiscard]] std::uint16_t flags_and_offset() const { return load_be<std::uint16_t>(at_ + 6); }

    [[nodiscard]] bool dont_fragment() const {
        return (flags_and_offset() & kIpv4DontFragment) != 0;
    }

    [[nodiscard]] bool is_fragment() const {
        return (flags_and_offset() & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0;
    }

    [[nodiscard]] bool is_first_fragment() const {
        return (flags_and_offset() & kIpv4OffsetMask) == 0;
    }

    [[nodiscard]] std::uint8_t ttl() const { return at_[8]; }

    [[nodiscard]] std::uint8_t protocol() const { return at_[9]; }

    [[nodiscard]] std::uint16_t checksum() const { return load_be<std::uint16_t>(at_ + 10); }

    [[nodiscard]] std::uint32_t source() const { return load_be<std::uint32_t>(at_ + 12); }

    [[nodiscard]] std::uint32_t destination() const { return load_be<std::uint32_t>(at_ + 16); }

    [[nodiscard]] ByteView options() const {
        return {at_ + kIpv4Bytes, header_bytes() - kIpv4Bytes};
    }

    void set_total_bytes(std::uint16_t value) { store_be(at_ + 2, value); }

    void set_flags_and_offset(std::uint16_t value) { store_be(at_ + 6, value); }

    void set_source(std::uint32_t value) { store_be(at_ + 12, value); }

    void set_destination(std::uint32_t value) { store_be(at_ + 16, value); }

    void set_ttl(std::uint8_t value) { at_[8] = value; }

    void set_protocol(std::uint8_t value) { at_[9] = value; }

    /// One hop less: the TTL is a high octet, so its word falls by 0x100 and the checksum, a
    /// complement, rises by as much, with the carry that one's complement brings round (RFC 1624
    /// 3).
    void decrement_ttl() {
        at_[8] = static_cast<std::uint8_t>(at_[8] - 1);
        const std::uint32_t sum = std::uint32_t{checksum()} + 0x100;
        store_be(at_ + 10, static_cast<std::uint16_t>(sum + (sum >= 0xffff ? 1 : 0)));
    }

    [[nodiscard]] bool checksum_holds() const {
        if (header_bytes() == kIpv4Bytes) [[likely]]
            return checksum_holds_20(at_);
        return wire::checksum(ByteView{at_, header_bytes()}) == 0;
    }

    void update_checksum() {
        store_be(at_ + 10, std::uint16_t{0});
        store_be(at_ + 10, wire::checksum(ByteView{at_, header_bytes()}));
    }

    struct Fields {
        std::uint8_t tos{0};
        std::uint16_t total_bytes{};
        std::uint16_t id{0};
        std::uint16_t flags_and_offset{0};
        std::uint8_t ttl{kDefaultTtl};
        std::uint8_t protocol{};
        std::uint32_t source{}, destination{};
    };

    /// A header without options, checksum included.
    void write(const Fields& fields) {
        at_[0] = 0x45;
        at_[1] = fields.tos;
        store_be(at_ + 2, fields.total_bytes);
        store_be(at_ + 4, fields.id);
        store_be(at_ + 6, fields.flags_and_offset);
        at_[8] = fields.ttl;
        at_[9] = fields.protocol;
        store_be(at_ + 12, fields.source);
        store_be(at_ + 16, fields.destination);
        update_checksum();
    }

  private:
    std::uint8_t* at_;
};

} // namespace adit::wire
