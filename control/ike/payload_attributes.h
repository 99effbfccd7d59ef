// SPDX-License-Identifier: Apache-2.0
// The attributes payload of the transaction exchange: who is who (XAUTH) and what a client is
// given (mode configuration). Views borrow the message; builders make a body.
//
// Threading: pure functions. Errors: Truncated, Malformed; Exhausted for more attributes than
// anybody sends.
// Source: draft-ietf-ipsec-isakmp-mode-cfg-05 3.2 to 3.4, draft-beaulieu-ike-xauth-02 6.
#pragma once

#include "common/address.h"
#include "common/bytes.h"
#include "control/ike/constants.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace adit::ike {

/// A request of the largest client names some twenty; an answer repeats none but servers.
inline constexpr std::size_t kMaxConfigAttributes = 64;
/// draft-beaulieu-ike-xauth-02 6: user names, passwords and messages have no limit of their own.
inline constexpr std::size_t kMaxConfigValueBytes = 1024;

struct ConfigAttributeView {
    ConfigAttribute type{};
    ByteView value; // empty in requests; two octets when it came in the basic form
};

struct ConfigPayload {
    ConfigMessage message{};
    std::uint16_t identifier{};
    std::vector<ConfigAttributeView> attributes;

    /// The first of its type; null when there is none.
    [[nodiscard]] const ConfigAttributeView* find(ConfigAttribute type) const;

    [[nodiscard]] bool has(ConfigAttribute type) const { return find(type) != nullptr; }

    /// Whether any attribute is XAUTH's.
    [[nodiscard]] bool is_xauth() const;
};

/// `body` starts at the message type.
Result<ConfigPayload> parse_config_payload(ByteView body);

/// A value of one or two octets as a number. Malformed for other lengths.
Result<std::uint16_t> short_value(const ConfigAttributeView& attribute);

/// Writes a body, attribute by attribute.
class ConfigWriter {
  public:
    ConfigWriter(ConfigMessage message, std::uint16_t identifier);

    /// In the basic form: two octets in place of a length.
    ConfigWriter& add_short(ConfigAttribute type, std::uint16_t value);
    ConfigWriter& add(ConfigAttribute type, ByteView value);
    ConfigWriter& add(ConfigAttribute type, std::string_view text);
    ConfigWriter& add(ConfigAttribute type, Ipv4Address address);

    [[nodiscard]] Bytes take() { return std::move(writer_).take(); }

  private:
    Writer writer_;
};

/// Cisco's form of a split network: address, mask, and three numbers (protocol and ports) that say
/// "all". Clients check for its 14 octets.
Bytes split_network(Ipv4Prefix network);

} // namespace adit::ike
