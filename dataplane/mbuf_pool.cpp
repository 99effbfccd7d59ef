// SPDX-License-Identifier: Apache-2.0
#include "dataplane/mbuf_pool.h"

#include "dataplane/eal.h"
#include "dataplane/packet.h"

#include <algorithm>
#include <rte_errno.h>
#include <rte_mbuf.h>

namespace adit::dataplane {

std::uint32_t MbufPool::buffers_for(std::uint32_t memory_mb) {
    constexpr std::uint32_t kBytesPerBuffer = 2944; // with all headers
    const std::uint64_t buffers = std::uint64_t{memory_mb} * 1024 * 1024 * 2 / 3 / kBytesPerBuffer;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(buffers, 65'535));
}

Result<MbufPool> MbufPool::create(const char* name, std::uint32_t buffers) {
    static_assert(kHeadroomBytes == RTE_PKTMBUF_HEADROOM);
    constexpr unsigned kCache = 256;
    rte_mempool* pool = rte_pktmbuf_pool_create(name,
                                                buffers,
                                                kCache,
                                                kPacketMetaBytes,
                                                kHeadroomBytes + kFrameRoomBytes + kTailroomBytes,
                                                SOCKET_ID_ANY);
    if (pool == nullptr)
        return fail(ErrorCode::Exhausted,
                    "no memory for " + std::to_string(buffers) +
                        " packet buffers: " + dpdk_error(rte_errno) + "; raise --memory");
    return MbufPool{pool};
}

void MbufPool::Free::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

} // namespace adit::dataplane
