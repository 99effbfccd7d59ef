// SPDX-License-Identifier: Apache-2.0
// Each test reads as a dialogue: "->" we send, "<-" we receive.
#include "dataplane/arp.h"
#include "tests/support/worker_fixture.h"

namespace adit::dataplane {
namespace {

constexpr std::uint32_t kOther = Ipv4Address{10, 2, 0, 9}.value;
constexpr wire::MacAddress kOtherMac{{2, 0, 0, 0, 1, 9}};

class ArpTest : public test::MbufFixture {
  protected:
    void SetUp() override {
        test::MbufFixture::SetUp();
        interfaces[0] = {true, 24, test::kLanAddress, 1500};
        arp->set_interfaces(interfaces);
        sent(); // the announcement
    }

    void TearDown() override {
        sent();
        arp.reset();
        test::MbufFixture::TearDown();
    }

    struct Sent {
        wire::MacAddress to;
        std::uint16_t type;
        std::optional<wire::ArpPacket> arp;
    };

    std::vector<Sent> sent() {
        std::vector<Sent> frames;
        for (rte_mbuf* frame : arp->take_frames()) {
            const wire::EthernetHeader ethernet{data(frame)};
            frames.push_back(
                {ethernet.destination(),
                 ethernet.type(),
                 wire::ArpPacket::parse({data(frame) + wire::kEthernetBytes,
                                         rte_pktmbuf_data_len(frame) - wire::kEthernetBytes})});
            rte_pktmbuf_free(frame);
        }
        return frames;
    }

    void receive(const wire::ArpPacket& packet) {
        Bytes bytes(wire::kArpBytes);
        packet.write(bytes.data());
        arp->input(make_packet(bytes), now);
    }

    void receive_reply(const wire::MacAddress& mac) {
        receive({wire::ArpOperation::Reply, mac, test::kHost, test::kLanMac, test::kLanAddress});
    }

    void receive_request(std::uint32_t from, std::uint32_t target) {
        receive({wire::ArpOperation::Request, test::kHostMac, from, {}, target});
    }

    void resolve_host() {
        rte_mbuf* packet = make_packet(Bytes(64));
        meta(packet).next_hop = test::kHost;
        arp->resolve(packet, now);
    }

    [[nodiscard]] bool knows_host() const { return table.lookup(0, test::kHost).has_value(); }

    [[nodiscard]] std::uint64_t dropped(DropReason reason) const {
        return ipc::read(stats->drops[static_cast<std::size_t>(reason)]);
    }

    rte_mempool* pool = test::test_pool();
    std::unique_ptr<ipc::CoreStats> stats = std::make_unique<ipc::CoreStats>();
    Drops drops{*stats};
    Logger log;
    NeighborTable table{{}};
    Instant now{std::chrono::hours{1}};
    Interfaces interfaces{};
    std::unique_ptr<Arp> arp = std::make_unique<Arp>(
        table, std::vector<wire::MacAddress>{test::kLanMac}, pool, drops, log);
};

TEST_F(ArpTest, RequestForOurAddressIsAnsweredAndLearnt) {
    receive_request(test::kHost, test::kLanAddress);
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].to, test::kHostMac);
    EXPECT_EQ(frames[0].arp->operation, wire::ArpOperation::Reply);
    EXPECT_EQ(frames[0].arp->sender_mac, test::kLanMac);
    EXPECT_EQ(frames[0].arp->sender_address, test::kLanAddress);
    EXPECT_EQ(table.lookup(0, test::kHost), test::kHostMac);
}

TEST_F(ArpTest, RequestForAnotherAddressIsNeitherAnsweredNorLearnt) {
    receive_request(test::kHost, kOther);
    EXPECT_TRUE(sent().empty());
    EXPECT_FALSE(knows_host());
}

TEST_F(ArpTest, ProbeIsAnsweredButNotLearnt) {
    receive_request(0, test::kLanAddress);
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_FALSE(table.lookup(0, 0).has_value());
}

TEST_F(ArpTest, FirstPacketsWaitForTheReply) {
    resolve_host(); // -> who has kHost?
    resolve_host();
    const auto asked = sent();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].to, wire::kBroadcastMac);
    EXPECT_EQ(asked[0].arp->target_address, test::kHost);
    receive_reply(test::kHostMac); // <- kHostMac
    const auto released = sent();
    ASSERT_EQ(released.size(), 2U);
    EXPECT_EQ(released[0].to, test::kHostMac);
    EXPECT_EQ(released[0].type, wire::kEtherTypeIpv4);
    EXPECT_TRUE(knows_host());
    EXPECT_EQ(arp->queued(), 0U);
}

TEST_F(ArpTest, QueueOfANeighborIsBounded) {
    for (unsigned i = 0; i < Arp::kMaxQueuePerNeighbor + 3; ++i)
        resolve_host();
    EXPECT_EQ(dropped(DropReason::NeighborUnresolved), 3U);
}

TEST_F(ArpTest, AsksThreeTimesThenGivesUp) {
    resolve_host();
    EXPECT_EQ(sent().size(), 1U);
    for (unsigned i = 1; i < Arp::kTries; ++i) {
        now += Arp::kRetry;
        arp->tick(now);
        EXPECT_EQ(sent().size(), 1U);
    }
    now += Arp::kRetry;
    arp->tick(now);
    EXPECT_TRUE(sent().empty());
    EXPECT_EQ(dropped(DropReason::NeighborUnresolved), 1U);
    EXPECT_EQ(arp->queued(), 0U);
}

TEST_F(ArpTest, UnaskedReplyIsNotBelieved) {
    receive_reply(test::kHostMac);
    EXPECT_FALSE(knows_host());
}

TEST_F(ArpTest, NewMacOfAKnownNeighborIsAskedForNotBelieved) {
    receive_request(test::kHost, test::kLanAddress);
    sent();
    receive({wire::ArpOperation::Reply, kOtherMac, test::kHost, kOtherMac, test::kHost});
    EXPECT_EQ(table.lookup(0, test::kHost), test::kHostMac);
    EXPECT_EQ(sent().size(), 1U);
    receive_reply(kOtherMac);
    EXPECT_EQ(table.lookup(0, test::kHost), kOtherMac);
}

TEST_F(ArpTest, NeighborIsAskedAgainAfterFourHoursAndServesMeanwhile) {
    receive_request(test::kHost, test::kLanAddress);
    sent();
    now += Arp::kReachable;
    arp->tick(now);
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_TRUE(knows_host());
    for (unsigned i = 0; i < Arp::kTries; ++i) {
        now += Arp::kRetry;
        arp->tick(now);
    }
    EXPECT_FALSE(knows_host());
}

TEST_F(ArpTest, MalformedAndForeignPacketsAreRefused) {
    const wire::ArpPacket good{
        wire::ArpOperation::Request, test::kHostMac, test::kHost, {}, test::kLanAddress};
    Bytes bytes(wire::kArpBytes);
    good.write(bytes.data());
    for (std::size_t length = 0; length < bytes.size(); ++length)
        arp->input(make_packet(ByteView{bytes}.first(length)), now);
    for (const std::size_t offset : {0U, 1U, 2U, 4U, 5U, 6U, 7U}) {
        Bytes changed = bytes;
        changed[offset] ^= 0x40;
        arp->input(make_packet(changed), now);
    }
    wire::ArpPacket off_link = good;
    off_link.sender_address = test::kPeerAddress;
    receive(off_link);
    wire::ArpPacket group = good;
    group.sender_mac = wire::kBroadcastMac;
    receive(group);
    EXPECT_EQ(dropped(DropReason::ArpMalformed), wire::kArpBytes + 9);
    EXPECT_TRUE(sent().empty());
}

TEST_F(ArpTest, SomebodyElseWithOurAddressIsToldSo) {
    std::vector<std::string> lines;
    log.add_sink([&](const LogRecord&, const std::string& line) { lines.push_back(line); });
    receive({wire::ArpOperation::Request, kOtherMac, test::kLanAddress, {}, test::kLanAddress});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("IP-3-DUPADDR: Duplicate address 10.2.0.1"), std::string::npos);
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_FALSE(table.lookup(0, test::kLanAddress).has_value());
}

TEST_F(ArpTest, AnnouncesOnlyAddressesThatChanged) {
    arp->set_interfaces(interfaces);
    EXPECT_TRUE(sent().empty());
    receive_request(test::kHost, test::kLanAddress);
    sent();
    interfaces[0].address = kOther;
    arp->set_interfaces(interfaces);
    const auto frames = sent();
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].arp->sender_address, kOther);
    EXPECT_EQ(frames[0].arp->target_address, kOther);
    EXPECT_FALSE(knows_host());
}

TEST_F(ArpTest, FlushForgets) {
    receive_request(test::kHost, test::kLanAddress);
    resolve_host();
    arp->flush();
    EXPECT_FALSE(knows_host());
}

} // namespace
} // namespace adit::dataplane
