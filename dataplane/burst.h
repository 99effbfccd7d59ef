// SPDX-License-Identifier: Apache-2.0
// What stages hand on to each other: up to kMaxBurst packets in arrival order. A stage keeps
// survivors in front, in order; whatever it removes it has transmitted, punted, held or dropped
// with a reason.
#pragma once

#include "common/drop_reason.h"
#include "common/ipc/stats.h"

#include <cstdint>
#include <rte_mbuf.h>

namespace adit::dataplane {

/// One receive call; CBC gathers up to kMaxBurst before it enciphers (lanes want company).
inline constexpr unsigned kRxBurst = 64;
inline constexpr unsigned kMaxBurst = 128;

struct Burst {
    rte_mbuf* packets[kMaxBurst];
    unsigned count{0};

    void push(rte_mbuf* packet) { packets[count++] = packet; }

    [[nodiscard]] bool full() const { return count == kMaxBurst; }
};

/// Ends packets: counts the reason on this core's page and frees the mbuf.
class Drops {
  public:
    explicit Drops(ipc::CoreStats& stats) : stats_(&stats) {}

    void drop(rte_mbuf* packet, DropReason reason) {
        count(reason);
        rte_pktmbuf_free(packet);
    }

    void count(DropReason reason) { ipc::add(stats_->drops[static_cast<std::size_t>(reason)], 1); }

  private:
    ipc::CoreStats* stats_;
};

} // namespace adit::dataplane
