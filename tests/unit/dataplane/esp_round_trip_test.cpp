// SPDX-License-Identifier: Apache-2.0
// What esp_outbound makes, esp_inbound takes: every suite, every length, both forms, mixed bursts.
#include "tests/support/esp_fixture.h"

namespace adit::dataplane {
namespace {

using test::EspWorld;
using test::Suite;

class EspRoundTrip : public test::OnEveryArch<test::EspFixture> {
  protected:
    static constexpr std::uint8_t kSequenceForms[] = {0, ipc::kSaExtendedSequence};

    /// A pair of SAs per suite, form and sequence form; slots from 0 upwards.
    static unsigned install_all(EspWorld& world) {
        std::uint32_t slot = 0;
        for (const Suite suite : test::all_suites()) {
            for (const std::uint16_t port : test::kForms) {
                for (const std::uint8_t flags : kSequenceForms) {
                    auto inbound = EspWorld::record(ipc::Direction::Inbound, suite, slot++);
                    inbound.local_port = inbound.remote_port = port;
                    inbound.flags = flags;
                    world.install(inbound);
                    world.install(EspWorld::mirrored(inbound));
                }
            }
        }
        return slot;
    }
};

TEST_P(EspRoundTrip, ReturnsEveryLengthUnderEverySuite) {
    EspWorld world{GetParam()};
    const unsigned slots = install_all(world);
    test::SeededRng rng{1};
    constexpr std::size_t kStep = 20;
    for (std::size_t length = 20; length <= 1500; length += kStep) {
        std::vector<Bytes> sent;
        Burst burst;
        for (unsigned i = 0; i < kMaxBurst; ++i) { // every SA, lengths around this one
            const std::size_t mixed = std::min<std::size_t>(1500, length + rng.below(kStep));
            sent.push_back(test::inner_packet(mixed, static_cast<std::uint8_t>(i)));
            burst.push(to_protect(sent.back(), world.outbound(i % slots)));
        }
        esp_outbound(burst, world.context);
        ASSERT_EQ(burst.count, kMaxBurst) << world.reasons();
        for (unsigned i = 0; i < burst.count; ++i) {
            const OutboundSa& sa = world.outbound(i % slots);
            ASSERT_EQ(burst.packets[i]->data_len,
                      outer_bytes(sa.layout,
                                  sa.encapsulation(),
                                  static_cast<std::uint32_t>(sent[i].size())));
            deliver(burst.packets[i]);
        }
        esp_inbound(burst, world.context);
        ASSERT_EQ(burst.count, kMaxBurst) << world.reasons();
        for (unsigned i = 0; i < burst.count; ++i) {
            const PacketMeta& info = meta(burst.packets[i]);
            const bool has_ports = sent[i].size() >= wire::kIpv4Bytes + 4;
            EXPECT_EQ(info.flags, has_ports ? kFromSa | kPortsKnown : kFromSa);
            EXPECT_EQ(info.source, (Ipv4Address{10, 1, 2, 3}.value));
            EXPECT_EQ(info.destination, (Ipv4Address{10, 2, 3, 4}.value));
            EXPECT_EQ(info.sa.inbound, &world.inbound(i % slots));
        }
        ASSERT_EQ(take(burst), sent) << "around length " << length;
    }
    EXPECT_EQ(world.dropped_in_all(), 0U);
}

INSTANTIATE_TEST_SUITE_P(EveryArch,
                         EspRoundTrip,
                         ::testing::ValuesIn(test::kArchs),
                         test::arch_name);

class EspSlowPath : public test::EspFixture {};

TEST_F(EspSlowPath, LinearisesChainsInBothDirections) {
    EspWorld world;
    const auto record =
        EspWorld::record(ipc::Direction::Inbound, {EspCipher::AesGcm128, EspMac::None}, 0);
    world.install(record);
    world.install(EspWorld::mirrored(record));
    const Bytes inner = test::inner_packet(900);
    rte_mbuf* head = to_protect(ByteView{inner}.first(100), world.outbound(0));
    ASSERT_EQ(rte_pktmbuf_chain(head, make_packet(ByteView{inner}.subspan(100))), 0);
    Burst burst;
    burst.push(head);
    esp_outbound(burst, world.context);
    ASSERT_EQ(burst.count, 1U) << world.reasons();
    deliver(burst.packets[0]);
    const Bytes esp = bytes_of(burst.packets[0]);
    rte_pktmbuf_free(burst.packets[0]);

    rte_mbuf* first = arrived(ByteView{esp}.first(12), world.inbound(0));
    ASSERT_EQ(rte_pktmbuf_chain(first, make_packet(ByteView{esp}.subspan(12))), 0);
    const auto got = receive(world, first);
    ASSERT_EQ(got.size(), 1U) << world.reasons();
    EXPECT_EQ(got[0], inner);
}

TEST_F(EspSlowPath, LeavesSharedBuffersAlone) {
    EspWorld world;
    const auto record =
        EspWorld::record(ipc::Direction::Inbound, {EspCipher::AesGcm128, EspMac::None}, 0);
    world.install(record);
    world.install(EspWorld::mirrored(record));
    const Bytes inner = test::inner_packet(300);
    rte_mbuf* packet = to_protect(inner, world.outbound(0));
    rte_mbuf_refcnt_update(packet, 1);
    Burst burst;
    burst.push(packet);
    esp_outbound(burst, world.context);
    EXPECT_EQ(bytes_of(packet), inner) << "someone else still reads it";
    rte_pktmbuf_free(packet);
    EXPECT_EQ(take(burst).size(), 1U);
}

TEST_F(EspSlowPath, DropsWhatNoCopyCanHold) {
    EspWorld world;
    const auto record =
        EspWorld::record(ipc::Direction::Inbound, {EspCipher::AesGcm128, EspMac::None}, 0);
    world.install(record);
    world.install(EspWorld::mirrored(record));
    // Without headroom, and no pool to copy into.
    world.context.pool = nullptr;
    rte_mbuf* packet = to_protect(test::inner_packet(100), world.outbound(0));
    ASSERT_NE(rte_pktmbuf_prepend(packet, 120), nullptr);
    Burst burst;
    burst.push(packet);
    esp_outbound(burst, world.context);
    EXPECT_EQ(burst.count, 0U);
    EXPECT_EQ(world.dropped(DropReason::NoBuffer), 1U);
    EXPECT_EQ(world.outbound(0).next_sequence, 1U) << "no number is spent on a dropped packet";
    // With a pool the same packet goes out.
    world.context.pool = test::test_pool();
    const Bytes inner = test::inner_packet(220);
    packet = to_protect(inner, world.outbound(0));
    packet->data_off = 8;
    std::memcpy(data(packet), inner.data(), inner.size());
    burst.push(packet);
    esp_outbound(burst, world.context);
    EXPECT_EQ(take(burst).size(), 1U);
}

} // namespace
} // namespace adit::dataplane
