// SPDX-License-Identifier: Apache-2.0
// Frames of any octets through a whole worker, from both sides, with time going by: Ethernet, IP,
// options, fragments, UDP, ICMP, ESP of strangers, policies with and without an SA. What is sent is
// sound and fits the link; once time has run out for all that waits, every buffer has come back.
//
// Input: frames of an octet of FrameFlags, two octets of length, and content.
#include "tests/support/ring_gateway.h"

#include <algorithm>
#include <chrono>

namespace {

using namespace adit;
using namespace adit::dataplane;
using test::RingGateway;

constexpr unsigned kMaxFrames = 64;
constexpr std::size_t kMaxFrameBytes = 1514;
constexpr std::uint64_t kSecondNs = 1'000'000'000;

/// What is done to content before it arrives; without help no input would get past a checksum.
enum FrameFlags : std::uint8_t {
    kFromWan = 1 << 0,
    kEthernetToUs = 1 << 1, // a sound Ethernet header is put in front
    kIpHeader = 1 << 2,     // version, lengths and checksum of the IP header are made right
    kTransport = 1 << 3,    // lengths and checksum of UDP and ICMP are made right
    kToBroadcast = 1 << 4,
    kToGateway = 1 << 5, // destination: the port's own address
    kLater = 1 << 6,     // a second after the frame before
};

struct Frame {
    std::uint8_t flags;
    Bytes octets;
};

std::vector<Frame> read_frames(ByteView input) {
    std::vector<Frame> frames;
    Reader reader{input};
    while (reader.left() >= 3 && frames.size() < kMaxFrames) {
        Frame frame{.flags = *reader.u8(), .octets = {}};
        const std::size_t length =
            std::min({std::size_t{*reader.u16()}, reader.left(), kMaxFrameBytes});
        frame.octets = to_bytes(*reader.take(length));
        frames.push_back(std::move(frame));
    }
    return frames;
}

void mend_transport(MutableBytes packet, const wire::Ipv4Header& ip) {
    const MutableBytes payload = packet.subspan(ip.header_bytes());
    if (ip.protocol() == wire::kProtocolUdp && payload.size() >= wire::kUdpBytes) {
        wire::UdpHeader udp{payload.data()};
        const auto ports = load_be<std::uint32_t>(payload.data());
        udp.write(static_cast<std::uint16_t>(ports >> 16),
                  static_cast<std::uint16_t>(ports),
                  static_cast<std::uint16_t>(payload.size()));
        udp.update_checksum(ip.source(), ip.destination());
    }
    if (ip.protocol() == wire::kProtocolIcmp && payload.size() >= wire::kIcmpBytes)
        wire::IcmpHeader{payload.data()}.update_checksum(payload.size());
}

void mend_ip(const Frame& frame, MutableBytes packet) {
    if (packet.size() < wire::kIpv4Bytes)
        return;
    const std::size_t longest = std::min<std::size_t>(packet.size() / 4, 15);
    const std::size_t words = std::clamp<std::size_t>(packet[0] & 0xf, 5, longest);
    packet[0] = static_cast<std::uint8_t>(0x40 | words);
    store_be(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    if ((frame.flags & kToGateway) != 0)
        store_be(packet.data() + 16,
                 (frame.flags & kFromWan) != 0 ? test::kWanAddress : test::kLanAddress);
    wire::Ipv4Header ip{packet.data()};
    if ((frame.flags & kTransport) != 0)
        mend_transport(packet, ip);
    ip.update_checksum();
}

Bytes on_the_wire(Frame frame) {
    if ((frame.flags & kIpHeader) != 0)
        mend_ip(frame, frame.octets);
    if ((frame.flags & kEthernetToUs) == 0)
        return frame.octets;
    const bool from_wan = (frame.flags & kFromWan) != 0;
    Bytes whole(wire::kEthernetBytes);
    wire::EthernetHeader{whole.data()}.write((frame.flags & kToBroadcast) != 0
                                                 ? wire::kBroadcastMac
                                                 : (from_wan ? test::kWanMac : test::kLanMac),
                                             from_wan ? test::kPeerMac : test::kHostMac,
                                             wire::kEtherTypeIpv4);
    whole.insert(whole.end(), frame.octets.begin(), frame.octets.end());
    whole.resize(std::min(whole.size(), kMaxFrameBytes));
    return whole;
}

/// Protects 10.1.0.0/17 by an SA that exists, 10.1.128.0/17 by one that control would have to make.
Tables make_tables() {
    Tables tables = test::gateway_tables();
    PolicyLine with_sa = test::protect_line();
    PolicyLine without_sa = test::protect_line();
    with_sa.selector.remote.last = Ipv4Address{10, 1, 127, 255};
    without_sa.selector.remote.first = Ipv4Address{10, 1, 128, 0};
    without_sa.order = with_sa.order + 1;
    without_sa.policy = PolicyId{1};
    tables.policies[test::kWan] = PolicyTable{{with_sa, without_sa}};
    return tables;
}

struct Mbufs : test::MbufFixture {
    using MbufFixture::make_packet;
};

class World {
  public:
    World() {
        gateway_.publish(make_tables());
        constexpr test::Suite kSuite{EspCipher::AesGcm128, EspMac::None};
        auto inbound = test::EspWorld::record(ipc::Direction::Inbound, kSuite, 0);
        inbound.spi = make_spi(RingGateway::kWorker, 0, 0xa5).value;
        gateway_.install(inbound, now_ns_);
        gateway_.install(test::EspWorld::record(ipc::Direction::Outbound, kSuite, 0), now_ns_);
    }

    void run(const std::vector<Frame>& frames) {
        const unsigned free_before = rte_mempool_avail_count(test::test_pool());
        for (const Frame& frame : frames) {
            if ((frame.flags & kLater) != 0)
                now_ns_ += kSecondNs;
            rte_mbuf* packet = Mbufs::make_packet(on_the_wire(frame));
            ((frame.flags & kFromWan) != 0 ? gateway_.wan : gateway_.lan).arrive({&packet, 1});
            turn();
        }
        // Longer than anything may wait for its other fragments or its SA.
        now_ns_ += 100 * kSecondNs;
        turn();
        turn(); // what was made in the last one
        ENSURE(rte_mempool_avail_count(test::test_pool()) == free_before);
    }

  private:
    void turn() {
        gateway_.worker().turn(now_ns_ += 1'000'000);
        gateway_.lan.take_all([](rte_mbuf* frame) { check_sent(frame, test::kLanMac); });
        gateway_.wan.take_all([](rte_mbuf* frame) { check_sent(frame, test::kWanMac); });
        auto& queues = gateway_.worker().queues();
        for (MbufRing* queue : {&queues.arp, &queues.unresolved, &queues.punt}) {
            std::array<rte_mbuf*, kMaxBurst> packets;
            rte_pktmbuf_free_bulk(packets.data(), queue->pop(packets));
        }
        gateway_.take_events();
    }

    static void check_sent(rte_mbuf* frame, const wire::MacAddress& from) {
        Bytes copy;
        for (rte_mbuf* segment = frame; segment != nullptr; segment = segment->next)
            copy.insert(copy.end(), data(segment), data(segment) + segment->data_len);
        ENSURE(copy.size() == frame->pkt_len);
        ENSURE(copy.size() >= wire::kEthernetBytes + wire::kIpv4Bytes &&
               copy.size() <= kMaxFrameBytes);
        ENSURE(wire::EthernetHeader{copy.data()}.source() == from);
        const wire::Ipv4Header ip{copy.data() + wire::kEthernetBytes};
        ENSURE(ip.checksum_holds() && ip.total_bytes() == copy.size() - wire::kEthernetBytes);
        ENSURE(ip.ttl() > 0);
    }

    std::uint64_t now_ns_{kSecondNs};
    RingGateway gateway_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    world.run(read_frames({data, size}));
    return 0;
}
