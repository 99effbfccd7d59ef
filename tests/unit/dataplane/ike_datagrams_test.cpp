// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ike_datagrams.h"
#include "tests/support/worker_fixture.h"

namespace adit::dataplane {
namespace {

class IkeDatagrams : public test::WorkerFixture {
  protected:
    IkeDatagrams() {
        record->source = test::kWanAddress;
        record->destination = test::kPeerAddress;
        record->source_port = record->destination_port = 500;
        record->length = 100;
        std::fill_n(record->payload, sizeof record->payload, std::uint8_t{0x33});
    }

    std::optional<DropReason> build() { return builder->build(*record, tables, packets); }

    void TearDown() override {
        free_all(packets);
        test::WorkerFixture::TearDown();
    }

    std::unique_ptr<ipc::DatagramRecord> record = std::make_unique<ipc::DatagramRecord>();
    std::unique_ptr<DatagramBuilder> builder =
        std::make_unique<DatagramBuilder>(test::test_pool(), std::uint16_t{7});
    Burst packets;
};

TEST_F(IkeDatagrams, BecomesOnePacketWithItsChecksums) {
    ASSERT_EQ(build(), std::nullopt);
    ASSERT_EQ(packets.count, 1U);
    wire::Ipv4Header ip{data(packets.packets[0])};
    EXPECT_TRUE(ip.checksum_holds());
    EXPECT_EQ(ip.total_bytes(), 128);
    wire::UdpHeader udp{data(packets.packets[0]) + 20};
    EXPECT_NE(udp.checksum(), 0);
    EXPECT_TRUE(udp.checksum_holds(test::kWanAddress, test::kPeerAddress));
    EXPECT_EQ(data(packets.packets[0])[28], 0x33);
}

TEST_F(IkeDatagrams, GetsTheMarkerOnPort4500) {
    record->source_port = record->destination_port = 4500;
    ASSERT_EQ(build(), std::nullopt);
    EXPECT_EQ(rte_pktmbuf_pkt_len(packets.packets[0]), 132U);
    EXPECT_EQ(load_be<std::uint32_t>(data(packets.packets[0]) + 28), 0U);
}

TEST_F(IkeDatagrams, KeepaliveIsOneOctet) {
    record->source_port = record->destination_port = 4500;
    record->length = 1;
    record->payload[0] = 0xff;
    ASSERT_EQ(build(), std::nullopt);
    EXPECT_EQ(rte_pktmbuf_pkt_len(packets.packets[0]), 29U);
}

TEST_F(IkeDatagrams, TheLongestIsFragmented) {
    record->length = ipc::kMaxIkeDatagramBytes;
    ASSERT_EQ(build(), std::nullopt);
    EXPECT_EQ(packets.count, 7U);
    std::uint32_t payload = 0;
    for (unsigned i = 0; i < packets.count; ++i) {
        const wire::Ipv4Header ip{data(packets.packets[i])};
        EXPECT_LE(ip.total_bytes(), 1500);
        EXPECT_EQ((ip.flags_and_offset() & wire::kIpv4OffsetMask) * 8U, payload);
        EXPECT_EQ((ip.flags_and_offset() & wire::kIpv4MoreFragments) != 0, i + 1 < packets.count);
        payload += ip.total_bytes() - 20U;
    }
    EXPECT_EQ(payload, 8 + ipc::kMaxIkeDatagramBytes);
}

TEST_F(IkeDatagrams, RefusesWhatIsNoIkeFromUs) {
    const ipc::DatagramRecord good = *record;
    void (*const changes[])(ipc::DatagramRecord&) = {
        [](auto& r) { r.source = test::kPeerAddress; },
        [](auto& r) { r.destination = 0xe0000001; },
        [](auto& r) { r.destination = 0xffffffff; },
        [](auto& r) { r.destination = 0x7f000001; },
        [](auto& r) { r.destination = 0; },
        [](auto& r) { r.destination = test::kLanAddress; },
        [](auto& r) { r.source_port = 53; },
        [](auto& r) { r.destination_port = 0; },
        [](auto& r) { r.length = 27; },
        [](auto& r) { r.length = 0; },
        [](auto& r) { r.length = ipc::kMaxIkeDatagramBytes + 1; },
    };
    for (const auto change : changes) {
        *record = good;
        change(*record);
        EXPECT_EQ(build(), DropReason::InjectMalformed) << &change - changes;
    }
    *record = good;
    record->destination = 0x08080808;
    EXPECT_EQ(build(), DropReason::NoRoute);
}

TEST_F(IkeDatagrams, PuntedPacketsBecomeRecords) {
    const Bytes message(60, 0x44);
    rte_mbuf* packet = make_packet(message);
    meta(packet).source = test::kPeerAddress;
    meta(packet).destination = test::kWanAddress;
    meta(packet).source_port = 1024;
    meta(packet).destination_port = 4500;
    meta(packet).in_interface = test::kWan;
    to_record(packet, 99, *record);
    rte_pktmbuf_free(packet);
    EXPECT_EQ(record->arrival_ns, 99U);
    EXPECT_EQ(record->source, test::kPeerAddress);
    EXPECT_EQ(record->source_port, 1024);
    EXPECT_EQ(record->interface, test::kWan);
    ASSERT_EQ(record->length, 60);
    EXPECT_EQ(Bytes(record->payload, record->payload + 60), message);
}

} // namespace
} // namespace adit::dataplane
