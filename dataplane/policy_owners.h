// SPDX-License-Identifier: Apache-2.0
// Which worker has the SA that packets of a policy leave by. Any worker may receive such a packet;
// one look tells it where to hand the packet over.
//
// A hint, not a lock: between the look and the packet's arrival the SA may have gone. The owner
// looks in its own table again.
//
// Threading: written by the worker whose SA it is, when control installs or removes one; read by
// every worker.
#pragma once

#include "common/spi.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace adit::dataplane {

class PolicyOwners {
  public:
    explicit PolicyOwners(std::uint32_t policies) : owners_(policies) {}

    void claim(std::uint32_t policy, WorkerId worker) {
        // Relaxed: whoever sees the claim hands the packet over by a ring, and the owner itself
        // made the SA before the claim.
        owners_[policy].store(mark_of(worker), std::memory_order_relaxed);
    }

    /// Does nothing when another worker has claimed the policy since.
    void disclaim(std::uint32_t policy, WorkerId worker) {
        std::uint8_t expected = mark_of(worker);
        owners_[policy].compare_exchange_strong(expected, kNobody, std::memory_order_relaxed);
    }

    [[nodiscard]] std::optional<WorkerId> owner(std::uint32_t policy) const {
        const std::uint8_t mark = owners_[policy].load(std::memory_order_relaxed);
        if (mark == kNobody)
            return std::nullopt;
        return WorkerId{static_cast<std::uint8_t>(mark - 1)};
    }

  private:
    static constexpr std::uint8_t kNobody = 0;
    static_assert(kMaxWorkers < 0xff);

    static std::uint8_t mark_of(WorkerId worker) {
        return static_cast<std::uint8_t>(worker.value + 1);
    }

    std::vector<std::atomic<std::uint8_t>> owners_;
};

} // namespace adit::dataplane
