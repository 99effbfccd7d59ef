// SPDX-License-Identifier: Apache-2.0
#include "dataplane/mbuf_pool.h"

#include "dataplane/eal.h"
#include "dataplane/packet.h"

#include <algorithm>
#include <rte_errno.h>
#include <rte_mbuf.h>

namespace adit::dataplane {

PoolPlan PoolPlan::fill(std::uint32_t memory_mb, std::uint16_t frame_room_bytes, int numa_socket) {
    constexpr std::uint32_t kAroundFrameBytes = 896; // rte_mbuf, metadata, head and tail, alignment
    constexpr std::uint64_t kMostBuffers = 65'535;
    const std::uint64_t bytes = std::uint64_t{memory_mb} * 1024 * 1024 * 2 / 3;
    const std::uint64_t buffers = bytes / (frame_room_bytes + kAroundFrameBytes);
    return {
        static_cast<std::uint32_t>(std::min(buffers, kMostBuffers)), frame_room_bytes, numa_socket};
}

Result<MbufPool> MbufPool::create(const char* name, const PoolPlan& plan) {
    static_assert(kHeadroomBytes == RTE_PKTMBUF_HEADROOM);
    constexpr unsigned kCache = 256;
    const auto room =
        static_cast<std::uint16_t>(kHeadroomBytes + plan.frame_room_bytes + kTailroomBytes);
    const auto create_on = [&](int socket) {
        return rte_pktmbuf_pool_create(name, plan.buffers, kCache, kPacketMetaBytes, room, socket);
    };
    rte_mempool* pool = create_on(plan.numa_socket);
    // Without hugepages all memory is on one socket.
    if (pool == nullptr && plan.numa_socket != SOCKET_ID_ANY)
        pool = create_on(SOCKET_ID_ANY);
    if (pool == nullptr)
        return fail(ErrorCode::Exhausted,
                    "no memory for " + std::to_string(plan.buffers) +
                        " packet buffers: " + dpdk_error(rte_errno) + "; raise --memory");
    return MbufPool{pool};
}

void MbufPool::Free::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

} // namespace adit::dataplane
