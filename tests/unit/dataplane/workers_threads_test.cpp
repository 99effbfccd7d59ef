// SPDX-License-Identifier: Apache-2.0
// Two workers on threads of their own, with numbered packets of four flows in both directions: each
// combination of who receives a packet and who has its SA.
#include "tests/support/secret_memory.h"
#include "tests/support/workers_fixture.h"

#include <algorithm>
#include <array>
#include <thread>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
/// A packet that a worker drops comes back to the test by way of DPDK's pool, which keeps order by
/// instructions that the sanitizer does not see: it takes filling the buffer anew for a race with
/// the worker's last look at it.
extern "C" const char* __tsan_default_suppressions() {
    return "race:MbufFixture::make_packet";
}
#endif
#endif

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
        open(shape());
    }

    [[nodiscard]] virtual Shape shape() const {
        return {.idle = IdleMode::Sleep}; // on a machine with fewer cores than threads, too
    }

    void TearDown() override {
        stop_workers();
        WorkersFixture::TearDown();
    }

    /// True when each has applied the commands that lay there.
    bool start_workers() {
        stop = false;
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
            take_events(worker);
    }

    void take_events(std::uint8_t worker) {
        ipc::EventRecord event{};
        while (control->events(worker).try_pop(event) == ipc::PopResult::Got) {
            if (event.header.type == static_cast<std::uint16_t>(ipc::EventType::Acquire))
                ++acquires;
            if (event.header.type != static_cast<std::uint16_t>(ipc::EventType::Ack))
                continue;
            if (event.ack.sequence == acknowledged[worker] + 1 &&
                event.ack.result == static_cast<std::uint16_t>(ipc::AckResult::Ok))
                ++acknowledged[worker];
            else
                ++wrong_acks;
        }
    }

    /// Every command was, once and in order.
    [[nodiscard]] bool all_acknowledged() const {
        return wrong_acks == 0 && std::ranges::equal(acknowledged, sequences);
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
    std::array<std::uint32_t, 2> acknowledged{}; // commands, by worker
    unsigned wrong_acks{0};
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

/// The four flows and, besides, tunnels without packets, half of them each worker's.
class WorkersScaleTest : public WorkersThreadsTest {
  protected:
    static constexpr std::uint32_t kTunnels = 20'000;
    static constexpr std::uint32_t kTunnelsAWorker = kTunnels / 2;
    /// Of the flows: one for each, and three for their rekeys in turn.
    static constexpr std::uint32_t kFlowSlots = 4 * kFlows;
    /// Each tunnel is replaced once.
    static constexpr std::uint32_t kGenerations = 2;
    /// To one worker between two looks: a pair replaced, and two flows rekeyed.
    static constexpr std::uint32_t kCommandsAtOnce = 4 + 2 * 2;

    [[nodiscard]] Shape shape() const override {
        Shape shape = WorkersThreadsTest::shape();
        shape.max_sas = kFlowSlots + kGenerations * kTunnelsAWorker;
        shape.max_policies = kFlows + kTunnels;
        return shape;
    }

    static std::uint8_t worker_of(std::uint32_t tunnel) { return tunnel % 2; }

    static ipc::InstallSa
    sa(std::uint32_t tunnel, std::uint32_t generation, ipc::Direction direction) {
        const std::uint32_t slot = kFlowSlots + generation * kTunnelsAWorker + tunnel / 2;
        ipc::InstallSa sa = test::EspWorld::record(direction, kReadable, slot);
        sa.spi = make_spi(WorkerId{worker_of(tunnel)}, slot, 0xa5).value;
        sa.policy = kFlows + tunnel;
        return sa;
    }

    void install_pair(std::uint32_t tunnel, std::uint32_t generation) {
        push(worker_of(tunnel), sa(tunnel, generation, ipc::Direction::Inbound));
        push(worker_of(tunnel), sa(tunnel, generation, ipc::Direction::Outbound));
    }

    void remove_pair(std::uint32_t tunnel, std::uint32_t generation) {
        remove(worker_of(tunnel), sa(tunnel, generation, ipc::Direction::Outbound));
        remove(worker_of(tunnel), sa(tunnel, generation, ipc::Direction::Inbound));
    }

    /// Each flow moves on to its next slot.
    void rekey_flows() {
        ++rekeys;
        for (std::uint8_t flow = 0; flow < kFlows; ++flow) {
            const std::uint32_t old = flow_slots[flow];
            flow_slots[flow] = kFlows * (1 + rekeys % 3) + flow;
            install_outbound(flow, owner_of(flow), flow_slots[flow]);
            remove_outbound(owner_of(flow), old);
        }
    }

    template <class Change> void for_all(Change&& change) {
        for (std::uint32_t tunnel = 0; tunnel < kTunnels; ++tunnel) {
            ASSERT_TRUE(collect_until([&] { return room_for_commands(); }));
            change(tunnel);
        }
    }

    /// The same while packets pass and the flows are rekeyed.
    template <class Change> void for_all_under_load(Change&& change) {
        constexpr std::uint32_t kTunnelsBetweenPackets = 4, kTunnelsBetweenRekeys = 1000;
        for_all([&](std::uint32_t tunnel) {
            change(tunnel);
            if (tunnel % kTunnelsBetweenRekeys == 0)
                rekey_flows();
            if (tunnel % kTunnelsBetweenPackets == 0)
                send_everywhere();
        });
    }

    bool room_for_commands() {
        return std::ranges::all_of(kBoth, [&](auto worker) {
            return control->commands(worker).room() >= kCommandsAtOnce;
        });
    }

    void send_everywhere() {
        ASSERT_TRUE(wait_for_room());
        for (std::uint8_t flow = 0; flow < kFlows; ++flow) {
            send(Direction::Outbound, flow);
            send(Direction::Inbound, flow);
        }
    }

    void expect_nothing_lost() {
        ASSERT_TRUE(collect_until([&] { return in_flight == 0; }));
        for (const auto& direction : streams)
            for (const Stream& stream : direction) {
                EXPECT_EQ(stream.arrived, stream.sent);
                EXPECT_EQ(stream.gaps, 0U);
                EXPECT_EQ(stream.misplaced, 0U);
            }
        EXPECT_EQ(dropped_in_all(), 0U);
    }

    void expect_all_acknowledged() {
        EXPECT_TRUE(collect_until([&] { return all_acknowledged() || wrong_acks > 0; }));
        EXPECT_TRUE(all_acknowledged()) << wrong_acks << " refused, doubled or out of turn";
    }

    std::array<std::uint32_t, kFlows> flow_slots{0, 1, 2, 3};
    std::uint32_t rekeys{0};
};

TEST_F(WorkersScaleTest, TwentyThousandTunnelsComeChangeAndGoUnderLoad) {
    for (std::uint8_t flow = 0; flow < kFlows; ++flow)
        install(flow, owner_of(flow), flow);
    ASSERT_TRUE(start_workers());
    for_all_under_load([&](std::uint32_t tunnel) { install_pair(tunnel, 0); });
    for_all_under_load([&](std::uint32_t tunnel) {
        install_pair(tunnel, 1);
        remove_pair(tunnel, 0);
    });
    for_all_under_load([&](std::uint32_t tunnel) { remove_pair(tunnel, 1); });
    expect_nothing_lost();
    expect_all_acknowledged();
    EXPECT_EQ(acquires, 0U);
    stop_workers();
}

TEST_F(WorkersScaleTest, RemovedSasLeaveNothingInMemory) {
    peer.reset(); // its keys are not the gateway's
    EXPECT_EQ(test::words_in_secret_memory(), 0U);
    ASSERT_TRUE(start_workers());
    for_all([&](std::uint32_t tunnel) { install_pair(tunnel, 0); });
    for_all([&](std::uint32_t tunnel) {
        install_pair(tunnel, 1);
        remove_pair(tunnel, 0);
    });
    expect_all_acknowledged();
    stop_workers(); // nobody writes there now
    EXPECT_GT(test::words_in_secret_memory(), 2 * kTunnels) << "the test looks elsewhere";

    ASSERT_TRUE(start_workers());
    for_all([&](std::uint32_t tunnel) { remove_pair(tunnel, 1); });
    expect_all_acknowledged();
    stop_workers();
    EXPECT_EQ(test::words_in_secret_memory(), 0U);
}

} // namespace
} // namespace adit::dataplane
