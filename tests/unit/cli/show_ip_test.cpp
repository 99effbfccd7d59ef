// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_interfaces.h"
#include "control/cli/show_ip.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

RouteStatus route(RouteStatus::Source source, Ipv4Prefix prefix) {
    RouteStatus made;
    made.source = source;
    made.prefix = prefix;
    made.interface = "GigabitEthernet0/0";
    if (source == RouteStatus::Source::Static) {
        made.next_hop = Ipv4Address{192, 0, 2, 254};
        made.distance = 1;
    }
    return made;
}

constexpr Ipv4Prefix kLan{Ipv4Address{10, 1, 0, 0}, 16};

TEST(ShowIpRoute, GroupsByClassNetwork) {
    using enum RouteStatus::Source;
    Snapshot snapshot = sample();
    snapshot.routes = {route(Static, {}),
                       route(Connected, kLan),
                       route(Local, {Ipv4Address{10, 1, 0, 1}, 32}),
                       route(Static, {Ipv4Address{10, 2, 0, 0}, 16}),
                       route(Static, {Ipv4Address{172, 16, 0, 0}, 24}),
                       route(Static, {Ipv4Address{172, 16, 1, 0}, 24}),
                       route(Static, {Ipv4Address{203, 0, 113, 0}, 24})};
    EXPECT_EQ(show_ip_route(snapshot),
              "Codes: L - local, C - connected, S - static, * - candidate default\n"
              "\n"
              "Gateway of last resort is 192.0.2.254 to network 0.0.0.0\n"
              "\n"
              "S*    0.0.0.0/0 [1/0] via 192.0.2.254\n"
              "      10.0.0.0/8 is variably subnetted, 3 subnets, 2 masks\n"
              "C        10.1.0.0/16 is directly connected, GigabitEthernet0/0\n"
              "L        10.1.0.1/32 is directly connected, GigabitEthernet0/0\n"
              "S        10.2.0.0/16 [1/0] via 192.0.2.254\n"
              "      172.16.0.0/24 is subnetted, 2 subnets\n"
              "S        172.16.0.0 [1/0] via 192.0.2.254\n"
              "S        172.16.1.0 [1/0] via 192.0.2.254\n"
              "S     203.0.113.0/24 [1/0] via 192.0.2.254\n");
}

TEST(ShowIpRoute, SaysWhenThereIsNoDefaultAndLeavesOutInactiveRoutes) {
    Snapshot snapshot = sample();
    snapshot.routes = {route(RouteStatus::Source::Static, {})};
    snapshot.routes.front().active = false;
    EXPECT_EQ(show_ip_route(snapshot),
              "Codes: L - local, C - connected, S - static, * - candidate default\n"
              "\n"
              "Gateway of last resort is not set\n"
              "\n");
}

TEST(ShowIpRoute, ListsFurtherNextHopsBelow) {
    Snapshot snapshot = sample();
    snapshot.routes = {route(RouteStatus::Source::Static, {}),
                       route(RouteStatus::Source::Static, {})};
    snapshot.routes.back().next_hop = Ipv4Address{192, 0, 2, 253};
    EXPECT_THAT(show_ip_route(snapshot),
                HasSubstr("S*    0.0.0.0/0 [1/0] via 192.0.2.254\n"
                          "                [1/0] via 192.0.2.253\n"));
}

TEST(ShowIpArp, PrintsOursResolvedAndIncomplete) {
    Snapshot snapshot = sample();
    const std::array<std::uint8_t, 6> mac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};
    using enum ipc::NeighborState;
    snapshot.arp = {
        {kLocal, mac, "GigabitEthernet0/0", Reachable, true, 0},
        {kPeer, mac, "GigabitEthernet0/0", Stale, false, 12},
        {Ipv4Address{192, 0, 2, 254}, {}, "GigabitEthernet0/0", Incomplete, false, 0},
    };
    EXPECT_EQ(show_ip_arp(snapshot),
              "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n"
              "Internet  192.0.2.1               -   0200.5e10.0001  ARPA   GigabitEthernet0/0\n"
              "Internet  192.0.2.20             12   0200.5e10.0001  ARPA   GigabitEthernet0/0\n"
              "Internet  192.0.2.254             0   Incomplete      ARPA   \n");
}

TEST(ShowAccessLists, NumbersEveryRuleAndCountsMatches) {
    config::Config config = sample_config();
    auto& lines = config.access_lists["110"].lines;
    lines.push_back(permit(20, Ipv4Address{10, 3, 0, 0}, Ipv4Address{10, 2, 0, 0}));
    lines.push_back(permit(30, Ipv4Address{10, 4, 0, 0}, Ipv4Address{10, 2, 0, 0}));
    lines.push_back({});
    lines.back().remark = "no rule";
    Snapshot snapshot = snapshot_of(config);
    snapshot.flows = {sample_flow(), sample_flow()};
    snapshot.flows.back().flow.acl_sequence = 20;
    snapshot.flows.back().counters.matches = 1;
    EXPECT_EQ(show_access_lists(snapshot),
              "Extended IP access list 110\n"
              "    10 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255 (1205 matches)\n"
              "    20 permit ip 10.3.0.0 0.0.255.255 10.2.0.0 0.0.255.255 (1 match)\n"
              "    30 permit ip 10.4.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n");
    EXPECT_EQ(show_access_lists(snapshot, "111"), "");
}

TEST(ShowIpInterfaceBrief, AlignsItsColumns) {
    Snapshot snapshot = sample();
    snapshot.interfaces.push_back(sample_interface());
    snapshot.interfaces.back().name = "GigabitEthernet0/1";
    snapshot.interfaces.back().admin_up = false;
    EXPECT_EQ(show_ip_interface_brief(snapshot),
              "Interface                  IP-Address      OK? Method Status                "
              "Protocol\n"
              "GigabitEthernet0/0         192.0.2.1       YES manual up                    up\n"
              "GigabitEthernet0/1         unassigned      YES unset  administratively down down\n");
}

TEST(ShowInterfaces, PrintsOnePort) {
    config::Config config = sample_config();
    config.interfaces["GigabitEthernet0/0"].description = "to the world";
    Snapshot snapshot = snapshot_of(config);
    snapshot.interfaces = {sample_interface()};
    EXPECT_EQ(show_interfaces(snapshot),
              "GigabitEthernet0/0 is up, line protocol is up \n"
              "  Hardware is DPDK port, address is 0200.5e10.0001 (bia 0200.5e10.0001)\n"
              "  Description: to the world\n"
              "  Internet address is 192.0.2.1/24\n"
              "  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec, \n"
              "     reliability 255/255, txload 1/255, rxload 1/255\n"
              "  Encapsulation ARPA, loopback not set\n"
              "  Full Duplex, 1Gbps\n"
              "  ARP type: ARPA, ARP Timeout 04:00:00\n"
              "  Queueing strategy: fifo\n"
              "     1300 packets input, 170000 bytes, 4 no buffer\n"
              "     Received 5 broadcasts\n"
              "     0 runts, 0 giants, 0 throttles\n"
              "     2 input errors, 0 CRC, 0 frame, 3 overrun, 0 ignored\n"
              "     1400 packets output, 180000 bytes, 0 underruns\n"
              "     6 output errors, 0 collisions, 0 interface resets\n");
}

TEST(ShowInterfaces, SaysWhyAPortIsDown) {
    Snapshot snapshot = sample();
    InterfaceStatus& port = snapshot.interfaces.front();
    port.link_up = false;
    EXPECT_THAT(show_interfaces(snapshot),
                StartsWith("GigabitEthernet0/0 is down, line protocol is down"));
    port.admin_up = false;
    EXPECT_THAT(show_interfaces(snapshot),
                StartsWith("GigabitEthernet0/0 is administratively down, line protocol is down"));
    EXPECT_EQ(show_interfaces(snapshot, "GigabitEthernet0/1"), "");
}

TEST(ShowIpLocalPool, CountsWhatIsLentAndWhatWasRefused) {
    Snapshot snapshot = empty();
    snapshot.pools = {{"CLIENTS", {Ipv4Address{10, 9, 0, 1}, Ipv4Address{10, 9, 0, 9}}, 2, 5}};
    EXPECT_EQ(
        show_ip_local_pool(snapshot),
        " Pool                    Begin            End               Free  In use   Refused\n"
        " CLIENTS                 10.9.0.1         10.9.0.9             7       2         5\n");
}

// --- tunnel interfaces

Snapshot tunnels() {
    config::Config config = sample_config();
    config.interfaces["Tunnel10"].address = Ipv4Address{172, 16, 0, 1};
    config.interfaces["Tunnel10"].prefix_length = 30;
    config.interfaces["Tunnel20"].unnumbered = "GigabitEthernet0/0";
    Snapshot snapshot = snapshot_of(config);
    InterfaceStatus tunnel;
    tunnel.name = "Tunnel10";
    tunnel.link_up = true;
    tunnel.mtu = tunnel.ip_mtu = 1400;
    tunnel.in_packets = 3;
    tunnel.in_bytes = 252;
    tunnel.out_packets = 4;
    tunnel.out_bytes = 336;
    tunnel.tunnel = TunnelStatus{kLocal, kPeer, "GigabitEthernet0/0", "VTI", true, "", 1438};
    snapshot.interfaces = {tunnel, tunnel};
    snapshot.interfaces[1].name = "Tunnel20";
    snapshot.interfaces[1].tunnel->protocol_up = false;
    snapshot.interfaces[1].tunnel->fault = "no security association with 192.0.2.20, 2 tries";
    return snapshot;
}

TEST(ShowInterfaces, PrintsATunnel) {
    EXPECT_EQ(show_interfaces(tunnels(), "Tunnel10"),
              "Tunnel10 is up, line protocol is up \n"
              "  Hardware is Tunnel\n"
              "  Internet address is 172.16.0.1/30\n"
              "  MTU 1400 bytes, BW 100 Kbit/sec, DLY 50000 usec, \n"
              "     reliability 255/255, txload 1/255, rxload 1/255\n"
              "  Encapsulation TUNNEL, loopback not set\n"
              "  Keepalive not set\n"
              "  Tunnel linestate evaluation up\n"
              "  Tunnel source 192.0.2.1 (GigabitEthernet0/0), destination 192.0.2.20\n"
              "  Tunnel protocol/transport IPSEC/IP\n"
              "  Tunnel transport MTU 1438 bytes\n"
              "  Tunnel protection via IPSec (profile \"VTI\")\n"
              "  Queueing strategy: fifo\n"
              "     3 packets input, 252 bytes, 0 no buffer\n"
              "     Received 0 broadcasts\n"
              "     0 runts, 0 giants, 0 throttles\n"
              "     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored\n"
              "     4 packets output, 336 bytes, 0 underruns\n"
              "     0 output errors, 0 collisions, 0 interface resets\n");
}

TEST(ShowInterfaces, SaysWhyATunnelIsDown) {
    const std::string text = show_interfaces(tunnels(), "Tunnel20");
    EXPECT_THAT(text, StartsWith("Tunnel20 is up, line protocol is down \n"));
    EXPECT_THAT(text,
                testing::HasSubstr("  Interface is unnumbered. Using address of GigabitEthernet0/0 "
                                   "(192.0.2.1)\n"));
    EXPECT_THAT(text,
                testing::HasSubstr("  Tunnel linestate evaluation down - no security association "
                                   "with 192.0.2.20, 2 tries\n"));
}

TEST(ShowIpInterfaceBrief, ShowsTunnels) {
    EXPECT_EQ(show_ip_interface_brief(tunnels()),
              "Interface                  IP-Address      OK? Method Status                "
              "Protocol\n"
              "Tunnel10                   172.16.0.1      YES manual up                    up\n"
              "Tunnel20                   192.0.2.1       YES unset  up                    down\n");
}

} // namespace
} // namespace adit::cli
