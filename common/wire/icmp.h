// SPDX-License-Identifier: Apache-2.0
// The ICMP messages a gateway sends and answers (RFC 792, RFC 1191 4, RFC 1812 4.3). A view over at
// least kIcmpBytes octets. Host order throughout.
#pragma once

#include "common/bytes.h"
#include "common/wire/checksum.h"

#include <cstdint>

namespace adit::wire {

inline constexpr std::size_t kIcmpBytes = 8;

enum class IcmpType : std::uint8_t {
    EchoReply = 0,
    DestinationUnreachable = 3,
    SourceQuench = 4,
    Redirect = 5,
    Echo = 8,
    TimeExceeded = 11,
    ParameterProblem = 12,
};

/// RFC 1812 5.2.7.1: codes of Destination Unreachable.
inline constexpr std::uint8_t kNetUnreachable = 0;
inline constexpr std::uint8_t kHostUnreachable = 1;
inline constexpr std::uint8_t kProtocolUnreachable = 2;
inline constexpr std::uint8_t kPortUnreachable = 3;
inline constexpr std::uint8_t kFragmentationNeeded = 4;
inline constexpr std::uint8_t kAdministrativelyProhibited = 13;

/// Code of Time Exceeded.
inline constexpr std::uint8_t kTtlExceeded = 0;

/// RFC 1122 3.2.2: messages that report a problem; no ICMP error is sent about them.
constexpr bool is_icmp_error(std::uint8_t type) {
    switch (static_cast<IcmpType>(type)) {
    case IcmpType::DestinationUnreachable:
    case IcmpType::SourceQuench:
    case IcmpType::Redirect:
    case IcmpType::TimeExceeded:
    case IcmpType::ParameterProblem:
        return true;
    default:
        return false;
    }
}

class IcmpHeader {
  public:
    explicit IcmpHeader(std::uint8_t* at) : at_(at) {}

    [[nodiscard]] std::uint8_t type() const { return at_[0]; }

    [[nodiscard]] std::uint8_t code() const { return at_[1]; }

    /// RFC 1191 4: of Fragmentation Needed.
    [[nodiscard]] std::uint16_t next_hop_mtu() const { return load_be<std::uint16_t>(at_ + 6); }

    /// Type, code and the four octets whose meaning depends on them; checksum left for later.
    void write(IcmpType type, std::uint8_t code, std::uint32_t rest) {
        at_[0] = static_cast<std::uint8_t>(type);
        at_[1] = code;
        store_be(at_ + 2, std::uint16_t{0});
        store_be(at_ + 4, rest);
    }

    void update_checksum(std::size_t message_bytes) {
        store_be(at_ + 2, std::uint16_t{0});
        store_be(at_ + 2, checksum(ByteView{at_, message_bytes}));
    }

  private:
    std::uint8_t* at_;
};

} // namespace adit::wire
