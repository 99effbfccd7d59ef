// SPDX-License-Identifier: Apache-2.0
// Two threads; for the thread sanitizer as much as for the results.
#include "common/ipc/channel.h"
#include "common/ipc/neighbor_cell.h"
#include "tests/unit/ipc/heap_ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <thread>

namespace adit::ipc {
namespace {

TEST(RingThreads, CommandsArriveWholeAndInOrder) {
    constexpr std::uint32_t kRecords = 200'000;
    HeapRing<CommandRecord> ring{64};
    std::thread writer{[&ring] {
        auto producer = ring.producer();
        for (std::uint32_t number = 0; number < kRecords; ++number)
            while (!producer.try_push(numbered_command(number)))
                std::this_thread::yield();
    }};
    auto consumer = ring.consumer();
    std::uint32_t wrong = 0;
    for (std::uint32_t number = 0; number < kRecords;) {
        CommandRecord out;
        if (consumer.try_pop(out) != PopResult::Got) {
            std::this_thread::yield();
            continue;
        }
        wrong += same(out, numbered_command(number)) ? 0U : 1U;
        ++number;
    }
    writer.join();
    EXPECT_EQ(wrong, 0U);
    EXPECT_FALSE(consumer.broken());
}

TEST(RingThreads, DatagramsOfAllLengthsArriveWhole) {
    constexpr std::uint32_t kRecords = 50'000;
    HeapRing<DatagramRecord> ring{16};
    const auto length_of = [](std::uint32_t number) {
        return static_cast<std::uint16_t>(number * 7 % 600);
    };
    std::thread writer{[&] {
        auto producer = ring.producer();
        auto datagram = std::make_unique<DatagramRecord>();
        for (std::uint32_t number = 0; number < kRecords; ++number) {
            datagram->arrival_ns = number;
            datagram->length = length_of(number);
            std::memset(datagram->payload, static_cast<int>(number & 0xff), datagram->length);
            while (!producer.try_push(*datagram))
                std::this_thread::yield();
        }
    }};
    auto consumer = ring.consumer();
    auto out = std::make_unique<DatagramRecord>();
    std::uint32_t wrong = 0;
    for (std::uint32_t number = 0; number < kRecords;) {
        if (consumer.try_pop(*out) != PopResult::Got) {
            std::this_thread::yield();
            continue;
        }
        bool sound = out->arrival_ns == number && out->length == length_of(number);
        for (std::size_t index = 0; sound && index < out->length; ++index)
            sound = out->payload[index] == (number & 0xff);
        wrong += sound ? 0U : 1U;
        ++number;
    }
    writer.join();
    EXPECT_EQ(wrong, 0U);
}

/// A wake-up that gets lost would leave control in poll() until its limit.
TEST(RingThreads, ASleepingControlMissesNoEvent) {
    constexpr std::uint32_t kEvents = 20'000;
    constexpr int kLostAfterMs = 20'000;
    SystemRng rng;
    auto stats = DataplaneStats::create({.workers = 2, .max_sas = 16, .max_policies = 16}, rng);
    ASSERT_TRUE(stats) << stats.error().text;
    auto dataplane = DataplaneChannel::create(*stats, 1);
    ASSERT_TRUE(dataplane) << dataplane.error().text;
    const auto copy = [](int fd) { return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)}; };
    auto control = ControlChannel::attach({.stats = copy(stats->fd()),
                                           .up = copy((*dataplane)->up_fd()),
                                           .down = copy((*dataplane)->down_fd()),
                                           .doorbell = copy((*dataplane)->control_doorbell_fd()),
                                           .journal = copy(stats->journal_fd())});
    ASSERT_TRUE(control) << control.error().text;

    const auto work = [&](std::uint32_t worker) {
        for (std::uint32_t number = 0; number < kEvents; ++number) {
            while (!(*dataplane)->events(worker).try_push(numbered_event(number)))
                std::this_thread::yield();
            (*dataplane)->wake_control();
        }
    };
    std::thread first{work, 0};
    std::thread second{work, 1};

    std::uint32_t next[2] = {0, 0};
    std::uint32_t sleeps = 0;
    bool lost = false;
    while (next[0] + next[1] < 2 * kEvents && !lost) {
        for (std::uint32_t worker = 0; worker < 2; ++worker) {
            EventRecord out{};
            while ((*control)->events(worker).try_pop(out) == PopResult::Got)
                lost |= out.ack.sequence != next[worker]++;
        }
        if (next[0] + next[1] == 2 * kEvents || !(*control)->prepare_to_sleep())
            continue;
        pollfd bell{.fd = (*control)->doorbell_fd(), .events = POLLIN, .revents = 0};
        lost |= ::poll(&bell, 1, kLostAfterMs) != 1;
        (*control)->awake();
        ++sleeps;
    }
    EXPECT_FALSE(lost) << "after " << next[0] << " and " << next[1] << " events, " << sleeps
                       << " sleeps";
    // Lets the writers end even when something was lost.
    EventRecord out{};
    while (next[0] + next[1] < 2 * kEvents)
        for (std::uint32_t worker = 0; worker < 2; ++worker)
            next[worker] += (*control)->events(worker).try_pop(out) == PopResult::Got ? 1U : 0U;
    first.join();
    second.join();
}

TEST(RingThreads, ANeighborIsReadWholeOrNotAtAll) {
    constexpr std::uint32_t kChanges = 100'000;
    NeighborEntry cell{};
    std::atomic<bool> done{false};
    std::thread writer{[&] {
        for (std::uint32_t number = 1; number <= kChanges; ++number) {
            const auto octet = static_cast<std::uint8_t>(number);
            store_neighbor(cell,
                           {.state = NeighborState::Reachable,
                            .address = number,
                            .interface = static_cast<std::uint16_t>(number),
                            .mac = {octet, octet, octet, octet, octet, octet},
                            .updated_ns = std::uint64_t{number} << 32 | number});
        }
        done = true;
    }};
    std::uint32_t torn = 0;
    while (!done) {
        const auto seen = load_neighbor(cell);
        if (!seen)
            continue;
        const std::uint32_t number = seen->address;
        const auto octet = static_cast<std::uint8_t>(number);
        torn += seen->interface == static_cast<std::uint16_t>(number) && seen->mac[0] == octet &&
                        seen->mac[5] == octet &&
                        seen->updated_ns == (std::uint64_t{number} << 32 | number)
                    ? 0U
                    : 1U;
    }
    writer.join();
    EXPECT_EQ(torn, 0U);
}

} // namespace
} // namespace adit::ipc
