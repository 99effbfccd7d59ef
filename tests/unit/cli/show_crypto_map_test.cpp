// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_crypto_map.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

TEST(ShowCryptoMap, PrintsAnEntry) {
    EXPECT_EQ(show_crypto_map(sample()),
              "Crypto Map IPv4 \"VPNMAP\" 10 ipsec-isakmp\n"
              "\tPeer = 192.0.2.20\n"
              "\tAccess-List SS dynamic: False\n"
              "\tExtended IP access list 110\n"
              "\t    access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n"
              "\tCurrent peer: 192.0.2.20\n"
              "\tSecurity association lifetime: 4608000 kilobytes/3600 seconds\n"
              "\tDualstack (Y/N): N\n"
              "\n"
              "\tResponder-Only (Y/N): N\n"
              "\tPFS (Y/N): Y\n"
              "\tDH group:  group14\n"
              "\tMixed-mode : Disabled\n"
              "\tTransform sets={ \n"
              "\t\tTS-A:  { esp-256-aes esp-sha256-hmac  } , \n"
              "\t}\n"
              "\tInterfaces using crypto map VPNMAP:\n"
              "\t\tGigabitEthernet0/0\n"
              "\n");
}

TEST(ShowCryptoMap, WarnsOfAnIncompleteEntry) {
    config::Config config;
    config.crypto_maps["M"][1] = {};
    const std::string out = show_crypto_map(snapshot_of(config));
    EXPECT_THAT(out,
                HasSubstr("\tWARNING: This crypto map is in an incomplete state!\n"
                          "\t(missing peer or access-list definitions)\n"));
    EXPECT_THAT(out, HasSubstr("\tPFS (Y/N): N\n\tMixed-mode : Disabled\n"));
    EXPECT_THAT(out, Not(HasSubstr("Current peer")));
}

TEST(ShowCryptoMap, ShowsThePeerInUse) {
    config::Config config = sample_config();
    config.crypto_maps["VPNMAP"][10].peers.insert(config.crypto_maps["VPNMAP"][10].peers.begin(),
                                                  Ipv4Address{203, 0, 113, 9});
    Snapshot snapshot = snapshot_of(config);
    EXPECT_THAT(show_crypto_map(snapshot), HasSubstr("\tCurrent peer: 203.0.113.9\n"));
    snapshot.flows = {sample_flow()};
    EXPECT_THAT(show_crypto_map(snapshot), HasSubstr("\tCurrent peer: 192.0.2.20\n"));
}

Snapshot with_dynamic_peer() {
    config::Config config = sample_config();
    config::CryptoMapEntry entry;
    entry.transform_sets = {"TS-A"};
    config.dynamic_maps["DYN"][10] = entry;
    config.crypto_maps["VPNMAP"][65'535].dynamic_map = "DYN";
    Snapshot snapshot = snapshot_of(config);
    FlowStatus flow = sample_flow();
    flow.map_sequence = 65'535;
    flow.dynamic_map = "DYN/10";
    flow.peer = {Ipv4Address{203, 0, 113, 9}, 500};
    flow.flow.selector.remote = Ipv4Range::host(Ipv4Address{10, 7, 0, 1});
    snapshot.flows = {flow};
    return snapshot;
}

TEST(ShowCryptoMap, ShowsWhatAPeerOfADynamicEntryClaimed) {
    const std::string text = show_crypto_map(with_dynamic_peer());
    EXPECT_THAT(text,
                HasSubstr("Crypto Map IPv4 \"VPNMAP\" 65535 ipsec-isakmp\n"
                          "\tDynamic map template tag: DYN\n"
                          "Crypto Map IPv4 \"VPNMAP\" 65536 ipsec-isakmp\n"
                          "\tPeer = 203.0.113.9\n"
                          "\tAccess-List SS dynamic: True\n"
                          "\tExtended IP access list \n"
                          "\t    access-list  permit ip 10.1.0.0 0.0.255.255 host 10.7.0.1\n"
                          "\t    dynamic (created from dynamic map DYN/10)\n"
                          "\tCurrent peer: 203.0.113.9\n"
                          "\tSecurity association lifetime: 4608000 kilobytes/3600 seconds\n"));
    EXPECT_THAT(text, HasSubstr("\tCurrent peer: 192.0.2.20\n")) << "of the static entry";
}

TEST(ShowCryptoMap, PrintsTemplates) {
    EXPECT_EQ(show_crypto_dynamic_map(with_dynamic_peer()),
              "Crypto Map Template\"DYN\" 10\n"
              "\tNo matching address list set.\n"
              "\tSecurity association lifetime: 4608000 kilobytes/3600 seconds\n"
              "\tDualstack (Y/N): N\n"
              "\n"
              "\tResponder-Only (Y/N): N\n"
              "\tPFS (Y/N): N\n"
              "\tMixed-mode : Disabled\n"
              "\tTransform sets={ \n"
              "\t\tTS-A:  { esp-256-aes esp-sha256-hmac  } , \n"
              "\t}\n"
              "\n");
    EXPECT_EQ(show_crypto_dynamic_map(with_dynamic_peer(), "OTHER"),
              "No crypto map templates found.\n");
}

TEST(ShowCryptoMap, FiltersByNameAndInterface) {
    EXPECT_THAT(show_crypto_map(sample(), {.name = "VPNMAP", .interface = {}}),
                HasSubstr("\"VPNMAP\" 10"));
    EXPECT_EQ(show_crypto_map(sample(), {.name = "OTHER", .interface = {}}),
              "No crypto maps found.\n");
    EXPECT_THAT(show_crypto_map(sample(), {.name = {}, .interface = "GigabitEthernet0/0"}),
                HasSubstr("\"VPNMAP\" 10"));
    EXPECT_EQ(show_crypto_map(sample(), {.name = {}, .interface = "GigabitEthernet0/1"}),
              "No crypto maps found.\n");
}

// --- tunnel interfaces

Snapshot with_tunnel() {
    config::Config config = sample_config();
    config.crypto_maps.clear();
    config.interfaces["GigabitEthernet0/0"].crypto_map.clear();
    config.ipsec_profiles["VTI"].transform_sets = {"TS-A"};
    config.interfaces["Tunnel10"].tunnel = {"GigabitEthernet0/0", {}, kPeer, true, "VTI"};
    Snapshot snapshot = snapshot_of(config);
    snapshot.flows = {sample_flow()};
    snapshot.flows.front().interface = "Tunnel10";
    snapshot.flows.front().map_name = "Tunnel10-head-0";
    snapshot.flows.front().flow.selector = {
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
    };
    return snapshot;
}

constexpr const char* kTunnelTerms =
    "\tSecurity association lifetime: 4608000 kilobytes/3600 seconds\n"
    "\tDualstack (Y/N): N\n"
    "\n"
    "\tResponder-Only (Y/N): N\n"
    "\tPFS (Y/N): N\n"
    "\tMixed-mode : Disabled\n"
    "\tTransform sets={ \n"
    "\t\tTS-A:  { esp-256-aes esp-sha256-hmac  } , \n"
    "\t}\n";

TEST(ShowCryptoMap, PrintsWhatProtectsATunnel) {
    const std::string expected =
        std::string{"Crypto Map IPv4 \"Tunnel10-head-0\" 65536 ipsec-isakmp\n"
                    "\tProfile name: VTI\n"} +
        kTunnelTerms +
        "Crypto Map IPv4 \"Tunnel10-head-0\" 65537 ipsec-isakmp\n"
        "\tMap is a PROFILE INSTANCE.\n"
        "\tPeer = 192.0.2.20\n"
        "\tExtended IP access list \n"
        "\t    access-list  permit ip any any\n"
        "\tCurrent peer: 192.0.2.20\n" +
        kTunnelTerms +
        "\tInterfaces using crypto map Tunnel10-head-0:\n"
        "\t\tTunnel10\n\n";
    EXPECT_EQ(show_crypto_map(with_tunnel(), {}), expected);
    EXPECT_EQ(show_crypto_map(with_tunnel(), {.interface = "Tunnel10"}), expected);
    EXPECT_EQ(show_crypto_map(with_tunnel(), {.name = "Tunnel10-head-0"}), expected);
    EXPECT_EQ(show_crypto_map(with_tunnel(), {.name = "VPNMAP"}), "No crypto maps found.\n");
}

TEST(ShowIpsecProfile, PrintsItsTerms) {
    const std::string expected = std::string{"IPSEC profile VTI\n"} + kTunnelTerms + "\n";
    EXPECT_EQ(show_ipsec_profile(with_tunnel(), ""), expected);
    EXPECT_EQ(show_ipsec_profile(with_tunnel(), "VTI"), expected);
    EXPECT_EQ(show_ipsec_profile(with_tunnel(), "X"), "");
}

} // namespace
} // namespace adit::cli
