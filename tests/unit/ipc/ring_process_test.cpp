// SPDX-License-Identifier: Apache-2.0
// The real regions, the real two processes: the child is control, the parent the dataplane.
#include "common/ipc/channel.h"
#include "tests/unit/ipc/heap_ring.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace adit::ipc {
namespace {

constexpr std::uint32_t kRecords = 1'000'000;

enum ChildExit : int {
    kChildOk = 0,
    kChildAttach = 1,
    kChildOrder = 2,
    kChildBroken = 3,
};

UniqueFd copy_of(int fd) {
    return UniqueFd{::dup(fd)};
}

/// Sends every command and checks that each is answered, in order.
int run_control(const DataplaneStats& stats, const DataplaneChannel& dataplane) {
    auto attached = ControlChannel::attach({.stats = copy_of(stats.fd()),
                                            .up = copy_of(dataplane.up_fd()),
                                            .down = copy_of(dataplane.down_fd()),
                                            .doorbell = copy_of(dataplane.control_doorbell_fd()),
                                            .journal = copy_of(stats.journal_fd())});
    if (!attached)
        return kChildAttach;
    ControlChannel& control = **attached;
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
    while (answered < kRecords) {
        const std::uint32_t before = sent + answered;
        while (sent < kRecords && control.commands(0).try_push(numbered_command(sent)))
            ++sent;
        EventRecord event{};
        while (control.events(0).try_pop(event) == PopResult::Got)
            if (event.ack.sequence != answered++ || event.ack.detail != ~event.ack.sequence)
                return kChildOrder;
        if (control.broken())
            return kChildBroken;
        if (before == sent + answered)
            ::sched_yield();
    }
    return kChildOk;
}

TEST(RingProcesses, AMillionCommandsAndAnswersArriveWholeAndInOrder) {
    SystemRng rng;
    auto stats = DataplaneStats::create({.workers = 1, .max_sas = 16, .max_policies = 16}, rng);
    ASSERT_TRUE(stats) << stats.error().text;
    auto dataplane = DataplaneChannel::create(*stats, 1);
    ASSERT_TRUE(dataplane) << dataplane.error().text;

    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0)
        ::_exit(run_control(*stats, **dataplane));

    std::uint32_t wrong = 0;
    std::uint32_t received = 0;
    int status = 0;
    pid_t ended = 0;
    while (received < kRecords && ended == 0) {
        CommandRecord command;
        if ((*dataplane)->commands(0).try_pop(command) != PopResult::Got) {
            ended = ::waitpid(child, &status, WNOHANG);
            ::sched_yield();
            continue;
        }
        wrong += same(command, numbered_command(received)) ? 0U : 1U;
        while (!(*dataplane)->events(0).try_push(numbered_event(received)) && ended == 0) {
            ended = ::waitpid(child, &status, WNOHANG);
            ::sched_yield();
        }
        ++received;
    }
    if (ended == 0)
        ended = ::waitpid(child, &status, 0);
    EXPECT_EQ(ended, child);
    EXPECT_EQ(received, kRecords);
    EXPECT_EQ(wrong, 0U);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), kChildOk);
}

} // namespace
} // namespace adit::ipc
