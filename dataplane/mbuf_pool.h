// SPDX-License-Identifier: Apache-2.0
// The packet buffers: one pool for all ports, its buffers long enough for a frame of any of them,
// so that a received frame is never a chain.
//
// Threading: made and destroyed on the main thread.
#pragma once

#include "common/error.h"

#include <cstdint>
#include <memory>
#include <rte_mbuf.h>

namespace adit::dataplane {

struct PoolPlan {
    std::uint32_t buffers;
    std::uint16_t frame_room_bytes; // between kHeadroomBytes and kTailroomBytes
    int numa_socket{SOCKET_ID_ANY}; // where to prefer it

    /// As many buffers as fit into about two thirds of the memory.
    static PoolPlan
    fill(std::uint32_t memory_mb, std::uint16_t frame_room_bytes, int numa_socket = SOCKET_ID_ANY);
};

class MbufPool {
  public:
    /// Buffers of kHeadroomBytes + frame room + kTailroomBytes with packet.h's metadata in front.
    static Result<MbufPool> create(const char* name, const PoolPlan& plan);

    [[nodiscard]] rte_mempool* get() const { return pool_.get(); }

  private:
    struct Free {
        void operator()(rte_mempool* pool) const;
    };

    explicit MbufPool(rte_mempool* pool) : pool_(pool) {}

    std::unique_ptr<rte_mempool, Free> pool_;
};

} // namespace adit::dataplane
