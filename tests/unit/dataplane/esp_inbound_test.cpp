// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_inbound.h"

#include "tests/support/esp_fixture.h"

#include <functional>

namespace adit::dataplane {
namespace {

using ipc::Direction;
using ipc::EventType;
using test::EspWorld;
using test::Suite;

constexpr Suite kGcm{EspCipher::AesGcm128, EspMac::None};
constexpr Suite kCbc{EspCipher::AesCbc256, EspMac::HmacSha256_128};
constexpr Suite kNull{EspCipher::Null, EspMac::HmacSha256_128};

/// A gateway and the peer that sends to it, on one table.
struct Tunnel : EspWorld {
    explicit Tunnel(Suite suite,
                    std::uint16_t port = 0,
                    const std::function<void(ipc::InstallSa&)>& change = {}) {
        auto record = EspWorld::record(Direction::Inbound, suite, 0);
        record.local_port = record.remote_port = port;
        if (change)
            change(record);
        install(record);
        install(EspWorld::mirrored(record));
    }
};

class EspInbound : public test::EspFixture {
  protected:
    static bool passes(EspWorld& world, ByteView esp) {
        return receive(world, arrived(esp, world.inbound(0))).size() == 1;
    }

    /// The peer's packet with a payload of our own making: `plaintext` includes padding and
    /// trailer.
    static Bytes sealed_raw(EspWorld& world, ByteView plaintext) {
        OutboundSa& sa = world.outbound(0);
        const EspLayout layout = sa.layout;
        Bytes esp(8U + layout.iv + plaintext.size() + layout.icv);
        std::copy(sa.header_template + sa.outer_header,
                  sa.header_template + sa.outer_header + 4,
                  esp.begin());
        const std::uint64_t sequence = sa.next_sequence++;
        store_be(esp.data() + 4, static_cast<std::uint32_t>(sequence));
        std::ranges::copy(plaintext, esp.begin() + 8 + layout.iv);
        std::uint8_t* text = esp.data() + 8 + layout.iv;
        const bool combined = sa.has(kTraitCombined);
        std::uint8_t nonce[12];
        if (layout.iv != 0)
            store_be(esp.data() + 8, sequence ^ sa.iv_mask);
        std::copy_n(sa.salt_be, 4, nonce);
        std::copy_n(esp.data() + 8, 8, nonce + 4);
        CryptoJob job{.keys = &sa.keys,
                      .text = text,
                      .iv = combined ? nonce : esp.data() + 8,
                      .authenticated = esp.data(),
                      .tag = text + plaintext.size(),
                      .text_bytes = static_cast<std::uint32_t>(plaintext.size()),
                      .authenticated_bytes =
                          combined ? 8U
                                   : static_cast<std::uint32_t>(8 + layout.iv + plaintext.size()),
                      .cipher = sa.cipher,
                      .mac = sa.mac};
        world.crypto->seal({&job, 1});
        return esp;
    }

    /// `inner`, default padding, next header 4.
    static Bytes sealed_inner(EspWorld& world, ByteView inner) {
        Bytes plaintext = to_bytes(inner);
        const std::uint32_t padding =
            world.outbound(0).layout.padding(static_cast<std::uint32_t>(inner.size()));
        for (std::uint32_t i = 1; i <= padding; ++i)
            plaintext.push_back(static_cast<std::uint8_t>(i));
        plaintext.push_back(static_cast<std::uint8_t>(padding));
        plaintext.push_back(4);
        return sealed_raw(world, plaintext);
    }
};

TEST_F(EspInbound, RefusesEveryLengthUpToTheShortest) {
    for (const Suite suite : test::all_suites()) {
        for (const std::uint16_t port : test::kForms) {
            Tunnel world{suite, port};
            const Bytes esp = sealed_by(world, 0, test::inner_packet(20));
            const std::uint32_t shortest = world.inbound(0).min_esp;
            for (std::size_t length = 0; length < shortest; ++length)
                ASSERT_FALSE(passes(world, ByteView{esp}.first(length)));
            ASSERT_EQ(world.dropped(DropReason::EspShort), shortest) << test::name_of(suite);
            ASSERT_FALSE(passes(world, ByteView{esp}.first(shortest)));
            ASSERT_FALSE(passes(world, ByteView{esp}.first(shortest + 1)));
            ASSERT_EQ(world.dropped(DropReason::EspShort), shortest);
            ASSERT_EQ(world.inbound(0).window.highest(), 0U);
            ASSERT_TRUE(passes(world, esp)) << world.reasons();
        }
    }
}

TEST_F(EspInbound, JudgesEveryPadLengthOverEveryPayload) {
    Tunnel world{kNull};
    for (std::size_t payload = 0; payload <= 300; payload += 7) {
        for (unsigned pad = 0; pad <= 255; ++pad) {
            // Random-looking payload, honest trailer position, any pad length.
            Bytes plaintext = payload >= 20 ? test::inner_packet(payload) : Bytes(payload, 0x45);
            while ((plaintext.size() + 2) % 4 != 0)
                plaintext.push_back(0x99);
            plaintext.push_back(static_cast<std::uint8_t>(pad));
            plaintext.push_back(4);
            const std::uint64_t before = world.dropped_in_all();
            const bool passed = passes(world, sealed_raw(world, plaintext));
            ASSERT_TRUE(passed || world.dropped_in_all() == before + 1);
            ASSERT_EQ(passed, pad == 0 && payload >= 20) << payload << " " << pad;
        }
    }
    for (unsigned pad = 0; pad <= 255; ++pad) { // and every honest one
        Bytes plaintext = test::inner_packet(60 + (258 - pad) % 4);
        for (unsigned i = 1; i <= pad; ++i)
            plaintext.push_back(static_cast<std::uint8_t>(i));
        plaintext.push_back(static_cast<std::uint8_t>(pad));
        plaintext.push_back(4);
        ASSERT_TRUE(passes(world, sealed_raw(world, plaintext))) << pad << " " << world.reasons();
    }
}

TEST_F(EspInbound, JudgesEveryOctetOfThePadding) {
    for (const Suite suite : {kGcm, kNull}) {
        Tunnel world{suite};
        for (std::size_t padding = 0; padding <= 40; ++padding) {
            Bytes plaintext = test::inner_packet(60 + (258 - padding) % 4);
            const std::size_t first = plaintext.size();
            for (std::size_t i = 1; i <= padding; ++i)
                plaintext.push_back(static_cast<std::uint8_t>(i));
            plaintext.push_back(static_cast<std::uint8_t>(padding));
            plaintext.push_back(4);
            ASSERT_TRUE(passes(world, sealed_raw(world, plaintext))) << padding;
            for (std::size_t i = 0; i < padding; ++i)
                for (const unsigned change : {0x01U, 0x80U, 0xffU}) {
                    Bytes wrong = plaintext;
                    wrong[first + i] ^= static_cast<std::uint8_t>(change);
                    ASSERT_FALSE(passes(world, sealed_raw(world, wrong))) << padding << " " << i;
                }
        }
        EXPECT_EQ(world.reasons(), "esp-padding");
        EXPECT_EQ(world.dropped(DropReason::EspPadding), 3U * 40 * 41 / 2);
    }
}

TEST_F(EspInbound, ComparesEveryBitOfTheIcv) {
    for (const Suite suite : test::all_suites())
        for (const std::uint8_t flags : {std::uint8_t{0}, std::uint8_t{ipc::kSaExtendedSequence}}) {
            Tunnel world{suite, 0, [&](ipc::InstallSa& sa) { sa.flags = flags; }};
            const Bytes esp = sealed_by(world, 0, test::inner_packet(60));
            const std::size_t icv = world.inbound(0).layout.icv;
            for (std::size_t bit = 0; bit < 8 * icv; ++bit) {
                Bytes wrong = esp;
                wrong[esp.size() - icv + bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
                ASSERT_FALSE(passes(world, wrong)) << test::name_of(suite) << " bit " << bit;
            }
            EXPECT_EQ(world.dropped(DropReason::EspIcv), 8 * icv) << world.reasons();
            EXPECT_TRUE(passes(world, esp)) << test::name_of(suite) << world.reasons();
        }
}

TEST_F(EspInbound, LetsOneOfManyCopiesThrough) {
    for (const Suite suite : {kGcm, kCbc}) {
        Tunnel world{suite};
        for (unsigned copies = 2; copies <= 64; ++copies) {
            const Bytes esp = sealed_by(world, 0, test::inner_packet(100));
            Burst burst;
            for (unsigned i = 0; i < copies; ++i)
                burst.push(arrived(esp, world.inbound(0)));
            esp_inbound(burst, world.context);
            ASSERT_EQ(take(burst).size(), 1U);
        }
        EXPECT_EQ(world.reasons(), "esp-replay");
        EXPECT_EQ(ipc::read(world.inbound_stats.get()[0].replay_drops),
                  world.dropped(DropReason::EspReplay));
    }
}

TEST_F(EspInbound, AForgedPacketMovesNoWindow) {
    for (const Suite suite : {kGcm, kCbc}) {
        Tunnel world{suite};
        Bytes forged = sealed_by(world, 0, test::inner_packet(100));
        const Bytes good = sealed_by(world, 0, test::inner_packet(100));
        store_be(forged.data() + 4, std::uint32_t{100'001});
        EXPECT_FALSE(passes(world, forged));
        EXPECT_EQ(world.reasons(), "esp-icv");
        EXPECT_EQ(world.inbound(0).window.highest(), 0U);
        EXPECT_TRUE(passes(world, good));
        EXPECT_EQ(ipc::read(world.inbound_stats.get()[0].integrity_drops), 1U);
    }
}

TEST_F(EspInbound, GoodPacketsSurviveBadCompany) {
    Tunnel world{kCbc};
    std::vector<Bytes> sent;
    Burst burst;
    for (unsigned i = 0; i < 64; ++i) {
        sent.push_back(test::inner_packet(60 + 11 * i));
        Bytes esp = sealed_by(world, 0, sent.back());
        if (i % 3 == 1) {
            esp[esp.size() / 2] ^= 1;
            sent.pop_back();
        }
        burst.push(arrived(esp, world.inbound(0)));
    }
    esp_inbound(burst, world.context);
    EXPECT_EQ(take(burst), sent) << "in order, unharmed";
    EXPECT_EQ(world.dropped(DropReason::EspIcv), 21U);
}

TEST_F(EspInbound, RefusesUnknownSpis) {
    Tunnel world{kGcm};
    Bytes esp = sealed_by(world, 0, test::inner_packet(100));
    store_be(esp.data(), std::uint32_t{0x11111111});
    EXPECT_FALSE(passes(world, esp));
    EXPECT_EQ(world.reasons(), "esp-invalid-spi");
}

TEST_F(EspInbound, RefusesTheWrongEndpointAndForm) {
    const auto arrival = [](EspWorld& world, ByteView esp, const auto& change) {
        rte_mbuf* packet = arrived(esp, world.inbound(0));
        change(meta(packet));
        return receive(world, packet).size() == 1;
    };
    Tunnel native{kGcm};
    const Bytes esp = sealed_by(native, 0, test::inner_packet(100));
    EXPECT_FALSE(arrival(native, esp, [](PacketMeta& info) { info.outer_destination ^= 1; }));
    EXPECT_FALSE(arrival(native, esp, [](PacketMeta& info) { info.flags = kUdpEncap; }));
    EXPECT_EQ(native.dropped(DropReason::EspWrongEndpoint), 2U);
    EXPECT_TRUE(passes(native, esp));

    Tunnel udp{kGcm, 4500};
    const Bytes in_udp = sealed_by(udp, 0, test::inner_packet(100));
    EXPECT_FALSE(arrival(udp, in_udp, [](PacketMeta& info) { info.flags = 0; }));
    EXPECT_FALSE(arrival(udp, in_udp, [](PacketMeta& info) { info.outer_destination_port = 500; }));
    EXPECT_EQ(udp.dropped(DropReason::EspWrongEndpoint), 2U);
    EXPECT_TRUE(passes(udp, in_udp));
}

TEST_F(EspInbound, ReportsAMovedPeerOnceAndOnlyWhenAuthenticated) {
    Tunnel world{kGcm, 4500};
    const auto from = [&](const Bytes& esp, std::uint32_t address, std::uint16_t port) {
        rte_mbuf* packet = arrived(esp, world.inbound(0));
        meta(packet).outer_source = address;
        meta(packet).outer_source_port = port;
        return receive(world, packet).size() == 1;
    };
    const Bytes old_packet = sealed_by(world, 0, test::inner_packet(100));
    Bytes forged = sealed_by(world, 0, test::inner_packet(100));
    forged.back() ^= 1;
    EXPECT_FALSE(from(forged, 1, 1));
    EXPECT_EQ(world.count_events(EventType::PeerMoved), 0U);
    EXPECT_TRUE(from(sealed_by(world, 0, test::inner_packet(100)), EspWorld::kPeer.value, 1024));
    EXPECT_TRUE(from(sealed_by(world, 0, test::inner_packet(100)), EspWorld::kPeer.value, 1024));
    ASSERT_EQ(world.count_events(EventType::PeerMoved), 1U);
    EXPECT_EQ(world.events->pending().back().peer_moved.port, 1024);
    EXPECT_TRUE(from(old_packet, 2, 2)) << "late but authentic";
    EXPECT_EQ(world.count_events(EventType::PeerMoved), 1U) << "a late packet redirects nothing";
}

TEST_F(EspInbound, JudgesInnerHeaders) {
    Tunnel world{kGcm};

    struct Row {
        const char* what;
        DropReason reason;
        std::function<void(Bytes&)> change;
    };

    const auto fix = [](Bytes& packet) { wire::Ipv4Header{packet.data()}.update_checksum(); };
    const Row rows[] = {
        {"version 6", DropReason::EspInner, [](Bytes& p) { p[0] = 0x65; }},
        {"header of 16 octets", DropReason::EspInner, [&](Bytes& p) { p[0] = 0x44; }},
        {"header beyond packet",
         DropReason::EspInner,
         [](Bytes& p) {
             p.resize(40);
             p[0] = 0x4f;
         }},
        {"total below header",
         DropReason::EspInner,
         [&](Bytes& p) {
             store_be(p.data() + 2, std::uint16_t{19});
             fix(p);
         }},
        {"total beyond packet",
         DropReason::EspInner,
         [&](Bytes& p) {
             store_be(p.data() + 2, std::uint16_t{101});
             fix(p);
         }},
        {"TTL 0",
         DropReason::EspInner,
         [&](Bytes& p) {
             p[8] = 0;
             fix(p);
         }},
        {"checksum", DropReason::EspInner, [](Bytes& p) { p[10] ^= 1; }},
        {"source below",
         DropReason::EspSelector,
         [&](Bytes& p) {
             store_be(p.data() + 12, Ipv4Address{10, 0, 255, 255}.value);
             fix(p);
         }},
        {"source above",
         DropReason::EspSelector,
         [&](Bytes& p) {
             store_be(p.data() + 12, Ipv4Address{10, 2, 0, 0}.value);
             fix(p);
         }},
        {"destination below",
         DropReason::EspSelector,
         [&](Bytes& p) {
             store_be(p.data() + 16, Ipv4Address{10, 1, 255, 255}.value);
             fix(p);
         }},
        {"destination above",
         DropReason::EspSelector,
         [&](Bytes& p) {
             store_be(p.data() + 16, Ipv4Address{10, 3, 0, 0}.value);
             fix(p);
         }},
    };
    for (const Row& row : rows) {
        Bytes inner = test::inner_packet(100);
        row.change(inner);
        const std::uint64_t before = world.dropped(row.reason);
        EXPECT_FALSE(passes(world, sealed_inner(world, inner))) << row.what;
        EXPECT_EQ(world.dropped(row.reason), before + 1) << row.what << ": " << world.reasons();
    }
    EXPECT_TRUE(passes(world, sealed_inner(world, test::inner_packet(100))));
}

TEST_F(EspInbound, SelectsProtocolAndPorts) {
    Tunnel world{kCbc, 0, [](ipc::InstallSa& sa) {
                     sa.selector.protocol = 17;
                     sa.selector.local_port_first = sa.selector.local_port_last = 53;
                     sa.selector.remote_port_first = 1024;
                 }};
    const auto packet = [](std::uint8_t protocol,
                           std::uint16_t source,
                           std::uint16_t destination,
                           std::uint16_t fragment,
                           std::size_t length = 100) {
        Bytes inner = test::inner_packet(length, 0, fragment);
        inner[9] = protocol;
        if (length >= 24) {
            store_be(inner.data() + 20, source);
            store_be(inner.data() + 22, destination);
        }
        wire::Ipv4Header{inner.data()}.update_checksum();
        return inner;
    };
    EXPECT_TRUE(passes(world, sealed_inner(world, packet(17, 1024, 53, 0))));
    EXPECT_TRUE(
        passes(world, sealed_inner(world, packet(17, 65535, 53, wire::kIpv4MoreFragments))));
    EXPECT_EQ(world.dropped_in_all(), 0U) << world.reasons();
    EXPECT_FALSE(passes(world, sealed_inner(world, packet(6, 1024, 53, 0)))) << "TCP";
    EXPECT_FALSE(passes(world, sealed_inner(world, packet(17, 1023, 53, 0)))) << "source port";
    EXPECT_FALSE(passes(world, sealed_inner(world, packet(17, 1024, 54, 0)))) << "destination port";
    EXPECT_FALSE(passes(world, sealed_inner(world, packet(17, 1024, 53, 10)))) << "later fragment";
    EXPECT_FALSE(passes(world, sealed_inner(world, packet(17, 0, 0, 0, 23)))) << "no ports in it";
    EXPECT_EQ(world.dropped(DropReason::EspSelector), 5U);
    EXPECT_EQ(world.dropped_in_all(), 5U) << world.reasons();
}

TEST_F(EspInbound, PassesLaterFragmentsWhenPortsDoNotMatter) {
    Tunnel world{kGcm};
    Burst burst;
    burst.push(arrived(sealed_by(world, 0, test::inner_packet(100, 0, 10)), world.inbound(0)));
    esp_inbound(burst, world.context);
    ASSERT_EQ(burst.count, 1U);
    EXPECT_EQ(meta(burst.packets[0]).flags, kFromSa | kFragment);
    EXPECT_EQ(meta(burst.packets[0]).source_port, 0);
    take(burst);
}

TEST_F(EspInbound, CutsTrafficFlowPaddingAndDropsDummies) {
    Tunnel world{kGcm};
    Bytes padded = test::inner_packet(60);
    const Bytes inner = padded;
    padded.insert(padded.end(), 400, 0xcc);
    const auto got = receive(world, arrived(sealed_inner(world, padded), world.inbound(0)));
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0], inner);
    Bytes dummy(38, 0xee);
    dummy.push_back(0);
    dummy.push_back(59);
    EXPECT_FALSE(passes(world, sealed_raw(world, dummy)));
    EXPECT_EQ(world.reasons(), "esp-dummy");
    EXPECT_EQ(world.inbound(0).window.highest(), 2U) << "the window advances";
}

TEST_F(EspInbound, StopsAtTheHardLimit) {
    Tunnel world{kGcm, 0, [](ipc::InstallSa& sa) { sa.hard_bytes = 250; }};
    std::vector<Bytes> packets;
    {
        Tunnel sender{kGcm};
        for (unsigned i = 0; i < 4; ++i)
            packets.push_back(sealed_by(sender, 0, test::inner_packet(100)));
    }
    EXPECT_TRUE(passes(world, packets[0]));
    EXPECT_TRUE(passes(world, packets[1]));
    EXPECT_FALSE(passes(world, packets[2]));
    EXPECT_FALSE(passes(world, packets[3]));
    EXPECT_EQ(world.reasons(), "sa-expired");
    EXPECT_EQ(world.count_events(EventType::HardExpire), 1U);
}

TEST_F(EspInbound, LimitsNoticesPerReasonAndSaysHowManyItHeldBack) {
    Tunnel world{kGcm};
    const Bytes esp = sealed_by(world, 0, test::inner_packet(100));
    EXPECT_TRUE(passes(world, esp));
    for (unsigned i = 0; i < 10; ++i)
        EXPECT_FALSE(passes(world, esp));
    ASSERT_EQ(world.count_events(EventType::PacketNotice), 1U);
    world.context.now_ns += NoticeLimiter::kPeriodNs;
    EXPECT_FALSE(passes(world, esp));
    ASSERT_EQ(world.count_events(EventType::PacketNotice), 2U);
    const ipc::PacketNotice& notice = world.events->pending().back().packet_notice;
    EXPECT_EQ(notice.more, 9U);
    EXPECT_EQ(notice.reason, static_cast<std::uint8_t>(DropReason::EspReplay));
    EXPECT_EQ(notice.spi, world.inbound(0).spi);
    EXPECT_EQ(notice.sa_id, world.inbound(0).sa_id);
    EXPECT_EQ(notice.sequence_number, 1U);
    EXPECT_EQ(notice.flow.source, EspWorld::kPeer.value);
    EXPECT_EQ(notice.flow.protocol, 50);
}

} // namespace
} // namespace adit::dataplane
