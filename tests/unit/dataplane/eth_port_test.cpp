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
