// SPDX-License-Identifier: Apache-2.0
// Real mbufs without privilege: EAL with --no-huge --no-pci --no-shconf -m 64, started once per
// test program. Every test ends with as many free mbufs as it began with, or it fails.
#pragma once

#include "common/bytes.h"
#include "dataplane/packet.h"

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <cstring>

namespace adit::test {

inline constexpr unsigned kTestMbufs = 1023;

inline rte_mempool* test_pool() {
    static rte_mempool* const pool = [] {
        const char* arguments[] = {"test",
                                   "--no-huge",
                                   "--no-pci",
                                   "--no-shconf",
                                   "--no-telemetry",
                                   "-m",
                                   "64",
                                   "-l",
                                   "0",
                                   "--log-level=lib.eal:error"};
        char* argv[std::size(arguments)];
        for (std::size_t i = 0; i < std::size(arguments); ++i)
            argv[i] = const_cast<char*>(arguments[i]);
        ENSURE(rte_eal_init(static_cast<int>(std::size(arguments)), argv) >= 0);
        rte_mempool* made =
            rte_pktmbuf_pool_create("test",
                                    kTestMbufs,
                                    0,
                                    dataplane::kPacketMetaBytes,
                                    dataplane::kHeadroomBytes + 2048 + dataplane::kTailroomBytes,
                                    SOCKET_ID_ANY);
        ENSURE(made != nullptr);
        return made;
    }();
    return pool;
}

class MbufFixture : public ::testing::Test {
  protected:
    void SetUp() override { free_before_ = rte_mempool_avail_count(test_pool()); }

    void TearDown() override {
        EXPECT_EQ(rte_mempool_avail_count(test_pool()), free_before_) << "mbufs were lost";
    }

    /// A packet holding `content`, its metadata zeroed.
    static rte_mbuf* make_packet(ByteView content) {
        rte_mbuf* packet = rte_pktmbuf_alloc(test_pool());
        ENSURE(packet != nullptr);
        char* room = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(content.size()));
        ENSURE(room != nullptr);
        if (!content.empty())
            std::memcpy(room, content.data(), content.size());
        dataplane::meta(packet) = dataplane::PacketMeta{};
        return packet;
    }

    static Bytes bytes_of(rte_mbuf* packet) {
        return {dataplane::data(packet), dataplane::data(packet) + packet->data_len};
    }

  private:
    unsigned free_before_{0};
};

} // namespace adit::test
