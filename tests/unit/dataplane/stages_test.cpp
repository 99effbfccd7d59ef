// SPDX-License-Identifier: Apache-2.0
// Each stage alone, on real mbufs; esp_inbound and esp_outbound have tests of their own.
#include "dataplane/stages/eth_input.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/fragment.h"
#include "dataplane/stages/inbound_policy.h"
#include "dataplane/stages/ip_input.h"
#include "dataplane/stages/link_output.h"
#include "dataplane/stages/local_delivery.h"
#include "dataplane/stages/outbound_policy.h"
#include "dataplane/stages/route.h"
#include "tests/support/ring_port.h"
#include "tests/support/worker_fixture.h"

#include <algorithm>

namespace adit::dataplane {
namespace {

class Stages : public test::WorkerFixture {
  protected:
    /// Runs off the wire up to the route, as a worker does.
    Burst take_in(std::uint16_t interface, ByteView packet) {
        Burst burst = burst_of(received(interface, packet));
        pass<ip_input, inbound_policy, route>(burst, *context);
        return burst;
    }

    /// A packet that was routed from the host to the far network.
    Burst routed(std::size_t payload_bytes, std::uint16_t flags = 0) {
        return take_in(
            test::kLan,
            test::udp_packet(test::kHost, test::kFarHost, 1000, 2000, Bytes(payload_bytes), flags));
    }

    [[nodiscard]] wire::IcmpHeader made_error() {
        EXPECT_EQ(context->made.count, 1U);
        return wire::IcmpHeader{data(context->made.packets[0]) + wire::kIpv4Bytes};
    }

    Bytes frame(const wire::MacAddress& to, std::uint16_t type, ByteView payload) {
        Bytes bytes(wire::kEthernetBytes);
        wire::EthernetHeader{bytes.data()}.write(to, test::kHostMac, type);
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        return bytes;
    }
};

// --- eth_input

TEST_F(Stages, EthInputPassesIpv4ToUs) {
    const Bytes packet = test::echo_request(test::kHost, test::kLanAddress, 8);
    Burst burst =
        burst_of(received(test::kLan, frame(test::kLanMac, wire::kEtherTypeIpv4, packet)));
    pass<eth_input>(burst, *context);
    ASSERT_EQ(burst.count, 1U);
    EXPECT_EQ(bytes_of(burst.packets[0]), packet);
    free_all(burst);
}

TEST_F(Stages, EthInputDropsForeignAndUnknownFrames) {
    Burst burst;
    burst.push(received(test::kLan, frame(test::kWanMac, wire::kEtherTypeIpv4, {})));
    burst.push(received(test::kLan, frame(test::kLanMac, 0x86dd, {})));
    burst.push(received(test::kLan, frame(test::kLanMac, 0x8100, {})));
    burst.push(received(test::kLan, Bytes(13)));
    pass<eth_input>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::EthNotForUs), 1U);
    EXPECT_EQ(world.dropped(DropReason::EthUnknownType), 3U);
}

TEST_F(Stages, EthInputHandsArpToTheHousekeeper) {
    Burst burst =
        burst_of(received(test::kLan, frame(wire::kBroadcastMac, wire::kEtherTypeArp, Bytes(28))));
    pass<eth_input>(burst, *context);
    rte_mbuf* arp = pop(queues->arp);
    ASSERT_NE(arp, nullptr);
    EXPECT_EQ(rte_pktmbuf_pkt_len(arp), 28U);
    rte_pktmbuf_free(arp);
}

// --- ip_input

TEST_F(Stages, IpInputReadsTheFlowAndCutsPadding) {
    Bytes packet = test::udp_packet(test::kHost, test::kFarHost, 1000, 2000, Bytes(4));
    packet.resize(46);
    Burst burst = burst_of(received(test::kLan, packet));
    pass<ip_input>(burst, *context);
    ASSERT_EQ(burst.count, 1U);
    EXPECT_EQ(rte_pktmbuf_pkt_len(burst.packets[0]), 32U);
    const Flow flow = flow_of(burst.packets[0]);
    EXPECT_EQ(flow.source, test::kHost);
    EXPECT_EQ(flow.source_port, 1000);
    EXPECT_EQ(flow.destination_port, 2000);
    free_all(burst);
}

TEST_F(Stages, IpInputCutsPaddingThatFillsWholeSegments) {
    Bytes frame = test::udp_packet(test::kHost, test::kFarHost, 1000, 2000, Bytes(4, 0x77));
    const Bytes datagram = frame;
    frame.resize(60);
    for (std::size_t first = wire::kIpv4Bytes; first <= frame.size(); ++first) {
        const std::size_t second = (frame.size() - first) / 2;
        rte_mbuf* packet = received(test::kLan, ByteView{frame}.first(first));
        rte_mbuf* middle = make_packet(ByteView{frame}.subspan(first, second));
        rte_mbuf* last = make_packet(ByteView{frame}.subspan(first + second));
        ASSERT_EQ(rte_pktmbuf_chain(packet, middle), 0);
        ASSERT_EQ(rte_pktmbuf_chain(packet, last), 0);
        Burst burst = burst_of(packet);
        pass<ip_input>(burst, *context);
        ASSERT_EQ(burst.count, 1U);
        EXPECT_EQ(rte_pktmbuf_pkt_len(packet), datagram.size()) << first;
        Bytes left;
        for (rte_mbuf* at = packet; at != nullptr; at = at->next)
            left.insert(left.end(), data(at), data(at) + at->data_len);
        EXPECT_EQ(left, datagram) << first;
        free_all(burst);
    }
}

struct BadHeader {
    const char* what;
    DropReason reason;
    void (*change)(Bytes&);
    bool fix_checksum{true};
};

TEST_F(Stages, IpInputRefusesBadHeaders) {
    const BadHeader cases[] = {
        {"version 6", DropReason::IpMalformed, [](Bytes& p) { p[0] = 0x65; }},
        {"header length 16", DropReason::IpMalformed, [](Bytes& p) { p[0] = 0x44; }, false},
        {"header longer than packet",
         DropReason::IpMalformed,
         [](Bytes& p) { p[0] = 0x4f; },
         false},
        {"total below header", DropReason::IpMalformed, [](Bytes& p) { p[3] = 19; }},
        {"total beyond frame", DropReason::IpMalformed, [](Bytes& p) { p[3] += 1; }},
        {"truncated", DropReason::IpMalformed, [](Bytes& p) { p.resize(19); }, false},
        {"checksum", DropReason::IpChecksum, [](Bytes& p) { p[10] ^= 1; }, false},
        {"source multicast", DropReason::IpSource, [](Bytes& p) { p[12] = 224; }},
        {"source loopback", DropReason::IpSource, [](Bytes& p) { p[12] = 127; }},
        {"source zero", DropReason::IpSource, [](Bytes& p) { p[12] = 0; }},
        {"source ours",
         DropReason::IpSource,
         [](Bytes& p) { store_be(p.data() + 12, test::kWanAddress); }},
    };
    for (const BadHeader& test_case : cases) {
        Bytes packet = test::udp_packet(test::kHost, test::kFarHost, 1, 2, Bytes(4));
        test_case.change(packet);
        if (test_case.fix_checksum)
            wire::Ipv4Header{packet.data()}.update_checksum();
        const std::uint64_t before = world.dropped(test_case.reason);
        Burst burst = burst_of(received(test::kLan, packet));
        pass<ip_input>(burst, *context);
        EXPECT_EQ(burst.count, 0U) << test_case.what;
        EXPECT_EQ(world.dropped(test_case.reason), before + 1) << test_case.what;
        free_all(burst);
    }
}

/// Packets that pass ip_input, of one with a damaged checksum and this verdict of the NIC.
class NicVerdict : public Stages {
  protected:
    unsigned passes(std::uint64_t verdict) {
        Bytes packet = test::udp_packet(test::kHost, test::kFarHost, 1, 2, Bytes(8));
        packet[10] ^= 0xff;
        Burst burst = burst_of(received(test::kLan, packet));
        burst.packets[0]->ol_flags |= verdict;
        pass<ip_input>(burst, *context);
        const unsigned count = burst.count;
        free_all(burst);
        return count;
    }
};

TEST_F(NicVerdict, IsBelievedOnlyWhenItIsGood) {
    ask_nic_for_checksums();
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_GOOD), 1U);
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN), 0U);
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_BAD), 0U);
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_NONE), 0U);
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD), 0U);
}

TEST_F(NicVerdict, IsNotBelievedOfAPortThatWasNotAsked) {
    EXPECT_EQ(passes(RTE_MBUF_F_RX_IP_CKSUM_GOOD), 0U);
}

TEST_F(Stages, IpInputRefusesSourceRoutesAndPassesOtherOptions) {
    for (const int number : {131, 137, 148}) {
        const auto option = static_cast<std::uint8_t>(number);
        Bytes packet = test::udp_packet(test::kHost, test::kFarHost, 1, 2, Bytes(8));
        packet.insert(packet.begin() + 20, {option, 4, 0, 0});
        packet[0] = 0x46;
        packet[3] = static_cast<std::uint8_t>(packet.size());
        wire::Ipv4Header{packet.data()}.update_checksum();
        Burst burst = burst_of(received(test::kLan, packet));
        pass<ip_input>(burst, *context);
        EXPECT_EQ(burst.count, option == 148 ? 1U : 0U) << unsigned{option};
        free_all(burst);
    }
    EXPECT_EQ(world.dropped(DropReason::IpOptions), 2U);
}

TEST_F(Stages, IpInputRefusesInterfacesThatAreDown) {
    tables.interfaces[test::kLan].up = false;
    Burst burst =
        burst_of(received(test::kLan, test::echo_request(test::kHost, test::kFarHost, 8)));
    pass<ip_input>(burst, *context);
    EXPECT_EQ(world.dropped(DropReason::InterfaceDown), 1U);
}

// --- inbound_policy

TEST_F(Stages, ClearTextThatShouldBeProtectedIsRefused) {
    protect_wan();
    Burst burst =
        take_in(test::kWan, test::udp_packet(test::kFarHost, test::kHost, 1, 2, Bytes(4)));
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::PolicyCleartext), 1U);
    EXPECT_EQ(ipc::read(world.policy_stats[0].cleartext_drops), 1U);
    EXPECT_EQ(world.count_events(ipc::EventType::PacketNotice), 1U);
}

TEST_F(Stages, ClearTextOutsideOfThePolicyPasses) {
    protect_wan();
    Burst burst =
        take_in(test::kWan, test::udp_packet(test::kPeerAddress, test::kHost, 1, 2, Bytes(4)));
    EXPECT_EQ(burst.count, 1U);
    free_all(burst);
}

TEST_F(Stages, IkeAndEspToUsPassAPolicyForEverything) {
    PolicyLine all = test::protect_line();
    all.selector = {};
    tables.policies[test::kWan] = PolicyTable{{all}};
    for (const std::uint16_t port : {wire::kIkePort, wire::kNatTraversalPort}) {
        take_in(test::kWan,
                test::udp_packet(test::kPeerAddress, test::kWanAddress, port, port, Bytes(28)));
    }
    take_in(test::kWan,
            test::ip_packet(test::kPeerAddress, test::kWanAddress, wire::kProtocolEsp, Bytes(64)));
    EXPECT_EQ(context->local.count, 3U);
    take_in(test::kWan, test::udp_packet(test::kPeerAddress, test::kWanAddress, 53, 53, Bytes(28)));
    EXPECT_EQ(context->local.count, 3U);
    EXPECT_EQ(world.dropped(DropReason::PolicyCleartext), 1U);
}

// --- route, forward

TEST_F(Stages, RouteFindsNextHops) {
    Burst burst = routed(4);
    ASSERT_EQ(burst.count, 1U);
    EXPECT_EQ(meta(burst.packets[0]).out_interface, test::kWan);
    EXPECT_EQ(meta(burst.packets[0]).next_hop, test::kPeerAddress);
    free_all(burst);
}

TEST_F(Stages, RouteAnswersWhatItCannotReach) {
    take_in(test::kLan, test::udp_packet(test::kHost, 0x08080808, 1, 2, Bytes(4)));
    EXPECT_EQ(world.dropped(DropReason::NoRoute), 1U);
    EXPECT_EQ(made_error().type(), 3);
    EXPECT_EQ(made_error().code(), wire::kNetUnreachable);
    EXPECT_EQ(meta(context->made.packets[0]).source, test::kLanAddress);
    EXPECT_EQ(meta(context->made.packets[0]).destination, test::kHost);
}

TEST_F(Stages, RouteRefusesGroupsAndBroadcasts) {
    for (const std::uint32_t to : {0xe0000005U, 0xffffffffU, 0x0a0200ffU, 0xa9fe0001U, 0x7f000001U})
        take_in(test::kLan, test::udp_packet(test::kHost, to, 1, 2, Bytes(4)));
    EXPECT_EQ(world.dropped(DropReason::NotForwardable), 5U);
    EXPECT_EQ(context->made.count, 0U) << "none of them is answered";
}

TEST_F(Stages, ForwardCountsTtlDown) {
    Burst burst = routed(4);
    pass<forward>(burst, *context);
    ASSERT_EQ(burst.count, 1U);
    const wire::Ipv4Header ip{data(burst.packets[0])};
    EXPECT_EQ(ip.ttl(), 63);
    EXPECT_TRUE(ip.checksum_holds());
    free_all(burst);
}

TEST_F(Stages, ForwardAnswersTheLastHop) {
    Burst burst =
        take_in(test::kLan, test::udp_packet(test::kHost, test::kFarHost, 1, 2, Bytes(4), 0, 1));
    pass<forward>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::TtlExpired), 1U);
    EXPECT_EQ(made_error().type(), 11);
}

TEST_F(Stages, ErrorsAboutTunnelledPacketsComeFromTheInside) {
    Burst burst =
        take_in(test::kWan, test::udp_packet(test::kFarHost, test::kHost, 1, 2, Bytes(4), 0, 1));
    meta(burst.packets[0]).flags |= kFromSa;
    pass<forward>(burst, *context);
    EXPECT_EQ(made_error().type(), 11);
    EXPECT_EQ(meta(context->made.packets[0]).source, test::kLanAddress);
}

// --- ICMP errors

TEST_F(Stages, NoErrorIsSentAboutErrorsAndLaterFragments) {
    Bytes error(8);
    wire::IcmpHeader{error.data()}.write(wire::IcmpType::DestinationUnreachable, 1, 0);
    take_in(test::kLan, test::ip_packet(test::kHost, 0x08080808, wire::kProtocolIcmp, error));
    take_in(test::kLan, test::udp_packet(test::kHost, 0x08080808, 1, 2, Bytes(4), 100));
    EXPECT_EQ(world.dropped(DropReason::NoRoute), 2U);
    EXPECT_EQ(context->made.count, 0U);
}

TEST_F(Stages, ErrorsAreLimitedAndRecover) {
    for (unsigned i = 0; i < 2 * IcmpErrors::kBucket; ++i)
        take_in(test::kLan, test::udp_packet(test::kHost, 0x08080808, 1, 2, Bytes(4)));
    EXPECT_EQ(context->made.count, IcmpErrors::kBucket);
    context->esp.now_ns += 10'000'000; // two tokens
    for (unsigned i = 0; i < 4; ++i)
        take_in(test::kLan, test::udp_packet(test::kHost, 0x08080808, 1, 2, Bytes(4)));
    EXPECT_EQ(context->made.count, IcmpErrors::kBucket + 2);
}

// --- local_delivery

class LocalDelivery : public Stages {
  protected:
    void deliver(ByteView packet) {
        take_in(test::kWan, packet);
        local_delivery(context->local, *context);
    }

    void deliver_udp(std::uint16_t port, ByteView payload) {
        deliver(test::udp_packet(test::kPeerAddress, test::kWanAddress, port, port, payload));
    }

    const Bytes isakmp = Bytes(28, 0x11);
};

TEST_F(LocalDelivery, EspGoesToItsStage) {
    deliver(
        test::ip_packet(test::kPeerAddress, test::kWanAddress, wire::kProtocolEsp, Bytes(64, 7)));
    ASSERT_EQ(context->esp_in.count, 1U);
    rte_mbuf* packet = context->esp_in.packets[0];
    EXPECT_EQ(bytes_of(packet), Bytes(64, 7));
    EXPECT_EQ(meta(packet).outer_source, test::kPeerAddress);
    EXPECT_EQ(meta(packet).flags & kUdpEncap, 0);
}

TEST_F(LocalDelivery, EspInUdpIsToldFromIkeByTheMarker) {
    deliver_udp(4500, Bytes(64, 7));
    ASSERT_EQ(context->esp_in.count, 1U);
    EXPECT_NE(meta(context->esp_in.packets[0]).flags & kUdpEncap, 0);
    EXPECT_EQ(meta(context->esp_in.packets[0]).outer_source_port, 4500);

    Bytes marked(4 + isakmp.size(), 0);
    std::ranges::copy(isakmp, marked.begin() + 4);
    deliver_udp(4500, marked);
    EXPECT_EQ(context->esp_in.count, 1U);
    rte_mbuf* punted = pop(queues->punt);
    ASSERT_NE(punted, nullptr);
    EXPECT_EQ(bytes_of(punted), isakmp);
    rte_pktmbuf_free(punted);
}

TEST_F(LocalDelivery, IkeIsPunted) {
    deliver_udp(500, isakmp);
    rte_mbuf* punted = pop(queues->punt);
    ASSERT_NE(punted, nullptr);
    EXPECT_EQ(bytes_of(punted), isakmp);
    rte_pktmbuf_free(punted);
}

TEST_F(LocalDelivery, FullPuntQueueIsCounted) {
    unsigned delivered = 0;
    while (world.dropped(DropReason::PuntFull) == 0 && delivered < 2000) {
        deliver_udp(500, isakmp);
        ++delivered;
    }
    EXPECT_EQ(queues->punt.count(), delivered - 1);
}

TEST_F(LocalDelivery, KeepalivesAreConsumed) {
    deliver_udp(4500, Bytes{0xff});
    EXPECT_EQ(world.dropped(DropReason::NatKeepalive), 1U);
}

TEST_F(LocalDelivery, MalformedUdpIsRefused) {
    deliver_udp(4500, Bytes(3));
    Bytes bad_sum = test::udp_packet(test::kPeerAddress, test::kWanAddress, 500, 500, isakmp);
    bad_sum.back() ^= 1;
    deliver(bad_sum);
    Bytes bad_length = test::udp_packet(test::kPeerAddress, test::kWanAddress, 500, 500, isakmp);
    bad_length[25] += 1;
    deliver(bad_length);
    Bytes short_length = bad_length;
    short_length[25] = 7;
    deliver(short_length);
    deliver(test::ip_packet(test::kPeerAddress, test::kWanAddress, wire::kProtocolUdp, Bytes(7)));
    EXPECT_EQ(world.dropped(DropReason::UdpMalformed), 5U);
    EXPECT_TRUE(queues->punt.empty());
}

TEST_F(LocalDelivery, EchoIsAnswered) {
    deliver(test::echo_request(test::kPeerAddress, test::kWanAddress, 56));
    ASSERT_EQ(context->made.count, 1U);
    rte_mbuf* reply = context->made.packets[0];
    wire::Ipv4Header ip{data(reply)};
    EXPECT_TRUE(ip.checksum_holds());
    EXPECT_EQ(ip.source(), test::kWanAddress);
    EXPECT_EQ(ip.destination(), test::kPeerAddress);
    EXPECT_EQ(data(reply)[20], 0);
    EXPECT_EQ(wire::checksum({data(reply) + 20, 64}), 0);
}

TEST_F(LocalDelivery, EchoWithBadChecksumIsNot) {
    Bytes request = test::echo_request(test::kPeerAddress, test::kWanAddress, 56);
    request.back() ^= 1;
    deliver(request);
    EXPECT_EQ(context->made.count, 0U);
}

TEST_F(LocalDelivery, ClosedPortsAndUnknownProtocolsAreAnswered) {
    deliver_udp(53, isakmp);
    EXPECT_EQ(made_error().code(), wire::kPortUnreachable);
    free_all(context->made);
    deliver(test::ip_packet(test::kPeerAddress, test::kWanAddress, 89, Bytes(24)));
    EXPECT_EQ(made_error().code(), wire::kProtocolUnreachable);
    EXPECT_EQ(world.dropped(DropReason::LocalUnknown), 2U);
}

TEST_F(LocalDelivery, NoTunnelInsideATunnel) {
    take_in(test::kWan,
            test::ip_packet(test::kPeerAddress, test::kWanAddress, wire::kProtocolEsp, Bytes(64)));
    meta(context->local.packets[0]).flags |= kFromSa;
    local_delivery(context->local, *context);
    EXPECT_EQ(context->esp_in.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::LocalUnknown), 1U);
}

// --- reassembly

class Reassembling : public LocalDelivery {
  protected:
    /// Octets [first, end) of an IKE datagram with 2,000 octets of payload.
    Bytes piece(std::size_t first, std::size_t end, std::uint16_t more) {
        const Bytes whole =
            test::udp_packet(test::kPeerAddress, test::kWanAddress, 500, 500, Bytes(2000, 0x22));
        return test::ip_packet(test::kPeerAddress,
                               test::kWanAddress,
                               wire::kProtocolUdp,
                               ByteView{whole}.subspan(20 + first, end - first),
                               static_cast<std::uint16_t>(first / 8 | more));
    }

    static constexpr std::uint16_t kMore = wire::kIpv4MoreFragments;
};

TEST_F(Reassembling, FragmentsInAnyOrderBecomeOneDatagram) {
    const Bytes pieces[] = {piece(0, 800, kMore), piece(800, 1600, kMore), piece(1600, 2008, 0)};
    for (const auto& order : {std::array{0, 1, 2}, std::array{2, 1, 0}, std::array{1, 2, 0}}) {
        for (const int i : order)
            deliver(pieces[i]);
        rte_mbuf* punted = pop(queues->punt);
        ASSERT_NE(punted, nullptr);
        EXPECT_EQ(rte_pktmbuf_pkt_len(punted), 2000U);
        rte_pktmbuf_free(punted);
        EXPECT_EQ(context->reassembly.size(), 0U);
    }
    EXPECT_EQ(world.dropped_in_all(), 0U);
}

TEST_F(Reassembling, OverlappingFragmentsEndTheDatagram) {
    deliver(piece(0, 800, kMore));
    deliver(piece(792, 1600, kMore));
    EXPECT_EQ(world.dropped(DropReason::FragmentTable), 2U);
    EXPECT_EQ(context->reassembly.size(), 0U);
}

TEST_F(Reassembling, RepetitionIsDroppedAlone) {
    deliver(piece(0, 800, kMore));
    deliver(piece(0, 800, kMore));
    EXPECT_EQ(world.dropped(DropReason::FragmentTable), 1U);
    EXPECT_EQ(context->reassembly.size(), 1U);
    deliver(piece(800, 2008, 0));
    rte_pktmbuf_free(pop(queues->punt));
    EXPECT_EQ(context->reassembly.size(), 0U);
}

TEST_F(Reassembling, UnevenMiddleFragmentIsRefused) {
    deliver(piece(0, 801, kMore));
    EXPECT_EQ(world.dropped(DropReason::FragmentTable), 1U);
}

TEST_F(Reassembling, WaitsOneSecond) {
    deliver(piece(0, 800, kMore));
    context->reassembly.expire(context->esp.now_ns + Reassembly::kTimeoutNs - 1);
    EXPECT_EQ(context->reassembly.size(), 1U);
    context->reassembly.expire(context->esp.now_ns + Reassembly::kTimeoutNs);
    EXPECT_EQ(context->reassembly.size(), 0U);
    EXPECT_EQ(world.dropped(DropReason::FragmentTimeout), 1U);
}

TEST_F(Reassembling, OneSenderGetsItsShareOnly) {
    for (std::uint16_t id = 0; id < Reassembly::kMaxPerSource + 10; ++id) {
        Bytes fragment = piece(0, 800, kMore);
        store_be(fragment.data() + 4, id);
        wire::Ipv4Header{fragment.data()}.update_checksum();
        deliver(fragment);
    }
    EXPECT_EQ(context->reassembly.size(), Reassembly::kMaxPerSource);
    EXPECT_EQ(world.dropped(DropReason::FragmentTable), 10U);
}

// --- outbound_policy

class OutboundPolicy : public Stages {
  protected:
    OutboundPolicy() { protect_wan(); }

    void install(std::uint16_t path_mtu = 0, ipc::DfPolicy df = ipc::DfPolicy::Copy) {
        auto record = test::EspWorld::record(
            ipc::Direction::Outbound, {EspCipher::AesGcm128, EspMac::None}, 0);
        record.path_mtu = path_mtu;
        record.df_policy = static_cast<std::uint8_t>(df);
        world.install(record);
    }

    /// Packets that fit_tunnel makes of one with `inner_bytes` octets and DF. Frees them.
    unsigned pieces_with_df(std::uint32_t inner_bytes) {
        Burst burst =
            routed(inner_bytes - wire::kIpv4Bytes - wire::kUdpBytes, wire::kIpv4DontFragment);
        pass<outbound_policy>(burst, *context);
        Burst out;
        unsigned next = 0;
        const bool fits = all_fit_tunnel(context->protect, *context);
        const bool any = fit_tunnel(context->protect, next, out, *context);
        EXPECT_EQ(any, out.count > 0);
        EXPECT_EQ(fits, out.count == 1);
        context->protect.count = 0;
        const unsigned pieces = out.count;
        free_all(out);
        return pieces;
    }
};

TEST_F(OutboundPolicy, PacketsOfAPolicyGetItsSa) {
    install();
    Burst burst = routed(4);
    pass<outbound_policy>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    ASSERT_EQ(context->protect.count, 1U);
    EXPECT_EQ(meta(context->protect.packets[0]).sa.outbound, &world.outbound(0));
}

TEST_F(OutboundPolicy, OthersLeaveInClear) {
    Burst burst =
        take_in(test::kLan, test::udp_packet(test::kHost, test::kPeerAddress, 1, 2, Bytes(4)));
    pass<outbound_policy>(burst, *context);
    EXPECT_EQ(burst.count, 1U);
    free_all(burst);
}

TEST_F(OutboundPolicy, WithoutAnSaPacketsWaitAndControlIsAskedOnce) {
    for (unsigned i = 0; i < HoldQueue::kMaxPerPolicy + 2; ++i) {
        Burst burst = routed(4);
        pass<outbound_policy>(burst, *context);
        EXPECT_EQ(burst.count, 0U);
    }
    EXPECT_EQ(context->held.size(), HoldQueue::kMaxPerPolicy);
    EXPECT_EQ(world.dropped(DropReason::NoSa), 2U);
    EXPECT_EQ(world.count_events(ipc::EventType::Acquire), 1U);

    context->esp.now_ns += HoldQueue::kAcquirePeriodNs;
    Burst burst = routed(4);
    pass<outbound_policy>(burst, *context);
    EXPECT_EQ(world.count_events(ipc::EventType::Acquire), 2U);

    Burst released;
    context->held.release(0, released);
    EXPECT_EQ(released.count, HoldQueue::kMaxPerPolicy);
    free_all(released);
}

TEST_F(OutboundPolicy, HeldPacketsAreGivenUpInTheEnd) {
    Burst burst = routed(4);
    pass<outbound_policy>(burst, *context);
    const auto drop = [&](rte_mbuf* packet, std::uint32_t policy) {
        context->drop_for_want_of_sa(packet, policy);
    };
    context->held.expire(context->esp.now_ns + HoldQueue::kMaxWaitNs - 1, drop);
    EXPECT_EQ(context->held.size(), 1U);
    context->held.expire(context->esp.now_ns + HoldQueue::kMaxWaitNs, drop);
    EXPECT_EQ(context->held.size(), 0U);
    EXPECT_EQ(world.dropped(DropReason::NoSa), 1U);
}

TEST_F(OutboundPolicy, DropDrops) {
    PolicyLine line = test::protect_line();
    line.action = ipc::PolicyAction::Drop;
    tables.policies[test::kWan] = PolicyTable{{line}};
    Burst burst = routed(4);
    pass<outbound_policy>(burst, *context);
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::PolicyDrop), 1U);
}

// --- fragment

TEST_F(OutboundPolicy, TooLargeForTheTunnelIsAnsweredWithItsMtu) {
    install();
    Burst burst = routed(1472, wire::kIpv4DontFragment);
    pass<outbound_policy>(burst, *context);
    Burst out;
    unsigned next = 0;
    EXPECT_FALSE(fit_tunnel(context->protect, next, out, *context));
    context->protect.count = 0;
    EXPECT_EQ(world.dropped(DropReason::TooBigDf), 1U);
    EXPECT_EQ(made_error().code(), wire::kFragmentationNeeded);
    // 1500 - 20 outer IP - 8 ESP - 8 IV - 16 ICV = 1448, whole words, less the trailer.
    EXPECT_EQ(made_error().next_hop_mtu(), 1446);
}

TEST_F(OutboundPolicy, WhatTheKnownPathCannotCarryUnfragmentedIsDropped) {
    install(1400);
    const std::uint32_t fits = world.outbound(0).inner_mtu(1500);
    EXPECT_LT(fits, 1400U);
    EXPECT_EQ(pieces_with_df(fits), 1U);
    EXPECT_EQ(world.dropped_in_all(), 0U);
    EXPECT_EQ(pieces_with_df(fits + 1), 0U);
    EXPECT_EQ(world.reasons(), "too-big-df");
    EXPECT_EQ(made_error().next_hop_mtu(), fits);
}

TEST_F(OutboundPolicy, AnSaThatClearsDfFragmentsInSpiteOfIt) {
    install(1400, ipc::DfPolicy::Clear);
    EXPECT_EQ(pieces_with_df(world.outbound(0).inner_mtu(1500) + 1), 2U);
    EXPECT_EQ(world.dropped_in_all(), 0U);
}

TEST_F(OutboundPolicy, TooLargeForTheTunnelIsFragmentedBeforeEncryption) {
    install();
    Burst burst = routed(1472);
    pass<outbound_policy>(burst, *context);
    Burst out;
    unsigned next = 0;
    EXPECT_TRUE(fit_tunnel(context->protect, next, out, *context));
    context->protect.count = 0;
    ASSERT_EQ(out.count, 2U);
    std::size_t payload = 0;
    for (unsigned i = 0; i < out.count; ++i) {
        wire::Ipv4Header ip{data(out.packets[i])};
        EXPECT_LE(ip.total_bytes(), 1446);
        EXPECT_TRUE(ip.checksum_holds());
        EXPECT_EQ(ip.flags_and_offset(), i == 0 ? wire::kIpv4MoreFragments : 1424 / 8);
        EXPECT_EQ(meta(out.packets[i]).sa.outbound, &world.outbound(0));
        payload += ip.total_bytes() - 20U;
    }
    EXPECT_EQ(payload, 1480U);
    free_all(out);
}

TEST_F(OutboundPolicy, FragmentsForATunnelComeInOrderOverSeveralBursts) {
    constexpr unsigned kPackets = 8;
    constexpr unsigned kPieces = 21; // 1,008 octets in steps of 48
    install();
    OutboundSa& sa = world.outbound(0);
    tables.interfaces[test::kWan].ip_mtu = 128; // 74 inside
    ASSERT_EQ(sa.inner_mtu(128), 74U);
    for (std::uint16_t i = 0; i < kPackets; ++i) {
        Burst burst = routed(1000);
        store_be(data(burst.packets[0]) + 4, i);
        pass<outbound_policy>(burst, *context);
    }
    ASSERT_EQ(context->protect.count, kPackets);
    EXPECT_FALSE(all_fit_tunnel(context->protect, *context));
    std::vector<std::pair<unsigned, unsigned>> order; // identification, offset
    Burst out;
    for (unsigned next = 0; fit_tunnel(context->protect, next, out, *context);) {
        for (unsigned i = 0; i < out.count; ++i) {
            const wire::Ipv4Header ip{data(out.packets[i])};
            order.emplace_back(ip.id(), ip.flags_and_offset() & wire::kIpv4OffsetMask);
        }
        free_all(out);
    }
    context->protect.count = 0;
    EXPECT_EQ(order.size(), std::size_t{kPackets * kPieces});
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(Stages, SmallLinksGetAllFragmentsInOrder) {
    constexpr unsigned kPackets = 8;
    constexpr unsigned kPieces = 21; // 1,008 octets in steps of 48
    static_assert(kPackets * kPieces > kMaxBurst, "more than a port collects");
    tables.interfaces[test::kWan].ip_mtu = 68;
    test::RingPort link{test::kWan, 1, 1};
    for (std::uint16_t i = 0; i < kPackets; ++i) {
        Burst burst = routed(1000);
        store_be(data(burst.packets[0]) + 4, i);
        pass<link_output>(burst, *context);
    }
    transmit(context->ports[test::kWan], *context);
    std::vector<std::pair<unsigned, unsigned>> order; // identification, offset
    while (rte_mbuf* sent = link.left(0)) {
        const wire::Ipv4Header ip{data(sent) + wire::kEthernetBytes};
        EXPECT_LE(ip.total_bytes(), 68);
        order.emplace_back(ip.id(), ip.flags_and_offset() & wire::kIpv4OffsetMask);
        rte_pktmbuf_free(sent);
    }
    EXPECT_EQ(order.size(), std::size_t{kPackets * kPieces});
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(Stages, CopiedOptionsStayInLaterFragments) {
    Bytes packet = test::udp_packet(test::kHost, test::kFarHost, 1, 2, Bytes(1400));
    packet.insert(packet.begin() + 20, {148, 4, 0, 0, 7, 3, 4, 0}); // router alert, record route
    packet[0] = 0x47;
    store_be(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    wire::Ipv4Header{packet.data()}.update_checksum();
    tables.interfaces[test::kWan].ip_mtu = 1000;
    Burst burst = take_in(test::kLan, packet);
    pass<link_output>(burst, *context);
    const Burst& out = context->ports[test::kWan].out;
    ASSERT_EQ(out.count, 2U);
    std::uint8_t* const first = data(out.packets[0]) + wire::kEthernetBytes;
    std::uint8_t* const second = data(out.packets[1]) + wire::kEthernetBytes;
    EXPECT_EQ(wire::Ipv4Header{first}.header_bytes(), 28);
    EXPECT_EQ(wire::Ipv4Header{second}.header_bytes(), 24);
    EXPECT_EQ(second[20], 148);
}

// --- link_output

TEST_F(Stages, LinkOutputAddressesKnownNeighbors) {
    Burst burst = routed(4);
    pass<link_output>(burst, *context);
    ASSERT_EQ(context->ports[test::kWan].out.count, 1U);
    const wire::EthernetHeader ethernet{data(context->ports[test::kWan].out.packets[0])};
    EXPECT_EQ(ethernet.destination(), test::kPeerMac);
    EXPECT_EQ(ethernet.source(), test::kWanMac);
    EXPECT_EQ(ethernet.type(), wire::kEtherTypeIpv4);
}

TEST_F(Stages, LinkOutputLeavesUnknownNeighborsToTheHousekeeper) {
    neighbors.remove(test::kWan, test::kPeerAddress);
    Burst burst = routed(4);
    pass<link_output>(burst, *context);
    rte_mbuf* packet = pop(queues->unresolved);
    ASSERT_NE(packet, nullptr);
    EXPECT_EQ(meta(packet).next_hop, test::kPeerAddress);
    rte_pktmbuf_free(packet);
}

} // namespace
} // namespace adit::dataplane
