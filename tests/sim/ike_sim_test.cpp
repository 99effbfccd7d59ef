// SPDX-License-Identifier: Apache-2.0
// Thousands of short lives of two engines, each drawn from a seed: datagrams are lost, doubled,
// delayed past each other, and both sides do things at any moment. Each ends in agreement: the same
// SAs on both sides or none, and once all is cleared no timer, no session, no SPI left.
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

std::uint64_t seeds() {
    const char* wanted = std::getenv("ADIT_SIM_SEEDS");
    return wanted == nullptr ? 2'000 : std::strtoull(wanted, nullptr, 10);
}

EngineConfig with_flows(EngineConfig config, bool left) {
    for (std::uint32_t i = 1; i < 3; ++i) {
        const std::string ours = "10." + std::to_string(10 + i) + ".0.0/16";
        const std::string theirs = "10.2.0.0/16";
        const Ipv4Range one = test::range(left ? ours.c_str() : theirs.c_str());
        const Ipv4Range other = test::range(left ? theirs.c_str() : ours.c_str());
        config.connections.front().flows.push_back({
            PolicyId{i},
            {one, other, 0, {}, {}},
            i
        });
    }
    return config;
}

/// Every direction that is in use is known to the other side.
void expect_agreement(const Gateway& one, const Gateway& other) {
    for (const ChildSaView& child : one.engine.child_sas()) {
        if (!child.current)
            continue;
        EXPECT_TRUE(std::ranges::any_of(other.installed,
                                        [&](const auto& sa) {
                                            return sa.second.inbound &&
                                                   sa.second.spi == child.outbound_spi;
                                        }))
            << one.name << " sends to nobody";
    }
}

void expect_matching_keys(const Gateway& one, const Gateway& other) {
    for (const auto& [id, out] : one.installed)
        for (const auto& [twin_id, in] : other.installed)
            if (!out.inbound && in.inbound && out.spi == in.spi) {
                EXPECT_EQ(out.key, in.key);
                EXPECT_EQ(out.mac_key, in.mac_key);
            }
}

struct Life {
    explicit Life(std::uint64_t seed)
        : dice(seed * 2654435761U + 1), network(seed),
          a(network.add("left", test::kLeft, with_flows(test::left_config(), true), seed * 2 + 1)),
          b(network.add("right", test::kRight, with_flows(test::right_config(), false), seed * 2)) {
    }

    void storm() {
        network.set_weather({.loss_percent = dice.below(31),
                             .double_percent = dice.below(21),
                             .delay_ms = 1 + dice.below(50),
                             .jitter_ms = dice.below(500),
                             .spare_informational = true});
    }

    void do_something() {
        Gateway& who = dice.below(2) == 0 ? a : b;
        switch (dice.below(5)) {
        case 0:
        case 1:
            return network.give(who, test::initiate(PolicyId{dice.below(3)}));
        case 2:
            return network.give(who, test::initiate(kNoPolicy));
        case 3: {
            const auto children = who.engine.child_sas();
            if (!children.empty())
                network.give(who, SaLimitReached{children.front().outbound_sa, dice.below(4) == 0});
            return;
        }
        default:
            if (dice.below(3) == 0)
                network.give(who, ClearPhase2{});
            return;
        }
    }

    test::SeededRng dice;
    Network network;
    Gateway& a;
    Gateway& b;
};

TEST(IkeSimulation, LossDoublingAndReorderingEndInAgreement) {
    std::uint64_t established = 0;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life{seed};
        life.storm();
        for (int act = 0; act < 4; ++act) {
            life.do_something();
            life.network.run_for(std::chrono::milliseconds{life.dice.below(8'000)});
        }
        // Calm: what was under way ends, and a fresh wish is granted.
        life.network.set_weather({});
        life.network.run_for(100s);
        expect_matching_keys(life.a, life.b);
        expect_matching_keys(life.b, life.a);
        expect_agreement(life.a, life.b);
        expect_agreement(life.b, life.a);
        established += life.a.engine.counters().phase2_established;
        life.network.give(life.a, Shutdown{});
        life.network.give(life.b, Shutdown{});
        life.network.run_for(100s);
        EXPECT_TRUE(life.a.is_empty());
        EXPECT_TRUE(life.b.is_empty());
        if (::testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(established, seeds());
}

/// 30 % loss each way: every one of these is up within a minute (SECURITY: datagram loss).
TEST(IkeSimulation, ThirtyPercentLossIsOvercomeWithinAMinute) {
    for (const auto& [loss, limit] : {
             std::pair{10U, 30s},
             std::pair{30U, 60s}
    })
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed) + " loss " + std::to_string(loss));
            Life life{seed};
            life.network.set_weather(
                {.loss_percent = loss, .double_percent = 20, .delay_ms = 20, .jitter_ms = 500});
            life.network.give(life.a, test::initiate());
            life.network.run_for(limit);
            EXPECT_EQ(life.a.installed.size(), 2U);
        }
}

} // namespace
} // namespace adit::ike
