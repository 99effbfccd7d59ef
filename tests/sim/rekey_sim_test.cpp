// SPDX-License-Identifier: Apache-2.0
// Thousands of rekeys under traffic, in virtual time: pairs and ISAKMP SAs end by time and by
// volume, renewed by either side or by both at once, over a network that is slow, reorders
// everything and loses IKE now and then. Packets themselves are never lost by it: each that does
// not arrive was lost by a rekey.
//
//   ADIT_SIM_SEEDS=N   draws N lives instead of 40 (sanitizers are slow)
//   ADIT_SIM_SEED=N    lives one, the N-th
//   ADIT_SIM_TRACE=1   tells what happens
#include "tests/sim/invariants.h"
#include "tests/sim/job_memo.h"
#include "tests/sim/traffic.h"
#include "tests/support/ike_configs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace adit::sim {
namespace {

using test::Gateway;
using namespace std::chrono_literals;

constexpr Duration kLife = 12'000s;
constexpr Duration kPairLifetime = 120s; // the shortest that can be configured
constexpr Duration kIsakmpLifetime = 600s;
constexpr Duration kPacketEvery = 200ms;
constexpr std::uint32_t kIkeLossPercent = 5;

struct Tally {
    std::uint64_t pairs{0}, isakmp_sas{0}, packets{0};
};

class RekeyLife {
  public:
    RekeyLife(std::uint64_t seed, JobMemo& memo) : dice_(seed * 0x9e3779b97f4a7c15ULL + 1) {
        network_.work = [&memo](Gateway& gateway, const ike::Job& job) {
            return std::optional{memo.run(job, gateway.rng)};
        };
        network_.set_weather({.delay_ms = 1 + dice_.below(100), .jitter_ms = dice_.below(200)});
        network_.tap = [this](ike::SendDatagram&) { return dice_.below(100) >= kIkeLossPercent; };
        network_.on_install = [this](Gateway& gateway, const ike::InstallSaAction& install) {
            ledger_.note(gateway, install);
            traffic_.note_install(gateway, install);
            return true;
        };
        if (std::getenv("ADIT_SIM_TRACE") != nullptr)
            network_.trace = [this](const std::string& line) {
                std::printf(
                    "%10.3f %s\n",
                    std::chrono::duration<double>(network_.now().time_since_epoch()).count(),
                    line.c_str());
            };
        left_.spis.begin_at(Spi{0x2000'0000 + dice_.below(1'000'000)});
        right_.spis.begin_at(Spi{0x2000'0000 + dice_.below(1'000'000)});
    }

    Complaints live(Tally& tally) {
        network_.give(left_, test::initiate());
        network_.run_for(60s);
        traffic_.start();
        traffic_.begin_count();
        for (Duration passed{}; passed < kLife; passed += 1s) {
            spend_volume();
            network_.run_for(1s);
            pairs_.look(network_);
        }
        traffic_.end_count();
        network_.run_for(1s); // what is under way arrives
        for (const Gateway* gateway : {&left_, &right_}) {
            tally.pairs += gateway->engine.counters().phase2_established;
            tally.isakmp_sas += gateway->engine.counters().phase1_established;
        }
        for (const auto& [flow, count] : traffic_.counts())
            tally.packets += count.arrived;
        return complaints();
    }

  private:
    static ike::EngineConfig short_lived(ike::EngineConfig config) {
        config.phase1.front().lifetime = kIsakmpLifetime;
        config.connections.front().lifetime = kPairLifetime;
        return config;
    }

    /// Now and then a pair has carried all it may: both ends count the same packets.
    void spend_volume() {
        if (dice_.below(60) != 0)
            return;
        const std::uint32_t who = dice_.below(3);
        if (who != 1)
            reach_limit(left_);
        if (who != 0)
            reach_limit(right_);
    }

    void reach_limit(Gateway& gateway) {
        const auto children = gateway.engine.child_sas();
        const auto current = std::ranges::find_if(
            children, [](const ike::ChildSaView& child) { return child.current; });
        if (current != children.end())
            network_.give(gateway, ike::SaLimitReached{current->inbound_sa, false});
    }

    Complaints complaints() {
        for (const Complaints& complaints : {ledger_.keys_belong_to_one_pair(),
                                             ledger_.inbound_stands_first(),
                                             traffic_flows(traffic_.counts()),
                                             pairs_.pairs_stay_few()})
            if (!complaints.empty())
                return complaints;
        if (traffic_.unknown_spis() != 0)
            return {std::to_string(traffic_.unknown_spis()) + " packets by unknown SPIs"};
        return {};
    }

    test::SeededRng dice_;
    test::Network network_{dice_.u64()};
    Gateway& left_{
        network_.add("left", test::kLeft, short_lived(test::left_config()), dice_.u64())};
    Gateway& right_{
        network_.add("right", test::kRight, short_lived(test::right_config()), dice_.u64())};
    Traffic traffic_{network_, kPacketEvery};
    KeyLedger ledger_;
    PairWatch pairs_;
};

constexpr std::uint64_t kLives = 40;

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RekeySimulation, NoPacketIsLost) {
    const std::uint64_t one = number_of("ADIT_SIM_SEED", 0);
    const std::uint64_t first = one == 0 ? 1 : one;
    const std::uint64_t last =
        one == 0 ? std::min(kLives, number_of("ADIT_SIM_SEEDS", kLives)) : one;
    const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<Tally> tallies(threads);
    std::vector<std::vector<std::string>> failures(threads);
    {
        std::vector<std::jthread> pool;
        for (std::size_t i = 0; i < threads; ++i)
            pool.emplace_back([&, i] {
                JobMemo memo;
                for (std::uint64_t seed = first + i; seed <= last; seed += threads)
                    for (const std::string& text : RekeyLife{seed, memo}.live(tallies[i]))
                        failures[i].push_back("seed " + std::to_string(seed) + ": " + text);
            });
    }
    Tally sum;
    for (const Tally& tally : tallies) {
        sum.pairs += tally.pairs;
        sum.isakmp_sas += tally.isakmp_sas;
        sum.packets += tally.packets;
    }
    for (const auto& some : failures)
        for (const std::string& failure : some)
            ADD_FAILURE() << failure;
    std::printf("rekeys: %llu pairs and %llu ISAKMP SAs, counted at both ends; %llu packets\n",
                static_cast<unsigned long long>(sum.pairs),
                static_cast<unsigned long long>(sum.isakmp_sas),
                static_cast<unsigned long long>(sum.packets));
    EXPECT_GE(sum.pairs, (last - first + 1) * 150);
    EXPECT_GE(sum.isakmp_sas, (last - first + 1) * 30);
}

} // namespace
} // namespace adit::sim
