// SPDX-License-Identifier: Apache-2.0
// A port inside the test: what is put into a receive ring is received by the worker that polls that
// queue, and what workers transmit lies in the transmit rings. It stands in DPDK's table of ports
// where a driver would, so that rte_eth_rx_burst and rte_eth_tx_burst find it.
//
// Threading: each queue between the test's thread and the worker that has it.
#pragma once

#include "dataplane/mbuf_ring.h"

#include <rte_ethdev.h>
#include <string>
#include <vector>

namespace adit::test {

class RingPort {
  public:
    static constexpr unsigned kSlots = 1024;

    RingPort(std::uint16_t dpdk_port, unsigned rx_queues, unsigned tx_queues)
        : dpdk_port_(dpdk_port), before_(rte_eth_fp_ops[dpdk_port]), rx_(rings("rx", rx_queues)),
          tx_(rings("tx", tx_queues)), rx_data_(pointers(rx_)), tx_data_(pointers(tx_)),
          no_callbacks_(std::max(rx_queues, tx_queues), nullptr) {
        auto& ops = ::rte_eth_fp_ops[dpdk_port];
        ops.rx_pkt_burst = receive;
        ops.tx_pkt_burst = transmit;
        ops.rxq = {rx_data_.data(), no_callbacks_.data()};
        ops.txq = {tx_data_.data(), no_callbacks_.data()};
    }

    RingPort(const RingPort&) = delete;
    RingPort& operator=(const RingPort&) = delete;

    ~RingPort() { ::rte_eth_fp_ops[dpdk_port_] = before_; }

    /// The frame arrives at this queue.
    void arrive(unsigned queue, rte_mbuf* frame) { ENSURE(rx_[queue].push(frame)); }

    /// The next frame that left by this queue, or null.
    rte_mbuf* left(unsigned queue) {
        rte_mbuf* frame = nullptr;
        return tx_[queue].pop({&frame, 1}) == 1 ? frame : nullptr;
    }

    [[nodiscard]] unsigned tx_queues() const { return static_cast<unsigned>(tx_.size()); }

  private:
    static std::uint16_t receive(void* ring, rte_mbuf** to, std::uint16_t count) {
        return static_cast<std::uint16_t>(
            static_cast<dataplane::MbufRing*>(ring)->pop({to, count}));
    }

    static std::uint16_t transmit(void* ring, rte_mbuf** from, std::uint16_t count) {
        return static_cast<std::uint16_t>(
            static_cast<dataplane::MbufRing*>(ring)->push({from, count}));
    }

    std::vector<dataplane::MbufRing> rings(const std::string& direction, unsigned queues) const {
        std::vector<dataplane::MbufRing> made;
        for (unsigned queue = 0; queue < queues; ++queue) {
            auto ring = dataplane::MbufRing::create(
                "p" + std::to_string(dpdk_port_) + direction + std::to_string(queue), kSlots);
            ENSURE(ring.has_value());
            made.push_back(std::move(*ring));
        }
        return made;
    }

    static std::vector<void*> pointers(std::vector<dataplane::MbufRing>& rings) {
        std::vector<void*> all;
        for (dataplane::MbufRing& ring : rings)
            all.push_back(&ring);
        return all;
    }

    std::uint16_t dpdk_port_;
    struct rte_eth_fp_ops before_;
    std::vector<dataplane::MbufRing> rx_, tx_;
    std::vector<void*> rx_data_, tx_data_, no_callbacks_;
};

} // namespace adit::test
