// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_spec.h"

#include <gtest/gtest.h>

namespace adit::dataplane {
namespace {

std::string complaint(const char* text) {
    const auto spec = PortSpec::parse(text);
    return spec ? "none" : spec.error().text;
}

std::string devargs(const char* text, std::uint16_t workers, std::uint16_t mtu = 1500) {
    return PortSpec::parse(text)->devargs_for(workers, mtu);
}

TEST(PortSpec, KeepsItsMtuFromTheDriver) {
    const auto nic = PortSpec::parse("Gi0/0=0000:03:00.0,mtu=9000");
    ASSERT_TRUE(nic.has_value());
    EXPECT_EQ(nic->mtu, 9000);
    EXPECT_EQ(nic->devargs, "0000:03:00.0");
    EXPECT_TRUE(nic->is_pci());
    const auto between = PortSpec::parse("Gi0/0=net_af_packet0,mtu=1400,iface=wan");
    ASSERT_TRUE(between.has_value());
    EXPECT_EQ(between->mtu, 1400);
    EXPECT_EQ(between->devargs, "net_af_packet0,iface=wan");
    EXPECT_EQ(PortSpec::parse("Gi0/0=net_null0")->mtu, std::nullopt);
}

TEST(PortSpec, RefusesAnMtuThatNoPortHas) {
    for (const char* mtu : {"67", "9217", "65536", "-1", "9000x", "jumbo", ""}) {
        const std::string text = "Gi0/0=net_null0,mtu=" + std::string(mtu);
        EXPECT_NE(complaint(text.c_str()).find("is not between 68 and 9216"), std::string::npos)
            << text;
    }
    EXPECT_EQ(complaint("Gi0/0=net_null0,mtu=68"), "none");
    EXPECT_EQ(complaint("Gi0/0=net_null0,mtu=9216"), "none");
}

TEST(PortSpec, GivesAfPacketOneQueuePairAWorker) {
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan", 2), "net_af_packet0,iface=wan,qpairs=2");
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan", 1), "net_af_packet0,iface=wan");
    EXPECT_EQ(devargs("wan=net_af_packet0,qpairs=3,iface=wan", 2),
              "net_af_packet0,qpairs=3,iface=wan");
    EXPECT_EQ(devargs("wan=net_tap0,remote=wan", 2), "net_tap0,remote=wan");
}

TEST(PortSpec, GivesAfPacketFramesThatHoldTheMtu) {
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan", 1, 9000),
              "net_af_packet0,iface=wan,framesz=12288,blocksz=12288");
    EXPECT_EQ(devargs("wan=net_af_packet0,iface=wan,framesz=16384,blocksz=16384", 1, 9000),
              "net_af_packet0,iface=wan,framesz=16384,blocksz=16384");
    EXPECT_EQ(devargs("wan=net_null0", 1, 9000), "net_null0");
}

TEST(PortSpec, WantsBuffersThatHoldAWholeFrame) {
    constexpr std::uint16_t kMtus[] = {68, 1500, 1936, 1937, 2022, 2023, 4000, 9000, 9216};
    constexpr std::uint16_t kMostOverhead = 26;
    for (const char* text : {"p=0000:03:00.0", "p=net_af_packet0,iface=wan"}) {
        const PortSpec spec = *PortSpec::parse(text);
        EXPECT_EQ(spec.frame_room_bytes(1500), 2048);
        for (const std::uint16_t mtu : kMtus)
            EXPECT_GE(spec.frame_room_bytes(mtu), std::max(mtu + kMostOverhead, 2048))
                << text << ' ' << mtu;
    }
}

} // namespace
} // namespace adit::dataplane
