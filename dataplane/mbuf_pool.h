// SPDX-License-Identifier: Apache-2.0
// The packet buffers.
//
// Threading: made and destroyed on the main thread.
#pragma once

#include "common/error.h"

#include <cstdint>
#include <memory>
#include <rte_mbuf.h>

namespace adit::dataplane {

class MbufPool {
  public:
    static constexpr std::uint16_t kFrameRoomBytes = 2048;

    /// Buffers of kHeadroomBytes + 2048 + kTailroomBytes with packet.h's metadata in front.
    static Result<MbufPool> create(const char* name, std::uint32_t buffers);

    /// As many buffers as fit into about two thirds of the memory.
    static std::uint32_t buffers_for(std::uint32_t memory_mb);

    [[nodiscard]] rte_mempool* get() const { return pool_.get(); }

  private:
    struct Free {
        void operator()(rte_mempool* pool) const;
    };

    explicit MbufPool(rte_mempool* pool) : pool_(pool) {}

    std::unique_ptr<rte_mempool, Free> pool_;
};

} // namespace adit::dataplane
