// SPDX-License-Identifier: Apache-2.0
// Where a worker's time goes: time-stamp counter ticks and packets for each part of a turn, taken
// in one turn of kEvery that found work, so that measuring costs nothing to speak of.
//
//     clock.start(turn);
//     ... receive ...
//     clock.lap(WorkerPart::Receive, packets);
//
// Threading: one worker; the counters are on the page that control reads.
#pragma once

#include "common/ipc/stats.h"

#include <cstdint>
#include <rte_cycles.h>

namespace adit::dataplane {

class StageClock {
  public:
    static constexpr std::uint64_t kEvery = 32;

    explicit StageClock(ipc::CoreStats& stats) : stats_(&stats) {}

    void start(std::uint64_t turn) {
        running_ = turn % kEvery == 0;
        if (running_) [[unlikely]]
            last_ = rte_rdtsc();
    }

    /// What was done since start() or the last lap belongs to `part` and `packets` packets; none:
    /// it is left out, as nothing was there to do.
    void lap(ipc::WorkerPart part, unsigned packets) {
        if (running_) [[unlikely]]
            record(part, packets);
    }

    /// What was done since the last lap belongs to no part.
    void skip() {
        if (running_) [[unlikely]]
            last_ = rte_rdtsc();
    }

  private:
    [[gnu::noinline]] void record(ipc::WorkerPart part, unsigned packets) {
        const std::uint64_t now = rte_rdtsc();
        const auto index = static_cast<std::size_t>(part);
        if (packets > 0) {
            ipc::add(stats_->part_ticks[index], now - last_);
            ipc::add(stats_->part_packets[index], packets);
        }
        last_ = rte_rdtsc();
    }

    ipc::CoreStats* stats_;
    std::uint64_t last_{0};
    bool running_{false};
};

} // namespace adit::dataplane
