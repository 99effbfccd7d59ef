// SPDX-License-Identifier: Apache-2.0
// No surprise between receive and transmit: a whole worker, fed by rings, carries 10,000 bursts
// each of everything it does for its living, and never allocates, locks or calls the kernel. The
// clock is read as Worker::run reads it, inside what is watched: clock_gettime() must come from the
// vDSO.
#include "common/clock.h"
#include "tests/support/fast_path_watch.h"
#include "tests/support/ring_gateway.h"

#include <mutex>
#include <rte_malloc.h>
#include <span>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace adit::dataplane {
namespace {

using test::EspWorld;
using test::FastPathWatch;
using test::RingGateway;
using test::Suite;

constexpr unsigned kBursts = 10'000;
constexpr std::size_t kSmallBytes = 64;
constexpr std::size_t kLargeBytes = 1400;
constexpr Suite kGcm{EspCipher::AesGcm128, EspMac::None};
constexpr Suite kCbc{EspCipher::AesCbc128, EspMac::HmacSha1_96};

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(MonotonicClock::now().time_since_epoch().count());
}

enum class Path : std::uint8_t {
    Outbound, // into a tunnel
    Inbound,  // out of one
    Plain,    // forwarded as it is
};

struct Scene {
    const char* name;
    Path path;
    Suite suite;
    std::size_t bytes; // of the inner packet
};

class FastPath : public test::EspFixture, public ::testing::WithParamInterface<Scene> {
  protected:
    FastPath() {
        if (scene.path == Path::Plain)
            return;
        Tables tables = test::gateway_tables();
        tables.policies[test::kWan] = PolicyTable{{test::protect_line()}};
        gateway.publish(std::move(tables));
        auto inbound = EspWorld::record(ipc::Direction::Inbound, scene.suite, 0);
        inbound.spi = make_spi(RingGateway::kWorker, 0, 0xa5).value;
        gateway.install(inbound, now_ns());
        auto outbound = EspWorld::record(ipc::Direction::Outbound, scene.suite, 1);
        outbound.policy = inbound.policy;
        gateway.install(outbound, now_ns());
        peer.install(EspWorld::mirrored(inbound));
    }

    /// A burst comes in; out of a tunnel it is enciphered anew, or the replay window would refuse
    /// it.
    void arrive() {
        const bool from_peer = scene.path == Path::Inbound;
        Burst burst;
        while (burst.count < kRxBurst)
            burst.push(from_peer ? to_protect(inner, peer.outbound(0)) : make_packet(inner));
        if (from_peer)
            esp_outbound(burst, peer.context);
        ENSURE(burst.count == kRxBurst);
        const std::span packets{burst.packets, burst.count};
        for (rte_mbuf* packet : packets) {
            char* header = rte_pktmbuf_prepend(packet, wire::kEthernetBytes);
            ENSURE(header != nullptr);
            wire::EthernetHeader{reinterpret_cast<std::uint8_t*>(header)}.write(
                from_peer ? test::kWanMac : test::kLanMac,
                from_peer ? test::kPeerMac : test::kHostMac,
                wire::kEtherTypeIpv4);
        }
        (from_peer ? gateway.wan : gateway.lan).arrive(packets);
    }

    [[nodiscard]] Bytes make_inner() const {
        const Bytes payload(scene.bytes - wire::kIpv4Bytes - wire::kUdpBytes, 0x5a);
        return scene.path == Path::Inbound
                   ? test::udp_packet(test::kFarHost, test::kHost, 5001, 5002, payload)
                   : test::udp_packet(test::kHost, test::kFarHost, 5002, 5001, payload);
    }

    const Scene scene = GetParam();
    const Bytes inner = make_inner();
    RingGateway gateway;
    EspWorld peer;
};

TEST_P(FastPath, NeverAllocatesLocksOrCallsTheKernel) {
    FastPathWatch watch;
    std::uint64_t sent = 0;
    for (unsigned i = 0; i < kBursts; ++i) {
        arrive();
        watch.arm();
        gateway.worker().turn(now_ns());
        watch.disarm();
        sent += (scene.path == Path::Inbound ? gateway.lan : gateway.wan).take_all();
    }
    EXPECT_EQ(watch.found().total(), 0U) << to_string(watch.found());
    EXPECT_EQ(sent, std::uint64_t{kBursts} * kRxBurst)
        << "nothing was watched: " << gateway.drops();
}

INSTANTIATE_TEST_SUITE_P(Worker,
                         FastPath,
                         ::testing::Values(Scene{"PlainSmall", Path::Plain, {}, kSmallBytes},
                                           Scene{"PlainLarge", Path::Plain, {}, kLargeBytes},
                                           Scene{"GcmOutSmall", Path::Outbound, kGcm, kSmallBytes},
                                           Scene{"GcmOutLarge", Path::Outbound, kGcm, kLargeBytes},
                                           Scene{"GcmInSmall", Path::Inbound, kGcm, kSmallBytes},
                                           Scene{"GcmInLarge", Path::Inbound, kGcm, kLargeBytes},
                                           Scene{"CbcOutSmall", Path::Outbound, kCbc, kSmallBytes},
                                           Scene{"CbcOutLarge", Path::Outbound, kCbc, kLargeBytes},
                                           Scene{"CbcInSmall", Path::Inbound, kCbc, kSmallBytes},
                                           Scene{"CbcInLarge", Path::Inbound, kCbc, kLargeBytes}),
                         [](const auto& scene) { return std::string{scene.param.name}; });

// ---------------------------------------------------------------------------------------------------
// The watch can fail: the same loop with a receive callback that does what a stage must not.

class FastPathWatched : public test::MbufFixture {
  protected:
    using Misdeed = void (*)();

    static std::uint16_t commit(std::uint16_t /*port*/,
                                std::uint16_t /*queue*/,
                                rte_mbuf** /*packets*/,
                                std::uint16_t count,
                                std::uint16_t /*room*/,
                                void* misdeed) {
        reinterpret_cast<Misdeed>(misdeed)();
        return count;
    }

    test::Surprises found_with(Misdeed misdeed) {
        const rte_eth_rxtx_callback* callback =
            rte_eth_add_rx_callback(gateway.lan.id(), 0, &commit, reinterpret_cast<void*>(misdeed));
        EXPECT_NE(callback, nullptr);
        FastPathWatch watch;
        for (unsigned i = 0; i < kTurns; ++i) {
            watch.arm();
            gateway.worker().turn(now_ns());
            watch.disarm();
        }
        rte_eth_remove_rx_callback(gateway.lan.id(), 0, callback);
        return watch.found();
    }

    static constexpr unsigned kTurns = 10;
    static inline std::mutex mutex;
    static inline void* volatile kept; // or the compiler does without the allocation

    RingGateway gateway;
};

TEST_F(FastPathWatched, SeesNothingWhereThereIsNothing) {
    EXPECT_EQ(found_with([] {}).total(), 0U);
}

TEST_F(FastPathWatched, SeesAllocationsAndReleases) {
    const auto found = found_with([] {
        kept = std::malloc(32);
        std::free(kept);
    });
    EXPECT_EQ(found.allocations, 2 * kTurns);
    EXPECT_STREQ(found.first_function, "malloc");
    EXPECT_EQ(found.total(), found.allocations) << to_string(found);
}

TEST_F(FastPathWatched, SeesNewAndDelete) {
    const auto found = found_with([] {
        kept = new Burst;
        delete static_cast<Burst*>(kept);
    });
    EXPECT_EQ(found.allocations, 2 * kTurns);
}

TEST_F(FastPathWatched, SeesAllocationsFromHugepages) {
    const auto found = found_with([] {
        kept = rte_malloc(nullptr, 64, 0);
        rte_free(kept);
    });
    EXPECT_EQ(found.allocations, 2 * kTurns);
}

TEST_F(FastPathWatched, SeesLocksThatNobodyContends) {
    const auto found = found_with([] { const std::lock_guard hold{mutex}; });
    EXPECT_EQ(found.locks, kTurns);
    EXPECT_STREQ(found.first_function, "pthread_mutex_lock");
}

TEST_F(FastPathWatched, SeesTheFirstSystemCallOfEachTurn) {
    const auto found = found_with([] {
        kept = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(kept, 4096);
    });
    EXPECT_EQ(found.system_calls, kTurns);
    EXPECT_EQ(found.first_system_call, SYS_mmap);
    EXPECT_NE(kept, MAP_FAILED) << "what was seen is done all the same";
}

TEST_F(FastPathWatched, SeesSystemCallsThatNoFunctionWraps) {
    const auto found = found_with([] {
        long result = SYS_getppid;
        __asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
    });
    EXPECT_EQ(found.system_calls, kTurns);
    EXPECT_EQ(found.first_system_call, SYS_getppid);
}

} // namespace
} // namespace adit::dataplane
