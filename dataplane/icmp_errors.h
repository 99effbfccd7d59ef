// SPDX-License-Identifier: Apache-2.0
// Makes the ICMP errors that a router owes to a sender (RFC 1812 4.3.2), within a rate.
//
// Threading: one worker.
#pragma once

#include "common/wire/icmp.h"

#include <cstdint>
#include <rte_mbuf.h>

namespace adit::dataplane {

struct IcmpError {
    wire::IcmpType type;
    std::uint8_t code;
    std::uint32_t rest; // octets 4..7: the next-hop MTU, or 0
};

class IcmpErrors {
  public:
    /// RFC 1812 4.3.2.8: limited; enough for a traceroute and for path MTU discovery of many flows.
    static constexpr std::uint32_t kPerSecond = 200;
    static constexpr std::uint32_t kBucket = 50;

    explicit IcmpErrors(rte_mempool* pool) : pool_(pool) {}

    /// An IPv4 packet from `source` (one of our addresses) to the sender of `about`, whose data
    /// starts at its IPv4 header. Null when RFC 1812 4.3.2.7 forbids an answer, or the rate does.
    rte_mbuf*
    make(rte_mbuf* about, const IcmpError& error, std::uint32_t source, std::uint64_t now_ns);

  private:
    [[nodiscard]] bool take_token(std::uint64_t now_ns);

    rte_mempool* pool_;
    std::uint64_t refilled_ns_{0};
    std::uint32_t tokens_{kBucket};
};

} // namespace adit::dataplane
