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

TEST(PortSpec, GivesAfPacketOneQueuePairAWorker) {
    const auto devargs = [](const char* text, std::uint16_t workers) {
        return PortSpec::parse(text)->devargs_for(workers);
    };
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan", 2), "net_af_packet0,iface=wan,qpairs=2");
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan", 1), "net_af_packet0,iface=wan");
    EXPECT_EQ(devargs("wan=net_af_packet0,qpairs=3,iface=wan", 2),
              "net_af_packet0,qpairs=3,iface=wan");
    EXPECT_EQ(devargs("wan=net_tap0,iface=wan", 2), "net_tap0,iface=wan");
}

// -----------------------------------------------------------------------------------------------
// virtual devices

class VirtualPort : public test::MbufFixture {
  protected:
    static void SetUpTestSuite() { test::test_pool(); }

    static const MbufPool& pool() {
        static const MbufPool made = *MbufPool::create("ports", 4095);
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
