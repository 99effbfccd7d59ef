// SPDX-License-Identifier: Apache-2.0
// The one table of ESP algorithms: sizes, ISAKMP numbers, and the names that configuration and
// `show` use. Control negotiates from it, the dataplane validates against it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace adit {

/// ESP ciphers. The numeric values cross the channel to the dataplane: append, never renumber.
enum class EspCipher : std::uint8_t {
    Null,
    AesCbc128,
    AesCbc192,
    AesCbc256,
    AesGcm128,
    AesGcm192,
    AesGcm256,
    TripleDesCbc,
};

/// ESP integrity algorithms; None only with GCM.
enum class EspMac : std::uint8_t {
    None,
    HmacSha1_96,
    HmacSha256_128,
    HmacSha384_192,
    HmacSha512_256,
    HmacMd5_96,
};

struct EspCipherInfo {
    EspCipher cipher;
    std::uint8_t transform_id; // IANA isakmp-registry, ESP transform identifiers
    std::uint8_t key_bytes;    // without salt
    std::uint8_t salt_bytes;   // RFC 4106 8.1: taken from KEYMAT behind the key
    std::uint8_t iv_bytes;     // on the wire
    std::uint8_t block_bytes;  // padding granularity; 4 at least (RFC 4303 2.4)
    std::uint8_t icv_bytes;    // of the combined mode, else 0
    bool key_length_attribute; // RFC 2407 4.5: sent when the cipher's key length varies
    const char* config_name;   // as typed:   "esp-aes 256"
    const char* show_name;     // as shown:   "esp-256-aes"
};

struct EspMacInfo {
    EspMac mac;
    std::uint16_t authentication_id; // IANA isakmp-registry, IPsec authentication algorithms
    std::uint8_t key_bytes;
    std::uint8_t icv_bytes;
    const char* config_name;
};

inline constexpr std::array kEspCiphers = {
    EspCipherInfo{EspCipher::Null, 11, 0, 0, 0, 4, 0, false, "esp-null", "esp-null"},
    EspCipherInfo{EspCipher::AesCbc128, 12, 16, 0, 16, 16, 0, true, "esp-aes", "esp-aes"},
    EspCipherInfo{EspCipher::AesCbc192, 12, 24, 0, 16, 16, 0, true, "esp-aes 192", "esp-192-aes"},
    EspCipherInfo{EspCipher::AesCbc256, 12, 32, 0, 16, 16, 0, true, "esp-aes 256", "esp-256-aes"},
    EspCipherInfo{EspCipher::AesGcm128, 20, 16, 4, 8, 4, 16, true, "esp-gcm", "esp-gcm"},
    EspCipherInfo{EspCipher::AesGcm192, 20, 24, 4, 8, 4, 16, true, "esp-gcm 192", "esp-gcm 192"},
    EspCipherInfo{EspCipher::AesGcm256, 20, 32, 4, 8, 4, 16, true, "esp-gcm 256", "esp-gcm 256"},
    EspCipherInfo{EspCipher::TripleDesCbc, 3, 24, 0, 8, 8, 0, false, "esp-3des", "esp-3des"},
};

inline constexpr std::array kEspMacs = {
    EspMacInfo{EspMac::None, 0, 0, 0, ""},
    EspMacInfo{EspMac::HmacSha1_96, 2, 20, 12, "esp-sha-hmac"},
    EspMacInfo{EspMac::HmacSha256_128, 5, 32, 16, "esp-sha256-hmac"},
    EspMacInfo{EspMac::HmacSha384_192, 6, 48, 24, "esp-sha384-hmac"},
    EspMacInfo{EspMac::HmacSha512_256, 7, 64, 32, "esp-sha512-hmac"},
    EspMacInfo{EspMac::HmacMd5_96, 1, 16, 12, "esp-md5-hmac"},
};

constexpr const EspCipherInfo& info(EspCipher cipher) {
    return kEspCiphers[static_cast<std::size_t>(cipher)];
}

constexpr const EspMacInfo& info(EspMac mac) {
    return kEspMacs[static_cast<std::size_t>(mac)];
}

constexpr bool is_combined_mode(EspCipher cipher) {
    return info(cipher).icv_bytes != 0;
}

/// Confidentiality without integrity is refused (Paterson and others), and so is doing nothing.
constexpr bool is_sound(EspCipher cipher, EspMac mac) {
    return is_combined_mode(cipher) == (mac == EspMac::None);
}

constexpr std::size_t icv_bytes(EspCipher cipher, EspMac mac) {
    return is_combined_mode(cipher) ? info(cipher).icv_bytes : info(mac).icv_bytes;
}

inline constexpr std::size_t kMaxEspKeyBytes = 36; // AES-256-GCM with its salt
inline constexpr std::size_t kMaxEspMacKeyBytes = 64;

namespace detail {
constexpr bool tables_are_in_order() {
    for (std::size_t i = 0; i < kEspCiphers.size(); ++i)
        if (static_cast<std::size_t>(kEspCiphers[i].cipher) != i)
            return false;
    for (std::size_t i = 0; i < kEspMacs.size(); ++i)
        if (static_cast<std::size_t>(kEspMacs[i].mac) != i)
            return false;
    return true;
}

static_assert(tables_are_in_order(), "info() indexes the tables by enumerator");
} // namespace detail

} // namespace adit
