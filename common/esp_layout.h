// SPDX-License-Identifier: Apache-2.0
// Where everything lies in an ESP packet, and how long it gets (RFC 4303 2, RFC 3948 2.1). Pure
// arithmetic on octets, no DPDK: `show`, the MTU code and the stages all count the same way.
//
//   outer IPv4 | [UDP] | SPI, sequence | IV | inner packet | padding | pad length, next header |
//   ICV
//      20          8          8          iv                  0..255              2              icv
//                                             `--------- ciphertext, multiple of block --------'
#pragma once

#include "common/algorithms.h"

#include <algorithm>
#include <cstdint>

namespace adit {

inline constexpr std::uint32_t kOuterIpv4Bytes = 20; // we send no options
inline constexpr std::uint32_t kUdpHeaderBytes = 8;
inline constexpr std::uint32_t kEspHeaderBytes = 8;
inline constexpr std::uint32_t kEspTrailerBytes = 2;
inline constexpr std::uint32_t kMaxIpv4Bytes = 65'535;

enum class Encapsulation : std::uint8_t {
    Native, // IP protocol 50
    Udp,    // RFC 3948, port 4500
};

/// Sizes of one suite, in octets; made once, when the SA is installed.
struct EspLayout {
    std::uint8_t iv;
    std::uint8_t icv;
    std::uint8_t block; // ciphertext comes in multiples of it; a power of two, at least 4

    static constexpr EspLayout of(EspCipher cipher, EspMac mac) {
        // RFC 4303 2.4: pad length and next header end on a 4-octet boundary whatever the cipher.
        return {info(cipher).iv_bytes,
                static_cast<std::uint8_t>(icv_bytes(cipher, mac)),
                std::max<std::uint8_t>(info(cipher).block_bytes, 4)};
    }

    /// Padding that an inner packet of this length needs: 0..block-1.
    [[nodiscard]] constexpr std::uint32_t padding(std::uint32_t inner) const {
        return (0U - (inner + kEspTrailerBytes)) & (block - 1U);
    }

    [[nodiscard]] constexpr std::uint32_t ciphertext(std::uint32_t inner) const {
        return inner + padding(inner) + kEspTrailerBytes;
    }

    /// SPI to ICV.
    [[nodiscard]] constexpr std::uint32_t esp(std::uint32_t inner) const {
        return kEspHeaderBytes + iv + ciphertext(inner) + icv;
    }

    /// The shortest ESP packet that can hold a trailer. Anything below is refused before any other
    /// arithmetic on its length.
    [[nodiscard]] constexpr std::uint32_t min_esp() const { return esp(0); }

    [[nodiscard]] constexpr bool is_whole_blocks(std::uint32_t ciphertext_bytes) const {
        return (ciphertext_bytes & (block - 1U)) == 0;
    }
};

/// Octets in front of the ESP header.
constexpr std::uint32_t outer_header_bytes(Encapsulation form) {
    return kOuterIpv4Bytes + (form == Encapsulation::Udp ? kUdpHeaderBytes : 0);
}

/// The whole outer IPv4 packet around an inner packet of `inner` octets.
constexpr std::uint32_t
outer_bytes(const EspLayout& layout, Encapsulation form, std::uint32_t inner) {
    return outer_header_bytes(form) + layout.esp(inner);
}

/// The largest inner packet whose outer packet has at most `outer_mtu` octets; 0 when none fits.
constexpr std::uint32_t
plaintext_mtu(const EspLayout& layout, Encapsulation form, std::uint32_t outer_mtu) {
    const std::uint32_t fixed = outer_header_bytes(form) + kEspHeaderBytes + layout.iv + layout.icv;
    if (outer_mtu < fixed + layout.block)
        return 0;
    const std::uint32_t ciphertext = (outer_mtu - fixed) & ~(layout.block - 1U);
    return ciphertext - kEspTrailerBytes;
}

} // namespace adit
