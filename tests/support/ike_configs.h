// SPDX-License-Identifier: Apache-2.0
// Ready-made configurations of two gateways that know each other.
#pragma once

#include "control/ike/interface.h"

#include <memory>

namespace adit::test {

inline constexpr Ipv4Address kLeft{192, 0, 2, 1};
inline constexpr Ipv4Address kRight{192, 0, 2, 20};

inline std::shared_ptr<const SecretBuffer> secret(const char* text) {
    return std::make_shared<const SecretBuffer>(as_bytes(text));
}

inline Ipv4Range range(const char* prefix) {
    return Ipv4Range::of(*parse_ipv4_prefix(prefix));
}

/// One gateway's view of a tunnel: `local` behind it, `remote` behind `peer`.
inline ike::EngineConfig
gateway_config(Ipv4Address own, Ipv4Address peer, const char* local, const char* remote) {
    ike::EngineConfig config;
    config.phase1 = {{10,
                      ike::CipherAlgorithm::AesCbc256,
                      ike::HashAlgorithm::Sha256,
                      ike::Group::Ecp256,
                      std::chrono::seconds{86'400}}};
    config.keys = {{{peer, 32}, secret("correct horse battery")}};
    ike::Connection connection;
    connection.name = "VPNMAP 10";
    connection.map_name = "VPNMAP";
    connection.map_sequence = 10;
    connection.local = own;
    connection.peers = {peer};
    connection.transforms = {{"TS", EspCipher::AesCbc256, EspMac::HmacSha256_128, false}};
    connection.acl_name = "101";
    connection.flows = {{PolicyId{0}, {range(local), range(remote), 0, {}, {}}, 10}};
    config.connections = {connection};
    return config;
}

inline ike::EngineConfig left_config() {
    return gateway_config(kLeft, kRight, "10.1.0.0/16", "10.2.0.0/16");
}

inline ike::EngineConfig right_config() {
    return gateway_config(kRight, kLeft, "10.2.0.0/16", "10.1.0.0/16");
}

inline ike::Initiate initiate(PolicyId policy = PolicyId{0}) {
    return {"VPNMAP 10", policy, ike::Initiate::Cause::Traffic};
}

} // namespace adit::test
