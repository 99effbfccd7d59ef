// SPDX-License-Identifier: Apache-2.0
// The Internet checksum: one's complement sums over 16-bit words (RFC 1071), and its incremental
// update (RFC 1624). Sums are of big-endian words, so results are stored with store_be.
#pragma once

#include "common/bytes.h"

#include <cstdint>
#include <cstring>

namespace adit::wire {

/// Adds `bytes` to a running sum. Every part but the last must have an even length.
inline std::uint64_t checksum_add(std::uint64_t sum, ByteView bytes) {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 4; left -= 4, at += 4)
        sum += load_be<std::uint32_t>(at);
    for (; left >= 2; left -= 2, at += 2)
        sum += load_be<std::uint16_t>(at);
    if (left == 1)
        sum += static_cast<std::uint64_t>(*at) << 8;
    return sum;
}

/// The 16-bit one's complement sum that a 32-bit one stands for.
inline std::uint16_t fold_32(std::uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum + (sum >> 16));
}

/// Folds a running sum and complements it.
inline std::uint16_t checksum_finish(std::uint64_t sum) {
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16 & 0xffff) + (sum & 0xffff) + (sum >> 32);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<std::uint16_t>(~sum);
}

/// Checksum of a whole sequence. Over data that holds its own correct checksum the result is 0.
inline std::uint16_t checksum(ByteView bytes) {
    return checksum_finish(checksum_add(0, bytes));
}

/// Whether 20 octets that hold their own checksum add up. The byte order of the machine does not
/// matter for that (RFC 1071 2 (B)), so nothing is swapped.
inline bool checksum_holds_20(const std::uint8_t* at) {
    std::uint64_t first, second;
    std::uint32_t third;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&second, at + 8, sizeof second);
    std::memcpy(&third, at + 16, sizeof third);
    const std::uint64_t sum =
        (first & 0xffffffff) + (first >> 32) + (second & 0xffffffff) + (second >> 32) + third;
    const std::uint64_t folded = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    return (folded & 0xffff) + (folded >> 16) == 0xffff;
}

/// RFC 768: the sum over the pseudo header that UDP puts in front of itself.
inline std::uint64_t checksum_pseudo(std::uint32_t source,
                                     std::uint32_t destination,
                                     std::uint8_t protocol,
                                     std::uint16_t length_bytes) {
    return std::uint64_t{source} + destination + protocol + length_bytes;
}

/// RFC 1624 3, equation 3: the checksum after one 16-bit word changed.
inline std::uint16_t
checksum_update(std::uint16_t old_checksum, std::uint16_t old_word, std::uint16_t new_word) {
    const std::uint32_t sum =
        static_cast<std::uint32_t>(static_cast<std::uint16_t>(~old_checksum)) +
        static_cast<std::uint16_t>(~old_word) + new_word;
    return checksum_finish(sum);
}

} // namespace adit::wire
