// SPDX-License-Identifier: Apache-2.0
// The parts that let packets cross: rings and desks, who owns a policy, who has which queue.
#include "dataplane/handover.h"
#include "dataplane/queue_plan.h"
#include "tests/support/worker_fixture.h"

#include <gmock/gmock.h>
#include <set>

namespace adit::dataplane {
namespace {

using testing::ElementsAre;

constexpr WorkerId kZero{0}, kOne{1}, kTwo{2};

class HandoverTest : public test::MbufFixture {
  protected:
    void open(unsigned workers) {
        auto made = Crossing::create(workers, 4);
        ENSURE(made.has_value());
        crossing.emplace(std::move(*made));
    }

    void TearDown() override {
        crossing.reset(); // with what lies in its rings
        test::MbufFixture::TearDown();
    }

    static rte_mbuf* numbered(std::uint32_t number) {
        rte_mbuf* packet = make_packet({});
        meta(packet).next_hop = number;
        return packet;
    }

    /// Numbers of what a desk receives in one turn.
    static std::vector<std::uint32_t> received(HandoverDesk& desk) {
        Burst taken;
        desk.receive(taken);
        std::vector<std::uint32_t> numbers;
        for (unsigned i = 0; i < taken.count; ++i) {
            numbers.push_back(meta(taken.packets[i]).next_hop);
            rte_pktmbuf_free(taken.packets[i]);
        }
        return numbers;
    }

    std::optional<Crossing> crossing;
};

TEST_F(HandoverTest, PacketsCrossInOrderWhenTheBatchIsFlushed) {
    test::test_pool();
    open(2);
    HandoverDesk zero{*crossing, kZero}, one{*crossing, kOne};
    for (std::uint32_t i = 0; i < 3; ++i)
        EXPECT_FALSE(zero.add(numbered(i), kOne, Handover::Protect));
    EXPECT_TRUE(received(one).empty());
    EXPECT_TRUE(zero.flush(kOne).empty());
    EXPECT_THAT(received(one), ElementsAre(0, 1, 2));
    EXPECT_TRUE(received(zero).empty());
}

TEST_F(HandoverTest, AFullBatchSaysSo) {
    test::test_pool();
    open(2);
    HandoverDesk zero{*crossing, kZero};
    for (unsigned i = 1; i < HandoverDesk::kBatch; ++i)
        EXPECT_FALSE(zero.add(numbered(i), kOne, Handover::Protect));
    EXPECT_TRUE(zero.add(numbered(0), kOne, Handover::Protect));
    EXPECT_TRUE(zero.flush(kOne).empty());
    EXPECT_FALSE(zero.pending(kOne));
}

TEST_F(HandoverTest, OneRingDoesNotTakeThePlacesOfAnother) {
    test::test_pool();
    open(4);
    HandoverDesk zero{*crossing, kZero}, two{*crossing, kTwo};
    for (unsigned i = 0; i < 2 * kMaxBurst; ++i)
        ASSERT_TRUE(crossing->rings.between(kZero, kTwo).push(numbered(i)));
    ASSERT_TRUE(crossing->rings.between(kOne, kTwo).push(numbered(1'000)));
    EXPECT_THAT(received(two), testing::Contains(1'000U));
    for (unsigned turn = 0; turn < 2; ++turn)
        EXPECT_EQ(received(two).size(), HandoverDesk::kTakeFromRing) << "the bound of one turn";
}

TEST_F(HandoverTest, WhatFindsTheRingFullComesBack) {
    rte_mempool* many = rte_pktmbuf_pool_create(
        "many", HandoverRings::kSlots + 63, 0, kPacketMetaBytes, 128, SOCKET_ID_ANY);
    ENSURE(many != nullptr);
    open(2);
    HandoverDesk zero{*crossing, kZero};
    unsigned refused = 0;
    for (unsigned i = 0; i < HandoverRings::kSlots + 1; ++i) {
        rte_mbuf* packet = rte_pktmbuf_alloc(many);
        (void)zero.add(packet, kOne, Handover::Protect);
        for (rte_mbuf* back : zero.flush(kOne)) {
            EXPECT_EQ(back, packet);
            rte_pktmbuf_free(back);
            ++refused;
        }
    }
    EXPECT_EQ(refused, 2U) << "a ring of n slots holds n - 1";
    crossing.reset();
    rte_mempool_free(many);
}

TEST_F(HandoverTest, EveryOrderedPairHasARingOfItsOwn) {
    test::test_pool();
    open(3);
    std::set<const MbufRing*> rings;
    for (const WorkerId from : {kZero, kOne, kTwo})
        for (const WorkerId to : {kZero, kOne, kTwo})
            if (from != to)
                rings.insert(&crossing->rings.between(from, to));
    EXPECT_EQ(rings.size(), 6U);
}

TEST_F(HandoverTest, AWorkerThatIsAloneOwnsEverything) {
    const HandoverDesk desk;
    EXPECT_TRUE(desk.alone());
    EXPECT_FALSE(desk.other_owner(make_spi(kTwo, 1, 1)));
    EXPECT_FALSE(desk.other_owner(0U));
}

TEST_F(HandoverTest, AnSpiNamesItsOwner) {
    test::test_pool();
    open(2);
    const HandoverDesk zero{*crossing, kZero};
    EXPECT_FALSE(zero.other_owner(make_spi(kZero, 1, 1)));
    EXPECT_EQ(zero.other_owner(make_spi(kOne, 1, 1)), kOne);
    EXPECT_FALSE(zero.other_owner(make_spi(kTwo, 1, 1))) << "there is no such worker";
}

TEST(PolicyOwners, TheLastClaimStandsUntilItsWorkerEndsIt) {
    PolicyOwners owners{2};
    EXPECT_EQ(owners.owner(1), std::nullopt);
    owners.claim(1, kZero);
    owners.claim(1, kTwo);
    owners.disclaim(1, kZero);
    EXPECT_EQ(owners.owner(1), kTwo);
    owners.disclaim(1, kTwo);
    EXPECT_EQ(owners.owner(1), std::nullopt);
}

TEST(QueuePlan, EveryReceiveQueueHasOneWorker) {
    const std::uint16_t queues[] = {1, 4, 2, 6};
    std::set<std::pair<std::uint16_t, std::uint16_t>> polled;
    std::size_t in_all = 0;
    for (const WorkerId worker : {kZero, kOne, kTwo})
        for (const RxQueue& queue : rx_queues_of(worker, 3, queues)) {
            polled.emplace(queue.port, queue.queue);
            ++in_all;
        }
    EXPECT_EQ(in_all, 13U);
    EXPECT_EQ(polled.size(), 13U);
}

TEST(QueuePlan, PortsWithOneQueueSpread) {
    const std::uint16_t queues[] = {1, 1};
    EXPECT_THAT(rx_queues_of(kZero, 2, queues), ElementsAre(RxQueue{0, 0}));
    EXPECT_THAT(rx_queues_of(kOne, 2, queues), ElementsAre(RxQueue{1, 0}));
}

TEST(QueuePlan, AWorkerWithoutAQueueSendsByOneThatHasOne) {
    EXPECT_EQ(sender_for(kOne, 2), kOne);
    EXPECT_EQ(sender_for(kTwo, 2), kZero);
}

class HandoverStageTest : public test::WorkerFixture {
  protected:
    HandoverStageTest() {
        auto made = Crossing::create(2, test::EspWorld::kMaxPolicies);
        ENSURE(made.has_value());
        crossing.emplace(std::move(*made));
        context->handover = HandoverDesk{*crossing, kZero};
    }

    void TearDown() override {
        context->flush_handovers();
        crossing.reset();
        test::WorkerFixture::TearDown();
    }

    std::optional<Crossing> crossing;
};

TEST_F(HandoverStageTest, WhatWaitsForAnSaGoesBeforeThePacketThatFindsItElsewhere) {
    rte_mbuf* first = received(test::kLan, {});
    rte_mbuf* second = received(test::kLan, {});
    meta(first).policy = 0;
    ASSERT_TRUE(context->held.hold(first, 0, 1));
    crossing->owners.claim(0, kOne); // in the middle of our turn
    meta(second).policy = 0;
    context->hand_over_matched(second, kOne);
    context->flush_handovers();
    MbufRing& ring = crossing->rings.between(kZero, kOne);
    rte_mbuf* crossed[2]{};
    ASSERT_EQ(ring.pop(crossed), 2U);
    EXPECT_THAT(crossed, ElementsAre(first, second));
    rte_pktmbuf_free_bulk(crossed, 2);
}

} // namespace
} // namespace adit::dataplane
