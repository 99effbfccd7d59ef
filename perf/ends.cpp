// SPDX-License-Identifier: Apache-2.0
#include "perf/ends.h"

#include "common/error.h"
#include "perf/harness.h"

#include <array>
#include <rte_ethdev.h>
#include <utility>

namespace adit::perf {

namespace {

/// A program may hold back some packets of a batch and send them during the next, and what other
/// queues received may leave here.
constexpr unsigned kSinkPlaces = 8 * kPackets;
constexpr unsigned kMaxQueues = 16;

/// What rte_eth_fp_ops points to: one pointer a queue, per port.
struct Hooks {
    std::array<void*, kMaxQueues> rx{}, tx{};
};

Hooks& hooks_of(std::uint16_t port) {
    static std::array<Hooks, RTE_MAX_ETHPORTS> all;
    return all.at(port);
}

} // namespace

Ends::Ends(std::unique_ptr<FrameWriter> writer, rte_mempool* pool, const wire::MacAddress& gateway)
    : writer_(std::move(writer)), pool_(pool), gateway_(gateway), batch_(kPackets),
      sink_(kSinkPlaces) {}

Ends::~Ends() {
    for (const auto& [port, before] : taken_over_)
        ::rte_eth_fp_ops[port] = before;
    rte_pktmbuf_free_bulk(sink_.data(), sunk_);
    rte_pktmbuf_free_bulk(batch_.data() + next_, kPackets - next_);
}

/// The packets that came back serve again, so that always the same few are under way; a pool would
/// hand out its coldest.
void Ends::renew_batch() {
    unsigned ready = 0;
    for (unsigned i = 0; i < sunk_; ++i) {
        rte_mbuf* packet = sink_[i];
        if (ready < kPackets && packet->pool == pool_ && packet->next == nullptr &&
            RTE_MBUF_DIRECT(packet) && rte_mbuf_refcnt_read(packet) == 1) {
            rte_pktmbuf_reset(packet);
            batch_[ready++] = packet;
        } else {
            rte_pktmbuf_free(packet);
        }
    }
    sunk_ = 0;
    // A thread that DPDK does not know has no cache, and then none of none is an error.
    if (ready < kPackets)
        ENSURE(rte_pktmbuf_alloc_bulk(pool_, batch_.data() + ready, kPackets - ready) == 0);
}

void Ends::take_over(std::uint16_t port) {
    taken_over_.emplace_back(port, ::rte_eth_fp_ops[port]);
}

void Ends::be_source_of(std::uint16_t port, std::uint16_t queue) {
    take_over(port);
    hooks_of(port).rx.at(queue) = this;
    ::rte_eth_fp_ops[port].rxq.data = hooks_of(port).rx.data();
    ::rte_eth_fp_ops[port].rx_pkt_burst = receive;
}

void Ends::be_sink_of(std::uint16_t port, std::uint16_t queue) {
    take_over(port);
    hooks_of(port).tx.at(queue) = this;
    ::rte_eth_fp_ops[port].txq.data = hooks_of(port).tx.data();
    ::rte_eth_fp_ops[port].tx_pkt_burst = transmit;
    ::rte_eth_fp_ops[port].rx_pkt_burst = receive_nothing;
}

void Ends::start(const Load& load,
                 std::uint64_t ticks,
                 std::function<void(const Sample&)> finished) {
    load_ = &load;
    wanted_ticks_ = ticks;
    finished_ = std::move(finished);
    warm_ = false;
    sample_ = {};
}

std::uint16_t Ends::receive(void* queue, rte_mbuf** packets, std::uint16_t count) {
    Ends& self = *static_cast<Ends*>(queue);
    if (self.next_ == kPackets) {
        self.next_batch();
        if (self.next_ == kPackets)
            return 0;
    }
    const auto take = static_cast<std::uint16_t>(std::min<unsigned>(count, kPackets - self.next_));
    std::copy_n(self.batch_.data() + self.next_, take, packets);
    self.next_ += take;
    return take;
}

std::uint16_t Ends::receive_nothing(void*, rte_mbuf**, std::uint16_t) {
    return 0;
}

std::uint16_t Ends::transmit(void* queue, rte_mbuf** packets, std::uint16_t count) {
    Ends& self = *static_cast<Ends*>(queue);
    ENSURE(self.sunk_ + count <= kSinkPlaces);
    std::copy_n(packets, count, self.sink_.data() + self.sunk_);
    self.sunk_ += count;
    return count;
}

/// Called with the source empty: the clock stands still in here.
void Ends::next_batch() {
    const std::uint64_t now = ticks();
    if (batch_started_ != 0)
        count_batch(now);
    if (load_ == nullptr)
        return;
    if (!warm_ && sample_.ticks >= wanted_ticks_ / 4) {
        warm_ = true;
        sample_ = {};
    } else if (sample_.ticks >= wanted_ticks_) {
        load_ = nullptr;
        // Taken out first: it may start the next sample, which brings a function of its own.
        std::exchange(finished_, nullptr)(std::exchange(sample_, {}));
        if (load_ == nullptr) // nobody started the next
            return;
    }
    renew_batch();
    writer_->write(batch_, *load_, gateway_);
    next_ = 0;
    batch_started_ = ticks();
    stopped_ticks_ += batch_started_ - now;
}

void Ends::count_batch(std::uint64_t now) {
    for (Sample* of : {&sample_, &total_}) {
        of->ticks += now - batch_started_;
        of->packets += sunk_;
        of->offered += kPackets;
    }
    batch_started_ = 0;
}

} // namespace adit::perf
