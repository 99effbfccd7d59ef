// SPDX-License-Identifier: Apache-2.0
// link_input against the two steps it stands for: whatever arrives has the same fate by either way,
// and what goes on is the same packet.
#include "dataplane/stages/link_input.h"

#include "tests/support/worker_fixture.h"

#include <array>
#include <random>

namespace adit::dataplane {
namespace {

struct Arrival {
    Bytes frame;
    std::size_t first_segment{SIZE_MAX}; // octets; the rest lies in a second one
    std::uint64_t nic_flags{0};
};

struct Fate {
    bool goes_on{};
    bool to_housekeeper{};
    std::array<std::uint64_t, kDropReasonCount> drops{};
    // Of what goes on.
    Bytes packet;
    unsigned segments{};
    std::uint32_t source{}, destination{}, policy{};
    std::uint16_t source_port{}, destination_port{}, in_interface{}, out_interface{};
    std::uint8_t protocol{}, flags{};
    Handover handover{};

    friend bool operator==(const Fate&, const Fate&) = default;
};

Bytes all_bytes_of(rte_mbuf* packet) {
    Bytes all;
    for (rte_mbuf* segment = packet; segment != nullptr; segment = segment->next)
        all.insert(all.end(), data(segment), data(segment) + segment->data_len);
    EXPECT_EQ(all.size(), rte_pktmbuf_pkt_len(packet));
    return all;
}

class LinkInput : public test::WorkerFixture {
  protected:
    using Way = bool (*)(Passing& passing, WorkerContext& context);

    static bool short_way(Passing& passing, WorkerContext& context) {
        return link_input(passing, context);
    }

    static bool long_way(Passing& passing, WorkerContext& context) {
        return take_step<eth_input>(passing, context) && take_step<ip_input>(passing, context);
    }

    /// As reception leaves it: of the metadata only the interface is known.
    static rte_mbuf* arrive(const Arrival& arrival) {
        const ByteView frame{arrival.frame};
        const std::size_t first = std::min(arrival.first_segment, frame.size());
        rte_mbuf* packet = make_packet(frame.first(first));
        if (first < frame.size())
            ENSURE(rte_pktmbuf_chain(packet, make_packet(frame.subspan(first))) == 0);
        packet->ol_flags |= arrival.nic_flags;
        std::memset(&meta(packet), 0xa5, sizeof(PacketMeta));
        meta(packet).in_interface = test::kLan;
        return packet;
    }

    Fate fate_of(const Arrival& arrival, Way way) {
        Fate fate;
        for (std::size_t i = 0; i < kDropReasonCount; ++i)
            fate.drops[i] = ipc::read(world.core->drops[i]);
        Passing passing{arrive(arrival)};
        fate.goes_on = way(passing, *context);
        for (std::size_t i = 0; i < kDropReasonCount; ++i)
            fate.drops[i] = ipc::read(world.core->drops[i]) - fate.drops[i];
        if (fate.goes_on)
            describe(passing, fate);
        if (rte_mbuf* arp = pop(queues->arp)) {
            fate.to_housekeeper = true;
            fate.packet = all_bytes_of(arp);
            rte_pktmbuf_free(arp);
        }
        return fate;
    }

    static void describe(const Passing& passing, Fate& fate) {
        rte_mbuf* packet = passing.packet;
        const PacketMeta& m = meta(packet);
        EXPECT_EQ(passing.at, data(packet));
        EXPECT_EQ(passing.bytes, rte_pktmbuf_pkt_len(packet));
        EXPECT_EQ(passing.source, m.source);
        EXPECT_EQ(passing.destination, m.destination);
        fate.packet = all_bytes_of(packet);
        fate.segments = packet->nb_segs;
        fate.source = m.source;
        fate.destination = m.destination;
        fate.source_port = m.source_port;
        fate.destination_port = m.destination_port;
        fate.protocol = m.protocol;
        fate.flags = m.flags;
        fate.handover = m.handover;
        fate.policy = m.policy;
        fate.in_interface = m.in_interface;
        fate.out_interface = m.out_interface;
        rte_pktmbuf_free(packet);
    }

    void expect_same_fate(const Arrival& arrival) {
        const Fate expected = fate_of(arrival, long_way);
        const Fate got = fate_of(arrival, short_way);
        ASSERT_TRUE(got == expected) << to_hex(arrival.frame) << " first segment "
                                     << arrival.first_segment << " NIC " << arrival.nic_flags;
        gone_on += unsigned{expected.goes_on};
    }

    static Bytes frame_of(ByteView packet) {
        Bytes frame(wire::kEthernetBytes);
        wire::EthernetHeader{frame.data()}.write(
            test::kLanMac, test::kHostMac, wire::kEtherTypeIpv4);
        frame.insert(frame.end(), packet.begin(), packet.end());
        return frame;
    }

    static Bytes udp_frame() {
        return frame_of(test::udp_packet(test::kHost, test::kFarHost, 1000, 2000, Bytes(18)));
    }

    static void mend_checksum(Bytes& frame) {
        wire::Ipv4Header ip{frame.data() + wire::kEthernetBytes};
        if (frame.size() >= wire::kEthernetBytes + std::max<std::size_t>(20, ip.header_bytes()))
            ip.update_checksum();
    }

    unsigned gone_on{0};
};

constexpr std::size_t kHeaders = wire::kEthernetBytes + wire::kIpv4Bytes;

TEST_F(LinkInput, AgreesForEveryValueOfEveryOctetOfTheHeaders) {
    for (std::size_t at = 0; at < kHeaders + 4; ++at)
        for (unsigned value = 0; value <= 0xff; ++value)
            for (const bool mended : {false, true}) {
                Arrival arrival{.frame = udp_frame()};
                arrival.frame[at] = static_cast<std::uint8_t>(value);
                if (mended)
                    mend_checksum(arrival.frame);
                ASSERT_NO_FATAL_FAILURE(expect_same_fate(arrival));
            }
    EXPECT_GT(gone_on, 5'000U);
}

TEST_F(LinkInput, AgreesForEveryLengthOfFrameDatagramAndFirstSegment) {
    const Bytes whole = udp_frame();
    for (std::size_t length = 0; length <= whole.size(); ++length)
        for (std::size_t total = 0; total <= whole.size(); ++total) {
            Arrival arrival{.frame = whole};
            store_be(arrival.frame.data() + 16, static_cast<std::uint16_t>(total));
            mend_checksum(arrival.frame);
            arrival.frame.resize(length);
            ASSERT_NO_FATAL_FAILURE(expect_same_fate(arrival));
            arrival.first_segment = total;
            ASSERT_NO_FATAL_FAILURE(expect_same_fate(arrival));
        }
    EXPECT_GT(gone_on, 100U);
}

TEST_F(LinkInput, AgreesForEveryProtocolAndLengthOfPayload) {
    for (unsigned protocol = 0; protocol <= 0xff; ++protocol)
        for (std::size_t payload = 0; payload <= 8; ++payload)
            ASSERT_NO_FATAL_FAILURE(expect_same_fate(
                {.frame = frame_of(test::ip_packet(test::kHost,
                                                   test::kFarHost,
                                                   static_cast<std::uint8_t>(protocol),
                                                   Bytes(payload, 0x7b)))}));
    EXPECT_EQ(gone_on, 256U * 9);
}

/// Frames that are nearly right, each wrong in up to three ways.
class Mutator {
  public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    Arrival next() {
        Arrival arrival{.frame = sound_frame()};
        for (unsigned changes = below(4); changes > 0; --changes)
            change(arrival);
        return arrival;
    }

    /// 0 .. limit-1.
    unsigned below(std::size_t limit) { return static_cast<unsigned>(random_() % limit); }

  private:
    template <class T> T one_of(std::initializer_list<T> choices) {
        return choices.begin()[below(choices.size())];
    }

    Bytes sound_frame() {
        const auto protocol = one_of<unsigned>({1, 6, 17, 33, 50, 51, 64, 132, 136, 255});
        Bytes payload(below(80));
        for (std::uint8_t& octet : payload)
            octet = static_cast<std::uint8_t>(below(256));
        Bytes frame(wire::kEthernetBytes);
        wire::EthernetHeader{frame.data()}.write(
            test::kLanMac, test::kHostMac, wire::kEtherTypeIpv4);
        const Bytes packet = test::ip_packet(test::kHost,
                                             test::kFarHost,
                                             static_cast<std::uint8_t>(protocol),
                                             payload,
                                             one_of<std::uint16_t>({0, wire::kIpv4DontFragment}));
        frame.insert(frame.end(), packet.begin(), packet.end());
        if (below(4) != 0)
            frame.resize(std::max<std::size_t>(frame.size(), 60)); // as a link pads it
        return frame;
    }

    void change(Arrival& arrival) {
        Bytes& frame = arrival.frame;
        if (frame.size() < kHeaders + 4) {
            arrival.first_segment = below(frame.size() + 1);
            return;
        }
        switch (below(9)) {
        case 0:
            change_ethernet(frame);
            return;
        case 1:
            frame[below(frame.size())] = static_cast<std::uint8_t>(below(256));
            return;
        case 2:
            frame.resize(below(frame.size()));
            return;
        case 3:
            arrival.first_segment = below(frame.size() + 1);
            return;
        case 4:
            arrival.nic_flags |= one_of<std::uint64_t>({RTE_MBUF_F_RX_VLAN,
                                                        RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                                                        RTE_MBUF_F_RX_IP_CKSUM_BAD,
                                                        RTE_MBUF_F_RX_IP_CKSUM_NONE,
                                                        RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD});
            return;
        case 5:
            insert_options(frame);
            break;
        default:
            change_ip(frame.data() + wire::kEthernetBytes);
        }
        mend_checksum(frame);
        if (below(8) == 0) // RFC 1071: two forms of zero, only one of which adds up elsewhere
            store_be(frame.data() + wire::kEthernetBytes + 10, one_of<std::uint16_t>({0, 0xffff}));
    }

    void change_ethernet(Bytes& frame) {
        wire::EthernetHeader ethernet{frame.data()};
        const auto mac = [this] {
            return one_of<wire::MacAddress>(
                {test::kLanMac, test::kHostMac, wire::kBroadcastMac, {{0x01, 0, 0x5e, 0, 0, 1}}});
        };
        ethernet.write(
            below(2) == 0 ? mac() : ethernet.destination(),
            below(2) == 0 ? mac() : ethernet.source(),
            one_of<std::uint16_t>(
                {wire::kEtherTypeIpv4, wire::kEtherTypeIpv4, wire::kEtherTypeArp, 0x86dd, 0x8100}));
    }

    void change_ip(std::uint8_t* at) {
        wire::Ipv4Header ip{at};
        switch (below(4)) {
        case 0:
            ip.set_total_bytes(static_cast<std::uint16_t>(ip.total_bytes() + below(9) - 4));
            return;
        case 1:
            ip.set_flags_and_offset(one_of<std::uint16_t>({0x8000, 0x4000, 0x2000, 1, 0x1fff}));
            return;
        case 2:
            ip.set_source(one_of<std::uint32_t>({0,
                                                 0x7f000001,
                                                 0xe0000001,
                                                 0xffffffff,
                                                 test::kLanAddress,
                                                 test::kWanAddress,
                                                 test::kPeerAddress}));
            return;
        default:
            at[below(wire::kIpv4Bytes)] = static_cast<std::uint8_t>(below(256));
        }
    }

    void insert_options(Bytes& frame) {
        const std::size_t words = 1 + below(10);
        Bytes options(4 * words, 1); // no operation
        options[0] = one_of<std::uint8_t>({0, 1, 7, 131, 137, 148});
        options[1] = static_cast<std::uint8_t>(below(options.size() + 2));
        frame.insert(frame.begin() + kHeaders, options.begin(), options.end());
        std::uint8_t* at = frame.data() + wire::kEthernetBytes;
        at[0] = static_cast<std::uint8_t>(0x45 + words);
        wire::Ipv4Header ip{at};
        ip.set_total_bytes(static_cast<std::uint16_t>(ip.total_bytes() + options.size()));
    }

    static void mend_checksum(Bytes& frame) {
        wire::Ipv4Header ip{frame.data() + wire::kEthernetBytes};
        if (frame.size() >= wire::kEthernetBytes + ip.header_bytes())
            ip.update_checksum();
    }

    std::mt19937_64 random_;
};

TEST_F(LinkInput, AgreesForFramesThatAreNearlyRight) {
    constexpr unsigned kFrames = 40'000;
    constexpr std::uint64_t kSeed = 1;
    Mutator mutator{kSeed};
    for (unsigned i = 0; i < kFrames; ++i) {
        context->ports[test::kLan].offloads.rx_ipv4_checksum = mutator.below(2) == 0;
        context->faces = faces_of(context->ports);
        tables.interfaces[test::kLan].up = mutator.below(16) != 0;
        tables.interfaces[test::kLan].address = mutator.below(16) != 0 ? test::kLanAddress : 0;
        ASSERT_NO_FATAL_FAILURE(expect_same_fate(mutator.next())) << "frame " << i;
    }
    EXPECT_GT(gone_on, kFrames / 4);
    EXPECT_LT(gone_on, kFrames * 3 / 4);
    for (const DropReason reason : {DropReason::EthUnknownType,
                                    DropReason::EthNotForUs,
                                    DropReason::IpMalformed,
                                    DropReason::IpChecksum,
                                    DropReason::IpSource,
                                    DropReason::IpOptions,
                                    DropReason::InterfaceDown})
        EXPECT_GT(world.dropped(reason), 50U) << kDropReasonNames[static_cast<std::size_t>(reason)];
}

} // namespace
} // namespace adit::dataplane
