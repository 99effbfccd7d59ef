// SPDX-License-Identifier: Apache-2.0
// A gateway's process is killed and another one goes on from what the first had written down; its
// dataplane keeps its SAs meanwhile.
#include "control/ike/state.h"
#include "tests/support/two_gateways.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

class MemoryTest : public test::TwoGateways {
  protected:
    /// Both ends hold the same pairs, and something to send by.
    void expect_whole(std::size_t pairs) {
        EXPECT_EQ(a.installed.size(), 2 * pairs);
        EXPECT_EQ(b.installed.size(), 2 * pairs);
        for (const auto& [id, sa] : a.installed) {
            const auto twin = std::ranges::find_if(b.installed, [&](const auto& other) {
                return other.second.spi == sa.spi && other.second.inbound != sa.inbound;
            });
            ASSERT_NE(twin, b.installed.end()) << sa.spi.value;
            EXPECT_EQ(twin->second.key, sa.key);
        }
    }

    static Bytes octets_of(const Gateway& gateway) {
        Bytes all;
        for (const auto& [key, octets] : gateway.journal.records)
            all.insert(all.end(), octets.begin(), octets.end());
        return all;
    }
};

TEST_F(MemoryTest, NothingShownChanges) {
    up();
    const auto sessions = a.engine.isakmp_sas();
    const auto children = a.engine.child_sas();
    network.restart(a);
    ASSERT_EQ(a.engine.isakmp_sas().size(), 1U);
    const IsakmpSaView before = sessions.front();
    const IsakmpSaView after = a.engine.isakmp_sas().front();
    EXPECT_EQ(after.conn_id, before.conn_id);
    EXPECT_EQ(after.state, before.state);
    EXPECT_EQ(after.established_at, before.established_at);
    EXPECT_EQ(after.expires, before.expires);
    EXPECT_EQ(after.peer_identity, before.peer_identity);
    EXPECT_EQ(after.peer_vendors, before.peer_vendors);
    ASSERT_EQ(a.engine.child_sas().size(), 1U);
    const ChildSaView pair = a.engine.child_sas().front();
    EXPECT_EQ(pair.inbound_spi, children.front().inbound_spi);
    EXPECT_EQ(pair.outbound_spi, children.front().outbound_spi);
    EXPECT_EQ(pair.selector, children.front().selector);
    EXPECT_EQ(pair.expires, children.front().expires);
    EXPECT_TRUE(pair.current);
    EXPECT_EQ(a.spis.in_use(), 1U);
}

TEST_F(MemoryTest, WhatOneProcessWritesTheNextWritesAgain) {
    up();
    const Bytes before = octets_of(a);
    network.restart(a);
    EXPECT_EQ(octets_of(a), before);
}

TEST_F(MemoryTest, ATunnelTakesLittleOfTheJournal) {
    up();
    network.run_for(70s); // its quick mode is no longer kept to answer copies
    EXPECT_EQ(a.journal.records.size(), 3U) << "numbers, ISAKMP SA, pair";
    EXPECT_LT(octets_of(a).size(), 1024U);
}

TEST_F(MemoryTest, TheNextRekeyComesOnTime) {
    up();
    const Instant due = *a.engine.next_deadline();
    network.restart(a);
    EXPECT_EQ(a.engine.next_deadline(), due);
    network.run_for(55min);
    expect_whole(1);
    EXPECT_EQ(a.engine.counters().phase2_established, 1U) << "counted by the new process";
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
}

TEST_F(MemoryTest, DeletesOfEitherSideAreUnderstood) {
    up();
    network.restart(a);
    network.give(b, ClearPhase2{});
    network.run_for(1s);
    EXPECT_TRUE(a.installed.empty());
    network.give(a, test::initiate());
    network.run_for(1s);
    expect_whole(1);
    network.restart(a);
    network.give(a, ClearPhase1{});
    network.run_for(1s);
    EXPECT_TRUE(b.is_empty() || b.engine.isakmp_sas().empty());
}

/// Whoever is killed, and after whichever of the actions, the exchange comes to its end: with one
/// pair at both ends, or with none and a fresh one on the next request.
TEST_F(MemoryTest, KilledAnywhereInAQuickMode) {
    for (unsigned which = 0; which < 2; ++which)
        for (unsigned survived = 0; survived < 14; ++survived) {
            Network net{100 + survived};
            Gateway& left = net.add("left", test::kLeft, test::left_config(), 1);
            Gateway& right = net.add("right", test::kRight, test::right_config(), 2);
            net.give(left, test::initiate());
            net.run_for(1s);
            ASSERT_EQ(left.installed.size(), 2U);
            Gateway& victim = which == 0 ? left : right;
            unsigned left_to_live = survived;
            net.dies = [&](Gateway& acting, std::size_t actions) {
                if (&acting != &victim || left_to_live > actions) {
                    left_to_live -= &acting == &victim ? static_cast<unsigned>(actions) : 0;
                    return actions;
                }
                return std::size_t{std::exchange(left_to_live, 1'000'000U)};
            };
            net.give(left, SaLimitReached{left.engine.child_sas().front().outbound_sa, false});
            net.run_for(90s);
            net.dies = nullptr;
            SCOPED_TRACE(victim.name + " survived " + std::to_string(survived) + " actions");
            ASSERT_GE(left.installed.size(), 2U);
            ASSERT_EQ(left.installed.size(), right.installed.size());
            for (const auto& [id, sa] : left.installed)
                EXPECT_TRUE(std::ranges::any_of(right.installed, [&](const auto& other) {
                    return other.second.spi == sa.spi && other.second.key == sa.key;
                }));
            EXPECT_EQ(left.spis.released_twice + right.spis.released_twice, 0U);
        }
}

TEST_F(MemoryTest, ARekeyOfPhase1ThatDiedBeginsAgain) {
    up();
    const Instant rekey = a.engine.isakmp_sas().front().expires.value();
    bool killed = false;
    network.tap = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        if (!killed && header->exchange == ExchangeType::IdentityProtection &&
            header->cookies.responder.value != 0) {
            killed = true;
            network.after(0ms, [&] { network.restart(a); });
        }
        return true;
    };
    while (network.now() < rekey)
        network.run_for(10min);
    EXPECT_TRUE(killed);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(b.engine.isakmp_sas().size(), 1U);
    EXPECT_FALSE(a.installed.empty());
}

TEST_F(MemoryTest, AnUnfinishedPhase1IsForgotten) {
    network.give(a, test::initiate());
    network.restart(a);
    EXPECT_TRUE(a.is_empty());
    EXPECT_EQ(a.spis.in_use(), 0U);
}

TEST_F(MemoryTest, DamagedRecordsAreRefusedWhole) {
    up();
    SystemRng rng;
    for (const auto& [key, octets] : a.journal.records)
        for (std::size_t length = 0; length < octets.size(); ++length) {
            const ByteView part{octets.data(), length};
            std::vector<JournalEntry> entries;
            entries.push_back({key, SecretBuffer{part}});
            test::CountingSpis spis;
            test::CountingPolicies policies;
            Engine engine{std::make_shared<const EngineConfig>(a.config), rng, spis, policies};
            EXPECT_FALSE(engine.resume(entries, network.now())) << key.kind << " " << length;
            EXPECT_TRUE(engine.child_sas().empty());
        }
}

} // namespace
} // namespace adit::ike
