// SPDX-License-Identifier: Apache-2.0
#include "dataplane/neighbor_table.h"
#include "dataplane/policy_table.h"
#include "dataplane/route_table.h"
#include "dataplane/tables.h"

#include <cstddef>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace adit::dataplane {
namespace {

constexpr Ipv4Address kAny{};

Ipv4Prefix prefix(const char* text) {
    return parse_ipv4_prefix(text).value();
}

std::uint32_t ip(const char* text) {
    return parse_ipv4(text).value().value;
}

// --- routes

TEST(RouteTable, KnowsNothingAtFirst) {
    EXPECT_EQ(RouteTable{}.lookup(ip("10.0.0.1")).kind, RouteKind::None);
}

TEST(RouteTable, PrefersTheLongestPrefixAtEveryStride) {
    RouteTable table;
    const char* prefixes[] = {"0.0.0.0/0",
                              "10.0.0.0/8",
                              "10.1.0.0/16",
                              "10.1.2.0/23",
                              "10.1.2.0/24",
                              "10.1.2.128/25",
                              "10.1.2.200/32"};
    for (std::uint16_t i = 0; i < std::size(prefixes); ++i)
        table.add(prefix(prefixes[i]), {RouteKind::Connected, i, 0});
    EXPECT_EQ(table.lookup(ip("11.0.0.1")).interface, 0);
    EXPECT_EQ(table.lookup(ip("10.2.0.1")).interface, 1);
    EXPECT_EQ(table.lookup(ip("10.1.9.1")).interface, 2);
    EXPECT_EQ(table.lookup(ip("10.1.3.1")).interface, 3);
    EXPECT_EQ(table.lookup(ip("10.1.2.1")).interface, 4);
    EXPECT_EQ(table.lookup(ip("10.1.2.129")).interface, 5);
    EXPECT_EQ(table.lookup(ip("10.1.2.200")).interface, 6);
    EXPECT_EQ(table.lookup(ip("10.1.2.201")).interface, 5);
}

TEST(RouteTable, FindsTheLongestOfRandomPrefixesOfEveryLength) {
    constexpr unsigned kLastLength = 32;
    constexpr std::uint32_t kSpread = 1U << 20; // crowded: most routes lie inside others
    std::mt19937 random{1};
    const auto address = [&] {
        return ip("10.0.0.0") + static_cast<std::uint32_t>(random()) % kSpread;
    };
    RouteTable table;
    std::vector<Ipv4Prefix> prefixes;
    for (std::uint8_t length = 8; length <= kLastLength; ++length)
        for (unsigned i = 0; i < 40; ++i) {
            prefixes.push_back({Ipv4Address{address() & mask_of_length(length)}, length});
            table.add(prefixes.back(),
                      {RouteKind::Gateway, 0, static_cast<std::uint32_t>(prefixes.size())});
        }
    for (unsigned i = 0; i < 20'000; ++i) {
        // Every other destination at an edge of a route.
        const Ipv4Prefix& near = prefixes[random() % prefixes.size()];
        const std::uint32_t destination =
            i % 2 == 0 ? address() : near.last().value + static_cast<std::uint32_t>(i % 4 == 1);
        std::uint32_t expected = 0; // the last one added wins: rising lengths, later replaces
        for (std::uint32_t number = 0; number < prefixes.size(); ++number)
            if (prefixes[number].contains(Ipv4Address{destination}))
                expected = number + 1;
        ASSERT_EQ(table.lookup(destination).gateway, expected)
            << to_string(Ipv4Address{destination});
    }
}

TEST(RouteTable, HostRoutesShareTheirChunks) {
    constexpr std::uint32_t kHosts = 100'000;
    RouteTable pool;
    const std::size_t empty = pool.memory();
    for (std::uint32_t i = 0; i < kHosts; ++i)
        pool.add({Ipv4Address{ip("10.0.0.0") + i}, 32}, {RouteKind::Gateway, 0, 1});
    EXPECT_LE(pool.memory() - empty, kHosts * (sizeof(Route) + 5));
}

// --- policies

PolicyLine line(std::uint32_t order,
                ipc::PolicyAction action,
                std::uint32_t entry,
                const char* local,
                const char* remote) {
    return {order,
            PolicyId{order},
            action,
            entry,
            {Ipv4Range::of(prefix(local)), Ipv4Range::of(prefix(remote))}};
}

Flow flow(const char* source, const char* destination) {
    return {ip(source), ip(destination), 1000, 80, 6};
}

TEST(PolicyTable, EmptyLetsPass) {
    EXPECT_EQ(PolicyTable{}.match(flow("10.2.0.1", "10.1.0.1")).action, ipc::PolicyAction::Bypass);
}

TEST(PolicyTable, LowestOrderWins) {
    const PolicyTable table{
        {line(20, ipc::PolicyAction::Drop, 2, "10.2.0.0/16", "10.1.0.0/16"),
         line(10, ipc::PolicyAction::Protect, 1, "10.2.0.0/16", "10.1.0.0/16")}};
    EXPECT_EQ(table.match(flow("10.2.0.1", "10.1.0.1")).policy, PolicyId{10});
}

TEST(PolicyTable, DenySkipsTheRestOfItsEntryOnly) {
    const PolicyTable table{
        {line(10, ipc::PolicyAction::Bypass, 1, "10.2.0.0/24", "10.1.0.0/16"),
         line(11, ipc::PolicyAction::Protect, 1, "10.2.0.0/16", "10.1.0.0/16"),
         line(20, ipc::PolicyAction::Protect, 2, "10.2.0.0/16", "10.1.0.0/24")}};
    EXPECT_EQ(table.match(flow("10.2.1.1", "10.1.5.1")).policy, PolicyId{11});
    EXPECT_EQ(table.match(flow("10.2.0.1", "10.1.0.1")).policy, PolicyId{20});
    EXPECT_EQ(table.match(flow("10.2.0.1", "10.1.5.1")).action, ipc::PolicyAction::Bypass);
}

TEST(PolicyTable, ComparesEveryField) {
    PolicyLine only = line(10, ipc::PolicyAction::Protect, 1, "10.2.0.0/16", "10.1.0.0/16");
    only.selector.protocol = 6;
    only.selector.local_port = {1000, 1001};
    only.selector.remote_port = {80, 80};
    const PolicyTable table{{only}};
    const Flow good = flow("10.2.0.1", "10.1.0.1");
    EXPECT_EQ(table.match(good).action, ipc::PolicyAction::Protect);
    for (const auto& change : {+[](Flow& f) { f.source = ip("10.3.0.0"); },
                               +[](Flow& f) { f.source = ip("10.1.255.255"); },
                               +[](Flow& f) { f.destination = ip("10.2.0.0"); },
                               +[](Flow& f) { f.protocol = 17; },
                               +[](Flow& f) { f.source_port = 999; },
                               +[](Flow& f) { f.source_port = 1002; },
                               +[](Flow& f) { f.destination_port = 81; }}) {
        Flow other = good;
        change(other);
        EXPECT_EQ(table.match(other).action, ipc::PolicyAction::Bypass);
    }
}

TEST(PolicyTable, FragmentWithoutPortsIsProtectedNeverBypassed) {
    PolicyLine deny = line(10, ipc::PolicyAction::Bypass, 1, "10.2.0.0/16", "10.1.0.0/16");
    deny.selector.remote_port = {80, 80};
    PolicyLine permit = line(11, ipc::PolicyAction::Protect, 1, "10.2.0.0/16", "10.1.0.0/16");
    permit.selector.remote_port = {443, 443};
    const PolicyTable table{{deny, permit}};
    Flow fragment = flow("10.2.0.1", "10.1.0.1");
    fragment.ports_known = false;
    EXPECT_EQ(table.match(fragment).policy, PolicyId{11});
}

// --- what control may publish

class TableBuilderTest : public ::testing::Test {
  protected:
    TableBuilderTest() { EXPECT_EQ(builder.begin(), Verdict{}); }

    static ipc::SetInterface interface() {
        return {.interface = 1,
                .prefix_length = 24,
                .flags = ipc::kInterfaceUp,
                .address = ip("192.0.2.1"),
                .ip_mtu = 1500};
    }

    static ipc::SetRoute route() {
        return {.prefix = ip("10.1.0.0"),
                .prefix_length = 16,
                .interface = kNoInterface.value,
                .next_hop = ip("192.0.2.2")};
    }

    static ipc::SetPolicy policy() {
        ipc::SetPolicy record{.policy = 3, .order = 10, .interface = 1, .entry = 10};
        record.selector = {ip("10.2.0.0"),
                           ip("10.2.255.255"),
                           ip("10.1.0.0"),
                           ip("10.1.255.255"),
                           0,
                           0xffff,
                           0,
                           0xffff,
                           0,
                           {}};
        return record;
    }

    static Verdict bad(std::size_t offset) {
        return {ipc::AckResult::BadValue, static_cast<std::uint32_t>(offset)};
    }

    TableBuilder builder{{1500, 1500}, 4};
};

#define EXPECT_REFUSED(make, change, verdict)                                                      \
    do {                                                                                           \
        auto record = make();                                                                      \
        record.change;                                                                             \
        EXPECT_EQ(builder.set(record), (verdict)) << #change;                                      \
    } while (false)

TEST_F(TableBuilderTest, AcceptsSoundRecords) {
    EXPECT_EQ(builder.set(interface()), Verdict{});
    EXPECT_EQ(builder.set(route()), Verdict{});
    EXPECT_EQ(builder.set(policy()), Verdict{});
    const auto published = builder.publish();
    ASSERT_NE(published.tables, nullptr);
    const Tables& tables = *published.tables;
    EXPECT_EQ(tables.routes.lookup(ip("10.1.9.9")),
              (Route{RouteKind::Gateway, 1, ip("192.0.2.2")}));
    EXPECT_EQ(tables.routes.lookup(ip("192.0.2.77")).kind, RouteKind::Connected);
    EXPECT_TRUE(tables.is_own_address(ip("192.0.2.1")));
    EXPECT_EQ(tables.routes.lookup(ip("192.0.2.255")).kind, RouteKind::Broadcast);
    EXPECT_FALSE(tables.policies[1].empty());
}

TEST_F(TableBuilderTest, RefusesBadInterfaces) {
    using R = ipc::SetInterface;
    EXPECT_REFUSED(interface, interface = 2, (Verdict{ipc::AckResult::NoSuchInterface}));
    EXPECT_REFUSED(interface, prefix_length = 33, bad(offsetof(R, prefix_length)));
    EXPECT_REFUSED(interface, prefix_length = 0, bad(offsetof(R, prefix_length)));
    EXPECT_REFUSED(interface, flags = 2, bad(offsetof(R, flags)));
    EXPECT_REFUSED(interface, ip_mtu = 67, bad(offsetof(R, ip_mtu)));
    EXPECT_REFUSED(interface, ip_mtu = 1501, bad(offsetof(R, ip_mtu)));
    EXPECT_REFUSED(interface, address = ip("192.0.2.0"), bad(offsetof(R, address)));
    EXPECT_REFUSED(interface, address = ip("192.0.2.255"), bad(offsetof(R, address)));
    EXPECT_REFUSED(interface, address = ip("224.0.0.1"), bad(offsetof(R, address)));
    EXPECT_REFUSED(interface, address = ip("127.0.0.1"), bad(offsetof(R, address)));
    EXPECT_EQ(builder.set(interface()), Verdict{});
    EXPECT_REFUSED(interface, interface = 0, bad(offsetof(R, address)));
}

TEST_F(TableBuilderTest, RefusesBadRoutes) {
    using R = ipc::SetRoute;
    EXPECT_REFUSED(route, interface = 2, (Verdict{ipc::AckResult::NoSuchInterface}));
    EXPECT_REFUSED(route, prefix_length = 33, bad(offsetof(R, prefix_length)));
    EXPECT_REFUSED(route, prefix = ip("10.1.0.1"), bad(offsetof(R, prefix)));
    EXPECT_REFUSED(route, next_hop = 0, bad(offsetof(R, next_hop)));
    EXPECT_REFUSED(route, next_hop = ip("224.0.0.1"), bad(offsetof(R, next_hop)));
}

TEST_F(TableBuilderTest, RefusesBadPolicies) {
    using R = ipc::SetPolicy;
    using S = ipc::SelectorRecord;
    constexpr std::size_t kSelector = offsetof(R, selector);
    EXPECT_REFUSED(policy, policy = 4, bad(offsetof(R, policy)));
    EXPECT_REFUSED(policy, interface = 2, (Verdict{ipc::AckResult::NoSuchInterface}));
    EXPECT_REFUSED(policy, action = 3, bad(offsetof(R, action)));
    EXPECT_REFUSED(
        policy, selector.local_first = 0xffffffff, bad(kSelector + offsetof(S, local_first)));
    EXPECT_REFUSED(policy, selector.remote_last = 0, bad(kSelector + offsetof(S, remote_first)));
    EXPECT_REFUSED(policy, selector.local_port_last = 0;
                   record.selector.local_port_first = 1,
                   bad(kSelector + offsetof(S, local_port_first)));
    EXPECT_REFUSED(policy, selector.remote_port_last = 0;
                   record.selector.remote_port_first = 1,
                   bad(kSelector + offsetof(S, remote_port_first)));
    EXPECT_EQ(builder.set(policy()), Verdict{});
    EXPECT_EQ(builder.set(policy()), bad(offsetof(R, policy))) << "numbered twice";
}

TEST_F(TableBuilderTest, RefusesInterruptedEntriesWhenPublishing) {
    for (std::uint32_t i = 0; i < 3; ++i) {
        ipc::SetPolicy record = policy();
        record.policy = i;
        record.order = i;
        record.entry = i == 1 ? 2 : 1;
        EXPECT_EQ(builder.set(record), Verdict{});
    }
    const auto published = builder.publish();
    EXPECT_EQ(published.verdict, bad(offsetof(ipc::SetPolicy, entry)));
    EXPECT_EQ(published.tables, nullptr);
}

// --- tunnels

ipc::SetTunnel tunnel(std::uint32_t policy = 3) {
    ipc::SetTunnel record{};
    record.policy = policy;
    record.address = ip("172.16.0.1");
    record.prefix_length = 30;
    record.ip_mtu = 1400;
    record.tcp_mss = 1360;
    record.link = 1;
    record.flags = ipc::kTunnelUp;
    return record;
}

ipc::SetRoute into(std::uint32_t policy, const char* where) {
    ipc::SetRoute record{};
    record.prefix = prefix(where).address.value;
    record.prefix_length = prefix(where).length;
    record.interface = ipc::kIntoTunnel;
    record.next_hop = policy;
    return record;
}

TEST_F(TableBuilderTest, RoutesToNowhereHideShorterOnes) {
    EXPECT_EQ(builder.set(interface()), Verdict{});
    ipc::SetRoute nowhere = into(0, "10.9.0.0/16");
    nowhere.interface = ipc::kToNowhere;
    for (const char* where : {"0.0.0.0/0", "10.9.1.0/24"}) {
        ipc::SetRoute way = into(0, where);
        way.interface = 1;
        EXPECT_EQ(builder.set(way), Verdict{});
    }
    EXPECT_EQ(builder.set(nowhere), Verdict{});
    nowhere.next_hop = 1;
    EXPECT_EQ(builder.set(nowhere), bad(offsetof(ipc::SetRoute, next_hop)));
    const auto tables = builder.publish().tables;
    EXPECT_EQ(tables->routes.lookup(ip("10.8.0.1")).kind, RouteKind::Connected);
    EXPECT_EQ(tables->routes.lookup(ip("10.9.0.1")).kind, RouteKind::None);
    EXPECT_EQ(tables->routes.lookup(ip("10.9.1.1")).kind, RouteKind::Connected);
}

TEST_F(TableBuilderTest, AddressesOnNoLinkAreOurs) {
    ipc::SetRoute own = into(0, "198.51.100.1/32");
    own.interface = ipc::kToUs;
    EXPECT_EQ(builder.set(own), Verdict{});
    for (const char* where : {"198.51.100.0/24", "224.0.0.1/32"}) {
        ipc::SetRoute wrong = into(0, where);
        wrong.interface = ipc::kToUs;
        EXPECT_EQ(builder.set(wrong), bad(offsetof(ipc::SetRoute, prefix))) << where;
    }
    const auto tables = builder.publish().tables;
    EXPECT_TRUE(tables->routes.is_local(ip("198.51.100.1")));
    EXPECT_FALSE(tables->routes.is_local(ip("198.51.100.2")));
}

TEST_F(TableBuilderTest, RoutesLeadIntoTunnelsByTheirPolicy) {
    ipc::SetTunnel other = tunnel(0);
    other.address = ip("10.2.0.1"); // lent
    other.prefix_length = 0;
    other.tcp_mss = 0;
    EXPECT_EQ(builder.set(interface()), Verdict{});
    EXPECT_EQ(builder.set(tunnel(3)), Verdict{});
    EXPECT_EQ(builder.set(other), Verdict{});
    EXPECT_EQ(builder.set(into(3, "10.9.0.0/16")), Verdict{});
    EXPECT_EQ(builder.set(into(0, "10.8.0.0/16")), Verdict{});
    EXPECT_EQ(builder.set(into(2, "10.7.0.0/16")), Verdict{}) << "whose tunnel is not there";
    const auto tables = builder.publish().tables;
    ASSERT_NE(tables, nullptr);
    ASSERT_EQ(tables->tunnels.size(), 2U);
    EXPECT_EQ(tables->routes.lookup(ip("10.9.1.1")),
              (Route{RouteKind::Gateway, kTunnelInterface, 1}));
    EXPECT_EQ(tables->routes.lookup(ip("10.8.1.1")),
              (Route{RouteKind::Gateway, kTunnelInterface, 0}));
    EXPECT_EQ(tables->routes.lookup(ip("10.7.1.1")).kind, RouteKind::None);
    EXPECT_EQ(tables->tunnels[1].policy, 3U);
    EXPECT_EQ(tables->tunnel_of(3), &tables->tunnels[1]);
    EXPECT_EQ(tables->tunnel_of(1), nullptr);
    EXPECT_TRUE(tables->clamps_segments);
    // Its own network, and what is ours in it; a lent address brings neither.
    EXPECT_EQ(tables->routes.lookup(ip("172.16.0.2")),
              (Route{RouteKind::Gateway, kTunnelInterface, 1}));
    EXPECT_TRUE(tables->is_own_address(ip("172.16.0.1")));
    EXPECT_EQ(tables->routes.lookup(ip("172.16.0.3")).kind, RouteKind::Broadcast);
    EXPECT_FALSE(tables->is_own_address(ip("10.2.0.1")));
}

TEST_F(TableBuilderTest, OfOnePrefixTheLastWayThatCanBeUsedWins) {
    ipc::SetRoute clear = route();
    clear.prefix = ip("10.9.0.0");
    clear.prefix_length = 16;
    ipc::SetTunnel down = tunnel(3);
    down.flags = 0;
    EXPECT_EQ(builder.set(interface()), Verdict{});
    EXPECT_EQ(builder.set(down), Verdict{});
    EXPECT_EQ(builder.set(clear), Verdict{});
    EXPECT_EQ(builder.set(into(3, "10.9.0.0/16")), Verdict{});
    const auto before = builder.publish().tables;
    ASSERT_NE(before, nullptr);
    EXPECT_EQ(before->routes.lookup(ip("10.9.1.1")).interface, 1);
    EXPECT_FALSE(before->is_own_address(ip("172.16.0.1")));
    EXPECT_EQ(builder.change(tunnel(3)), Verdict{});
    const auto after = builder.publish_edits(*before).tables;
    ASSERT_NE(after, nullptr);
    EXPECT_EQ(after->routes.lookup(ip("10.9.1.1")).interface, kTunnelInterface);
    EXPECT_TRUE(after->is_own_address(ip("172.16.0.1")));
    EXPECT_EQ(builder.change(down), Verdict{});
    const auto again = builder.publish_edits(*after).tables;
    EXPECT_EQ(again->routes.lookup(ip("10.9.1.1")).interface, 1);
}

TEST_F(TableBuilderTest, RefusesBadTunnels) {
    using R = ipc::SetTunnel;
    EXPECT_REFUSED(tunnel, policy = 1'000'000, bad(offsetof(R, policy)));
    EXPECT_REFUSED(tunnel, link = 2, (Verdict{ipc::AckResult::NoSuchInterface}));
    EXPECT_REFUSED(tunnel, ip_mtu = 67, bad(offsetof(R, ip_mtu)));
    EXPECT_REFUSED(tunnel, ip_mtu = 65'536, bad(offsetof(R, ip_mtu)));
    EXPECT_REFUSED(tunnel, prefix_length = 33, bad(offsetof(R, prefix_length)));
    EXPECT_REFUSED(tunnel, address = 0, bad(offsetof(R, prefix_length)));
    EXPECT_REFUSED(tunnel, address = ip("172.16.0.0"), bad(offsetof(R, address)));
    EXPECT_REFUSED(tunnel, address = ip("224.0.0.1"), bad(offsetof(R, address)));
    EXPECT_REFUSED(tunnel, flags = 2, bad(offsetof(R, flags)));
    EXPECT_EQ(builder.set(tunnel()), Verdict{});
    EXPECT_EQ(builder.set(tunnel()), bad(offsetof(R, policy))) << "numbered twice";
    ipc::SetPolicy same = policy();
    same.policy = 3;
    EXPECT_EQ(builder.set(same), bad(offsetof(ipc::SetPolicy, policy)));
    EXPECT_EQ(builder.set(into(1'000'000, "10.9.0.0/16")), bad(offsetof(ipc::SetRoute, next_hop)));
    EXPECT_EQ(builder.change(tunnel()), (Verdict{ipc::AckResult::NotStaging}));
    const auto published = builder.publish();
    EXPECT_EQ(builder.change(tunnel(2)), (Verdict{ipc::AckResult::NoSuchPolicy}));
}

// --- edits of what is published

class TableEdits : public TableBuilderTest {
  protected:
    TableEdits() {
        EXPECT_EQ(builder.set(interface()), Verdict{});
        EXPECT_EQ(builder.set(wide()), Verdict{});
        tables = builder.publish().tables;
    }

    /// Everything is dropped until somebody claims it.
    static ipc::SetPolicy wide() {
        ipc::SetPolicy record = policy();
        record.policy = 0;
        record.action = static_cast<std::uint8_t>(ipc::PolicyAction::Drop);
        record.breadth = 0xff;
        record.selector.remote_first = 0;
        record.selector.remote_last = 0xffffffff;
        return record;
    }

    static ipc::SetPolicy claim(std::uint32_t number, const char* remote, std::uint8_t breadth) {
        ipc::SetPolicy record = policy();
        record.policy = number;
        record.breadth = breadth;
        const Ipv4Prefix range = prefix(remote);
        record.selector.remote_first = range.first().value;
        record.selector.remote_last = range.last().value;
        return record;
    }

    void publish() {
        auto next = builder.publish_edits(*tables);
        EXPECT_EQ(next.verdict, Verdict{});
        ASSERT_NE(next.tables, nullptr);
        tables = std::move(next.tables);
    }

    [[nodiscard]] PolicyMatch match(const char* destination) const {
        return tables->policies[1].match({.source = ip("10.2.0.1"),
                                          .destination = ip(destination),
                                          .source_port = 0,
                                          .destination_port = 0,
                                          .protocol = 1,
                                          .ports_known = true});
    }

    std::unique_ptr<Tables> tables;
};

TEST_F(TableEdits, NarrowerComesBeforeWiderAndBothBeforeTheStandingLine) {
    EXPECT_EQ(builder.add(claim(1, "10.1.0.0/16", 32)), Verdict{});
    EXPECT_EQ(builder.add(claim(2, "10.1.2.0/24", 24)), Verdict{});
    publish();
    EXPECT_EQ(match("10.1.2.3"), (PolicyMatch{ipc::PolicyAction::Protect, PolicyId{2}}));
    EXPECT_EQ(match("10.1.3.3"), (PolicyMatch{ipc::PolicyAction::Protect, PolicyId{1}}));
    EXPECT_EQ(match("10.9.0.1").action, ipc::PolicyAction::Drop);
}

TEST_F(TableEdits, WhatIsNotTouchedStays) {
    EXPECT_EQ(builder.add(claim(1, "10.1.0.0/16", 32)), Verdict{});
    publish();
    EXPECT_TRUE(tables->interfaces[1].up);
    EXPECT_TRUE(tables->is_own_address(ip("192.0.2.1")));
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 1}), Verdict{});
    publish();
    EXPECT_EQ(match("10.1.2.3").action, ipc::PolicyAction::Drop);
}

TEST_F(TableEdits, AddedAndRemovedInOneBatchLeavesNothing) {
    EXPECT_EQ(builder.add(claim(1, "10.1.0.0/16", 32)), Verdict{});
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 1}), Verdict{});
    EXPECT_EQ(builder.add(claim(1, "10.1.7.0/24", 24)), Verdict{});
    publish();
    EXPECT_EQ(match("10.1.2.3").action, ipc::PolicyAction::Drop);
    EXPECT_EQ(match("10.1.7.3").policy, PolicyId{1});
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 1}), Verdict{});
    EXPECT_EQ(builder.add(claim(1, "10.1.8.0/24", 24)), Verdict{});
    publish();
    EXPECT_EQ(match("10.1.7.3").action, ipc::PolicyAction::Drop);
    EXPECT_EQ(match("10.1.8.3").policy, PolicyId{1});
}

TEST_F(TableEdits, RefusesWhatDoesNotFit) {
    EXPECT_EQ(builder.add(claim(0, "10.1.0.0/16", 32)), bad(offsetof(ipc::SetPolicy, policy)));
    EXPECT_EQ(builder.add(claim(4, "10.1.0.0/16", 32)), bad(offsetof(ipc::SetPolicy, policy)));
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 1}),
              (Verdict{ipc::AckResult::NoSuchPolicy}));
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 4}),
              (Verdict{ipc::AckResult::NoSuchPolicy}));
    EXPECT_EQ(builder.remove(route()), bad(offsetof(ipc::SetRoute, prefix)));
    builder.forget_published();
    const Verdict not_staging{ipc::AckResult::NotStaging};
    EXPECT_EQ(builder.add(claim(1, "10.1.0.0/16", 32)), not_staging);
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 0}), not_staging);
    EXPECT_EQ(builder.add(route()), not_staging);
    EXPECT_EQ(builder.publish_edits(*tables).verdict, not_staging);
}

TEST_F(TableEdits, BatchThatInterruptsAnEntryIsTakenBackWhole) {
    ipc::SetPolicy behind = claim(1, "10.3.0.0/16", 32);
    behind.order = 30;
    EXPECT_EQ(builder.add(behind), Verdict{}); // of the same entry as the standing line
    ipc::SetPolicy between = claim(2, "10.4.0.0/16", 32);
    between.order = 20;
    between.entry = 11;
    EXPECT_EQ(builder.add(between), Verdict{});
    EXPECT_EQ(builder.remove(ipc::RemovePolicy{.policy = 0}), Verdict{});
    EXPECT_EQ(builder.add(claim(0, "10.5.0.0/16", 32)), Verdict{});
    const auto refused = builder.publish_edits(*tables);
    EXPECT_EQ(refused.verdict, bad(offsetof(ipc::SetPolicy, entry)));
    EXPECT_EQ(refused.tables, nullptr);
    // The numbers are what they were: 0 in use, the others free.
    EXPECT_EQ(builder.add(claim(0, "10.1.0.0/16", 32)), bad(offsetof(ipc::SetPolicy, policy)));
    EXPECT_EQ(builder.add(claim(1, "10.1.0.0/16", 32)), Verdict{});
    EXPECT_EQ(builder.add(claim(2, "10.3.0.0/16", 32)), Verdict{});
    publish();
    EXPECT_EQ(match("10.9.0.1").action, ipc::PolicyAction::Drop);
    EXPECT_EQ(match("10.3.0.1").policy, PolicyId{2});
}

TEST_F(TableEdits, RoutesComeAndGo) {
    EXPECT_EQ(builder.add(route()), Verdict{});
    publish();
    EXPECT_EQ(tables->routes.lookup(ip("10.1.2.3")).kind, RouteKind::Gateway);
    EXPECT_EQ(builder.remove(route()), Verdict{});
    EXPECT_EQ(builder.remove(route()), bad(offsetof(ipc::SetRoute, prefix))) << "there was one";
    publish();
    EXPECT_EQ(tables->routes.lookup(ip("10.1.2.3")).kind, RouteKind::None);
}

TEST(TableBuilder, PublishesAHundredThousandPoliciesInAnyOrder) {
    constexpr std::uint32_t kPolicies = 100'000;
    TableBuilder many{{1500}, kPolicies};
    ASSERT_EQ(many.begin(), Verdict{});
    const auto remote = [](std::uint32_t number) { return ip("64.0.0.0") + (number << 8); };
    for (std::uint32_t i = kPolicies; i-- > 0;) {
        ipc::SetPolicy record{.policy = i, .order = i, .interface = 0, .entry = i};
        record.action = static_cast<std::uint8_t>(ipc::PolicyAction::Protect);
        record.selector = {.local_first = 0,
                           .local_last = 0xffffffff,
                           .remote_first = remote(i),
                           .remote_last = remote(i) + 0xff,
                           .local_port_last = 0xffff,
                           .remote_port_last = 0xffff};
        ASSERT_EQ(many.set(record), Verdict{}) << i;
    }
    const auto published = many.publish();
    ASSERT_NE(published.tables, nullptr);
    for (std::uint32_t i = 0; i < kPolicies; i += 997)
        EXPECT_EQ(published.tables->policies[0].match({7, remote(i) + 9}).policy, PolicyId{i});
    EXPECT_EQ(published.tables->policies[0].match({7, remote(kPolicies)}), PolicyMatch{});
}

TEST_F(TableBuilderTest, RefusesRecordsOutsideOfStaging) {
    EXPECT_NE(builder.publish().tables, nullptr);
    const Verdict not_staging{ipc::AckResult::NotStaging};
    EXPECT_EQ(builder.set(interface()), not_staging);
    EXPECT_EQ(builder.set(route()), not_staging);
    EXPECT_EQ(builder.set(policy()), not_staging);
    EXPECT_EQ(builder.publish().verdict, not_staging);
}

TEST_F(TableBuilderTest, RoutesOverLinksThatAreDownAreNotUsed) {
    ipc::SetInterface down = interface();
    down.flags = 0;
    EXPECT_EQ(builder.set(down), Verdict{});
    EXPECT_EQ(builder.set(route()), Verdict{});
    const auto published = builder.publish();
    EXPECT_EQ(published.tables->routes.lookup(ip("10.1.0.1")).kind, RouteKind::None);
    EXPECT_FALSE(published.tables->is_own_address(ip("192.0.2.1")));
}

// --- neighbours

constexpr wire::MacAddress kMac{{2, 0, 0, 0, 0, 9}};

TEST(NeighborTable, FindsWhatWasStoredUntilRemoved) {
    NeighborTable table{{}};
    EXPECT_FALSE(table.lookup(0, 7).has_value());
    EXPECT_TRUE(table.store(0, 7, ipc::NeighborState::Incomplete, {}, 1));
    EXPECT_FALSE(table.lookup(0, 7).has_value());
    EXPECT_TRUE(table.store(0, 7, ipc::NeighborState::Reachable, kMac, 2));
    EXPECT_EQ(table.lookup(0, 7), kMac);
    EXPECT_FALSE(table.lookup(1, 7).has_value());
    table.remove(0, 7);
    EXPECT_FALSE(table.lookup(0, 7).has_value());
}

TEST(NeighborTable, CountsOnlyChangesOfWhatALookUpFinds) {
    NeighborTable table{{}};
    const auto changes = [&](auto change) {
        const std::uint64_t before = table.changes();
        change();
        return table.changes() - before;
    };
    using enum ipc::NeighborState;
    const wire::MacAddress other{{2, 0, 0, 0, 0, 8}};
    EXPECT_EQ(changes([&] { table.store(0, 7, Incomplete, {}, 1); }), 0U) << "still unknown";
    EXPECT_EQ(changes([&] { table.store(0, 7, Reachable, kMac, 2); }), 1U);
    EXPECT_EQ(changes([&] { table.store(0, 7, Reachable, kMac, 3); }), 0U) << "confirmed";
    EXPECT_EQ(changes([&] { table.store(0, 7, Stale, kMac, 4); }), 0U);
    EXPECT_EQ(changes([&] { table.store(0, 7, Reachable, other, 5); }), 1U);
    EXPECT_EQ(changes([&] { table.remove(0, 7); }), 1U);
    EXPECT_EQ(changes([&] { table.remove(0, 7); }), 0U) << "was not there";
}

TEST(NeighborTable, KeepsHalfOfItsCellsApart) {
    NeighborTable table{{}};
    for (std::uint32_t i = 0; i < ipc::kMaxNeighbors / 2; ++i)
        ASSERT_TRUE(table.store(1, kAny.value + i * 257, ipc::NeighborState::Reachable, kMac, 1))
            << i;
    for (std::uint32_t i = 0; i < ipc::kMaxNeighbors / 2; i += 2)
        table.remove(1, i * 257);
    for (std::uint32_t i = 0; i < ipc::kMaxNeighbors / 2; ++i)
        EXPECT_EQ(table.lookup(1, i * 257).has_value(), i % 2 == 1) << i;
}

TEST(NeighborTable, ShowsControlTheSame) {
    std::vector<ipc::NeighborEntry> page(ipc::kMaxNeighbors);
    NeighborTable table{page};
    table.store(3, 7, ipc::NeighborState::Stale, kMac, 42);
    unsigned shown = 0;
    for (const ipc::NeighborEntry& cell : page)
        if (const auto neighbor = ipc::load_neighbor(cell)) {
            ++shown;
            EXPECT_EQ(neighbor->address, 7U);
            EXPECT_EQ(neighbor->interface, 3);
            EXPECT_EQ(neighbor->mac, kMac.octets);
            EXPECT_EQ(neighbor->updated_ns, 42U);
        }
    EXPECT_EQ(shown, 1U);
}

} // namespace
} // namespace adit::dataplane
