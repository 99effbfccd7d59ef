// SPDX-License-Identifier: Apache-2.0
// The one network that all contestants stand in, and the SAs they share. Tunnel `slot` carries what
// goes to its own far host, under keys of its own, so that packets spread over tunnels by their
// destination:
//
//   host 10.2.0.2 -- 10.2.0.1 gateway 192.0.2.1 -- 192.0.2.2 peer -- far host 10.128.0.0 + slot
#pragma once

#include "common/address.h"
#include "common/algorithms.h"
#include "common/esp_layout.h"
#include "common/ipc/records.h"
#include "common/spi.h"
#include "common/wire/ethernet.h"
#include "common/wire/udp.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace adit::perf {

inline constexpr std::uint32_t kHost = Ipv4Address{10, 2, 0, 2}.value;
inline constexpr std::uint32_t kLanAddress = Ipv4Address{10, 2, 0, 1}.value;
inline constexpr std::uint32_t kWanAddress = Ipv4Address{192, 0, 2, 1}.value;
inline constexpr std::uint32_t kPeerAddress = Ipv4Address{192, 0, 2, 2}.value;
inline constexpr std::uint32_t kFarHosts = Ipv4Address{10, 128, 0, 0}.value;
inline constexpr unsigned kFarPrefixLength = 9;
inline constexpr std::uint16_t kLan = 0;
inline constexpr std::uint16_t kWan = 1;
inline constexpr wire::MacAddress kHostMac{{2, 0, 0, 0, 1, 1}};
inline constexpr wire::MacAddress kPeerMac{{2, 0, 0, 0, 1, 2}};

struct Suite {
    const char* name;
    EspCipher cipher;
    EspMac mac;
};

inline constexpr Suite kSuites[] = {
    {"aes128-gcm", EspCipher::AesGcm128, EspMac::None},
    {"aes256-gcm", EspCipher::AesGcm256, EspMac::None},
    {"aes128-cbc-sha1", EspCipher::AesCbc128, EspMac::HmacSha1_96},
    {"aes128-cbc-sha256", EspCipher::AesCbc128, EspMac::HmacSha256_128},
    {"aes256-cbc-sha1", EspCipher::AesCbc256, EspMac::HmacSha1_96},
    {"aes256-cbc-sha256", EspCipher::AesCbc256, EspMac::HmacSha256_128},
};

/// nullptr when there is none of that name.
inline const Suite* find_suite(std::string_view name) {
    for (const Suite& suite : kSuites)
        if (name == suite.name)
            return &suite;
    return nullptr;
}

/// As the gateway sees the flow: out is what it encrypts.
enum class Flow : std::uint8_t {
    Out,
    In,
};

enum class Side : std::uint8_t {
    Gateway, // the box that is measured
    Peer,    // who encrypts what it receives
};

/// One SA of tunnel `slot`, as `side` installs it. Both sides derive the same keys and SPIs.
inline ipc::InstallSa make_sa(const Suite& suite,
                              Encapsulation form,
                              WorkerId worker,
                              std::uint32_t slot,
                              Side side,
                              ipc::Direction direction) {
    const bool from_gateway = (side == Side::Gateway) == (direction == ipc::Direction::Outbound);
    ipc::InstallSa sa{};
    sa.sa_id = 1 + 2 * slot + (from_gateway ? 1 : 0);
    sa.spi = make_spi(worker, slot, from_gateway ? 2 : 1).value;
    sa.slot = slot;
    sa.policy = slot;
    sa.local_address = side == Side::Gateway ? kWanAddress : kPeerAddress;
    sa.remote_address = side == Side::Gateway ? kPeerAddress : kWanAddress;
    if (form == Encapsulation::Udp)
        sa.local_port = sa.remote_port = wire::kNatTraversalPort;
    sa.direction = static_cast<std::uint8_t>(direction);
    sa.cipher = static_cast<std::uint8_t>(suite.cipher);
    sa.mac = static_cast<std::uint8_t>(suite.mac);
    sa.key_bytes =
        static_cast<std::uint8_t>(info(suite.cipher).key_bytes + info(suite.cipher).salt_bytes);
    sa.mac_key_bytes = info(suite.mac).key_bytes;
    const std::uint32_t far = kFarHosts + slot;
    sa.selector = {.local_first = side == Side::Gateway ? kHost : far,
                   .local_last = side == Side::Gateway ? kHost : far,
                   .remote_first = side == Side::Gateway ? far : kHost,
                   .remote_last = side == Side::Gateway ? far : kHost,
                   .local_port_last = 0xffff,
                   .remote_port_last = 0xffff};
    if (direction == ipc::Direction::Inbound)
        sa.replay_window = 64; // IOS' default
    else
        sa.first_sequence = 1;
    for (std::size_t i = 0; i < sizeof sa.key; ++i)
        sa.key[i] = static_cast<std::uint8_t>(i + 1);
    std::memcpy(sa.key, &slot, sizeof slot); // a key of its own
    for (std::size_t i = 0; i < sizeof sa.mac_key; ++i)
        sa.mac_key[i] = static_cast<std::uint8_t>(0x80 + i);
    std::memset(sa.key + sa.key_bytes, 0, sizeof sa.key - sa.key_bytes);
    std::memset(sa.mac_key + sa.mac_key_bytes, 0, sizeof sa.mac_key - sa.mac_key_bytes);
    return sa;
}

} // namespace adit::perf
