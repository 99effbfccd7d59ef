// SPDX-License-Identifier: Apache-2.0
// Peers of static crypto map entries that ask for less than a permit line.
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

Connection entry(std::uint32_t sequence, Ipv4Address peer, std::vector<Flow> lines) {
    Connection connection = test::left_config().connections.front();
    connection.name = "VPNMAP " + std::to_string(sequence);
    connection.map_sequence = sequence;
    connection.peers = {peer};
    connection.flows = std::move(lines);
    return connection;
}

/// Each peer has an entry and a key of its own; the wide lines are the second's.
EngineConfig hub_config() {
    EngineConfig config = test::left_config();
    config.keys = {{{kFirst, 32}, test::secret("correct horse battery")},
                   {{kSecond, 32}, test::secret("correct horse battery")}};
    config.connections = {
        entry(10, kFirst, {{PolicyId{0}, selector("10.1.0.0/16", "10.2.0.0/16"), 10}}),
        entry(20,
              kSecond,
              {{PolicyId{1}, selector("10.1.0.0/16", "10.0.0.0/8"), 10},
               {PolicyId{2}, selector("10.1.0.0/16", "10.3.0.0/16"), 20}})};
    return config;
}

EngineConfig peer_config(Ipv4Address own, const char* net, const char* far) {
    return test::gateway_config(own, kHub, net, far);
}

class Subsets : public test::HubAndPeers {
  protected:
    void reconfigure(const EngineConfig& config) {
        network.give(*hub, Reconfigure{std::make_shared<const EngineConfig>(config)});
        network.run_for(2s);
    }
};

// --- what is given

TEST_F(Subsets, PeerThatAsksForPartOfALineGetsThatPart) {
    hub_is(hub_config());
    EXPECT_TRUE(is_up(peer(kFirst, "10.2.7.0/24", "10.1.4.0/24")));
    const TrafficSelector part = selector("10.1.4.0/24", "10.2.7.0/24");
    ASSERT_EQ(hub->installed_policies.size(), 1U);
    const auto& [policy, given] = *hub->installed_policies.begin();
    EXPECT_EQ(given, part);
    ASSERT_EQ(hub->installed.size(), 2U);
    for (const auto& [id, sa] : hub->installed) {
        EXPECT_EQ(sa.policy, policy);
        EXPECT_EQ(sa.selector, part);
    }
    EXPECT_EQ(hub->engine.child_sas().front().connection, "VPNMAP 10");
    EXPECT_EQ(hub->engine.child_sas().front().selector, part);
}

TEST_F(Subsets, PartMayBeOneServiceOfOneHost) {
    hub_is(hub_config());
    EngineConfig config = peer_config(kFirst, "10.2.0.9/32", "10.1.0.0/16");
    TrafficSelector& service = config.connections.front().flows.front().selector;
    service.protocol = 6;
    service.local_port = {443, 443};
    Gateway& client = network.add("peer", kFirst, config, 2);
    network.give(client, test::initiate());
    network.run_for(2s);
    EXPECT_TRUE(is_up(client));
    ASSERT_EQ(hub->installed_policies.size(), 1U);
    EXPECT_EQ(ident_string(hub->installed_policies.begin()->second.remote, 6, {443, 443}),
              "10.2.0.9/255.255.255.255/6/443");
    EXPECT_EQ(hub->installed_policies.begin()->second.remote_port, (PortRange{443, 443}));
}

TEST_F(Subsets, LineItselfNeedsNoPolicyOfItsOwn) {
    hub_is(hub_config());
    EXPECT_TRUE(is_up(peer(kFirst, "10.2.0.0/16")));
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_EQ(hub->outbound().policy, PolicyId{0});
}

TEST_F(Subsets, RestOfTheLineIsNegotiatedByItself) {
    hub_is(hub_config());
    EngineConfig config = peer_config(kFirst, "10.2.7.0/24", "10.1.0.0/16");
    config.connections.front().flows.push_back(
        {PolicyId{1}, selector("10.2.0.0/16", "10.1.0.0/16"), 20});
    Gateway& both = network.add("peer", kFirst, config, 2);
    network.give(both, test::initiate());
    network.run_for(2s);
    ASSERT_EQ(hub->installed.size(), 2U);
    network.give(*hub, Initiate{"VPNMAP 10", PolicyId{0}, Initiate::Cause::Traffic});
    network.run_for(2s);
    EXPECT_EQ(hub->engine.child_sas().size(), 2U);
    EXPECT_EQ(both.installed.size(), 4U);
    EXPECT_EQ(hub->installed_policies.size(), 1U);
    EXPECT_EQ(hub->engine.isakmp_sas().size(), 1U);
}

/// Until the peer has answered, the traffic goes on by whatever carries the line.
TEST_F(Subsets, PolicyComesWithTheOutboundSaAndNotBefore) {
    hub_is(hub_config());
    int from_peer = 0;
    network.tap = [&](const SendDatagram& sent) {
        const auto header = parse_header(sent.payload);
        if (sent.local.address == kFirst && header->exchange == ExchangeType::QuickMode)
            ++from_peer;
        return from_peer < 2; // message 3 never comes
    };
    peer(kFirst, "10.2.7.0/24");
    EXPECT_EQ(hub->installed.size(), 1U) << "inbound";
    EXPECT_TRUE(hub->installed_policies.empty());
    network.run_for(90s);
    EXPECT_TRUE(hub->installed.empty());
    EXPECT_EQ(hub->policies.in_use(), 0U);
}

// --- to whom

TEST_F(Subsets, NoPeerGetsWhatAnEntryOfAnotherProtects) {
    hub_is(hub_config());
    EXPECT_FALSE(is_up(peer(kSecond, "10.2.7.0/24"))) << "which 10.0.0.0/8 holds";
    EXPECT_EQ(hub->failures(Failure::ProxyMismatch), 1U);
    EXPECT_TRUE(hub->logged({"10.2.7.0/255.255.255.0",
                             "overlaps what VPNMAP 10 protects",
                             "access list 101, line 10"}));
    EXPECT_TRUE(hub->installed.empty());
    EXPECT_EQ(hub->policies.in_use(), 0U);
}

TEST_F(Subsets, WiderEntryOfAnotherPeerBehindItTakesNothingAway) {
    hub_is(hub_config());
    ASSERT_TRUE(overlap(hub->config.connections[1].flows.front().selector,
                        selector("10.1.0.0/16", "10.2.7.0/24")));
    EXPECT_TRUE(is_up(peer(kFirst, "10.2.7.0/24")));
}

TEST_F(Subsets, NoPeerGetsPartOfTheLineOfAnother) {
    EngineConfig config = hub_config();
    config.connections = {config.connections.front()};
    config.connections.push_back(
        entry(20, kSecond, {{PolicyId{1}, selector("10.1.0.0/16", "172.16.0.0/16"), 10}}));
    hub_is(config);
    EXPECT_FALSE(is_up(peer(kSecond, "10.2.7.0/24")));
    EXPECT_TRUE(hub->logged({"nearest of ours is VPNMAP 20"}));
}

/// Two peers behind one address, told apart by their profiles.
TEST_F(Subsets, ProfileOfAnEntryBindsWhatLiesInItsLines) {
    EngineConfig config = hub_config();
    config.connections.front().profile = "OTHER";
    Connection mine = entry(20, kFirst, {{PolicyId{1}, selector("10.1.0.0/16", "10.0.0.0/8"), 10}});
    config.connections = {config.connections.front(), mine};
    hub_is(config);
    EXPECT_FALSE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_TRUE(hub->logged({"overlaps what VPNMAP 10 protects"}));
}

TEST_F(Subsets, OtherPeersOfTheEntryMayHaveItToo) {
    EngineConfig config = hub_config();
    Connection shared = config.connections.front();
    shared.peers = {kFirst, kSecond};
    config.connections = {shared};
    hub_is(config);
    EXPECT_TRUE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_TRUE(is_up(peer(kSecond, "10.2.7.0/24")));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
    EXPECT_EQ(hub->failures(Failure::ProxyInUse), 0U);
}

TEST_F(Subsets, TunnelInterfaceIsAllOrNothing) {
    EngineConfig config = hub_config();
    config.connections = {
        entry(10, kFirst, {{PolicyId{0}, selector("0.0.0.0/0", "0.0.0.0/0"), 0}})};
    Connection tunnel = config.connections.front();
    tunnel.routed = true;
    config.connections = {tunnel};
    hub_is(config);
    EXPECT_FALSE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_EQ(hub->failures(Failure::ProxyMismatch), 1U);
}

// --- which line

TEST_F(Subsets, NarrowestLineIsTaken) {
    hub_is(hub_config());
    EXPECT_TRUE(is_up(peer(kSecond, "10.3.7.0/24")));
    const auto line =
        subset_line(hub->config, hub->config.connections[1], kSecond, "", hub->outbound().selector);
    ASSERT_TRUE(line);
    EXPECT_EQ((*line)->acl_sequence, 20U);
}

TEST_F(Subsets, NarrowestLineOfSeveralEntriesIsTaken) {
    EngineConfig config = hub_config();
    Connection wide = entry(10, kFirst, {{PolicyId{0}, selector("10.1.0.0/16", "10.0.0.0/8"), 10}});
    Connection narrow =
        entry(20, kFirst, {{PolicyId{1}, selector("10.1.0.0/16", "10.2.0.0/16"), 10}});
    config.connections = {wide, narrow};
    hub_is(config);
    EXPECT_TRUE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_EQ(hub->engine.child_sas().front().connection, "VPNMAP 20");
}

TEST_F(Subsets, DenyLineBeforeItTakesWhateverItOverlaps) {
    EngineConfig config = hub_config();
    Connection guarded = config.connections.front();
    guarded.flows.front().acl_sequence = 20;
    guarded.exceptions = {{PolicyId{5}, selector("10.1.0.0/16", "10.2.7.128/25"), 10},
                          {PolicyId{6}, selector("10.1.0.0/16", "10.2.8.0/24"), 30}};
    config.connections = {guarded};
    hub_is(config);
    EXPECT_FALSE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_TRUE(hub->logged({"VPNMAP 10: a deny line takes part of that"}));
    EXPECT_EQ(permitting_line(guarded, selector("10.1.0.0/16", "10.2.7.0/24")), nullptr);
    EXPECT_NE(permitting_line(guarded, selector("10.1.0.0/16", "10.2.7.0/25")), nullptr);
    EXPECT_NE(permitting_line(guarded, selector("10.1.0.0/16", "10.2.8.0/24")), nullptr)
        << "that one stands behind";
}

TEST_F(Subsets, WhatReachesOutOfALineIsRefusedAsBefore) {
    hub_is(hub_config());
    EXPECT_FALSE(is_up(peer(kFirst, "10.2.0.0/15")));
    EXPECT_TRUE(hub->logged({"nearest of ours is VPNMAP 10", "which differs in their side"}));
}

TEST_F(Subsets, FullPolicyTableIsNamed) {
    hub_is(hub_config()).policies.limit = 0;
    EXPECT_FALSE(is_up(peer(kFirst, "10.2.7.0/24")));
    EXPECT_EQ(hub->failures(Failure::InstallRefused), 1U);
    EXPECT_TRUE(hub->logged({"VPNMAP 10: no free policy number"}));
}

// --- how long

TEST_F(Subsets, RekeyKeepsThePolicyWhoeverBegins) {
    for (const Duration hub_lifetime : {Duration{2'000s}, Duration{3'600s}}) {
        Network fresh{7};
        EngineConfig config = hub_config();
        Connection impatient = config.connections.front();
        impatient.lifetime = hub_lifetime;
        config.connections = {impatient};
        Gateway& center = fresh.add("hub", kHub, config, 1);
        Gateway& far =
            fresh.add("peer", kFirst, peer_config(kFirst, "10.2.7.0/24", "10.1.0.0/16"), 2);
        fresh.give(far, test::initiate());
        fresh.run_for(2s);
        ASSERT_EQ(center.installed_policies.size(), 1U);
        const auto before = *center.installed_policies.begin();
        fresh.run_for(2h);
        EXPECT_GT(center.engine.counters().phase2_established, 1U);
        ASSERT_EQ(center.installed_policies.size(), 1U);
        EXPECT_EQ(*center.installed_policies.begin(), before);
        EXPECT_TRUE(is_up(far));
        EXPECT_TRUE(is_up(center));
    }
}

TEST_F(Subsets, HubRekeysItselfWhenTheDataplaneAsks) {
    hub_is(hub_config());
    const Gateway& far = peer(kFirst, "10.2.7.0/24");
    network.give(*hub, SaLimitReached{hub->engine.child_sas().front().outbound_sa, false});
    network.run_for(60s);
    EXPECT_EQ(hub->engine.counters().phase2_established, 2U);
    EXPECT_TRUE(is_up(far));
    EXPECT_EQ(hub->outbound().selector, selector("10.1.0.0/16", "10.2.7.0/24"));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
}

TEST_F(Subsets, PolicyGoesWithItsLastSa) {
    hub_is(hub_config());
    Gateway& far = peer(kFirst, "10.2.7.0/24");
    network.give(far, ClearPhase2{});
    network.run_for(2s);
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_EQ(hub->policies.in_use(), 0U);
    EXPECT_EQ(hub->engine.isakmp_sas().size(), 1U);
}

TEST_F(Subsets, OperatorClearsThem) {
    hub_is(hub_config());
    const Gateway& far = peer(kFirst, "10.2.7.0/24");
    network.give(*hub, ClearPhase2{kFirst});
    network.run_for(2s);
    EXPECT_TRUE(hub->installed.empty());
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_TRUE(far.installed.empty()) << "it was told";
}

TEST_F(Subsets, StayWhileAConfigurationKeepsTheirLine) {
    hub_is(hub_config());
    const Gateway& far = peer(kFirst, "10.2.7.0/24");
    EngineConfig next = hub_config();
    Connection wider = next.connections.front();
    wider.flows = {{PolicyId{9}, selector("10.1.0.0/16", "10.2.0.0/17"), 10}};
    next.connections = {wider};
    reconfigure(next);
    EXPECT_TRUE(is_up(far));
    EXPECT_EQ(hub->installed_policies.size(), 1U);
}

TEST_F(Subsets, GoWithTheirLine) {
    hub_is(hub_config());
    const Gateway& far = peer(kFirst, "10.2.7.0/24");
    EngineConfig next = hub_config();
    Connection other = next.connections.front();
    other.flows = {{PolicyId{9}, selector("10.1.0.0/16", "10.2.128.0/17"), 10}};
    next.connections = {other};
    reconfigure(next);
    EXPECT_TRUE(far.installed.empty());
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_EQ(hub->policies.in_use(), 0U);
}

TEST_F(Subsets, GoWhenAnEntryOfAnotherPeerTakesThem) {
    hub_is(hub_config());
    const Gateway& far = peer(kSecond, "10.9.7.0/24");
    ASSERT_TRUE(is_up(far));
    EngineConfig next = hub_config();
    Connection greedy = next.connections.front();
    greedy.flows.push_back({PolicyId{9}, selector("10.1.0.0/16", "10.9.0.0/16"), 20});
    next.connections = {greedy, next.connections[1]};
    reconfigure(next);
    EXPECT_TRUE(far.installed.empty());
    EXPECT_TRUE(hub->installed_policies.empty());
}

TEST_F(Subsets, RefusalByTheDataplaneTakesTheSasAlong) {
    hub_is(hub_config());
    const Gateway& far = peer(kFirst, "10.2.7.0/24");
    network.give(*hub, PolicyRefused{hub->installed_policies.begin()->first, "out of memory"});
    network.run_for(1s);
    EXPECT_TRUE(far.installed.empty());
    EXPECT_TRUE(hub->installed_policies.empty());
    EXPECT_TRUE(hub->logged({"install-refused", "out of memory"}));
}

} // namespace
} // namespace adit::ike
