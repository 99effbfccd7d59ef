// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_outbound.h"

#include "tests/support/esp_fixture.h"

#include <set>

namespace adit::dataplane {
namespace {

using ipc::Direction;
using ipc::EventType;
using test::EspWorld;
using test::Suite;

constexpr Suite kGcm{EspCipher::AesGcm256, EspMac::None};
constexpr Suite kCbc{EspCipher::AesCbc128, EspMac::HmacSha1_96};

class EspOutbound : public test::EspFixture {
  protected:
    static std::vector<Bytes> send(EspWorld& world, unsigned count, ByteView inner) {
        std::vector<Bytes> out;
        while (count > 0) {
            Burst burst;
            for (; count > 0 && !burst.full(); --count)
                burst.push(to_protect(inner, world.outbound(0)));
            esp_outbound(burst, world.context);
            for (Bytes& packet : take(burst))
                out.push_back(std::move(packet));
        }
        return out;
    }
};

TEST_F(EspOutbound, WritesANativeOuterHeader) {
    EspWorld world;
    world.install(EspWorld::record(Direction::Outbound, kGcm, 0));
    auto out = send(world, 1, test::inner_packet(100, 0xb9, wire::kIpv4DontFragment));
    ASSERT_EQ(out.size(), 1U);
    const wire::Ipv4Header outer{out[0].data()};
    EXPECT_EQ(out[0][0], 0x45);
    EXPECT_EQ(outer.tos(), 0xb9);
    EXPECT_EQ(outer.total_bytes(), out[0].size());
    EXPECT_EQ(outer.ttl(), 64);
    EXPECT_EQ(outer.protocol(), 50);
    EXPECT_EQ(outer.source(), EspWorld::kUs.value);
    EXPECT_EQ(outer.destination(), EspWorld::kPeer.value);
    EXPECT_TRUE(outer.checksum_holds());
    EXPECT_EQ(load_be<std::uint32_t>(out[0].data() + 20), world.outbound(0).spi);
    EXPECT_EQ(load_be<std::uint32_t>(out[0].data() + 24), 1U);
}

TEST_F(EspOutbound, WritesAUdpHeaderWithoutChecksum) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.local_port = 4500;
    record.remote_port = 61'234;
    world.install(record);
    auto out = send(world, 1, test::inner_packet(100));
    ASSERT_EQ(out.size(), 1U);
    const wire::Ipv4Header outer{out[0].data()};
    EXPECT_EQ(outer.protocol(), 17);
    EXPECT_TRUE(outer.checksum_holds());
    const std::uint8_t* udp = out[0].data() + 20;
    EXPECT_EQ(load_be<std::uint16_t>(udp), 4500);
    EXPECT_EQ(load_be<std::uint16_t>(udp + 2), 61'234);
    EXPECT_EQ(load_be<std::uint16_t>(udp + 4), out[0].size() - 20);
    EXPECT_EQ(load_be<std::uint16_t>(udp + 6), 0) << "RFC 3948 2.1";
    EXPECT_EQ(load_be<std::uint32_t>(udp + 8), record.spi);
}

TEST_F(EspOutbound, DescribesTheOuterPacketForTheRoute) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kCbc, 0);
    record.local_port = record.remote_port = 4500;
    world.install(record);
    rte_mbuf* packet = to_protect(test::inner_packet(100), world.outbound(0));
    meta(packet).flags = kFromSa | kFragment | kFromUs;
    Burst burst;
    burst.push(packet);
    esp_outbound(burst, world.context);
    ASSERT_EQ(burst.count, 1U);
    const PacketMeta& info = meta(burst.packets[0]);
    EXPECT_EQ(info.source, EspWorld::kUs.value);
    EXPECT_EQ(info.destination, EspWorld::kPeer.value);
    EXPECT_EQ(info.protocol, 17);
    EXPECT_EQ(info.flags, kFromUs);
    take(burst);
}

TEST_F(EspOutbound, TreatsDfAsConfigured) {
    struct Row {
        ipc::DfPolicy policy;
        bool inner, outer;
    };

    using enum ipc::DfPolicy;
    constexpr Row rows[] = {{Copy, false, false},
                            {Copy, true, true},
                            {Set, false, true},
                            {Set, true, true},
                            {Clear, false, false},
                            {Clear, true, false}};
    for (const Row& row : rows) {
        EspWorld world;
        auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
        record.df_policy = static_cast<std::uint8_t>(row.policy);
        world.install(record);
        const std::uint16_t flags = row.inner ? wire::kIpv4DontFragment : std::uint16_t{0};
        auto out = send(world, 1, test::inner_packet(100, 0, flags));
        ASSERT_EQ(out.size(), 1U);
        const wire::Ipv4Header outer{out[0].data()};
        EXPECT_EQ(outer.dont_fragment(), row.outer);
        EXPECT_FALSE(outer.is_fragment());
    }
}

TEST_F(EspOutbound, IdentificationsComeAgainAsLateAsSixteenBitsAllow) {
    constexpr unsigned kIds = 65'536;
    for (const Suite suite : {kGcm, kCbc}) {
        EspWorld world;
        auto record = EspWorld::record(Direction::Outbound, suite, 0);
        record.first_sequence = 0xff00; // the low 16 bits run over on the way
        world.install(record);
        std::set<std::uint16_t> ids;
        for (unsigned sent = 0; sent < kIds; sent += kMaxBurst)
            for (Bytes& packet : send(world, kMaxBurst, test::inner_packet(20)))
                ids.insert(wire::Ipv4Header{packet.data()}.id());
        EXPECT_EQ(ids.size(), kIds);
    }
}

TEST_F(EspOutbound, IdentificationIsZeroWithDf) {
    EspWorld world;
    world.install(EspWorld::record(Direction::Outbound, kGcm, 0));
    for (Bytes& packet : send(world, 300, test::inner_packet(60, 0, wire::kIpv4DontFragment)))
        ASSERT_EQ(wire::Ipv4Header{packet.data()}.id(), 0) << "RFC 6864 4.1: it means nothing";
}

TEST_F(EspOutbound, IvsNeverRepeat) {
    for (const Suite suite : {kGcm, kCbc, Suite{EspCipher::TripleDesCbc, EspMac::HmacMd5_96}}) {
        EspWorld world;
        world.install(EspWorld::record(Direction::Outbound, suite, 0));
        std::set<Bytes> ivs;
        const auto iv_bytes = std::ptrdiff_t{info(suite.cipher).iv_bytes};
        const auto packets = send(world, 4000, test::inner_packet(60));
        for (const Bytes& packet : packets)
            ivs.insert(Bytes(packet.begin() + 28, packet.begin() + 28 + iv_bytes));
        EXPECT_EQ(ivs.size(), packets.size());
    }
}

TEST_F(EspOutbound, TwoInstallationsOfOneKeyShareNoGcmIv) {
    EspWorld first, second;
    std::set<Bytes> ivs;
    for (EspWorld* world : {&first, &second}) {
        world->install(EspWorld::record(Direction::Outbound, kGcm, 0));
        for (const Bytes& packet : send(*world, 1000, test::inner_packet(60)))
            ivs.insert(Bytes(packet.begin() + 28, packet.begin() + 36));
    }
    EXPECT_EQ(ivs.size(), 2000U);
}

TEST_F(EspOutbound, StopsBeforeTheSequenceNumberWraps) {
    for (const Suite suite : {kGcm, kCbc}) {
        EspWorld world;
        auto record = EspWorld::record(Direction::Outbound, suite, 0);
        record.first_sequence = 0x1'0000'0000 - 100;
        world.install(record);
        const auto out = send(world, 300, test::inner_packet(60));
        EXPECT_EQ(out.size(), 100U);
        EXPECT_EQ(load_be<std::uint32_t>(out.front().data() + 24), 0xffffff9cU);
        EXPECT_EQ(load_be<std::uint32_t>(out.back().data() + 24), 0xffffffffU);
        EXPECT_EQ(world.dropped(DropReason::SeqOverflow), 200U);
        EXPECT_EQ(world.count_events(EventType::SoftExpire), 1U) << "the reserve was reached";
        EXPECT_EQ(world.count_events(EventType::HardExpire), 1U);
        EXPECT_EQ(ipc::read(world.policy_stats[0].send_drops), 200U);
    }
}

TEST_F(EspOutbound, ExtendedNumbersCrossTwoToThe32AndStopAtTheirEnd) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.flags = ipc::kSaExtendedSequence;
    record.first_sequence = 0xffff'fffe;
    world.install(record);
    EXPECT_EQ(send(world, 10, test::inner_packet(60)).size(), 10U);
    world.table.publish(1, world.context.now_ns);
    EXPECT_EQ(ipc::read(world.outbound_stats.get()[0].sequence), 0x1'0000'0007U);
    // The last number is 2^64 - 2: one above it still fits where it is counted.
    world.outbound(0).next_sequence = ~std::uint64_t{0} - 2;
    EXPECT_EQ(send(world, 10, test::inner_packet(60)).size(), 2U);
    EXPECT_EQ(world.dropped(DropReason::SeqOverflow), 8U);
}

TEST_F(EspOutbound, AsksForARekeyAfterTheConfiguredPackets) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.soft_packets = 10;
    world.install(record);
    send(world, 9, test::inner_packet(60));
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 0U);
    EXPECT_EQ(send(world, 5, test::inner_packet(60)).size(), 5U);
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 1U);
}

TEST_F(EspOutbound, KeepsByteLimits) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.soft_bytes = 500;
    record.hard_bytes = 1000;
    world.install(record);
    EXPECT_EQ(send(world, 5, test::inner_packet(100)).size(), 5U);
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 0U);
    EXPECT_EQ(send(world, 5, test::inner_packet(100)).size(), 5U);
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 1U);
    EXPECT_EQ(world.count_events(EventType::HardExpire), 0U);
    EXPECT_EQ(send(world, 5, test::inner_packet(100)).size(), 0U);
    EXPECT_EQ(world.count_events(EventType::HardExpire), 1U);
    EXPECT_EQ(world.dropped(DropReason::SaExpired), 5U);
    EXPECT_EQ(send(world, 1, test::inner_packet(20)).size(), 0U) << "nothing shorter slips through";
    world.table.publish(1, world.context.now_ns);
    EXPECT_EQ(ipc::read(world.outbound_stats.get()[0].bytes), 1000U);
}

TEST_F(EspOutbound, HardLimitAloneNeedsNoSoftOne) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.hard_bytes = 250;
    world.install(record);
    EXPECT_EQ(send(world, 5, test::inner_packet(100)).size(), 2U);
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 0U);
    EXPECT_EQ(world.count_events(EventType::HardExpire), 1U);
    world.table.publish(1, world.context.now_ns);
    EXPECT_EQ(ipc::read(world.outbound_stats.get()[0].bytes), 200U);
}

TEST_F(EspOutbound, CountsOctetsAcrossASoftLimitWithoutAHardOne) {
    EspWorld world;
    auto record = EspWorld::record(Direction::Outbound, kGcm, 0);
    record.soft_bytes = 250;
    world.install(record);
    EXPECT_EQ(send(world, 5, test::inner_packet(100)).size(), 5U);
    EXPECT_EQ(world.count_events(EventType::SoftExpire), 1U);
    world.table.publish(1, world.context.now_ns);
    EXPECT_EQ(ipc::read(world.outbound_stats.get()[0].bytes), 500U);
}

TEST_F(EspOutbound, CountsPacketsOctetsAndPolicy) {
    EspWorld world;
    world.install(EspWorld::record(Direction::Outbound, kCbc, 0));
    send(world, 7, test::inner_packet(123));
    world.table.publish(1, world.context.now_ns);
    const ipc::SaStats& stats = world.outbound_stats.get()[0];
    EXPECT_EQ(ipc::read(stats.packets), 7U);
    EXPECT_EQ(ipc::read(stats.bytes), 7U * 123);
    EXPECT_EQ(ipc::read(stats.sequence), 7U);
    EXPECT_EQ(ipc::read(stats.last_packet_ns), world.context.now_ns);
    EXPECT_EQ(ipc::read(world.policy_stats[0].sent), 7U);
    EXPECT_EQ(ipc::read(world.policy_stats[0].hits), 7U);
}

} // namespace
} // namespace adit::dataplane
