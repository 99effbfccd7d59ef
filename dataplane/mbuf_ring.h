// SPDX-License-Identifier: Apache-2.0
// A bounded single-producer single-consumer queue of packets between two threads: the housekeeper
// and a worker, or two workers. Full is a value: the caller drops with a named reason.
#pragma once

#include "common/error.h"

#include <memory>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <span>
#include <string>

namespace adit::dataplane {

class MbufRing {
  public:
    /// `slots`: a power of two; one less fits. `name` is unique in the process.
    static Result<MbufRing> create(const std::string& name, unsigned slots) {
        rte_ring* ring =
            rte_ring_create(name.c_str(), slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (ring == nullptr)
            return fail(ErrorCode::Exhausted, "no memory for ring " + name + ": raise --memory");
        return MbufRing{ring};
    }

    /// The packet belongs to the ring when true.
    [[nodiscard]] bool push(rte_mbuf* packet) {
        return rte_ring_sp_enqueue(ring_.get(), packet) == 0;
    }

    /// How many of `packets`, counted from the first, belong to the ring now.
    [[nodiscard]] unsigned push(std::span<rte_mbuf* const> packets) {
        return rte_ring_sp_enqueue_burst(ring_.get(),
                                         reinterpret_cast<void* const*>(packets.data()),
                                         static_cast<unsigned>(packets.size()),
                                         nullptr);
    }

    /// How many were taken.
    [[nodiscard]] unsigned pop(std::span<rte_mbuf*> to) {
        return rte_ring_sc_dequeue_burst(ring_.get(),
                                         reinterpret_cast<void**>(to.data()),
                                         static_cast<unsigned>(to.size()),
                                         nullptr);
    }

    [[nodiscard]] bool empty() const { return rte_ring_empty(ring_.get()) != 0; }

    [[nodiscard]] unsigned count() const { return rte_ring_count(ring_.get()); }

  private:
    struct Free {
        void operator()(rte_ring* ring) const {
            void* packet = nullptr;
            while (rte_ring_sc_dequeue(ring, &packet) == 0)
                rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
            rte_ring_free(ring);
        }
    };

    explicit MbufRing(rte_ring* ring) : ring_(ring) {}

    std::unique_ptr<rte_ring, Free> ring_;
};

} // namespace adit::dataplane
