// SPDX-License-Identifier: Apache-2.0
// What keeps a look-up short: how the lines are laid out. That the answers are right is
// policy_property_test.cpp's business.
#include "dataplane/tuple_space.h"

#include "common/address.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace adit::dataplane {
namespace {

constexpr auto kNeverExcepted = [](const SelectorLine&) { return false; };

SelectorLine line(std::uint32_t number,
                  Ipv4Address local,
                  unsigned local_length,
                  Ipv4Address remote,
                  unsigned remote_length) {
    return {.local_first = local.value,
            .local_width = ~mask_of_length(local_length),
            .remote_first = remote.value,
            .remote_width = ~mask_of_length(remote_length),
            .local_port_first = 0,
            .local_port_width = 0xffff,
            .remote_port_first = 0,
            .remote_port_width = 0xffff,
            .protocol = 0,
            .is_address_only = true,
            .takes_fragments = true,
            .ends_run = false,
            .number = number,
            .value = number + 7,
            .exceptions = kNoExceptions};
}

/// The /24 number `n` of a network.
Ipv4Address net(Ipv4Address network, std::uint32_t n) {
    return Ipv4Address{network.value + (n << 8)};
}

constexpr Ipv4Address kOurs{10, 0, 0, 0};
constexpr Ipv4Address kTheirs{64, 0, 0, 0};

std::vector<SelectorLine> tunnels(std::uint32_t count) {
    std::vector<SelectorLine> lines;
    for (std::uint32_t i = 0; i < count; ++i)
        lines.push_back(line(i, net(kOurs, i % 256), 24, net(kTheirs, i), 24));
    return lines;
}

TEST(TupleSpace, KeepsProbesShortAmongRegularNetworks) {
    const TupleSpace space{tunnels(100'000)};
    EXPECT_LE(space.longest_probe(), 4U);
    EXPECT_EQ(space.tuple_count(), 1U);
    EXPECT_LE(space.memory(), 33U * 100'000);
}

TEST(TupleSpace, KeepsProbesShortAmongScatteredHosts) {
    std::mt19937 random{1};
    std::vector<SelectorLine> lines;
    for (std::uint32_t i = 0; i < 100'000; ++i)
        lines.push_back(line(i,
                             Ipv4Address{static_cast<std::uint32_t>(random())},
                             32,
                             Ipv4Address{static_cast<std::uint32_t>(random())},
                             32));
    EXPECT_LE(TupleSpace{lines}.longest_probe(), 4U);
}

TEST(TupleSpace, MergesTuplesThatDoNotCollide) {
    constexpr unsigned kLengths[][2] = {{24, 24}, {16, 24}, {24, 28}, {32, 32}, {8, 24}};
    std::vector<SelectorLine> lines;
    for (std::uint32_t i = 0; i < 1'000; ++i)
        lines.push_back(line(i, kOurs, kLengths[i % 5][0], net(kTheirs, i), kLengths[i % 5][1]));
    EXPECT_EQ(TupleSpace{lines}.tuple_count(), 1U);
}

TEST(TupleSpace, KeepsTuplesApartWhoseMergingWouldMakeLongRuns) {
    std::vector<SelectorLine> lines;
    for (std::uint32_t i = 0; i < 100; ++i) {
        lines.push_back(line(2 * i, net(kOurs, i), 24, kTheirs, 8));
        lines.push_back(line(2 * i + 1, kOurs, 8, net(kTheirs, i), 24));
    }
    EXPECT_EQ(TupleSpace{lines}.tuple_count(), 2U);
}

TEST(TupleSpace, FewLinesNeedNoTuple) {
    const TupleSpace space{tunnels(7)};
    EXPECT_EQ(space.tuple_count(), 0U);
    EXPECT_FALSE(space.empty());
    EXPECT_EQ(
        space.first({.source = kOurs.value, .destination = net(kTheirs, 0).value}, kNeverExcepted)
            .number,
        0U);
}

TEST(TupleSpace, LinesBehindAPlainOneTakeNoSpace) {
    std::vector<SelectorLine> lines = tunnels(1'000);
    const std::size_t memory = TupleSpace{lines}.memory();
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        lines.push_back(lines[i]);
        lines.back().number = 1'000 + i;
    }
    const TupleSpace twice{lines};
    EXPECT_EQ(twice.memory(), memory);
    EXPECT_EQ(twice
                  .first({.source = net(kOurs, 5).value, .destination = net(kTheirs, 5).value},
                         kNeverExcepted)
                  .number,
              5U);
}

TEST(TupleSpace, TellsTheKeyZeroFromAFreeCell) {
    std::vector<SelectorLine> lines = tunnels(100);
    const Flow zero{};
    EXPECT_EQ(TupleSpace{lines}.first(zero, kNeverExcepted).number, kNoLine);
    lines.push_back(line(100, Ipv4Address{}, 24, Ipv4Address{}, 24));
    EXPECT_EQ(TupleSpace{lines}.first(zero, kNeverExcepted).number, 100U);
}

TEST(TupleSpace, PassesOverExceptedLines) {
    std::vector<SelectorLine> lines = tunnels(100);
    lines[5].exceptions = 0;
    lines.push_back(line(100, kOurs, 8, kTheirs, 8));
    const TupleSpace space{lines};
    const Flow flow{.source = net(kOurs, 5).value, .destination = net(kTheirs, 5).value};
    EXPECT_EQ(space.first(flow, kNeverExcepted).value, 5U + 7);
    EXPECT_EQ(space.first(flow, [](const SelectorLine&) { return true; }).value, 100U + 7);
}

} // namespace
} // namespace adit::dataplane
