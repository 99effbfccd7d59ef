// SPDX-License-Identifier: Apache-2.0
// Transport mode: ESP between the IP header and what it carries, and checksums through a NAT.
#include "common/wire/esp.h"
#include "dataplane/stages/nat_checksum.h"
#include "tests/support/esp_fixture.h"

#include <functional>

namespace adit::dataplane {
namespace {

using ipc::Direction;
using test::EspWorld;
using test::Suite;

constexpr Suite kGcm{EspCipher::AesGcm128, EspMac::None};
constexpr Suite kNull{EspCipher::Null, EspMac::HmacSha256_128};

/// What the peer sends us by the SA of `slot`, and what comes of it here.
struct Gateways : EspWorld {
    using Change = std::function<void(ipc::InstallSa&)>;

    void add(Suite suite, std::uint32_t slot, const Change& change = {}) {
        auto inbound = record(Direction::Inbound, suite, slot);
        inbound.flags = ipc::kSaTransportMode;
        select_endpoints(inbound);
        if (change)
            change(inbound);
        install(inbound);
        auto outbound = mirrored(inbound);
        outbound.original_local = outbound.original_remote = 0;
        select_endpoints(outbound);
        install(outbound);
    }

    static void select_endpoints(ipc::InstallSa& sa) {
        sa.selector.local_first = sa.selector.local_last = sa.local_address;
        sa.selector.remote_first = sa.selector.remote_last = sa.remote_address;
    }
};

/// From the peer to us.
Bytes packet_of(std::uint8_t protocol, ByteView payload, std::uint8_t tos = 0x28) {
    Bytes packet(wire::kIpv4Bytes + payload.size());
    wire::Ipv4Header{packet.data()}.write({.tos = tos,
                                           .total_bytes = static_cast<std::uint16_t>(packet.size()),
                                           .id = 0x4321,
                                           .flags_and_offset = wire::kIpv4DontFragment,
                                           .ttl = 77,
                                           .protocol = protocol,
                                           .source = EspWorld::kPeer.value,
                                           .destination = EspWorld::kUs.value});
    std::ranges::copy(payload, packet.begin() + wire::kIpv4Bytes);
    return packet;
}

Bytes octets(std::size_t count) {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count; ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 7 + 3);
    return bytes;
}

class EspTransport : public test::EspFixture {
  protected:
    /// The ESP packet as it leaves, or nothing.
    static std::vector<Bytes> sent(EspWorld& world, std::uint32_t slot, ByteView packet) {
        Burst burst;
        burst.push(to_protect(packet, world.outbound(slot)));
        esp_outbound(burst, world.context);
        return take(burst);
    }

    static std::vector<Bytes> carried(EspWorld& world, std::uint32_t slot, ByteView packet) {
        return receive(world,
                       arrived(sealed_by(world, slot, packet), world.inbound(slot), packet[1]));
    }

    static void expect_same(const Bytes& before, const Bytes& after) {
        ASSERT_EQ(after.size(), before.size());
        Bytes out = after, in = before;
        const wire::Ipv4Header one{in.data()}, other{out.data()};
        EXPECT_TRUE(other.checksum_holds());
        EXPECT_EQ(other.source(), one.source());
        EXPECT_EQ(other.destination(), one.destination());
        EXPECT_EQ(other.protocol(), one.protocol());
        EXPECT_EQ(other.tos(), one.tos());
        EXPECT_EQ(to_hex(ByteView{out}.subspan(20)), to_hex(ByteView{in}.subspan(20)));
    }
};

TEST_F(EspTransport, ReturnsEveryLengthUnderEverySuite) {
    Gateways world;
    std::uint32_t slot = 0;
    for (const Suite suite : test::all_suites())
        for (const std::uint16_t port : test::kForms)
            for (const std::uint8_t flags :
                 {std::uint8_t{0}, std::uint8_t{ipc::kSaExtendedSequence}}) {
                world.add(suite, slot, [&](ipc::InstallSa& sa) {
                    sa.local_port = sa.remote_port = port;
                    sa.flags = static_cast<std::uint8_t>(sa.flags | flags);
                });
                for (std::size_t length = 0; length < 100; ++length) {
                    const Bytes packet = packet_of(47, octets(length)); // GRE
                    const auto out = carried(world, slot, packet);
                    ASSERT_EQ(out.size(), 1U) << test::name_of(suite) << world.reasons();
                    expect_same(packet, out.front());
                }
                ++slot;
            }
    EXPECT_EQ(world.dropped_in_all(), 0U);
}

TEST_F(EspTransport, OuterHeaderIsTheOriginalOne) {
    for (const std::uint16_t port : test::kForms) {
        Gateways world;
        world.add(kGcm, 0, [&](ipc::InstallSa& sa) { sa.local_port = sa.remote_port = port; });
        const auto out = sent(world, 0, packet_of(1, octets(64)));
        ASSERT_EQ(out.size(), 1U);
        Bytes packet = out.front();
        const wire::Ipv4Header ip{packet.data()};
        EXPECT_TRUE(ip.checksum_holds());
        EXPECT_EQ(ip.total_bytes(), packet.size());
        EXPECT_EQ(ip.ttl(), 77);
        EXPECT_EQ(ip.id(), 0x4321);
        EXPECT_EQ(ip.tos(), 0x28);
        EXPECT_TRUE(ip.dont_fragment());
        EXPECT_EQ(ip.source(), EspWorld::kPeer.value);
        EXPECT_EQ(ip.destination(), EspWorld::kUs.value);
        EXPECT_EQ(ip.protocol(), port == 0 ? wire::kProtocolEsp : wire::kProtocolUdp);
        if (port != 0) {
            const wire::UdpHeader udp{packet.data() + 20};
            EXPECT_EQ(udp.destination_port(), port);
            EXPECT_EQ(udp.length(), packet.size() - 20);
            EXPECT_EQ(udp.checksum(), 0);
        }
    }
}

TEST_F(EspTransport, TextIsPayloadPaddingAndProtocol) {
    Gateways world;
    world.add(kNull, 0);
    const Bytes payload = octets(9);
    const Bytes esp = sealed_by(world, 0, packet_of(89, payload));
    // RFC 4303 2: 9 octets, padding to 4 with two of trailer, ICV of 16.
    ASSERT_EQ(esp.size(), 8U + 12 + 16);
    EXPECT_EQ(to_hex(ByteView{esp}.subspan(8, 9)), to_hex(payload));
    EXPECT_EQ(to_hex(ByteView{esp}.subspan(17, 3)), "010159");
}

TEST_F(EspTransport, SameTextAsTunnelModeWithoutTheHeader) {
    // What tunnel mode carries of an inner packet, transport mode carries of its payload: with the
    // same key, sequence number and text, the very same ciphertext.
    Gateways world;
    world.add(kNull, 0);
    auto tunnel = EspWorld::record(Direction::Inbound, kNull, 1);
    Gateways::select_endpoints(tunnel);
    tunnel.selector.remote_first = 0;
    tunnel.selector.remote_last = 0xffffffff;
    world.install(tunnel);
    world.install(EspWorld::mirrored(tunnel));
    const Bytes inner = test::inner_packet(60);
    const Bytes in_tunnel = sealed_by(world, 1, inner);
    const Bytes in_transport = sealed_by(world, 0, packet_of(wire::kNextHeaderIpv4, inner));
    EXPECT_EQ(to_hex(ByteView{in_tunnel}.subspan(4, in_tunnel.size() - 20)),
              to_hex(ByteView{in_transport}.subspan(4, in_transport.size() - 20)));
}

TEST_F(EspTransport, RefusesWhatIsNotAWholePacketOfItsEnds) {
    Gateways world;
    world.add(kGcm, 0);
    const auto refused = [&](const std::function<void(wire::Ipv4Header)>& change) {
        Bytes packet = packet_of(17, octets(40));
        change(wire::Ipv4Header{packet.data()});
        return sent(world, 0, packet).empty();
    };
    EXPECT_FALSE(refused([](wire::Ipv4Header) {}));
    EXPECT_TRUE(refused([](wire::Ipv4Header ip) { ip.set_source(1); }));
    EXPECT_TRUE(refused([](wire::Ipv4Header ip) { ip.set_destination(1); }));
    EXPECT_TRUE(refused([](wire::Ipv4Header ip) { ip.set_flags_and_offset(0x2000); }));
    EXPECT_TRUE(refused([](wire::Ipv4Header ip) { ip.set_flags_and_offset(1); }));
    EXPECT_EQ(world.reasons(), "esp-transport");
    Bytes options = packet_of(17, octets(40));
    options[0] = 0x46;
    EXPECT_TRUE(sent(world, 0, options).empty());
    EXPECT_EQ(world.dropped(DropReason::EspTransport), 5U);
}

TEST_F(EspTransport, ChecksProtocolAndPortsOfThePayload) {
    Gateways world;
    world.add(kGcm, 0, [](ipc::InstallSa& sa) {
        sa.selector.protocol = wire::kProtocolUdp;
        sa.selector.local_port_first = sa.selector.local_port_last = 53;
    });
    Bytes to_53 = octets(20);
    store_be(to_53.data() + 2, std::uint16_t{53});
    Bytes to_54 = to_53;
    to_54[3] = 54;
    EXPECT_EQ(carried(world, 0, packet_of(17, to_53)).size(), 1U);
    EXPECT_TRUE(carried(world, 0, packet_of(17, to_54)).empty());
    EXPECT_TRUE(carried(world, 0, packet_of(6, to_53)).empty());
    EXPECT_EQ(world.dropped(DropReason::EspSelector), 2U);
}

TEST_F(EspTransport, DummyPacketsAreDiscarded) {
    Gateways world;
    world.add(kGcm, 0);
    EXPECT_TRUE(carried(world, 0, packet_of(wire::kNextHeaderNone, octets(40))).empty());
    EXPECT_EQ(world.reasons(), "esp-dummy");
}

// --- through a NAT -------------------------------------------------------------------------------

constexpr std::uint32_t kPrivate = Ipv4Address{10, 9, 0, 1}.value;  // the peer, as it sees itself
constexpr std::uint32_t kShown = Ipv4Address{203, 0, 113, 5}.value; // we, as the peer sees us

std::uint16_t sum_of(const AddressPair& pair, std::uint8_t protocol, ByteView segment) {
    return wire::checksum_finish(wire::checksum_add(
        wire::checksum_pseudo(
            pair.source, pair.destination, protocol, static_cast<std::uint16_t>(segment.size())),
        segment));
}

/// A segment whose checksum covers these addresses.
Bytes segment_between(const AddressPair& pair, std::uint8_t protocol, std::size_t length) {
    const std::size_t at = protocol == wire::kProtocolUdp ? kUdpChecksumAt : kTcpChecksumAt;
    Bytes segment = octets(length);
    store_be(segment.data() + at, std::uint16_t{0});
    store_be(segment.data() + at, sum_of(pair, protocol, segment));
    return segment;
}

constexpr AddressPair kBefore{kPrivate, kShown};
constexpr AddressPair kAfter{EspWorld::kPeer.value, EspWorld::kUs.value};

TEST_F(EspTransport, ChecksumsFollowTheAddressesThatANatChanged) {
    Gateways world;
    world.add(kGcm, 0, [](ipc::InstallSa& sa) {
        sa.local_port = sa.remote_port = 4500;
        sa.original_remote = kPrivate;
        sa.original_local = kShown;
    });
    for (const std::uint8_t protocol : {wire::kProtocolTcp, wire::kProtocolUdp})
        for (const std::size_t length : {20U, 21U, 333U, 1000U}) {
            const Bytes segment = segment_between(kBefore, protocol, length);
            const auto out = carried(world, 0, packet_of(protocol, segment));
            ASSERT_EQ(out.size(), 1U) << world.reasons();
            EXPECT_EQ(sum_of(kAfter, protocol, ByteView{out.front()}.subspan(20)), 0) << length;
        }
}

TEST(NatChecksum, DamageStaysVisible) {
    Bytes segment = segment_between(kBefore, wire::kProtocolTcp, 100);
    segment[50] ^= 0x10;
    mend_checksum(segment, wire::kProtocolTcp, kBefore, kAfter);
    EXPECT_NE(sum_of(kAfter, wire::kProtocolTcp, segment), 0);
}

TEST(NatChecksum, HoldsForManyAddresses) {
    test::SeededRng rng{3948};
    for (int i = 0; i < 2000; ++i) {
        const AddressPair from{rng.u32(), rng.u32()}, to{rng.u32(), rng.u32()};
        for (const std::uint8_t protocol : {wire::kProtocolTcp, wire::kProtocolUdp}) {
            Bytes segment = segment_between(from, protocol, 20 + rng.below(40));
            mend_checksum(segment, protocol, from, to);
            ASSERT_EQ(sum_of(to, protocol, segment), 0) << to_hex(segment);
        }
    }
}

TEST(NatChecksum, WithoutOriginalsUdpGoesWithoutOneAndTcpGetsANewOne) {
    Bytes udp = segment_between(kBefore, wire::kProtocolUdp, 60);
    mend_checksum(udp, wire::kProtocolUdp, {}, kAfter);
    EXPECT_EQ(load_be<std::uint16_t>(udp.data() + kUdpChecksumAt), 0);
    Bytes tcp = segment_between(kBefore, wire::kProtocolTcp, 60);
    mend_checksum(tcp, wire::kProtocolTcp, {}, kAfter);
    EXPECT_EQ(sum_of(kAfter, wire::kProtocolTcp, tcp), 0);
}

TEST(NatChecksum, NoChecksumOfUdpStaysNone) {
    Bytes udp = octets(40);
    store_be(udp.data() + kUdpChecksumAt, std::uint16_t{0});
    const Bytes before = udp;
    mend_checksum(udp, wire::kProtocolUdp, kBefore, kAfter);
    EXPECT_EQ(udp, before);
}

TEST(NatChecksum, ShortAndOtherSegmentsAreLeftAlone) {
    for (const std::uint8_t protocol :
         {wire::kProtocolTcp, wire::kProtocolUdp, wire::kProtocolIcmp, std::uint8_t{47}})
        for (std::size_t length = 0; length < 8; ++length) {
            Bytes segment = octets(length);
            mend_checksum(segment, protocol, kBefore, kAfter);
            EXPECT_EQ(segment, octets(length));
        }
}

} // namespace
} // namespace adit::dataplane
