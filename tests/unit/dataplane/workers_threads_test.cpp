// SPDX-License-Identifier: Apache-2.0
// Two workers on threads of their own, with numbered packets of four flows in both directions: each
// combination of who receives a packet and who has its SA.
#include "tests/support/workers_fixture.h"

#include <algorithm>
#include <array>
#include <thread>

namespace adit::dataplane {
namespace {

class WorkersThreadsTest : public test::WorkersFixture {
  protected:
    enum class Direction : std::uint8_t { Outbound, Inbound };

    /// One direction of a flow.
    struct Stream {
        std::uint32_t sent{0};
        std::uint32_t arrived{0};
        std::uint32_t next{0}; // the least number that may come now
        std::uint32_t gaps{0}; // numbers that were passed over
        std::uint32_t misplaced{0};
    };

    /// Packets between the test and the last worker: less than any queue on the way holds.
    static constexpr std::uint32_t kInFlight = 200;
    static constexpr std::chrono::seconds kPatience{60};

    /// Flow f is received by worker f / 2; its SA is worker f % 2's.
    static std::uint8_t receiver_of(std::uint8_t flow) { return flow / 2; }

    static std::uint8_t owner_of(std::uint8_t flow) { return flow % 2; }

    void SetUp() override {
        WorkersFixture::SetUp();
        open({.idle = IdleMode::Sleep}); // on a machine with fewer cores than threads, too
    }

    void TearDown() override {
        stop_workers();
        WorkersFixture::TearDown();
    }

    /// True when each has applied the commands that lay there.
    bool start_workers() {
        for (auto& worker : workers)
            threads.emplace_back([&] { worker->run(stop); });
        const auto turned = [&](std::uint8_t worker) {
            return ipc::read(stats->core_stats(worker).turns) > 0;
        };
        return collect_until([&] { return std::ranges::all_of(kBoth, turned); });
    }

    void stop_workers() {
        stop = true;
        for (std::thread& thread : threads)
            thread.join();
        threads.clear();
    }

    Stream& stream(Direction direction, std::uint32_t flow) {
        return streams[static_cast<std::size_t>(direction)][flow];
    }

    void send(Direction direction, std::uint8_t flow) {
        Stream& to = stream(direction, flow);
        const unsigned worker = receiver_of(flow);
        if (direction == Direction::Outbound)
            lan->arrive(worker, clear_frame(flow, to.sent++));
        else
            wan->arrive(1 - worker, esp_frame(flow, to.sent++)); // queue q: worker (1 + q) % 2
        ++in_flight;
    }

    void collect() {
        for (unsigned queue = 0; queue < 2; ++queue) {
            for (const Number& number : left(*wan, queue))
                arrived(stream(Direction::Outbound, number.flow), number.number);
            for (const Number& number : left(*lan, queue))
                arrived(stream(Direction::Inbound, number.flow), number.number);
        }
        for (const std::uint8_t worker : kBoth)
            acquires += take_events(worker, ipc::EventType::Acquire);
    }

    void arrived(Stream& stream, std::uint32_t number) {
        --in_flight;
        ++stream.arrived;
        if (number < stream.next) {
            ++stream.misplaced;
            return;
        }
        stream.gaps += number - stream.next;
        stream.next = number + 1;
    }

    /// Turns the test's side until `done()`; false when that takes too long.
    template <class Done> bool collect_until(Done&& done) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline)
                return false;
            collect();
            std::this_thread::yield();
        }
        return true;
    }

    bool wait_for_room() {
        return collect_until([&] { return in_flight < kInFlight; });
    }

    std::array<std::array<Stream, kFlows>, 2> streams{};
    std::uint32_t in_flight{0};
    unsigned acquires{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
};

TEST_F(WorkersThreadsTest, NothingIsLostOrOvertakenInEitherDirection) {
    constexpr std::uint32_t kPackets = 5'000;
    for (std::uint8_t flow = 0; flow < kFlows; ++flow)
        install(flow, owner_of(flow), flow);
    ASSERT_TRUE(start_workers());
    for (std::uint32_t i = 0; i < kPackets; ++i)
        for (std::uint8_t flow = 0; flow < kFlows; ++flow) {
            ASSERT_TRUE(wait_for_room());
            send(Direction::Outbound, flow);
            send(Direction::Inbound, flow);
        }
    ASSERT_TRUE(collect_until([&] { return in_flight == 0; }));
    stop_workers();

    for (const auto& direction : streams)
        for (const Stream& stream : direction) {
            EXPECT_EQ(stream.arrived, kPackets);
            EXPECT_EQ(stream.misplaced, 0U);
            EXPECT_EQ(stream.gaps, 0U);
        }
    EXPECT_EQ(dropped_in_all(), 0U);
    for (const std::uint8_t worker : kBoth)
        EXPECT_EQ(ipc::read(stats->core_stats(worker).packets), 2 * 2 * kPackets)
            << "two flows, two directions";
    for (std::uint8_t flow = 0; flow < kFlows; ++flow) {
        EXPECT_EQ(ipc::read(stats->policy_stats(flow, owner_of(flow)).sent), kPackets);
        EXPECT_EQ(ipc::read(stats->policy_stats(flow, 1 - owner_of(flow)).sent), 0U);
        EXPECT_EQ(ipc::read(stats->inbound_sa_stats(owner_of(flow), flow).packets), kPackets);
    }
}

TEST_F(WorkersThreadsTest, RekeysUnderLoadLoseNothing) {
    constexpr std::uint32_t kRekeys = 100, kPacketsBetween = 50, kFirstSpareSlot = 4;
    constexpr std::uint8_t kFlow = 1; // crosses
    for (std::uint8_t flow = 0; flow < kFlows; ++flow)
        install(flow, owner_of(flow), flow);
    ASSERT_TRUE(start_workers());
    std::uint32_t slot = kFlow;
    for (std::uint32_t rekey = 0; rekey < kRekeys; ++rekey) {
        for (std::uint32_t i = 0; i < kPacketsBetween; ++i) {
            ASSERT_TRUE(wait_for_room());
            send(Direction::Outbound, kFlow);
        }
        const std::uint32_t next = kFirstSpareSlot + rekey % 8;
        install_outbound(kFlow, owner_of(kFlow), next);
        remove_outbound(owner_of(kFlow), slot);
        slot = next;
    }
    ASSERT_TRUE(collect_until([&] { return in_flight == 0; }));
    stop_workers();
    const Stream& crossing = stream(Direction::Outbound, kFlow);
    EXPECT_EQ(crossing.arrived, kRekeys * kPacketsBetween);
    EXPECT_EQ(crossing.misplaced, 0U);
    EXPECT_EQ(dropped_in_all(), 0U);
}

TEST_F(WorkersThreadsTest, AnSaThatComesAndGoesLetsNoPacketOvertake) {
    constexpr std::uint32_t kTimes = 500, kPacketsEach = 40;
    constexpr std::uint8_t kFlow = 1; // crosses
    ASSERT_TRUE(start_workers());
    for (std::uint32_t time = 0; time < kTimes; ++time) {
        const std::uint32_t slot = 4 + time % 8;
        for (std::uint32_t i = 0; i < kPacketsEach; ++i) {
            if (i == kPacketsEach / 4)
                install_outbound(kFlow, owner_of(kFlow), slot);
            ASSERT_TRUE(collect_until([&] { return in_flight - no_sa() < kInFlight; }));
            send(Direction::Outbound, kFlow);
        }
        remove_outbound(owner_of(kFlow), slot);
    }
    install_outbound(kFlow, owner_of(kFlow), 12);
    ASSERT_TRUE(collect_until([&] { return in_flight == no_sa(); }));
    stop_workers();
    const Stream& crossing = stream(Direction::Outbound, kFlow);
    EXPECT_EQ(crossing.misplaced, 0U);
    EXPECT_EQ(crossing.arrived + no_sa(), kTimes * kPacketsEach) << "more than may wait";
    EXPECT_GT(crossing.arrived, kTimes);
    EXPECT_EQ(dropped_in_all(), no_sa());
    EXPECT_GT(acquires, 0U);
}

} // namespace
} // namespace adit::dataplane
