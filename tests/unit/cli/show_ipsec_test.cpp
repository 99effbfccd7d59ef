// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_ipsec.h"
#include "tests/unit/cli/show_fixture.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>

namespace adit::cli {
namespace {

using namespace test;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHeading = "\n"
                                 "interface: GigabitEthernet0/0\n"
                                 "    Crypto map tag: VPNMAP, local addr 192.0.2.1\n";

constexpr const char* kIdentity =
    "\n"
    "   protected vrf: (none)\n"
    "   local  ident (addr/mask/prot/port): (10.1.0.0/255.255.0.0/0/0)\n"
    "   remote ident (addr/mask/prot/port): (10.2.0.0/255.255.0.0/0/0)\n"
    "   current_peer 192.0.2.20 port 500\n"
    "     PERMIT, flags={origin_is_acl,}\n"
    "    #pkts encaps: 1205, #pkts encrypt: 1205, #pkts digest: 1205\n"
    "    #pkts decaps: 1198, #pkts decrypt: 1198, #pkts verify: 1198\n"
    "    #pkts compressed: 0, #pkts decompressed: 0\n"
    "    #pkts not compressed: 0, #pkts compr. failed: 0\n"
    "    #pkts not decompressed: 0, #pkts decompress failed: 0\n";

constexpr const char* kErrors = "    #send errors 0, #recv errors 0\n";

constexpr const char* kSas =
    "\n"
    "     local crypto endpt.: 192.0.2.1, remote crypto endpt.: 192.0.2.20\n"
    "     plaintext mtu 1438, path mtu 1500, ip mtu 1500, ip mtu idb GigabitEthernet0/0\n"
    "     current outbound spi: 0x9A3C51D7(2587644375)\n"
    "     PFS (Y/N): Y, DH group: group14\n"
    "\n"
    "     inbound esp sas:\n"
    "      spi: 0x1F2E3D4C(523124044)\n"
    "        transform: esp-256-aes esp-sha256-hmac ,\n"
    "        in use settings ={Tunnel, }\n"
    "        conn id: 2003, flow_id: SW:3, sibling_flags 80000040, crypto map: VPNMAP\n"
    "        sa timing: remaining key lifetime (k/sec): (4607986/3212)\n"
    "        IV size: 16 bytes\n"
    "        replay detection support: Y\n"
    "        Status: ACTIVE(ACTIVE)\n"
    "\n"
    "     inbound ah sas:\n"
    "\n"
    "     inbound pcp sas:\n"
    "\n"
    "     outbound esp sas:\n"
    "      spi: 0x9A3C51D7(2587644375)\n"
    "        transform: esp-256-aes esp-sha256-hmac ,\n"
    "        in use settings ={Tunnel, }\n"
    "        conn id: 2004, flow_id: SW:4, sibling_flags 80000040, crypto map: VPNMAP\n"
    "        sa timing: remaining key lifetime (k/sec): (4607986/3212)\n"
    "        IV size: 16 bytes\n"
    "        replay detection support: Y\n"
    "        Status: ACTIVE(ACTIVE)\n"
    "\n"
    "     outbound ah sas:\n"
    "\n"
    "     outbound pcp sas:\n";

std::string whole() {
    return std::string{kHeading} + kIdentity + kErrors + kSas;
}

TEST(ShowIpsecSa, PrintsOneIdentity) {
    EXPECT_EQ(show_ipsec_sa(sample(), {}), whole());
}

TEST(ShowIpsecSa, PrintsTheHeadingOncePerInterface) {
    Snapshot snapshot = sample();
    snapshot.flows.push_back(sample_flow());
    EXPECT_EQ(show_ipsec_sa(snapshot, {}), whole() + kIdentity + kErrors + kSas);
    snapshot.flows.back().interface = "GigabitEthernet0/1";
    EXPECT_THAT(show_ipsec_sa(snapshot, {}),
                HasSubstr("\n     outbound pcp sas:\n\ninterface: GigabitEthernet0/1\n"));
}

TEST(ShowIpsecSaDetail, ReplacesTheErrorLineByNine) {
    Snapshot snapshot = sample();
    FlowCounters& counters = snapshot.flows.front().counters;
    counters.no_sa_send = 1;
    counters.send_errors = 2;
    counters.receive_errors = 3;
    counters.verify_failed = 4;
    counters.invalid_identity = 5;
    counters.invalid_length = 6;
    counters.replay_failed = 7;
    const std::string out = show_ipsec_sa(snapshot, {.peer = {}, .interface = {}, .detail = true});
    EXPECT_THAT(out, Not(HasSubstr("#send errors")));
    EXPECT_THAT(out,
                HasSubstr("#pkts decompress failed: 0\n"
                          "    #pkts no sa (send) 1, #pkts invalid sa (rcv) 0\n"
                          "    #pkts encaps failed (send) 2, #pkts decaps failed (rcv) 3\n"
                          "    #pkts invalid prot (recv) 0, #pkts verify failed: 4\n"
                          "    #pkts invalid identity (recv) 5, #pkts invalid len (rcv) 6\n"
                          "    #pkts replay rollover (send): 0, #pkts replay rollover (rcv) 0\n"
                          "    ##pkts replay failed (rcv): 7\n"
                          "    #pkts tagged (send): 0, #pkts untagged (rcv): 0\n"
                          "    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0\n"
                          "    #pkts internal err (send): 0, #pkts internal err (recv) 0\n"
                          "\n"
                          "     local crypto endpt.:"));
    EXPECT_THAT(out, HasSubstr("replay detection support: Y  replay window size: 64\n"));
}

/// The strictest reader refuses any line it does not know; these are its rules for `detail`.
TEST(ShowIpsecSaDetail, HasNoLineThatTheStrictReaderRefuses) {
    const std::vector<std::regex> rules = [] {
        std::vector<std::regex> made;
        for (
            const char* rule :
            {R"(\s*interface:\s+\S+\s*)",
             R"(\s*Crypto\s+map\s+tag:\s+\S+,\s+local\s+addr\s+\S+\s*)",
             R"(\s*protected\s+vrf:\s+\S+\s*)",
             R"(\s*(local|remote)\s+ident\s+\(addr/mask/prot/port\):\s+\(\S+/\S+/\d+/\d+\)\s*)",
             R"(\s*current_peer\s+\S+\s+port\s+\d+\s*)",
             R"(\s*\S+,\s+flags=\{.*\}\s*)",
             R"(\s*##?pkts .*\d\s*)",
             R"(\s*local\s+crypto\s+endpt.:\s+\S+,\s+remote\s+crypto\s+endpt.:\s+\S+\s*)",
             R"(\s*plaintext\s+mtu\s+\d+,\s+path\s+mtu\s+\d+,\s+ip\s+mtu\s+\d+,\s+ip\s+mtu\s+idb\s+\S+\s*)",
             R"(\s*current\s+outbound\s+spi:\s+\S+\(\d+\)\s*)",
             R"(\s*PFS\s+\(Y/N\):\s+\S+,\s+DH\s+group:\s+\S+\s*)",
             R"(\s*\S+\s+\S+\s+sas:\s*)",
             R"(\s*spi:\s+\S+\(\d+\)\s*)",
             R"(\s*transform:\s+.+\s+,\s*)",
             R"(\s*in\s+use\s+settings\s+=\{.*,\s+\}\s*)",
             R"(\s*conn\s+id:\s+\d+,\s+flow_id:\s+.+,\s+sibling_flags\s+\w+,\s+crypto\s+map:\s+\S+\s*)",
             R"(\s*sa\s+timing:\s+remaining\s+key\s+lifetime\s+\(k/sec\):\s+\(\d+/\d+\)\s*)",
             R"(\s*IV\s+size:\s+\d+\s+bytes\s*)",
             R"(\s*replay\s+detection\s+support:\s+\S+\s+replay\s+window\s+size:\s+\d+\s*)",
             R"(\s*Status:\s+\S+\s*)",
             R"(\s*)"})
            made.emplace_back(rule);
        return made;
    }();
    std::istringstream lines{
        show_ipsec_sa(sample(), {.peer = {}, .interface = {}, .detail = true})};
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(std::ranges::any_of(rules, [&](const std::regex& rule) {
            return std::regex_match(line, rule);
        })) << line;
}

TEST(ShowIpsecSa, PrintsEmptySectionsWithoutSa) {
    Snapshot snapshot = sample();
    snapshot.flows.front().children.clear();
    EXPECT_THAT(show_ipsec_sa(snapshot, {}),
                EndsWith("     plaintext mtu 1500, path mtu 1500, ip mtu 1500, ip mtu idb "
                         "GigabitEthernet0/0\n"
                         "     current outbound spi: 0x0(0)\n"
                         "     PFS (Y/N): N, DH group: none\n"
                         "\n     inbound esp sas:\n"
                         "\n     inbound ah sas:\n"
                         "\n     inbound pcp sas:\n"
                         "\n     outbound esp sas:\n"
                         "\n     outbound ah sas:\n"
                         "\n     outbound pcp sas:\n"));
}

TEST(ShowIpsecSa, ShowsAnInboundHalfWhileQuickModeRuns) {
    Snapshot snapshot = sample();
    ike::ChildSaView& view = snapshot.flows.front().children.front().view;
    view.outbound_spi = Spi{};
    view.current = false;
    const std::string out = show_ipsec_sa(snapshot, {});
    EXPECT_THAT(out, HasSubstr("inbound esp sas:\n      spi: 0x1F2E3D4C(523124044)\n"));
    EXPECT_THAT(out, HasSubstr("outbound esp sas:\n\n     outbound ah sas:"));
    EXPECT_THAT(out, HasSubstr("current outbound spi: 0x0(0)"));
}

TEST(ShowIpsecSa, SaysUdpEncapsulationEsnAndTransport) {
    Snapshot snapshot = sample();
    FlowStatus& flow = snapshot.flows.front();
    ike::ChildSaView& view = flow.children.front().view;
    flow.peer.port = 4500;
    view.udp_encapsulated = true;
    EXPECT_THAT(show_ipsec_sa(snapshot, {}), HasSubstr("={Tunnel UDP-Encaps, }\n"));
    EXPECT_THAT(show_ipsec_sa(snapshot, {}), HasSubstr("current_peer 192.0.2.20 port 4500\n"));
    view.transport = true;
    EXPECT_THAT(show_ipsec_sa(snapshot, {}), HasSubstr("={Transport UDP-Encaps, }\n"));
    view = sample_child().view;
    view.esn = true;
    EXPECT_THAT(show_ipsec_sa(snapshot, {}), HasSubstr("={Tunnel, esn}\n"));
}

TEST(ShowIpsecSa, SaysWhenThereIsNoVolumeLimit) {
    Snapshot snapshot = sample();
    snapshot.flows.front().children.front().view.lifetime_kilobytes = 0;
    EXPECT_THAT(show_ipsec_sa(snapshot, {}),
                HasSubstr("        sa timing: remaining key lifetime (sec): 3212\n"
                          "        Kilobyte Volume Rekey has been disabled\n"));
}

TEST(ShowIpsecSa, NamesGcmAndItsIv) {
    Snapshot snapshot = sample();
    ike::ChildSaView& view = snapshot.flows.front().children.front().view;
    view.cipher = EspCipher::AesGcm256;
    view.mac = EspMac::None;
    view.replay_window = 0;
    const std::string out = show_ipsec_sa(snapshot, {});
    EXPECT_THAT(out, HasSubstr("transform: esp-gcm 256 ,\n"));
    EXPECT_THAT(out, HasSubstr("IV size: 8 bytes\n        replay detection support: N\n"));
}

TEST(ShowIpsecSa, FiltersByPeerAndInterface) {
    Snapshot snapshot = sample();
    snapshot.flows.push_back(sample_flow());
    snapshot.flows.back().peer.address = Ipv4Address{203, 0, 113, 9};
    EXPECT_EQ(show_ipsec_sa(snapshot, {.peer = kPeer, .interface = {}}), whole());
    EXPECT_EQ(show_ipsec_sa(snapshot, {.peer = kPeer, .interface = "GigabitEthernet0/1"}),
              "\nNo SAs found\n");
    EXPECT_EQ(show_ipsec_sa(empty(), {}), "\nNo SAs found\n");
}

TEST(ShowIpsecSaCount, CountsEachDirection) {
    Snapshot snapshot = sample();
    snapshot.flows.front().children.push_back(sample_child());
    snapshot.flows.front().children.front().view.dying = true;
    EXPECT_EQ(show_ipsec_sa_count(snapshot),
              "IPsec SA total: 4, active: 2, rekeying: 2, unused: 0, invalid: 0\n");
    EXPECT_EQ(show_ipsec_sa_count(empty()),
              "IPsec SA total: 0, active: 0, rekeying: 0, unused: 0, invalid: 0\n");
}

TEST(ShowTransformSets, PrintsAllOrOne) {
    config::Config config = sample_config();
    config.transform_sets["TS-B"] = {EspCipher::AesGcm128, EspMac::None, true};
    const std::string a = "Transform set TS-A: { esp-256-aes esp-sha256-hmac  } \n"
                          "   will negotiate = { Tunnel,  }, \n"
                          "\n";
    const std::string b = "Transform set TS-B: { esp-gcm  } \n"
                          "   will negotiate = { Transport,  }, \n"
                          "\n";
    EXPECT_EQ(show_transform_sets(snapshot_of(config), ""), a + b);
    EXPECT_EQ(show_transform_sets(snapshot_of(config), "TS-B"), b);
    EXPECT_EQ(show_transform_sets(snapshot_of(config), "TS-C"), "");
}

TEST(ShowSaLifetime, PrintsTheGlobalOne) {
    config::Config config = sample_config();
    EXPECT_EQ(show_sa_lifetime(snapshot_of(config)),
              "Security association lifetime: 4608000 kilobytes/3600 seconds\n");
    config.sa_lifetime.seconds = 900;
    EXPECT_EQ(show_sa_lifetime(snapshot_of(config)),
              "Security association lifetime: 4608000 kilobytes/900 seconds\n");
}

TEST(ShowEngineConnections, ListsBothPhasesById) {
    EXPECT_EQ(show_engine_connections(sample()),
              "Crypto Engine Connections\n"
              "\n"
              "   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address\n"
              " 1003  IKE     SHA256+AES256             0        0        0 192.0.2.1\n"
              " 2003  IPsec   AES256+SHA256             0      198      198 192.0.2.1\n"
              " 2004  IPsec   AES256+SHA256           205        0        0 192.0.2.1\n");
}

TEST(ShowIpsecSa, PrintsATunnelInterface) {
    Snapshot snapshot = sample();
    FlowStatus& flow = snapshot.flows.front();
    flow.interface = "Tunnel10";
    flow.map_name = "Tunnel10-head-0";
    flow.mtu_interface = "GigabitEthernet0/0";
    flow.flow.selector = {
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
    };
    std::string expected = whole();
    const auto replace = [&](const std::string& from, const std::string& to) {
        for (std::size_t at = 0; (at = expected.find(from, at)) != std::string::npos;
             at += to.size())
            expected.replace(at, from.size(), to);
    };
    replace("interface: GigabitEthernet0/0", "interface: Tunnel10");
    replace("VPNMAP", "Tunnel10-head-0");
    replace("10.1.0.0/255.255.0.0", "0.0.0.0/0.0.0.0");
    replace("10.2.0.0/255.255.0.0", "0.0.0.0/0.0.0.0");
    EXPECT_EQ(show_ipsec_sa(snapshot, {}), expected);
    EXPECT_EQ(show_ipsec_sa(snapshot, {.interface = "Tunnel10"}), expected);
}

} // namespace
} // namespace adit::cli
