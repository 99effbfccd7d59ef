// SPDX-License-Identifier: Apache-2.0
// Source and sink: the cheapest port there can be, and the stopwatch. They take the place of a
// port's driver (rte_eth_fp_ops), so any DPDK program can be measured with the same ends.
//
//   source  hands out pointers to kPackets prepared frames. When they are used up the clock stops,
//           fresh frames are written into what the sink holds, and the clock starts again.
//   sink    keeps pointers until then.
//
// So neither writing nor freeing packets is inside the clock, for anybody, and frames lie in L2 as
// just written. What is left of the ends is measured too: see bench_worker.cpp, "ends".
//
// Ports with several queues may have ends of their own for each; a port has the same for all its
// queues or for none. The destructor gives the ports back to their drivers, so the last ends go
// first.
//
// Threading: made and destroyed while nobody polls the ports; then the core that polls.
#pragma once

#include "perf/frames.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <utility>
#include <vector>

namespace adit::perf {

class Ends {
  public:
    struct Sample {
        std::uint64_t ticks{0};
        std::uint64_t packets{0}; // that reached the sink
        std::uint64_t offered{0};
    };

    Ends(std::unique_ptr<FrameWriter> writer, rte_mempool* pool, const wire::MacAddress& gateway);
    ~Ends();

    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;

    /// Queue `queue` of `port` receives from the source. The port must be started.
    void be_source_of(std::uint16_t port, std::uint16_t queue = 0);
    /// What is sent on `port`, queue `queue`, goes into the sink; nothing is received there.
    void be_sink_of(std::uint16_t port, std::uint16_t queue = 0);

    /// Takes a sample of `ticks` of this load, after a quarter as much to warm up. `finished` is
    /// called with the clock stopped, by whoever polls the source.
    void start(const Load& load, std::uint64_t ticks, std::function<void(const Sample&)> finished);

    /// For the next ends; not while running.
    [[nodiscard]] std::unique_ptr<FrameWriter> take_writer() { return std::move(writer_); }

    [[nodiscard]] bool running() const { return load_ != nullptr; }

    /// Hands out the rest of the batch and then nothing more. By the thread that polls.
    void stop() { load_ = nullptr; }

    /// Since the beginning, warming up included. Complete once everything was handed out and
    /// polled for again.
    [[nodiscard]] const Sample& total() const { return total_; }

    /// Time-stamp counter ticks during which the clock stood still.
    [[nodiscard]] std::uint64_t stopped_ticks() const { return stopped_ticks_; }

  private:
    static std::uint16_t receive(void* queue, rte_mbuf** packets, std::uint16_t count);
    static std::uint16_t receive_nothing(void* queue, rte_mbuf** packets, std::uint16_t count);
    static std::uint16_t transmit(void* queue, rte_mbuf** packets, std::uint16_t count);

    void take_over(std::uint16_t port);
    void next_batch();
    void count_batch(std::uint64_t now);
    void renew_batch();

    std::unique_ptr<FrameWriter> writer_;
    rte_mempool* pool_;
    wire::MacAddress gateway_;
    const Load* load_{nullptr};
    std::function<void(const Sample&)> finished_;
    std::uint64_t wanted_ticks_{0};
    bool warm_{false};
    Sample sample_, total_;
    std::uint64_t batch_started_{0};
    std::uint64_t stopped_ticks_{0};
    unsigned next_{kPackets};
    std::vector<rte_mbuf*> batch_;
    unsigned sunk_{0};
    std::vector<rte_mbuf*> sink_;
    std::vector<std::pair<std::uint16_t, struct rte_eth_fp_ops>>
        taken_over_; // with what was there before
};

} // namespace adit::perf
