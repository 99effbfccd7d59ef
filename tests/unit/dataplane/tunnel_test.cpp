// SPDX-License-Identifier: Apache-2.0
// What routes lead into a tunnel: protected by its policy, cut to its size, told of its segments;
// and never out in clear.
#include "dataplane/ike_datagrams.h"
#include "dataplane/stages/fragment.h"
#include "dataplane/stages/inbound_policy.h"
#include "dataplane/stages/ip_input.h"
#include "dataplane/stages/leave_tunnel.h"
#include "dataplane/stages/link_output.h"
#include "dataplane/stages/local_delivery.h"
#include "dataplane/stages/outbound_policy.h"
#include "dataplane/stages/route.h"
#include "dataplane/tcp_mss.h"
#include "tests/support/worker_fixture.h"

#include <utility>

namespace adit::dataplane {
namespace {

constexpr std::uint32_t kInner = Ipv4Address{172, 16, 0, 1}.value;
constexpr std::uint16_t kMss = 1360;

/// 10.1.0.0/16 lies behind a tunnel of policy 0.
class TunnelTest : public test::WorkerFixture {
  protected:
    TunnelTest() {
        tables.tunnels = {{.policy = 0,
                           .address = kInner,
                           .ip_mtu = 1400,
                           .tcp_mss = kMss,
                           .link = test::kWan,
                           .prefix_length = 30,
                           .up = true}};
        tables.clamps_segments = true;
        tables.interfaces[kTunnelInterface].ip_mtu = UINT32_MAX;
        lead_into_tunnel({Ipv4Address{10, 1, 0, 0}, 16});
    }

    void lead_into_tunnel(Ipv4Prefix prefix) {
        tables.routes.add(prefix, {RouteKind::Gateway, kTunnelInterface, 0});
    }

    void install() {
        world.install(test::EspWorld::record(
            ipc::Direction::Outbound, {EspCipher::AesGcm128, EspMac::None}, 0));
    }

    Burst routed(ByteView packet) {
        Burst burst = burst_of(received(test::kLan, packet));
        pass<ip_input, inbound_policy, route>(burst, *context);
        return burst;
    }

    static Bytes datagram(std::size_t bytes, std::uint16_t flags = 0) {
        return test::udp_packet(test::kHost,
                                test::kFarHost,
                                1000,
                                2000,
                                Bytes(bytes - wire::kIpv4Bytes - wire::kUdpBytes),
                                flags);
    }
};

TEST_F(TunnelTest, WhatIsRoutedIntoItGetsItsSa) {
    install();
    Burst burst = routed(datagram(100));
    pass<outbound_policy, link_output>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    ASSERT_EQ(context->protect.count, 1U);
    EXPECT_EQ(meta(context->protect.packets[0]).sa.outbound, &world.outbound(0));
    EXPECT_EQ(context->ports[test::kWan].out.count, 0U);
}

TEST_F(TunnelTest, WithoutAnSaPacketsWaitAndControlIsAsked) {
    Burst burst = routed(datagram(100));
    pass<outbound_policy, link_output>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(context->held.size(), 1U);
    EXPECT_EQ(context->ports[test::kWan].out.count, 0U);
    ASSERT_EQ(world.events->pending().size(), 1U);
    EXPECT_EQ(world.events->pending()[0].acquire.policy, 0U);
}

TEST_F(TunnelTest, WhatWaitedForItDoesNotLeaveInClear) {
    for (const bool leads_elsewhere : {false, true}) {
        Burst burst = routed(datagram(100));
        pass<outbound_policy>(burst, *context);
        Burst waited;
        context->held.release(0, waited);
        ASSERT_EQ(waited.count, 1U);
        if (leads_elsewhere)
            tables.routes.add({Ipv4Address{10, 1, 0, 0}, 16},
                              {RouteKind::Gateway, test::kWan, test::kPeerAddress});
        keep_to_tunnels(waited, *context);
        EXPECT_EQ(waited.count, leads_elsewhere ? 0U : 1U);
        free_all(waited);
    }
    EXPECT_EQ(world.dropped(DropReason::NoSa), 1U);
}

TEST_F(TunnelTest, TooLargeForItsIpMtuIsAnsweredWithItOrCut) {
    install();
    Burst burst = routed(datagram(1401, wire::kIpv4DontFragment));
    pass<outbound_policy>(burst, *context);
    Burst out;
    unsigned next = 0;
    EXPECT_FALSE(all_fit_tunnel(context->protect, *context));
    EXPECT_FALSE(fit_tunnel(context->protect, next, out, *context));
    context->protect.count = 0;
    EXPECT_EQ(world.dropped(DropReason::TooBigDf), 1U);
    ASSERT_EQ(context->made.count, 1U);
    std::uint8_t* const answer = data(context->made.packets[0]);
    EXPECT_EQ(wire::Ipv4Header{answer}.source(), test::kLanAddress);
    EXPECT_EQ(load_be<std::uint32_t>(answer + wire::kIpv4Bytes + 4), 1400U);

    Burst again = routed(datagram(1401));
    pass<outbound_policy>(again, *context);
    next = 0;
    EXPECT_TRUE(fit_tunnel(context->protect, next, out, *context));
    context->protect.count = 0;
    EXPECT_EQ(out.count, 2U);
    free_all(out);
}

TEST_F(TunnelTest, TheLinkBelowCountsWhenItIsSmaller) {
    install();
    tables.interfaces[test::kWan].ip_mtu = 1000;
    const std::uint32_t inside = world.outbound(0).inner_mtu(1000);
    ASSERT_LT(inside, 1000U);
    for (const std::uint32_t bytes : {inside, inside + 1}) {
        Burst burst = routed(datagram(bytes));
        pass<outbound_policy>(burst, *context);
        EXPECT_EQ(all_fit_tunnel(context->protect, *context), bytes == inside);
        free_all(context->protect);
    }
}

TEST_F(TunnelTest, ItsOwnAddressAnswers) {
    tables.routes.add({Ipv4Address{kInner}, 32}, {RouteKind::Local, kTunnelInterface, 0});
    Burst burst = routed(test::echo_request(test::kHost, kInner, 8));
    EXPECT_EQ(burst.count, 0U);
    local_delivery(context->local, *context);
    ASSERT_EQ(context->made.count, 1U);
    EXPECT_EQ(wire::Ipv4Header{data(context->made.packets[0])}.source(), kInner);
}

TEST_F(TunnelTest, WhatCarriesATunnelDoesNotEnterOne) {
    lead_into_tunnel({Ipv4Address{test::kPeerAddress}, 32});
    Burst outer = burst_of(make_packet(
        test::udp_packet(test::kWanAddress, test::kPeerAddress, 4500, 4500, Bytes(2000))));
    PacketMeta& m = meta(outer.packets[0]);
    m = {};
    m.source = test::kWanAddress;
    m.destination = test::kPeerAddress;
    m.flags = kFromUs;
    pass<route_own, link_output>(outer, *context);
    EXPECT_EQ(world.dropped(DropReason::TunnelRecursion), 1U);

    DatagramBuilder builder{test::test_pool(), 1};
    ipc::DatagramRecord record{};
    record.source = test::kWanAddress;
    record.destination = test::kPeerAddress;
    record.source_port = record.destination_port = wire::kIkePort;
    record.length = 100;
    Burst made;
    EXPECT_EQ(builder.build(record, tables, made), DropReason::TunnelRecursion);
}

// --- segments

struct Segment {
    std::uint8_t flags{0x02}; // SYN
    Bytes options{2, 4, 0x05, 0xb4};
    std::uint16_t fragment{0};
};

Bytes tcp_packet(const Segment& segment) {
    Bytes tcp(20);
    store_be(tcp.data(), std::uint16_t{40'000});
    store_be(tcp.data() + 2, std::uint16_t{80});
    tcp.insert(tcp.end(), segment.options.begin(), segment.options.end());
    tcp[12] = static_cast<std::uint8_t>(tcp.size() / 4 << 4);
    tcp[13] = segment.flags;
    const std::uint64_t pseudo = wire::checksum_pseudo(
        test::kHost, test::kFarHost, 6, static_cast<std::uint16_t>(tcp.size()));
    store_be(tcp.data() + 16, wire::checksum_finish(wire::checksum_add(pseudo, tcp)));
    return test::ip_packet(test::kHost, test::kFarHost, 6, tcp, segment.fragment);
}

bool checksum_holds(ByteView packet) {
    const ByteView tcp = packet.subspan(wire::kIpv4Bytes);
    const std::uint64_t pseudo = wire::checksum_pseudo(
        test::kHost, test::kFarHost, 6, static_cast<std::uint16_t>(tcp.size()));
    return wire::checksum_finish(wire::checksum_add(pseudo, tcp)) == 0;
}

bool clamp(Bytes& packet, std::uint16_t mss = kMss) {
    return clamp_tcp_mss(packet.data(), static_cast<std::uint32_t>(packet.size()), mss);
}

TEST(TcpMss, IsLoweredWhereverTheOptionStands) {
    for (const Bytes& before :
         {Bytes{}, Bytes{1}, Bytes{1, 1}, Bytes{3, 3, 7}, Bytes{4, 2, 1, 1}}) {
        Segment segment;
        segment.options.insert(segment.options.begin(), before.begin(), before.end());
        segment.options.resize((segment.options.size() + 3) / 4 * 4, 0);
        Bytes packet = tcp_packet(segment);
        ASSERT_TRUE(checksum_holds(packet));
        EXPECT_TRUE(clamp(packet)) << before.size();
        EXPECT_EQ(load_be<std::uint16_t>(packet.data() + 40 + before.size() + 2), kMss);
        EXPECT_TRUE(checksum_holds(packet)) << before.size();
        EXPECT_FALSE(clamp(packet)) << "once is enough";
    }
}

TEST(TcpMss, EverythingElseStaysAsItIs) {
    const Segment cases[] = {
        {.flags = 0x10},                             // no SYN
        {.options = {2, 4, 0x05, 0x50}},             // 1360 already
        {.options = {}},                             // none: none is added
        {.options = {2, 3, 0x05, 0}},                // not its length
        {.options = {2, 0, 0x05, 0xb4}},             // no length at all
        {.options = {3, 9, 0, 0}},                   // reaches behind the header
        {.options = {0, 2, 4, 0x05, 0xb4, 0, 0, 0}}, // behind the end of the options
        {.fragment = 1},                             // of a later part
    };
    for (const Segment& segment : cases) {
        Bytes packet = tcp_packet(segment);
        const Bytes before = packet;
        EXPECT_FALSE(clamp(packet));
        EXPECT_EQ(packet, before);
    }
    Bytes cut = tcp_packet({});
    for (std::uint32_t bytes = wire::kIpv4Bytes; bytes < cut.size(); ++bytes)
        EXPECT_FALSE(clamp_tcp_mss(cut.data(), bytes, kMss)) << bytes;
}

TEST_F(TunnelTest, SegmentsAreToldBothWays) {
    install();
    Burst burst = routed(tcp_packet({}));
    pass<outbound_policy>(burst, *context);
    ASSERT_EQ(context->protect.count, 1U);
    EXPECT_EQ(load_be<std::uint16_t>(data(context->protect.packets[0]) + 42), kMss);

    InboundSa sa{};
    for (const std::uint32_t policy : {0U, 1U}) {
        sa.policy = policy;
        rte_mbuf* packet = make_packet(tcp_packet({.flags = 0x12}));
        meta(packet) = {};
        meta(packet).sa.inbound = &sa;
        meta(packet).protocol = 6;
        Burst inner = burst_of(packet);
        leave_tunnel(inner, *context);
        EXPECT_EQ(load_be<std::uint16_t>(data(packet) + 42), policy == 0 ? kMss : 1460);
        free_all(inner);
    }
}

} // namespace
} // namespace adit::dataplane
