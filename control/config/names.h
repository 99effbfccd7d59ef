// SPDX-License-Identifier: Apache-2.0
// The words a configuration uses for numbers: protocols and ports of access lists, phase-1
// algorithms.
//
// Threading: pure functions. Sources: the names IOS prints; numbers from the IANA registries.
#pragma once

#include "control/config/model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adit::config {

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;

/// "tcp", or the number; 0 is "ip".
std::string protocol_name(std::uint8_t protocol);
std::optional<std::uint8_t> parse_protocol(std::string_view text);

/// "www" for TCP 80; the number when it has no name. `protocol` is TCP or UDP.
std::string port_name(std::uint8_t protocol, std::uint16_t port);
std::optional<std::uint16_t> parse_port(std::uint8_t protocol, std::string_view text);

/// "aes 256" behind `encr`.
const char* encryption_name(ike::CipherAlgorithm cipher);
/// "sha256" behind `hash`.
const char* hash_name(ike::HashAlgorithm hash);
/// "pre-share" behind `authentication`.
const char* authentication_name(AuthenticationMethod method);
/// "14" behind `group`.
std::string group_number(ike::Group group);

/// Whether `crypto isakmp policy` and `set pfs` take the group.
std::optional<ike::Group> parse_group(std::uint32_t number);

} // namespace adit::config
