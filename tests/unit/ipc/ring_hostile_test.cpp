// SPDX-License-Identifier: Apache-2.0
// A hostile peer changes every octet it can reach while the other side runs. The rings are in heap
// memory of exactly their size: under the address sanitizer a step outside ends the test. Not for
// the thread sanitizer: here the race is the subject.
#include "tests/unit/ipc/heap_ring.h"

#include <gtest/gtest.h>
#include <random>
#include <thread>

#if defined(__SANITIZE_THREAD__)
#define ADIT_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ADIT_THREAD_SANITIZER 1
#endif
#endif

#ifndef ADIT_THREAD_SANITIZER

namespace adit::ipc {
namespace {

constexpr std::uint64_t kPops = 3'000'000;
/// Five octets of six that hit the length break the ring, and a copy is long.
constexpr std::uint64_t kDatagramPops = 200'000;
/// Lies noticed; few are enough on a machine that lets the two threads take turns.
constexpr std::uint64_t kBreaks = 50;
/// Records from one attachment at most.
constexpr std::uint64_t kMaxRound = 100'000;

void flip(std::uint8_t* octet, std::uint8_t bits) {
    __atomic_fetch_xor(octet, bits, __ATOMIC_RELAXED);
}

/// Goes over all slots and the index again and again, flipping random bits; between flips it moves
/// the index on, so that the victim is led to believe it and goes on reading.
class HostilePeer {
  public:
    HostilePeer(RingIndex& index, const RingIndex& other, std::vector<std::uint8_t>& slots)
        : index_(index), other_(other), slots_(slots), thread_([this] { run(); }) {}

    ~HostilePeer() {
        stop_ = true;
        thread_.join();
    }

  private:
    void run() {
        std::mt19937 random{4711};
        std::size_t place = 0;
        while (!stop_) {
            for (int count = 0; count < 16; ++count) {
                flip(&slots_[place], static_cast<std::uint8_t>(random() | 1));
                place = (place + 1) % slots_.size();
            }
            index_.value.fetch_add(1, std::memory_order_relaxed);
            if (random() % 64 == 0) {
                auto* const octets = static_cast<std::uint8_t*>(static_cast<void*>(&index_.value));
                flip(octets + random() % sizeof index_.value, static_cast<std::uint8_t>(random()));
            }
            if (random() % 4 == 0) // believable again
                index_.value.store(other_.value.load(std::memory_order_relaxed) + random() % 4,
                                   std::memory_order_relaxed);
        }
    }

    RingIndex& index_;
    const RingIndex& other_;
    std::vector<std::uint8_t>& slots_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/// Pops under attack until enough records and enough lies were seen. An empty ring is filled at
/// once by moving the index on, so nothing here waits for the other thread. Whoever finds the ring
/// broken attaches anew, as control and dataplane do.
template <class T, class Check>
void pop_under_attack(std::uint32_t capacity, std::uint64_t pops, Check check) {
    HeapRing<T> ring{capacity};
    // The copy is exactly one record: writing past it is seen too.
    auto out = std::make_unique<T>();
    std::uint64_t got = 0;
    std::uint64_t broken = 0;
    const HostilePeer hostile{ring.tail, ring.head, ring.slots};
    while (got < pops || broken < kBreaks) {
        auto consumer = ring.consumer();
        const std::uint64_t round_ends = got + kMaxRound;
        PopResult result = PopResult::Empty;
        while (result != PopResult::Broken && got < round_ends) {
            result = consumer.try_pop(*out);
            if (result == PopResult::Empty)
                ring.tail.value.store(consumer.popped() + capacity, std::memory_order_relaxed);
            if (result == PopResult::Got) {
                ++got;
                check(*out);
            }
        }
        broken += consumer.broken() ? 1U : 0U;
        ring.reset();
    }
    EXPECT_GE(got, pops);
    EXPECT_GE(broken, kBreaks);
}

TEST(HostileWriter, CannotMakeACommandReaderLeaveItsRing) {
    std::uint64_t sum = 0;
    pop_under_attack<CommandRecord>(8, kPops, [&sum](const CommandRecord& record) {
        for (const std::uint8_t octet : record.bytes)
            sum += octet;
    });
    EXPECT_NE(sum, 0U);
}

TEST(HostileWriter, CannotMakeADatagramReaderBelieveAChangedLength) {
    std::uint64_t too_long = 0;
    pop_under_attack<DatagramRecord>(2, kDatagramPops, [&too_long](const DatagramRecord& record) {
        too_long += record.length > kMaxIkeDatagramBytes ? 1 : 0;
    });
    EXPECT_EQ(too_long, 0U);
}

TEST(HostileReader, CannotMakeAProducerWriteOutsideItsRing) {
    HeapRing<EventRecord> ring{8};
    std::vector<std::uint8_t> unused(64);
    const HostilePeer hostile{ring.head, ring.tail, unused};
    std::uint64_t pushed = 0;
    std::uint64_t broken = 0;
    while (pushed < kPops || broken < kBreaks) {
        auto producer = ring.producer();
        const std::uint64_t round_ends = pushed + kMaxRound;
        while (!producer.broken() && pushed < round_ends) {
            if (producer.try_push(numbered_event(1)))
                ++pushed;
            else
                ring.head.value.store(ring.tail.value.load(std::memory_order_relaxed),
                                      std::memory_order_relaxed);
        }
        broken += producer.broken() ? 1U : 0U;
        ring.reset();
    }
    EXPECT_GE(pushed, kPops);
}

} // namespace
} // namespace adit::ipc

#endif
