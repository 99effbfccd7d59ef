// SPDX-License-Identifier: Apache-2.0
#include "control/ike/esp_install.h"

#include <algorithm>
#include <cstdio>

namespace adit::ike {

namespace {

/// Rekeying starts when this much of the volume is used.
constexpr std::uint64_t kSoftPercent = 90;
constexpr std::uint64_t kBytesPerKilobyte = 1024;   // RFC 2407 4.5
constexpr std::uint64_t kMaxKilobytes = 1ULL << 50; // what a peer may name must not overflow

const char* analyser_name(EspCipher cipher) {
    switch (cipher) {
    case EspCipher::Null:
        return "NULL";
    case EspCipher::AesCbc128:
    case EspCipher::AesCbc192:
    case EspCipher::AesCbc256:
        return "AES-CBC [RFC3602]";
    case EspCipher::AesGcm128:
    case EspCipher::AesGcm192:
    case EspCipher::AesGcm256:
        return "AES-GCM with 16 octet ICV [RFC4106]";
    case EspCipher::TripleDesCbc:
        return "TripleDES-CBC [RFC2451]";
    }
    return "NULL";
}

const char* analyser_name(EspMac mac) {
    switch (mac) {
    case EspMac::None:
        return "NULL";
    case EspMac::HmacSha1_96:
        return "HMAC-SHA-1-96 [RFC2404]";
    case EspMac::HmacSha256_128:
        return "HMAC-SHA-256-128 [RFC4868]";
    case EspMac::HmacSha384_192:
        return "HMAC-SHA-384-192 [RFC4868]";
    case EspMac::HmacSha512_256:
        return "HMAC-SHA-512-256 [RFC4868]";
    case EspMac::HmacMd5_96:
        return "HMAC-MD5-96 [RFC2403]";
    }
    return "NULL";
}

std::string quoted(const std::string& text) {
    return "\"" + text + "\"";
}

std::string key_field(const SecretBuffer& key) {
    return quoted(key.empty() ? "" : "0x" + to_hex(key.view()));
}

} // namespace

InstallSaAction make_install(const ChildSa& child, Direction direction, EspKeys keys) {
    const bool inbound = direction == Direction::Inbound;
    InstallSaAction install;
    install.sa = inbound ? child.inbound_sa : child.outbound_sa;
    install.spi = inbound ? child.inbound_spi : child.outbound_spi;
    install.inbound_spi = child.inbound_spi;
    install.inbound = inbound;
    install.policy = child.policy;
    install.local = {child.local.address,
                     child.udp_encapsulated ? child.local.port : std::uint16_t{0}};
    install.remote = {child.remote.address,
                      child.udp_encapsulated ? child.remote.port : std::uint16_t{0}};
    install.cipher = child.algorithms.cipher;
    install.mac = child.algorithms.mac;
    install.transport = child.algorithms.transport;
    install.esn = child.algorithms.esn;
    install.original_local = child.original_local;
    install.original_remote = child.original_remote;
    install.replay_window = child.replay_window;
    install.selector = child.selector;
    install.hard_bytes = std::min(child.kilobytes, kMaxKilobytes) * kBytesPerKilobyte;
    install.soft_bytes = install.hard_bytes / 100 * kSoftPercent;
    install.key = std::move(keys.cipher_key);
    install.mac_key = std::move(keys.mac_key);
    return install;
}

std::string esp_sa_line(const InstallSaAction& install) {
    const Ipv4Address from = install.inbound ? install.remote.address : install.local.address;
    const Ipv4Address to = install.inbound ? install.local.address : install.remote.address;
    char spi[16];
    std::snprintf(spi, sizeof spi, "0x%08x", install.spi.value);
    return quoted("IPv4") + "," + quoted(to_string(from)) + "," + quoted(to_string(to)) + "," +
           quoted(spi) + "," + quoted(analyser_name(install.cipher)) + "," +
           key_field(install.key) + "," + quoted(analyser_name(install.mac)) + "," +
           key_field(install.mac_key);
}

} // namespace adit::ike
