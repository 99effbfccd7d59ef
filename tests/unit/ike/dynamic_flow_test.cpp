// SPDX-License-Identifier: Apache-2.0
// Peers of dynamic crypto map entries: what they may claim, who holds it, and how long.
#include "control/ike/dynamic_flow.h"
#include "control/ike/subset_flow.h"
#include "tests/support/hub_and_peers.h"

namespace adit::ike {
namespace {

using test::Gateway;
using test::kFirst;
using test::kHub;
using test::kSecond;
using test::Network;
using test::selector;
using namespace std::chrono_literals;

/// A hub that knows nobody's address: one pre-shared key for all.
EngineConfig hub_config() {
    EngineConfig config = test::left_config();
    config.keys.front().peer = {};
    Connection& entry = config.connections.front();
    entry.name = "VPNMAP 65535 dynamic DYN 10";
    entry.peers.clear();
    entry.flows.clear();
    entry.acl_name.clear();
    entry.dynamic = DynamicEntry{"DYN", 10};
    config.own_addresses = {kHub};
    return config;
}

EngineConfig hub_with_list(std::vector<Flow> permitted, std::vector<Flow> denied = {}) {
    EngineConfig config = hub_config();
    Connection& entry = config.connections.front();
    entry.acl_name = "110";
    entry.flows = std::move(permitted);
    entry.exceptions = std::move(denied);
    return config;
}

EngineConfig branch_config(Ipv4Address own, const char* net) {
    return test::gateway_config(own, kHub, net, "10.1.0.0/16");
}

class DynamicFlows : public test::HubAndPeers {
  protected:
    Gateway& branch(Ipv4Address own, const char* net) { return peer(own, net); }
};

// --- what may be claimed

TEST_F(DynamicFlows, PeerThatNoConfigurationNamesGetsWhatItAsksFor) {
    hub_is(hub_config());
    const Gateway& peer = branch(kFirst, "10.2.0.0/16");
    EXPECT_TRUE(is_up(peer));
    ASSERT_EQ(hub->installed_policies.size(), 1U);
    const auto& [policy, claimed] = *hub->installed_policies.begin();
    EXPECT_EQ(claimed, selector("10.1.0.0/16", "10.2.0.0/16"));
    for (const auto& [id, sa] : hub->installed)
        EXPECT_EQ(sa.policy, policy);
    ASSERT_EQ(hub->engine.child_sas().size(), 1U);
    EXPECT_TRUE(hub->engine.child_sas().front().own_policy);
}

TEST_F(DynamicFlows, PolicyComesBeforeTheSaAndTheMessageThatUseIt) {
    hub_is(hub_config());
    Gateway& peer = network.add("branch", kFirst, branch_config(kFirst, "10.2.0.0/16"), 2);
    bool quick_mode_answered = false;
    network.tap = [&](const SendDatagram& sent) {
        const auto header = parse_header(sent.payload);
        if (sent.local.address == kHub && header->exchange == ExchangeType::QuickMode) {
            quick_mode_answered = true;
            EXPECT_EQ(hub->installed_policies.size(), 1U);
            EXPECT_EQ(hub->installed.size(), 1U);
        }
        return true;
    };
    network.give(peer, test::initiate());
    network.run_for(2s);
    EXPECT_TRUE(quick_mode_answered);
}

TEST_F(DynamicFlows, SeveralPeersHaveTheirOwn) {
    hub_is(hub_config());
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.0.0/16")));
    EXPECT_TRUE(is_up(branch(kSecond, "10.3.0.0/16")));
    EXPECT_EQ(hub->installed_policies.size(), 2U);
}

TEST_F(DynamicFlows, NobodyClaimsWhatAnotherHas) {
    hub_is(hub_config());
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.0.0/16")));
    EXPECT_FALSE(is_up(branch(kSecond, "10.2.7.0/24")));
    EXPECT_EQ(hub->failures(Failure::ProxyInUse), 1U);
    EXPECT_TRUE(hub->logged({"p2-proxy", "203.0.113.9", "10.2.7.0", "198.51.100.7", "alive"}));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
    EXPECT_EQ(hub->policies.in_use(), 1U);
}

TEST_F(DynamicFlows, NobodyClaimsOurOwnAddress) {
    hub_is(hub_config());
    EXPECT_FALSE(is_up(branch(kFirst, "192.0.2.0/24")));
    EXPECT_TRUE(hub->logged({"our own address 192.0.2.1"}));
    EXPECT_EQ(hub->policies.in_use(), 0U);
}

TEST_F(DynamicFlows, NobodyClaimsWhatAStaticEntryProtects) {
    EngineConfig config = hub_config();
    Connection fixed = test::left_config().connections.front();
    config.connections = {fixed, config.connections.front()};
    hub_is(config);
    EXPECT_FALSE(is_up(branch(kFirst, "10.2.9.0/24")));
    EXPECT_TRUE(hub->logged({"overlaps what VPNMAP 10 protects"}));
}

TEST_F(DynamicFlows, StaticEntryServesItsOwnPeerFirst) {
    EngineConfig config = hub_config();
    config.connections.push_back(test::left_config().connections.front());
    hub_is(config);
    Gateway& peer = network.add("right", test::kRight, test::right_config(), 2);
    network.give(peer, test::initiate());
    network.run_for(2s);
    EXPECT_TRUE(is_up(peer));
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_EQ(hub->engine.child_sas().front().connection, "VPNMAP 10");
}

TEST_F(DynamicFlows, AccessListSaysWhatMayBeClaimed) {
    hub_is(hub_with_list({{PolicyId{0}, selector("10.1.0.0/16", "10.2.0.0/15"), 10}}));
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.4.0/24")));
    EXPECT_FALSE(is_up(branch(kSecond, "10.4.0.0/24")));
    EXPECT_EQ(hub->failures(Failure::ProxyMismatch), 1U);
    EXPECT_TRUE(hub->logged({"no line of access list 110 permits that"}));
}

TEST_F(DynamicFlows, EntryWithPeersServesOnlyThem) {
    EngineConfig config = hub_config();
    config.connections.front().peers = {kFirst};
    hub_is(config);
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.0.0/16")));
    EXPECT_FALSE(is_up(branch(kSecond, "10.3.0.0/16")));
}

TEST_F(DynamicFlows, FullPolicyTableIsNamed) {
    hub_is(hub_config()).policies.limit = 1;
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.0.0/16")));
    EXPECT_FALSE(is_up(branch(kSecond, "10.3.0.0/16")));
    EXPECT_EQ(hub->failures(Failure::InstallRefused), 1U);
    EXPECT_TRUE(hub->logged({"no free policy number"}));
}

TEST(PermittingLine, IsTheNarrowest) {
    const EngineConfig config =
        hub_with_list({{PolicyId{0}, selector("0.0.0.0/0", "10.0.0.0/8"), 10},
                       {PolicyId{1}, selector("10.1.0.0/16", "10.2.0.0/16"), 20}});
    const Connection& entry = config.connections.front();
    const Flow* line = permitting_line(entry, selector("10.1.0.0/16", "10.2.3.0/24"));
    ASSERT_NE(line, nullptr);
    EXPECT_EQ(line->acl_sequence, 20U);
    line = permitting_line(entry, selector("10.1.0.0/16", "10.3.3.0/24"));
    ASSERT_NE(line, nullptr);
    EXPECT_EQ(line->acl_sequence, 10U);
    EXPECT_EQ(permitting_line(entry, selector("10.1.0.0/16", "11.0.0.0/8")), nullptr);
}

TEST(PermittingLine, StandsBeforeEveryDenyLineThatCoversTheClaim) {
    const EngineConfig config =
        hub_with_list({{PolicyId{0}, selector("10.1.0.0/16", "10.2.0.0/16"), 20}},
                      {{PolicyId{1}, selector("10.1.0.0/16", "10.2.1.0/24"), 10},
                       {PolicyId{2}, selector("10.1.0.0/16", "10.2.0.0/16"), 30}});
    const Connection& entry = config.connections.front();
    EXPECT_EQ(permitting_line(entry, selector("10.1.0.0/16", "10.2.1.8/29")), nullptr);
    EXPECT_NE(permitting_line(entry, selector("10.1.0.0/16", "10.2.2.0/24")), nullptr);
}

// --- how long

TEST_F(DynamicFlows, PolicyGoesWithItsLastSa) {
    hub_is(hub_config());
    Gateway& peer = branch(kFirst, "10.2.0.0/16");
    network.give(peer, ClearPhase1{});
    network.run_for(90s);
    EXPECT_TRUE(hub->is_empty());
    // And is there for the next.
    EXPECT_TRUE(is_up(branch(kSecond, "10.2.0.0/16")));
}

TEST_F(DynamicFlows, RekeyKeepsThePolicyWhoeverBegins) {
    for (const Duration hub_lifetime : {Duration{2'000s}, Duration{3'600s}}) {
        Network fresh{7};
        EngineConfig config = hub_config();
        config.connections.front().lifetime = hub_lifetime;
        Gateway& center = fresh.add("hub", kHub, config, 1);
        Gateway& peer = fresh.add("branch", kFirst, branch_config(kFirst, "10.2.0.0/16"), 2);
        fresh.give(peer, test::initiate());
        fresh.run_for(2s);
        ASSERT_EQ(center.installed_policies.size(), 1U);
        const PolicyId before = center.installed_policies.begin()->first;
        fresh.run_for(2h);
        EXPECT_GT(center.engine.counters().phase2_established, 1U);
        ASSERT_EQ(center.installed_policies.size(), 1U);
        EXPECT_EQ(center.installed_policies.begin()->first, before);
        EXPECT_TRUE(is_up(peer));
        EXPECT_TRUE(is_up(center));
    }
}

TEST_F(DynamicFlows, HubRekeysItselfWhenTheDataplaneAsks) {
    hub_is(hub_config());
    Gateway& peer = branch(kFirst, "10.2.0.0/16");
    network.give(*hub, SaLimitReached{hub->engine.child_sas().front().outbound_sa, false});
    network.run_for(60s);
    EXPECT_EQ(hub->engine.counters().phase2_established, 2U);
    EXPECT_TRUE(is_up(peer));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
}

TEST_F(DynamicFlows, HubNeverBeginsWithAnUnknownPeer) {
    hub_is(hub_config());
    network.give(*hub, Initiate{"VPNMAP 65535 dynamic DYN 10", kNoPolicy, {}});
    network.run_for(5s);
    EXPECT_TRUE(hub->is_empty());
    EXPECT_EQ(hub->engine.counters().messages_out, 0U);
}

TEST_F(DynamicFlows, PolicySurvivesAConfigurationThatKeepsItsEntry) {
    hub_is(hub_config());
    const Gateway& peer = branch(kFirst, "10.2.0.0/16");
    EngineConfig next = hub_config();
    next.connections.front().lifetime = 1'800s;
    network.give(*hub, Reconfigure{std::make_shared<const EngineConfig>(next)});
    network.run_for(1s);
    EXPECT_TRUE(is_up(peer));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
}

/// Otherwise we would ask for the line while the peer's traffic goes by another policy.
TEST_F(DynamicFlows, PolicyGoesWhenAnEntryNamesThePeerAndGivesTheSame) {
    EngineConfig next = hub_with_list({{PolicyId{5}, selector("10.1.0.0/16", "10.0.0.0/8"), 10}});
    hub_is(next);
    Gateway& peer = branch(kFirst, "10.2.0.0/16");
    ASSERT_EQ(hub->installed_policies.size(), 1U);
    Connection fixed = test::left_config().connections.front();
    fixed.peers = {kFirst};
    next.connections = {fixed, next.connections.front()};
    network.give(*hub, Reconfigure{std::make_shared<const EngineConfig>(next)});
    network.run_for(1s);
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_TRUE(peer.installed.empty());
    network.give(peer, test::initiate());
    network.run_for(1s);
    EXPECT_TRUE(is_up(peer));
    EXPECT_EQ(hub->engine.child_sas().front().connection, "VPNMAP 10");
}

TEST_F(DynamicFlows, PolicyGoesWithTheLineThatPermittedIt) {
    hub_is(hub_config());
    const Gateway& peer = branch(kFirst, "10.2.0.0/16");
    const EngineConfig next =
        hub_with_list({{PolicyId{0}, selector("10.1.0.0/16", "10.3.0.0/16"), 10}});
    network.give(*hub, Reconfigure{std::make_shared<const EngineConfig>(next)});
    network.run_for(1s);
    EXPECT_FALSE(is_up(peer));
    EXPECT_TRUE(hub->installed_policies.empty());
}

TEST_F(DynamicFlows, RefusalByTheDataplaneTakesTheSasAlong) {
    hub_is(hub_config());
    const Gateway& peer = branch(kFirst, "10.2.0.0/16");
    network.give(*hub, PolicyRefused{hub->installed_policies.begin()->first, "out of memory"});
    network.run_for(1s);
    EXPECT_FALSE(is_up(peer));
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_TRUE(hub->logged({"install-refused", "out of memory"}));
}

TEST_F(DynamicFlows, AbandonedQuickModeLeavesNothing) {
    hub_is(hub_config());
    // The third message never comes.
    int from_peer = 0;
    network.tap = [&](const SendDatagram& sent) {
        const auto header = parse_header(sent.payload);
        return sent.local.address != kFirst || header->exchange != ExchangeType::QuickMode ||
               ++from_peer == 1;
    };
    branch(kFirst, "10.2.0.0/16");
    EXPECT_EQ(hub->installed_policies.size(), 1U);
    network.run_for(90s);
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_EQ(hub->policies.in_use(), 0U);
}

TEST_F(DynamicFlows, DeadHolderMakesWayForWhoeverAsks) {
    EngineConfig config = hub_config();
    config.dpd = Dpd{10s, 2s, false};
    hub_is(config);
    EXPECT_TRUE(is_up(branch(kFirst, "10.2.0.0/16")));
    // A power cut: nothing comes from the first any more.
    network.tap = [](const SendDatagram& sent) { return sent.local.address != kFirst; };
    Gateway& second = branch(kSecond, "10.2.0.0/16");
    EXPECT_FALSE(is_up(second));
    network.run_for(15s);
    network.give(second, test::initiate());
    network.run_for(2s);
    EXPECT_TRUE(is_up(second));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
}

TEST_F(DynamicFlows, LivingHolderStays) {
    EngineConfig config = hub_config();
    config.dpd = Dpd{10s, 2s, false};
    hub_is(config);
    const Gateway& first = branch(kFirst, "10.2.0.0/16");
    Gateway& second = branch(kSecond, "10.2.0.0/16");
    network.run_for(30s);
    network.give(second, test::initiate());
    network.run_for(2s);
    EXPECT_TRUE(is_up(first));
    EXPECT_FALSE(is_up(second));
    EXPECT_GE(hub->engine.counters().dpd_sent, 1U);
}

// --- many

Claimant named(const std::string& name) {
    return {{IdType::Fqdn, 0, 0, to_bytes(as_bytes(name))}, std::nullopt};
}

TEST(RuntimeFlows, TenThousandComeAndGoWithoutTrace) {
    constexpr std::uint32_t kFlows = 10'000;
    test::CountingPolicies policies;
    RuntimeFlows flows{policies};
    std::vector<FlowLease> leases;
    const auto nth = [](std::uint32_t i) {
        const Ipv4Address first{Ipv4Address{10, 0, 0, 0}.value + i * 256};
        return TrafficSelector{
            test::range("0.0.0.0/0"), {first, Ipv4Address{first.value + 255}}, 0, {}, {}};
    };
    for (std::uint32_t i = 0; i < kFlows; ++i) {
        auto lease = flows.claim("DYN", nth(i), named("peer " + std::to_string(i)));
        ASSERT_TRUE(lease) << i;
        (*lease)->added = i % 2 == 0;
        leases.push_back(std::move(*lease));
    }
    EXPECT_EQ(flows.size(), kFlows);
    for (std::uint32_t i = 0; i < kFlows; ++i)
        ASSERT_FALSE(flows.claim("DYN", nth(i), named("somebody else"))) << i;
    leases.clear();
    EXPECT_EQ(flows.size(), 0U);
    // Half of them had reached the dataplane, which gives their numbers back.
    EXPECT_EQ(flows.take_ended().size(), kFlows / 2);
    EXPECT_EQ(policies.in_use(), kFlows / 2);
}

TEST(RuntimeFlows, FindsEveryOverlapWhateverTheWidths) {
    test::CountingPolicies policies;
    RuntimeFlows flows{policies};
    test::SeededRng rng{11};
    const auto random = [&] {
        TrafficSelector wanted;
        const std::uint32_t width = rng.below(1U << rng.below(20));
        wanted.remote.first = Ipv4Address{rng.below(1U << 20)};
        wanted.remote.last = Ipv4Address{wanted.remote.first.value + width};
        if (rng.below(2) == 0)
            wanted.protocol = rng.below(2) == 0 ? 6 : 17;
        if (rng.below(4) == 0)
            wanted.local = test::range("10.1.0.0/16");
        return wanted;
    };
    std::vector<FlowLease> leases;
    for (unsigned i = 0; i < 3'000; ++i) {
        const TrafficSelector wanted = random();
        const bool taken = std::ranges::any_of(
            leases, [&](const FlowLease& lease) { return overlap(lease->selector, wanted); });
        auto lease = flows.claim("DYN", wanted, named(std::to_string(i)));
        ASSERT_EQ(lease.has_value(), !taken) << i;
        if (lease && leases.size() < 200)
            leases.push_back(std::move(*lease));
        else if (rng.below(3) == 0 && !leases.empty())
            leases.erase(leases.begin() + rng.below(static_cast<std::uint32_t>(leases.size())));
    }
}

} // namespace
} // namespace adit::ike
