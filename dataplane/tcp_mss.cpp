// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tcp_mss.h"

#include "common/wire/checksum.h"
#include "common/wire/ipv4.h"

#include <algorithm>
#include <bit>

namespace adit::dataplane {

namespace {

// RFC 9293 3.1, 3.2.
constexpr std::uint32_t kTcpBytes = 20;
constexpr std::uint32_t kOffsetAt = 12;
constexpr std::uint32_t kFlagsAt = 13;
constexpr std::uint32_t kChecksumAt = 16;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionMss = 2;
constexpr std::uint8_t kMssOptionBytes = 4;

/// Writes `value`, and what that changes of the checksum. A word at an odd place counts with its
/// octets swapped (RFC 1071 2 (B)).
void replace_word(std::uint8_t* tcp, std::uint32_t word_at, std::uint16_t value) {
    const auto counted = [&](std::uint16_t word) {
        return word_at % 2 == 0 ? word : static_cast<std::uint16_t>(word << 8 | word >> 8);
    };
    const auto before = load_be<std::uint16_t>(tcp + word_at);
    store_be(tcp + word_at, value);
    store_be(tcp + kChecksumAt,
             wire::checksum_update(
                 load_be<std::uint16_t>(tcp + kChecksumAt), counted(before), counted(value)));
}

} // namespace

bool clamp_tcp_mss(std::uint8_t* at, std::uint32_t bytes, std::uint16_t mss) {
    const wire::Ipv4Header ip{at};
    const std::uint32_t header = ip.header_bytes();
    const std::uint32_t end = std::min<std::uint32_t>(bytes, ip.total_bytes());
    if (!ip.is_first_fragment() || end < header + kTcpBytes)
        return false;
    std::uint8_t* tcp = at + header;
    const std::uint32_t tcp_header = (tcp[kOffsetAt] >> 4) * 4U;
    if ((tcp[kFlagsAt] & kSyn) == 0 || tcp_header < kTcpBytes || header + tcp_header > end)
        return false;
    for (std::uint32_t option = kTcpBytes; option < tcp_header && tcp[option] != kOptionEnd;) {
        if (tcp[option] == kOptionNop) {
            ++option;
            continue;
        }
        const std::uint32_t length = option + 1 < tcp_header ? tcp[option + 1] : 0;
        if (length < 2 || option + length > tcp_header)
            return false;
        if (tcp[option] == kOptionMss && length == kMssOptionBytes) {
            if (load_be<std::uint16_t>(tcp + option + 2) <= mss)
                return false;
            replace_word(tcp, option + 2, mss);
            return true;
        }
        option += length;
    }
    return false;
}

} // namespace adit::dataplane
