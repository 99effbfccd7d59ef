// SPDX-License-Identifier: Apache-2.0
// A whole worker and control's end of its rings, without ports.
#include "dataplane/worker.h"
#include "tests/support/esp_fixture.h"

#include <unistd.h>

namespace adit::dataplane {
namespace {

class WorkerTest : public test::MbufFixture {
  protected:
    static constexpr std::uint32_t kEventSlots = 8;

    WorkerTest() {
        test::test_pool();
        publish_tables(0);
        auto made = Worker::create({.id = WorkerId{0},
                                    .crypto = CryptoArch::Auto,
                                    .idle = IdleMode::Poll,
                                    .ports = {},
                                    .rx_queues = {},
                                    .pool = test::test_pool()},
                                   shared,
                                   stats);
        ENSURE(made.has_value());
        worker = std::move(*made);
        shared.rcu.join(0);
        attach_control();
    }

    void TearDown() override {
        shared.rcu.leave(0);
        worker.reset();
        test::MbufFixture::TearDown();
    }

    static ipc::DataplaneStats make_stats() {
        test::SeededRng rng{1};
        auto made = ipc::DataplaneStats::create(
            {.max_sas = 16, .max_policies = 16, .event_slots = kEventSlots, .port_names = {"p"}},
            rng);
        ENSURE(made.has_value());
        return std::move(*made);
    }

    void attach_control(std::uint64_t generation = 1) {
        auto channel = ipc::DataplaneChannel::create(stats, generation);
        ENSURE(channel.has_value());
        auto attached =
            ipc::ControlChannel::attach({UniqueFd{dup(stats.fd())},
                                         UniqueFd{dup((*channel)->up_fd())},
                                         UniqueFd{dup((*channel)->down_fd())},
                                         UniqueFd{dup((*channel)->control_doorbell_fd())},
                                         UniqueFd{dup(stats.journal_fd())}});
        ENSURE(attached.has_value());
        control = std::move(*attached);
        shared.channel.publish(std::move(*channel));
    }

    void publish_tables(std::uint64_t epoch) {
        auto tables = std::make_unique<Tables>();
        tables->sa_epoch = epoch;
        shared.tables.publish(std::move(tables));
    }

    void turn() { worker->turn(now += 1'000'000); }

    void push(ipc::CommandRecord command) {
        command.header.sequence = ++sequence;
        ASSERT_TRUE(control->commands(0).try_push(command));
    }

    void push_install() {
        ipc::CommandRecord command{};
        command.install_sa = test::EspWorld::record(
            ipc::Direction::Inbound, {EspCipher::AesGcm128, EspMac::None}, 1);
        command.install_sa.spi = make_spi(WorkerId{0}, 1, 0xa5).value;
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::InstallSa);
        push(command);
    }

    void push_remove() {
        ipc::CommandRecord command{};
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::RemoveSa);
        command.remove_sa.sa_id = 2003;
        command.remove_sa.slot = 1;
        push(command);
    }

    void push_adopt() {
        ipc::CommandRecord command{};
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::AdoptSa);
        command.adopt_sa.sa_id = 2003;
        command.adopt_sa.spi = make_spi(WorkerId{0}, 1, 0xa5).value;
        command.adopt_sa.slot = 1;
        push(command);
    }

    /// The next event, which must be the Ack of `expected`.
    ipc::AckResult ack(std::uint32_t expected) {
        ipc::EventRecord event{};
        EXPECT_EQ(control->events(0).try_pop(event), ipc::PopResult::Got);
        EXPECT_EQ(event.header.type, static_cast<std::uint16_t>(ipc::EventType::Ack));
        EXPECT_EQ(event.ack.sequence, expected);
        return static_cast<ipc::AckResult>(event.ack.result);
    }

    ipc::DataplaneStats stats = make_stats();
    Shared shared{1, {}};
    std::unique_ptr<Worker> worker;
    std::unique_ptr<ipc::ControlChannel> control;
    std::uint64_t now{1'000'000'000};
    std::uint32_t sequence{0};
};

TEST_F(WorkerTest, AnswersEachCommandOnceAndInOrder) {
    push_install();
    push_install();
    push_remove();
    push_remove();
    ipc::CommandRecord table_command{};
    table_command.header.type = static_cast<std::uint16_t>(ipc::CommandType::BeginTables);
    push(table_command);
    turn();
    EXPECT_EQ(ack(1), ipc::AckResult::Ok);
    EXPECT_EQ(ack(2), ipc::AckResult::SlotInUse);
    EXPECT_EQ(ack(3), ipc::AckResult::Ok);
    EXPECT_EQ(ack(4), ipc::AckResult::NoSuchSa);
    EXPECT_EQ(ack(5), ipc::AckResult::UnknownType);
    EXPECT_FALSE(control->events(0).ready());
}

TEST_F(WorkerTest, CommandsWaitForRoomForTheirAcks) {
    for (unsigned i = 0; i < kEventSlots + 2; ++i)
        push_remove();
    turn();
    turn();
    for (std::uint32_t i = 1; i <= kEventSlots; ++i)
        ack(i);
    EXPECT_FALSE(control->events(0).ready());
    turn();
    ack(kEventSlots + 1);
    ack(kEventSlots + 2);
}

TEST_F(WorkerTest, TablesOfANewControlEndTheSasOfTheOld) {
    push_install();
    turn();
    EXPECT_EQ(ack(1), ipc::AckResult::Ok);
    attach_control(2);
    publish_tables(2);
    turn();
    EXPECT_EQ(worker->adopted_epoch(), 2U);
    push_remove();
    turn();
    EXPECT_EQ(ack(2), ipc::AckResult::NoSuchSa);
}

TEST_F(WorkerTest, AnAdoptedSaOutlivesTheTablesOfTheOldControl) {
    push_install();
    turn();
    EXPECT_EQ(ack(1), ipc::AckResult::Ok);
    attach_control(2);
    push_adopt();
    turn();
    EXPECT_EQ(ack(2), ipc::AckResult::Ok);
    publish_tables(2);
    turn();
    attach_control(3); // each control adopts for itself
    turn();
    push_remove();
    turn();
    EXPECT_EQ(ack(3), ipc::AckResult::Ok);
}

TEST_F(WorkerTest, WhatANewControlInstallsBeforeItsTablesStays) {
    attach_control(2);
    push_install();
    turn();
    EXPECT_EQ(ack(1), ipc::AckResult::Ok);
    publish_tables(2);
    turn();
    push_remove();
    turn();
    EXPECT_EQ(ack(2), ipc::AckResult::Ok);
}

TEST_F(WorkerTest, InjectedPacketsWaitForTheCommandsBeforeThem) {
    // No room for Acks, so the command cannot be applied yet.
    for (unsigned i = 0; i < kEventSlots + 1; ++i)
        push_remove();
    ASSERT_TRUE(worker->queues().inject.push(make_packet(Bytes(28))));
    const auto& no_route = stats.core_stats(0).drops[static_cast<std::size_t>(DropReason::NoRoute)];
    turn();
    EXPECT_EQ(ipc::read(no_route), 0U);
    for (std::uint32_t i = 1; i <= kEventSlots; ++i)
        ack(i);
    turn();
    EXPECT_EQ(
        ipc::read(stats.core_stats(0).drops[static_cast<std::size_t>(DropReason::NotForwardable)]) +
            ipc::read(no_route),
        1U)
        << "sent on, to an address without a route";
}

TEST_F(WorkerTest, BeatsAndCountsItsTime) {
    turn();
    turn();
    EXPECT_EQ(ipc::read(stats.core_stats(0).heartbeat_ns), now);
    EXPECT_EQ(ipc::read(stats.core_stats(0).turns), 2U);
}

} // namespace
} // namespace adit::dataplane
