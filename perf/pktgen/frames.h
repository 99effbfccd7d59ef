// SPDX-License-Identifier: Apache-2.0
// The test frames of RFC 2544 appendix C.2.6.4: UDP to the echo port, between addresses of the
// network that RFC 2544 appendix C.2.2 keeps for benchmarks. Tunnel i, counted from 0, protects one
// host on each side: 198.18.0.1 + i and 198.19.0.1 + i (plan.py writes the policies to match).
#pragma once

#include "common/wire/ethernet.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace adit::perf {

/// Hosts of 198.18.0.0/16, without the network's own address and its broadcast address.
inline constexpr std::uint32_t kMaxTunnels = 65'534;

/// Of the IPv4 packet in a test frame. The longest is what one Ethernet frame carries.
inline constexpr std::uint16_t kMinIpBytes = wire::kIpv4Bytes + wire::kUdpBytes;
inline constexpr std::uint16_t kMaxIpBytes = 1500;

struct TestFrame {
    std::uint32_t tunnel{0};
    std::uint16_t ip_bytes{kMinIpBytes};

    [[nodiscard]] std::uint16_t frame_bytes() const {
        return static_cast<std::uint16_t>(wire::kEthernetBytes + ip_bytes);
    }

    /// Writes the headers; what follows them is left as it is, nobody reads it.
    void write(std::uint8_t* at, const wire::MacAddress& to, const wire::MacAddress& from) const {
        constexpr std::uint32_t kFirstSource = 0xc612'0001;      // 198.18.0.1
        constexpr std::uint32_t kFirstDestination = 0xc613'0001; // 198.19.0.1
        constexpr std::uint16_t kSourcePort = 0xc020;            // RFC 2544 C.2.6.4
        constexpr std::uint16_t kEchoPort = 7;
        wire::EthernetHeader{at}.write(to, from, wire::kEtherTypeIpv4);
        at += wire::kEthernetBytes;
        wire::Ipv4Header{at}.write({.total_bytes = ip_bytes,
                                    .protocol = wire::kProtocolUdp,
                                    .source = kFirstSource + tunnel,
                                    .destination = kFirstDestination + tunnel});
        at += wire::kIpv4Bytes;
        wire::UdpHeader{at}.write(
            kSourcePort, kEchoPort, static_cast<std::uint16_t>(ip_bytes - wire::kIpv4Bytes));
    }
};

/// All tunnels in turn, all lengths in turn; in the long run every tunnel gets every length.
class FrameSequence {
  public:
    FrameSequence(std::uint32_t tunnels, std::vector<std::uint16_t> lengths)
        : tunnels_(tunnels), lengths_(std::move(lengths)),
          in_step_(std::gcd(std::size_t{tunnels}, lengths_.size()) > 1) {}

    TestFrame next() {
        const TestFrame frame{tunnel_, lengths_[length_]};
        tunnel_ = tunnel_ + 1 < tunnels_ ? tunnel_ + 1 : 0;
        advance_length();
        // With a common divisor a tunnel would meet the same few lengths for ever.
        if (in_step_ && tunnel_ == 0)
            advance_length();
        return frame;
    }

  private:
    void advance_length() { length_ = length_ + 1 < lengths_.size() ? length_ + 1 : 0; }

    std::uint32_t tunnels_;
    std::vector<std::uint16_t> lengths_;
    bool in_step_;
    std::uint32_t tunnel_{0};
    std::size_t length_{0};
};

} // namespace adit::perf
