// SPDX-License-Identifier: Apache-2.0
// Two workers turned by hand: which packets cross, where they go on, and in what order they leave.
#include "tests/support/workers_fixture.h"

#include <gmock/gmock.h>

namespace adit::dataplane {
namespace {

using testing::IsEmpty;

class WorkersTest : public test::WorkersFixture {
  protected:
    void open(const Shape& shape) {
        WorkersFixture::open(shape);
        for (unsigned id = 0; id < workers.size(); ++id)
            shared->rcu.join(id);
    }

    void TearDown() override {
        for (unsigned id = 0; id < workers.size(); ++id)
            shared->rcu.leave(id);
        WorkersFixture::TearDown();
    }

    void turn(unsigned worker) { workers[worker]->turn(now += 1'000); }

    /// Until nothing crosses any more.
    void turn_all() {
        for (unsigned times = 0; times <= workers.size(); ++times)
            for (unsigned id = 0; id < workers.size(); ++id)
                turn(id);
    }

    /// Queue q of a port is polled by worker (port + q) % 2.
    unsigned queue_of(std::uint16_t port, unsigned worker) {
        return static_cast<unsigned>((worker + workers.size() - port) % workers.size());
    }

    void from_host(unsigned worker, std::uint8_t flow, std::uint32_t number) {
        lan->arrive(queue_of(test::kLan, worker), clear_frame(flow, number));
    }

    void from_peer(unsigned worker, std::uint8_t flow, std::uint32_t number) {
        wan->arrive(queue_of(test::kWan, worker), esp_frame(flow, number));
    }

    std::uint64_t now{1'000'000'000};
};

TEST_F(WorkersTest, OnlySampledTurnsAreMeasured) {
    open({});
    const auto measured = [&] {
        const auto part = static_cast<std::size_t>(ipc::WorkerPart::EspOutbound);
        return ipc::read(stats->core_stats(0).part_packets[part]);
    };
    from_host(0, 0, 0);
    turn(0); // sampled: the packet waits for its SA
    install(0, 0, 0);
    turn(0); // not sampled: it leaves before anything is received
    EXPECT_EQ(left(*wan, 0), row(0, 0, 1));
    EXPECT_EQ(measured(), 0U);
    for (std::uint64_t i = 2; i < StageClock::kEvery; ++i)
        turn(0);
    from_host(0, 0, 1);
    turn(0);
    EXPECT_EQ(left(*wan, 0), row(0, 1, 1));
    EXPECT_EQ(measured(), 1U);
}

TEST_F(WorkersTest, ClearTextCrossesToTheWorkerThatHasTheSa) {
    open({});
    install(2, 1, 2);
    turn_all();
    for (std::uint32_t i = 0; i < 3; ++i)
        from_host(0, 2, i);
    turn_all();
    EXPECT_EQ(left(*wan, 1), row(2, 0, 3)) << "by the queue of the SA's worker";
    EXPECT_THAT(left(*wan, 0), IsEmpty());
    EXPECT_EQ(ipc::read(stats->policy_stats(2, 1).sent), 3U);
    EXPECT_EQ(ipc::read(stats->policy_stats(2, 1).hits), 3U);
    EXPECT_EQ(ipc::read(stats->policy_stats(2, 0).hits), 0U) << "counted once, by the owner";
    EXPECT_EQ(ipc::read(stats->core_stats(0).packets), 3U);
    EXPECT_EQ(ipc::read(stats->core_stats(1).packets), 0U);
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersTest, EspCrossesToTheWorkerThatItsSpiNames) {
    open({});
    install(3, 1, 3);
    turn_all();
    for (std::uint32_t i = 0; i < 3; ++i)
        from_peer(0, 3, i);
    turn_all();
    EXPECT_EQ(left(*lan, 1), row(3, 0, 3));
    EXPECT_EQ(ipc::read(stats->inbound_sa_stats(1, 3).packets), 3U);
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersTest, PacketsOfTheirOwnSasStay) {
    open({});
    install(1, 0, 1);
    turn_all();
    from_host(0, 1, 7);
    from_peer(0, 1, 8);
    turn(0);
    EXPECT_EQ(left(*wan, 0), row(1, 7, 1));
    EXPECT_EQ(left(*lan, 0), row(1, 8, 1));
}

TEST_F(WorkersTest, AnSpiOfAWorkerThatThereIsNotIsRefusedWhereItArrives) {
    open({});
    ipc::InstallSa elsewhere =
        test::EspWorld::record(ipc::Direction::Inbound, kReadable, 1); // worker 3's SPI
    peer->install(test::EspWorld::mirrored(elsewhere));
    from_peer(0, 1, 0);
    turn_all();
    EXPECT_EQ(dropped(0, DropReason::EspInvalidSpi), 1U);
}

TEST_F(WorkersTest, HeldPacketsFollowTheirSaAndStayInFrontOfLaterOnes) {
    open({});
    for (std::uint32_t i = 0; i < 3; ++i)
        from_host(0, 2, i);
    turn(0);
    EXPECT_EQ(take_events(0, ipc::EventType::Acquire), 1U);
    install(2, 1, 2);
    turn(1);
    for (std::uint32_t i = 3; i < 5; ++i)
        from_host(0, 2, i);
    turn_all();
    EXPECT_EQ(left(*wan, 1), row(2, 0, 5));
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersTest, HeldPacketsFollowTheirSaWithoutALaterOne) {
    open({});
    from_host(0, 2, 0);
    turn(0);
    install(2, 1, 2);
    turn_all();
    EXPECT_EQ(left(*wan, 1), row(2, 0, 1));
}

TEST_F(WorkersTest, ARekeyBetweenBurstsLosesNothingAndKeepsTheOrder) {
    open({});
    install(2, 1, 2);
    turn_all();
    from_host(0, 2, 0);
    turn(0);
    install(2, 1, 6);
    turn(1);
    from_host(0, 2, 1);
    remove_outbound(1, 2);
    turn_all();
    EXPECT_EQ(left(*wan, 1), row(2, 0, 2));
    EXPECT_EQ(ipc::read(stats->outbound_sa_stats(1, 6).packets), 2U);
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersTest, APacketThatFindsItsSaGoneWaitsThereForTheNext) {
    open({});
    install(2, 1, 2);
    turn_all();
    take_events(1, ipc::EventType::Ack);
    from_host(0, 2, 0);
    turn(0);
    remove_outbound(1, 2);
    turn(1);
    EXPECT_EQ(take_events(1, ipc::EventType::Acquire), 1U);
    EXPECT_THAT(left(*wan, 1), IsEmpty());
    install(2, 1, 6);
    turn(1);
    EXPECT_EQ(left(*wan, 1), row(2, 0, 1));
}

TEST_F(WorkersTest, APacketNeverGoesBackToWhereItCameFrom) {
    open({});
    install(2, 1, 2);
    turn_all();
    from_host(0, 2, 0);
    turn(0);
    remove_outbound(1, 2);
    install(2, 0, 6);
    turn(0);
    turn_all();
    EXPECT_EQ(dropped(1, DropReason::NoSa), 1U);
    EXPECT_EQ(ipc::read(stats->policy_stats(2, 1).send_drops), 1U);
    EXPECT_EQ(dropped_in_all(), 1U);
    from_host(0, 2, 1);
    turn(0);
    EXPECT_EQ(left(*wan, 0), row(2, 1, 1)) << "the claim of the new owner outlives the removal";
}

TEST_F(WorkersTest, WhatWasMatchedUnderOtherTablesIsMatchedAgain) {
    open({});
    install(2, 1, 2);
    turn_all();
    from_host(0, 2, 0);
    turn(0);
    publish(plain_tables(2)); // policy 2 may be another flow's by now
    turn_all();
    rte_mbuf* frame = wan->left(1);
    ASSERT_NE(frame, nullptr);
    EXPECT_FALSE(is_esp(frame));
    EXPECT_EQ(read_and_free(frame), (Number{2, 0}));
}

TEST_F(WorkersTest, TablesOfANewControlEndTheClaimsOfTheOld) {
    open({});
    install(2, 1, 2);
    turn_all();
    auto tables = protecting_tables(2);
    tables->sa_epoch = 2;
    attach_control(2);
    publish(std::move(tables));
    turn_all();
    EXPECT_EQ(shared->crossing.owners.owner(2), std::nullopt);
    take_events(0, ipc::EventType::Ack);
    from_host(0, 2, 0);
    turn(0);
    EXPECT_EQ(take_events(0, ipc::EventType::Acquire), 1U);
}

TEST_F(WorkersTest, FramesLeaveByAWorkerThatHasAQueue) {
    open({.tx_queues = 1});
    install(2, 1, 2);
    turn_all();
    for (std::uint32_t i = 0; i < 3; ++i) {
        from_host(0, 2, i);
        from_peer(0, 2, i);
    }
    turn_all();
    EXPECT_EQ(left(*wan, 0), row(2, 0, 3));
    EXPECT_EQ(left(*lan, 0), row(2, 0, 3));
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersTest, AnInjectedDatagramWaitsForTheCommandsOfEveryWorker) {
    constexpr std::uint32_t kEventSlots = 8;
    open({.event_slots = kEventSlots});
    // No room for the last Acks: these commands cannot be applied yet.
    for (unsigned i = 0; i < kEventSlots + 1; ++i)
        for (const std::uint8_t worker : kBoth)
            remove_outbound(worker, 1);
    rte_mbuf* datagram = make_packet(
        test::udp_packet(test::kWanAddress, test::kPeerAddress, 500, 500, Bytes(32, 0)));
    meta(datagram).destination = test::kPeerAddress;
    ASSERT_TRUE(workers.back()->queues().inject.push(datagram));
    turn_all();
    EXPECT_EQ(wan->left(0), nullptr) << "worker 1 has a command left";
    EXPECT_EQ(take_events(1, ipc::EventType::Ack), kEventSlots);
    turn_all();
    EXPECT_EQ(wan->left(0), nullptr) << "worker 0 has a command left";
    EXPECT_EQ(take_events(0, ipc::EventType::Ack), kEventSlots);
    turn_all();
    rte_mbuf* frame = wan->left(0);
    ASSERT_NE(frame, nullptr);
    rte_pktmbuf_free(frame);
}

} // namespace
} // namespace adit::dataplane
