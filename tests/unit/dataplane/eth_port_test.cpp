// SPDX-License-Identifier: Apache-2.0
// Ports: what is chosen from what a driver offers, and drivers that need no NIC.
#include "dataplane/eth_port.h"
#include "tests/support/mbuf_fixture.h"

namespace adit::dataplane {
namespace {

// -----------------------------------------------------------------------------------------------
// queues

TEST(ChooseQueues, GivesEachWorkerOneOfBoth) {
    EXPECT_EQ(choose_queues({64, 64}, RxSpread::OverConfigured, 4), (QueueCounts{4, 4}));
}

TEST(ChooseQueues, AsksForNoMoreThanTheDriverHas) {
    EXPECT_EQ(choose_queues({2, 3}, RxSpread::OverConfigured, 8), (QueueCounts{2, 3}));
}

TEST(ChooseQueues, LeavesNoQueueUnpolledThatTheDeviceFills) {
    EXPECT_EQ(choose_queues({4, 4}, RxSpread::OverAll, 1), (QueueCounts{4, 1}));
}

// -----------------------------------------------------------------------------------------------
// MTU

rte_eth_dev_info driver_with(std::uint16_t max_mtu, std::uint32_t max_rx_pktlen) {
    rte_eth_dev_info info{};
    info.max_mtu = max_mtu;
    info.max_rx_pktlen = max_rx_pktlen;
    return info;
}

TEST(LargestMtu, IsWhatTheDriverNames) {
    EXPECT_EQ(largest_mtu(driver_with(9702, 9728)), 9702U);
}

TEST(LargestMtu, FollowsFromTheFrameLengthWhenTheDriverNamesNone) {
    EXPECT_EQ(largest_mtu(driver_with(UINT16_MAX, 1518)), 1500U);
    EXPECT_EQ(largest_mtu(driver_with(UINT16_MAX, UINT32_MAX)), 65'535U);
    EXPECT_EQ(largest_mtu(driver_with(UINT16_MAX, 0)), 0U);
}

// -----------------------------------------------------------------------------------------------
// RSS and offloads

constexpr std::uint64_t kAllRss = ~std::uint64_t{0};

rte_eth_dev_info driver_with_rss(std::uint64_t types) {
    rte_eth_dev_info info{};
    info.flow_type_rss_offloads = types;
    return info;
}

TEST(ChooseRss, AsksOnlyForWhatTheDriverKnows) {
    const std::uint64_t addresses = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4;
    EXPECT_EQ(choose_rss_types(driver_with_rss(addresses | RTE_ETH_RSS_IPV6), 4), addresses);
    EXPECT_EQ(choose_rss_types(driver_with_rss(0), 4), 0U);
    EXPECT_NE(choose_rss_types(driver_with_rss(kAllRss), 4) & RTE_ETH_RSS_ESP, 0U);
}

TEST(ChooseRss, KeepsTheFragmentsOfADatagramTogether) {
    EXPECT_NE(choose_rss_types(driver_with_rss(kAllRss), 2) & RTE_ETH_RSS_FRAG_IPV4, 0U);
}

TEST(ChooseRss, HasNothingToSpreadOverOneQueue) {
    EXPECT_EQ(choose_rss_types(driver_with_rss(kAllRss), 1), 0U);
    EXPECT_EQ(port_config({}, 0).rxmode.mq_mode, RTE_ETH_MQ_RX_NONE);
}

TEST(ChooseOffloads, TakesWhatIsOffered) {
    rte_eth_dev_info info{};
    EXPECT_EQ(describe_offloads(choose_offloads(info)), "none");
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    EXPECT_EQ(describe_offloads(choose_offloads(info)), "rx-checksum");
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    EXPECT_EQ(describe_offloads(choose_offloads(info)), "rx-checksum fast-free");
}

TEST(PortConfig, AsksForNoOffloadBeyondTheChosen) {
    rte_eth_dev_info info{};
    info.rx_offload_capa = info.tx_offload_capa = kAllRss;
    const rte_eth_conf conf = port_config(choose_offloads(info), RTE_ETH_RSS_IPV4);
    EXPECT_EQ(conf.rxmode.offloads, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
    EXPECT_EQ(conf.txmode.offloads, RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
    EXPECT_EQ(conf.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
    EXPECT_EQ(conf.rx_adv_conf.rss_conf.rss_hf, RTE_ETH_RSS_IPV4);
}

TEST(DescribeRss, NamesWhatWasAchieved) {
    EXPECT_EQ(describe_rss(0, {}), "none");
    EXPECT_EQ(describe_rss(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP, {}), "ip ports");
    EXPECT_EQ(describe_rss(RTE_ETH_RSS_IPV4, {.esp = true, .natt = true}), "ip esp-spi natt-spi");
    EXPECT_EQ(describe_rss(RTE_ETH_RSS_ESP, {}), "esp-spi");
}

// -----------------------------------------------------------------------------------------------
// virtual devices

class VirtualPort : public test::MbufFixture {
  protected:
    static void SetUpTestSuite() { test::test_pool(); }

    static const MbufPool& pool() {
        static const MbufPool made = *MbufPool::create("ports", {2047, 9216});
        return made;
    }

    static Result<EthPort> open(const std::string& text, std::uint16_t workers) {
        return EthPort::open(*PortSpec::parse(text), pool(), workers);
    }
};

TEST_F(VirtualPort, NullHasAQueueForEveryWorker) {
    const auto port = open("p=net_null0", 4);
    ASSERT_TRUE(port.has_value()) << port.error().text;
    EXPECT_EQ(port->rx_queues(), 4);
    EXPECT_EQ(port->tx_queues(), 4);
}

TEST_F(VirtualPort, SaysWhatItAchieved) {
    const auto port = open("Gi0/7=net_null4,mtu=9000", 1);
    ASSERT_TRUE(port.has_value()) << port.error().text;
    const std::string text = port->describe();
    EXPECT_NE(text.find("Gi0/7: net_null4 net_null, "), std::string::npos) << text;
    EXPECT_NE(text.find("queues 1 rx 1 tx, rss none"), std::string::npos) << text;
    EXPECT_NE(text.find("mtu 9000"), std::string::npos) << text;
}

TEST_F(VirtualPort, CarriesAPacketFromQueueToQueueAndCountsIt) {
    const auto port = open("p=net_ring0", 1);
    ASSERT_TRUE(port.has_value()) << port.error().text;
    rte_mbuf* sent = make_packet(Bytes(64));
    ASSERT_EQ(rte_eth_tx_burst(port->id(), 0, &sent, 1), 1);
    rte_mbuf* received = nullptr;
    ASSERT_EQ(rte_eth_rx_burst(port->id(), 0, &received, 1), 1);
    EXPECT_EQ(received, sent);
    rte_pktmbuf_free(received);
    ipc::PortStats stats{};
    port->read_stats(stats);
    EXPECT_EQ(ipc::read(stats.in_packets), 1U);
    EXPECT_EQ(ipc::read(stats.out_packets), 1U);
}

TEST_F(VirtualPort, HasTheMtuThatWasAskedFor) {
    const auto jumbo = open("p=net_null2,mtu=9000", 1);
    ASSERT_TRUE(jumbo.has_value()) << jumbo.error().text;
    EXPECT_EQ(jumbo->mtu(), 9000);
    const auto plain = open("p=net_null3", 1);
    ASSERT_TRUE(plain.has_value()) << plain.error().text;
    EXPECT_EQ(plain->mtu(), 1500);
}

TEST_F(VirtualPort, NamesTheKernelInterfaceThatIsNotThere) {
    const auto port = open("p=net_af_packet0,iface=nosuch0", 1);
    ASSERT_FALSE(port.has_value());
    EXPECT_NE(port.error().text.find("no network interface 'nosuch0'"), std::string::npos)
        << port.error().text;
}

TEST_F(VirtualPort, NamesADeviceThatIsUsedTwice) {
    const auto first = open("p=net_null1", 1);
    ASSERT_TRUE(first.has_value()) << first.error().text;
    const auto second = open("q=net_null1", 1);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().text.find("'net_null1' is used by another --port"), std::string::npos)
        << second.error().text;
}

} // namespace
} // namespace adit::dataplane
