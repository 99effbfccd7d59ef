// SPDX-License-Identifier: Apache-2.0
// The ways that a worker remembers for its own packets: what makes it forget them.
#include "dataplane/egress_cache.h"

#include "dataplane/stages/outer_output.h"
#include "tests/support/workers_fixture.h"

namespace adit::dataplane {
namespace {

constexpr wire::MacAddress kOtherMac{{2, 0, 0, 0, 1, 3}};
constexpr std::uint32_t kOtherGateway = Ipv4Address{192, 0, 2, 3}.value;

/// An address that takes the place of `address`.
std::uint32_t rival_of(std::uint32_t address) {
    EgressCache cache;
    cache.remember({.destination = address});
    for (std::uint32_t rival = address + 1;; ++rival) {
        cache.remember({.destination = rival});
        if (cache.find(address) == nullptr)
            return rival;
    }
}

TEST(EgressCache, FindsOnlyWhatItRemembers) {
    EgressCache cache;
    EXPECT_EQ(cache.find(7), nullptr);
    cache.remember({.destination = 7, .ip_mtu = 1400, .interface = 1});
    ASSERT_NE(cache.find(7), nullptr);
    EXPECT_EQ(cache.find(7)->ip_mtu, 1400U);
    EXPECT_EQ(cache.find(8), nullptr);
}

TEST(EgressCache, LaterOfTwoRivalsHasThePlace) {
    const std::uint32_t rival = rival_of(7);
    EgressCache cache;
    cache.remember({.destination = 7, .ip_mtu = 1});
    cache.remember({.destination = rival, .ip_mtu = 2});
    EXPECT_EQ(cache.find(7), nullptr);
    ASSERT_NE(cache.find(rival), nullptr);
    EXPECT_EQ(cache.find(rival)->ip_mtu, 2U);
}

TEST(EgressCache, ForgetsEverythingUnderANewVersion) {
    EgressCache cache;
    cache.keep_to(1);
    for (std::uint32_t destination : {7U, 8U, 9U})
        cache.remember({.destination = destination});
    cache.keep_to(1);
    EXPECT_NE(cache.find(7), nullptr);
    cache.keep_to(2);
    for (std::uint32_t destination : {7U, 8U, 9U})
        EXPECT_EQ(cache.find(destination), nullptr);
}

// ---------------------------------------------------------------------------------------------------
// outer_output

class OuterOutput : public test::WorkerFixture {
  protected:
    /// Where the frame of a packet of ours to `destination` was sent; nothing: none was made.
    std::optional<wire::MacAddress> sent_to(std::uint32_t destination, std::size_t payload = 40) {
        rte_mbuf* packet = make_packet(
            test::ip_packet(test::kWanAddress, destination, wire::kProtocolEsp, Bytes(payload)));
        PacketMeta& m = meta(packet);
        m.source = test::kWanAddress;
        m.destination = destination;
        Burst burst = burst_of(packet);
        pass<outer_output>(burst, *context);
        EXPECT_EQ(burst.count, 0U);
        Burst& out = context->ports[test::kWan].out;
        if (out.count == 0)
            return std::nullopt;
        const wire::EthernetHeader ethernet{data(out.packets[0])};
        EXPECT_EQ(ethernet.source(), test::kWanMac);
        EXPECT_EQ(ethernet.type(), wire::kEtherTypeIpv4);
        EXPECT_EQ(rte_pktmbuf_pkt_len(out.packets[0]),
                  wire::kEthernetBytes + wire::kIpv4Bytes + payload);
        const wire::MacAddress to = ethernet.destination();
        free_all(out);
        return to;
    }
};

TEST_F(OuterOutput, SendsTheRememberedWayLikeTheFirstTime) {
    EXPECT_EQ(sent_to(test::kPeerAddress), test::kPeerMac);
    ASSERT_NE(context->egress.find(test::kPeerAddress), nullptr);
    EXPECT_EQ(sent_to(test::kPeerAddress), test::kPeerMac);
    EXPECT_EQ(world.dropped_in_all(), 0U);
}

TEST_F(OuterOutput, RivalsForOnePlaceKeepTheirOwnWays) {
    const std::uint32_t rival = rival_of(test::kPeerAddress);
    tables.routes.add({Ipv4Address{rival}, 32}, {RouteKind::Gateway, test::kWan, kOtherGateway});
    neighbors.store(test::kWan, kOtherGateway, ipc::NeighborState::Reachable, kOtherMac, 1);
    for (unsigned i = 0; i < 3; ++i) {
        EXPECT_EQ(sent_to(test::kPeerAddress), test::kPeerMac);
        EXPECT_EQ(sent_to(rival), kOtherMac);
    }
}

TEST_F(OuterOutput, RemembersNoWayToAnUnknownNeighbor) {
    neighbors.remove(test::kWan, test::kPeerAddress);
    EXPECT_EQ(sent_to(test::kPeerAddress), std::nullopt);
    EXPECT_EQ(context->egress.find(test::kPeerAddress), nullptr);
    rte_mbuf* waiting = pop(queues->unresolved);
    ASSERT_NE(waiting, nullptr);
    rte_pktmbuf_free(waiting);
}

TEST_F(OuterOutput, RemembersNoWayOverALinkThatIsDown) {
    tables.interfaces[test::kWan].up = false;
    EXPECT_EQ(sent_to(test::kPeerAddress), std::nullopt);
    EXPECT_EQ(context->egress.find(test::kPeerAddress), nullptr);
    EXPECT_EQ(world.reasons(), "interface-down");
}

TEST_F(OuterOutput, WhatDoesNotFitOnTheRememberedWayIsFragmented) {
    tables.interfaces[test::kWan].ip_mtu = 576;
    EXPECT_EQ(sent_to(test::kPeerAddress, 556), test::kPeerMac);
    rte_mbuf* packet = make_packet(
        test::ip_packet(test::kWanAddress, test::kPeerAddress, wire::kProtocolEsp, Bytes(557)));
    meta(packet).destination = test::kPeerAddress;
    Burst burst = burst_of(packet);
    pass<outer_output>(burst, *context);
    EXPECT_EQ(context->ports[test::kWan].out.count, 2U);
}

// ---------------------------------------------------------------------------------------------------
// by a whole worker

class RememberedWay : public test::WorkersFixture {
  protected:
    void SetUp() override {
        WorkersFixture::SetUp();
        open({.workers = 1, .rx_queues = 1, .tx_queues = 1});
        shared->rcu.join(0);
        install(0, 0, 0);
        turn();
        ASSERT_EQ(sent_to(), test::kPeerMac);
    }

    void TearDown() override {
        shared->rcu.leave(0);
        WorkersFixture::TearDown();
    }

    void turn() { workers[0]->turn(now += 1'000); }

    /// Where a packet of the tunnel is sent; nothing: it is not.
    std::optional<wire::MacAddress> sent_to() {
        lan->arrive(0, clear_frame(0, 0));
        turn();
        rte_mbuf* frame = wan->left(0);
        if (frame == nullptr)
            return std::nullopt;
        EXPECT_TRUE(is_esp(frame));
        const wire::MacAddress to = wire::EthernetHeader{data(frame)}.destination();
        rte_pktmbuf_free(frame);
        return to;
    }

    void resolve(std::uint32_t address, const wire::MacAddress& mac) {
        shared->neighbors.store(test::kWan, address, ipc::NeighborState::Reachable, mac, 1);
    }

    std::uint64_t now{1'000'000'000};
};

TEST_F(RememberedWay, EndsWhenTheNeighborHasAnotherMac) {
    resolve(test::kPeerAddress, kOtherMac);
    EXPECT_EQ(sent_to(), kOtherMac);
}

TEST_F(RememberedWay, EndsWhenTheNeighborIsGone) {
    shared->neighbors.remove(test::kWan, test::kPeerAddress);
    EXPECT_EQ(sent_to(), std::nullopt);
    std::array<rte_mbuf*, 1> waiting{};
    ASSERT_EQ(workers[0]->queues().unresolved.pop(waiting), 1U);
    rte_pktmbuf_free(waiting[0]);
}

TEST_F(RememberedWay, EndsWhenTablesArePublished) {
    resolve(kOtherGateway, kOtherMac);
    auto tables = protecting_tables(2);
    tables->routes.add({Ipv4Address{test::kPeerAddress}, 32},
                       {RouteKind::Gateway, test::kWan, kOtherGateway});
    publish(std::move(tables));
    EXPECT_EQ(sent_to(), kOtherMac);
}

TEST_F(RememberedWay, EndsWhenItsLinkGoesDown) {
    auto tables = protecting_tables(2);
    tables->interfaces[test::kWan].up = false;
    publish(std::move(tables));
    EXPECT_EQ(sent_to(), std::nullopt);
    EXPECT_EQ(dropped(0, DropReason::InterfaceDown), 1U);
}

} // namespace
} // namespace adit::dataplane
