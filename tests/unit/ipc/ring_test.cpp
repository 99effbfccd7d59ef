// SPDX-License-Identifier: Apache-2.0
// One thread plays both sides, then a side that lies.
#include "tests/unit/ipc/heap_ring.h"

#include <gtest/gtest.h>

namespace adit::ipc {
namespace {

constexpr std::uint8_t kStale = 0xa5;

DatagramRecord datagram_of(std::uint16_t length) {
    DatagramRecord datagram{};
    datagram.source = 0xc0000201;
    datagram.length = length;
    for (std::size_t index = 0; index < length; ++index)
        datagram.payload[index] = static_cast<std::uint8_t>(index + 1);
    return datagram;
}

// ---------------------------------------------------------------------------------------------------
// honest peers

TEST(SpscRing, GivesBackWhatWasPushedInOrder) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    for (std::uint32_t number = 0; number < 3; ++number)
        ASSERT_TRUE(producer.try_push(numbered_event(number)));
    for (std::uint32_t number = 0; number < 3; ++number) {
        EventRecord out{};
        ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
        EXPECT_EQ(out.ack.sequence, number);
        EXPECT_EQ(out.ack.detail, ~number);
    }
}

TEST(SpscRing, SaysEmptyBeforeTheFirstAndAfterTheLast) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    EventRecord out{};
    EXPECT_EQ(consumer.try_pop(out), PopResult::Empty);
    EXPECT_FALSE(consumer.ready());
    ASSERT_TRUE(producer.try_push(numbered_event(1)));
    EXPECT_TRUE(consumer.ready());
    EXPECT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(consumer.try_pop(out), PopResult::Empty);
    EXPECT_FALSE(consumer.ready());
}

TEST(SpscRing, RefusesAndCountsWhenFullAndLosesNothing) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    for (std::uint32_t number = 0; number < 4; ++number)
        ASSERT_TRUE(producer.try_push(numbered_event(number)));
    EXPECT_FALSE(producer.try_push(numbered_event(99)));
    EXPECT_FALSE(producer.try_push(numbered_event(99)));
    EXPECT_EQ(producer.full_count(), 2U);
    EXPECT_FALSE(producer.broken());
    EventRecord out{};
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(out.ack.sequence, 0U);
    EXPECT_TRUE(producer.try_push(numbered_event(4)));
    for (std::uint32_t number = 1; number <= 4; ++number) {
        ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
        EXPECT_EQ(out.ack.sequence, number);
    }
}

TEST(SpscRing, WrapsManyTimesAtEveryFillLevel) {
    HeapRing<EventRecord> ring{8};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    std::uint32_t pushed = 0;
    std::uint32_t popped = 0;
    for (std::uint32_t level = 1; level <= 8; ++level) {
        for (int round = 0; round < 20; ++round) {
            for (std::uint32_t count = 0; count < level; ++count)
                ASSERT_TRUE(producer.try_push(numbered_event(pushed++)));
            for (std::uint32_t count = 0; count < level; ++count) {
                EventRecord out{};
                ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
                ASSERT_EQ(out.ack.sequence, popped++);
            }
        }
    }
    EXPECT_EQ(consumer.popped(), pushed);
}

TEST(SpscRing, TellsTheRoomLeft) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    EXPECT_EQ(producer.room(), 4U);
    ASSERT_TRUE(producer.try_push(numbered_event(1)));
    EXPECT_EQ(producer.room(), 3U);
    EventRecord out{};
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(producer.room(), 4U);
}

TEST(SpscRing, AcceptsOnlyPowersOfTwoWithinBounds) {
    EXPECT_TRUE(is_ring_capacity(2));
    EXPECT_TRUE(is_ring_capacity(65'536));
    EXPECT_FALSE(is_ring_capacity(0));
    EXPECT_FALSE(is_ring_capacity(1));
    EXPECT_FALSE(is_ring_capacity(3));
    EXPECT_FALSE(is_ring_capacity(131'072));
}

// ---------------------------------------------------------------------------------------------------
// keys

TEST(SpscRing, WipesACommandSlotBeforeGivingItBack) {
    HeapRing<CommandRecord> ring{2};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    ASSERT_TRUE(producer.try_push(numbered_command(7)));
    ASSERT_NE(ring.slot(0)[sizeof(CommandRecord) - 1], 0);
    CommandRecord out;
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_TRUE(same(out, numbered_command(7)));
    for (std::size_t index = 0; index < kSlotBytes<CommandRecord>; ++index)
        ASSERT_EQ(ring.slot(0)[index], 0) << "octet " << index;
}

TEST(SpscRing, LeavesAnEventSlotUntouched) {
    HeapRing<EventRecord> ring{2};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    ASSERT_TRUE(producer.try_push(numbered_event(7)));
    const std::vector<std::uint8_t> before = ring.slots;
    EventRecord out{};
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(ring.slots, before);
}

// ---------------------------------------------------------------------------------------------------
// records with a payload

TEST(SpscRing, CopiesOnlyTheUsedPartOfADatagram) {
    HeapRing<DatagramRecord> ring{2};
    std::fill(ring.slots.begin(), ring.slots.end(), kStale);
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    ASSERT_TRUE(producer.try_push(datagram_of(100)));
    EXPECT_EQ(ring.slot(0)[kDatagramHeaderBytes + 99], 100);
    EXPECT_EQ(ring.slot(0)[kDatagramHeaderBytes + 100], kStale);

    auto out = std::make_unique<DatagramRecord>();
    std::memset(out->payload, 0x11, sizeof out->payload);
    ASSERT_EQ(consumer.try_pop(*out), PopResult::Got);
    EXPECT_EQ(out->source, 0xc0000201U);
    EXPECT_EQ(out->length, 100);
    EXPECT_EQ(out->payload[99], 100);
    EXPECT_EQ(out->payload[100], 0x11);
}

TEST(SpscRing, CarriesEmptyAndLargestDatagrams) {
    HeapRing<DatagramRecord> ring{2};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    auto out = std::make_unique<DatagramRecord>();
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, kMaxIkeDatagramBytes}) {
        const DatagramRecord sent = datagram_of(static_cast<std::uint16_t>(length));
        ASSERT_TRUE(producer.try_push(sent));
        ASSERT_EQ(consumer.try_pop(*out), PopResult::Got);
        EXPECT_EQ(std::memcmp(out.get(), &sent, kDatagramHeaderBytes + length), 0) << length;
    }
}

TEST(SpscRing, BreaksOnADatagramLongerThanARecord) {
    for (const std::size_t lie : {kMaxIkeDatagramBytes + 1, std::size_t{0xffff}}) {
        HeapRing<DatagramRecord> ring{2};
        auto producer = ring.producer();
        auto consumer = ring.consumer();
        ASSERT_TRUE(producer.try_push(datagram_of(10)));
        const auto length = static_cast<std::uint16_t>(lie);
        std::memcpy(ring.slot(0) + offsetof(DatagramRecord, length), &length, sizeof length);
        auto out = std::make_unique<DatagramRecord>();
        EXPECT_EQ(consumer.try_pop(*out), PopResult::Broken) << lie;
        EXPECT_EQ(consumer.try_pop(*out), PopResult::Broken) << lie;
        EXPECT_TRUE(consumer.broken());
    }
}

// ---------------------------------------------------------------------------------------------------
// a producer that lies about its index

void expect_broken_at_tail(std::uint64_t lie) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    EventRecord out{};
    for (std::uint32_t number = 0; number < 3; ++number) {
        ASSERT_TRUE(producer.try_push(numbered_event(number)));
        ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    }
    ring.tail.value.store(lie);
    EXPECT_EQ(consumer.try_pop(out), PopResult::Broken) << "tail " << lie;
    // Sticky: an honest value does not heal it.
    ring.tail.value.store(4);
    EXPECT_EQ(consumer.try_pop(out), PopResult::Broken) << "tail " << lie;
    EXPECT_TRUE(consumer.broken());
    EXPECT_TRUE(consumer.ready());
    EXPECT_EQ(consumer.popped(), 3U);
}

TEST(SpscRing, ConsumerBreaksWhenTheTailRunsAhead) {
    expect_broken_at_tail(3 + 5);
    expect_broken_at_tail(std::uint64_t{1} << 32);
    expect_broken_at_tail(~std::uint64_t{0});
}

TEST(SpscRing, ConsumerBreaksWhenTheTailMovesBackwards) {
    expect_broken_at_tail(2);
    expect_broken_at_tail(0);
}

TEST(SpscRing, ConsumerAcceptsAFullRing) {
    HeapRing<EventRecord> ring{4};
    auto consumer = ring.consumer();
    ring.tail.value.store(4);
    EventRecord out{};
    for (int count = 0; count < 4; ++count)
        EXPECT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(consumer.try_pop(out), PopResult::Empty);
}

TEST(SpscRing, ConsumerNeverReadsBackItsSharedIndex) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    EventRecord out{};
    ASSERT_TRUE(producer.try_push(numbered_event(0)));
    ASSERT_TRUE(producer.try_push(numbered_event(1)));
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    ring.head.value.store(77);
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    EXPECT_EQ(out.ack.sequence, 1U);
    EXPECT_EQ(ring.head.value.load(), 2U);
}

// ---------------------------------------------------------------------------------------------------
// a consumer that lies about its index

void expect_broken_at_head(std::uint64_t lie) {
    HeapRing<EventRecord> ring{4};
    auto producer = ring.producer();
    auto consumer = ring.consumer();
    EventRecord out{};
    for (std::uint32_t number = 0; number < 4; ++number)
        ASSERT_TRUE(producer.try_push(numbered_event(number)));
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    ASSERT_EQ(consumer.try_pop(out), PopResult::Got);
    ASSERT_EQ(producer.room(), 2U);
    ring.head.value.store(lie);
    EXPECT_EQ(producer.room(), 0U) << "head " << lie;
    EXPECT_TRUE(producer.broken());
    const std::vector<std::uint8_t> before = ring.slots;
    ring.head.value.store(4);
    EXPECT_FALSE(producer.try_push(numbered_event(99))) << "head " << lie;
    EXPECT_EQ(ring.slots, before);
    EXPECT_EQ(ring.tail.value.load(), 4U);
}

TEST(SpscRing, ProducerBreaksWhenTheHeadPassesTheTail) {
    expect_broken_at_head(5);
    expect_broken_at_head(std::uint64_t{1} << 40);
    expect_broken_at_head(~std::uint64_t{0});
}

TEST(SpscRing, ProducerBreaksWhenTheHeadMovesBackwards) {
    expect_broken_at_head(1);
    expect_broken_at_head(0);
}

TEST(SpscRing, ProducerNoticesALieOnceItLooksBecauseTheRingSeemsFull) {
    HeapRing<EventRecord> ring{2};
    auto producer = ring.producer();
    ring.head.value.store(100);
    EXPECT_TRUE(producer.try_push(numbered_event(0)));
    EXPECT_TRUE(producer.try_push(numbered_event(1)));
    EXPECT_FALSE(producer.try_push(numbered_event(2)));
    EXPECT_TRUE(producer.broken());
}

} // namespace
} // namespace adit::ipc
