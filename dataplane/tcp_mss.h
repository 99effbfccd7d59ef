// SPDX-License-Identifier: Apache-2.0
// TCP is told of segments that fit a tunnel (`ip tcp adjust-mss`): the option of RFC 9293 3.7.1 in
// a SYN is lowered on its way, never raised and never added.
//
// Threading: pure.
#pragma once

#include <cstdint>

namespace adit::dataplane {

/// `at`: a sound IPv4 header whose protocol is TCP; `bytes` of the packet lie there. Whether the
/// segment was changed.
bool clamp_tcp_mss(std::uint8_t* at, std::uint32_t bytes, std::uint16_t mss);

} // namespace adit::dataplane
