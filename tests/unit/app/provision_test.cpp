// SPDX-License-Identifier: Apache-2.0
#include "control/provision.h"

#include "control/config/isakmp_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::AclLine permit(const char* source, const char* destination) {
    const Ipv4Prefix from = *parse_ipv4_prefix(source);
    const Ipv4Prefix to = *parse_ipv4_prefix(destination);
    config::AclLine line;
    line.source = {from.address, Ipv4Address{~from.mask().value}};
    line.destination = {to.address, Ipv4Address{~to.mask().value}};
    return line;
}

struct ProvisionTest : ::testing::Test {
    config::Config config;
    std::vector<PortInfo> ports{{"GigabitEthernet0/0", InterfaceIndex{0}, 1500},
                                {"GigabitEthernet0/1", InterfaceIndex{1}, 1500}};
    PolicyNumbers numbers;

    ProvisionTest() {
        config::Interface& wan = config.interfaces["GigabitEthernet0/0"];
        wan.address = Ipv4Address(192, 0, 2, 1);
        wan.prefix_length = 24;
        wan.crypto_map = "VPNMAP";
        config.transform_sets["TS"] = {EspCipher::AesCbc256, EspMac::HmacSha256_128, false};
        config.access_lists["110"].lines = {permit("10.1.0.0/16", "10.2.0.0/16"),
                                            permit("10.1.0.0/16", "10.3.0.0/16")};
        config::CryptoMapEntry& entry = config.crypto_maps["VPNMAP"][10];
        entry.peers = {Ipv4Address(192, 0, 2, 20)};
        entry.transform_sets = {"TS"};
        entry.match_address = "110";
    }

    Provision provision() { return make_provision(config, ports, numbers, 1); }
};

TEST_F(ProvisionTest, APolicyOfSignaturesWithoutCertificateIsNamed) {
    config.isakmp_policies[10].authentication = config::AuthenticationMethod::RsaSig;
    EXPECT_THAT(provision().problems,
                testing::ElementsAre(testing::HasSubstr("crypto isakmp policy 10 is not used")));
}

TEST_F(ProvisionTest, WithoutAPolicyTheBuiltInOnesAreOffered) {
    const Provision made = provision();
    EXPECT_THAT(made.problems, IsEmpty()) << "no certificate is no fault of theirs";
    ASSERT_EQ(made.engine->phase1.size(), config::default_isakmp_policies().size());
    for (const ike::Phase1Policy& policy : made.engine->phase1) {
        EXPECT_NE(policy.cipher, ike::CipherAlgorithm::TripleDesCbc);
        EXPECT_NE(policy.hash, ike::HashAlgorithm::Md5);
        EXPECT_THAT(static_cast<unsigned>(policy.group), testing::Ge(14U));
    }
    EXPECT_EQ(made.engine->phase1.front().priority, 65'507U);
    EXPECT_THAT(made.engine->phase1,
                Contains(testing::Field(&ike::Phase1Policy::authentication,
                                        ike::Authentication::PreSharedKey)));
}

TEST_F(ProvisionTest, BuiltInPoliciesYieldToAWrittenOneAndToTheSwitch) {
    config.isakmp_policies[10] = {.authentication = config::AuthenticationMethod::PreShare,
                                  .group = ike::Group::Modp2048};
    ASSERT_EQ(provision().engine->phase1.size(), 1U);
    EXPECT_EQ(provision().engine->phase1.front().priority, 10U);
    config.isakmp_policies.clear();
    config.isakmp_default_policies = false;
    EXPECT_THAT(provision().engine->phase1, IsEmpty());
}

TEST_F(ProvisionTest, EachPermitLineIsAFlowAndAProtectPolicy) {
    const Provision made = provision();
    EXPECT_THAT(made.problems, IsEmpty());
    ASSERT_EQ(made.engine->connections.size(), 1U);
    const ike::Connection& connection = made.engine->connections[0];
    EXPECT_EQ(connection.local, Ipv4Address(192, 0, 2, 1));
    ASSERT_EQ(connection.flows.size(), 2U);
    EXPECT_EQ(ident_string(connection.flows[1].selector.remote, 0, {}), "10.3.0.0/255.255.0.0/0/0");
    ASSERT_EQ(made.policies.size(), 2U);
    EXPECT_LT(made.policies[0].order, made.policies[1].order);
    EXPECT_EQ(made.policies[0].action, static_cast<std::uint8_t>(ipc::PolicyAction::Protect));
    EXPECT_EQ(made.policies[1].policy, connection.flows[1].policy.value);
}

TEST_F(ProvisionTest, DenyLineBypassesItsEntryAndIsNoFlow) {
    config.access_lists["110"].lines[0].permit = false;
    const Provision made = provision();
    EXPECT_EQ(made.engine->connections[0].flows.size(), 1U);
    ASSERT_EQ(made.policies.size(), 2U);
    EXPECT_EQ(made.policies[0].action, static_cast<std::uint8_t>(ipc::PolicyAction::Bypass));
    EXPECT_EQ(made.policies[0].entry, made.policies[1].entry);
}

TEST_F(ProvisionTest, LineKeepsItsPolicyNumberWhenAnotherIsInsertedBefore) {
    const PolicyId before = provision().engine->connections[0].flows[1].policy;
    auto& lines = config.access_lists["110"].lines;
    lines.insert(lines.begin(), permit("10.1.0.0/16", "10.9.0.0/16"));
    const Provision made = provision();
    EXPECT_EQ(made.engine->connections[0].flows[2].policy, before);
}

TEST_F(ProvisionTest, NumbersOfDeletedLinesAreUsedAgain) {
    provision();
    for (std::uint8_t i = 0; i < 200; ++i) {
        config.access_lists["110"].lines = {
            permit("10.1.0.0/16", (to_string(Ipv4Address(172, 16, i, 0)) + "/24").c_str())};
        EXPECT_LT(provision().policies.at(0).policy, 4U);
    }
}

TEST_F(ProvisionTest, InterfaceWithoutPortIsNamed) {
    ports.pop_back();
    ports.pop_back();
    const Provision made = provision();
    EXPECT_THAT(made.problems, Contains(HasSubstr("GigabitEthernet0/0 has no port")));
    EXPECT_THAT(made.interfaces, IsEmpty());
    EXPECT_THAT(made.policies, IsEmpty());
}

TEST_F(ProvisionTest, IncompleteEntryIsNamedAndProtectsNothing) {
    config.crypto_maps["VPNMAP"][10].peers.clear();
    const Provision made = provision();
    EXPECT_THAT(made.problems, Contains(HasSubstr("VPNMAP 10 is incomplete")));
    EXPECT_THAT(made.engine->connections, IsEmpty());
}

TEST_F(ProvisionTest, TransformSetsKeepModeAndSequenceNumbers) {
    config.transform_sets["TR"] = {
        EspCipher::AesCbc128, EspMac::HmacSha1_96, true, /*mode_required=*/true, /*esn=*/true};
    config.crypto_maps["VPNMAP"][10].transform_sets = {"TR", "TS"};
    const Provision made = provision();
    EXPECT_THAT(made.problems, IsEmpty());
    const auto& sets = made.engine->connections.at(0).transforms;
    ASSERT_EQ(sets.size(), 2U);
    EXPECT_TRUE(sets[0].transport && sets[0].transport_required && sets[0].esn);
    EXPECT_FALSE(sets[1].transport || sets[1].transport_required || sets[1].esn);
}

TEST_F(ProvisionTest, ExtendedSequenceNumbersNeedTheReplayWindow) {
    config.transform_sets["EX"] = {EspCipher::AesGcm128, EspMac::None, false, false, true};
    config.crypto_maps["VPNMAP"][10].transform_sets = {"EX", "TS"};
    config.replay_disabled = true;
    const Provision made = provision();
    EXPECT_THAT(made.problems, Contains(HasSubstr("EX: esn needs the anti-replay window")));
    ASSERT_EQ(made.engine->connections.at(0).transforms.size(), 1U);
    EXPECT_EQ(made.engine->connections[0].transforms[0].name, "TS");
}

TEST_F(ProvisionTest, ShutdownInterfaceHasNoConnections) {
    config.interfaces["GigabitEthernet0/0"].shutdown = true;
    const Provision made = provision();
    EXPECT_EQ(made.interfaces.at(0).flags, 0);
    EXPECT_THAT(made.engine->connections, IsEmpty());
}

TEST_F(ProvisionTest, EntryLifetimeWinsOverGlobalWinsOverDefault) {
    EXPECT_EQ(provision().engine->connections[0].lifetime, std::chrono::seconds{3600});
    config.sa_lifetime.seconds = 1800;
    EXPECT_EQ(provision().engine->connections[0].lifetime, std::chrono::seconds{1800});
    config.crypto_maps["VPNMAP"][10].lifetime.seconds = 900;
    EXPECT_EQ(provision().engine->connections[0].lifetime, std::chrono::seconds{900});
    EXPECT_EQ(provision().engine->connections[0].lifetime_kilobytes, 4'608'000U);
}

TEST_F(ProvisionTest, InterfaceMtuIsBoundedByThePort) {
    config.interfaces["GigabitEthernet0/0"].ip_mtu = 9000;
    EXPECT_EQ(provision().interfaces.at(0).ip_mtu, 1500U);
    config.interfaces["GigabitEthernet0/0"].ip_mtu = 1400;
    EXPECT_EQ(provision().interfaces.at(0).ip_mtu, 1400U);
}

// --- dynamic entries

struct DynamicProvisionTest : ProvisionTest {
    DynamicProvisionTest() {
        config.dynamic_maps["DYN"][10].transform_sets = {"TS"};
        config.crypto_maps["VPNMAP"][65'535].dynamic_map = "DYN";
    }

    static constexpr const char* kName = "VPNMAP 65535 GigabitEthernet0/0 dynamic DYN 10";

    static TrafficSelector claim(const char* remote) {
        return {Ipv4Range::of(*parse_ipv4_prefix("10.1.0.0/16")),
                Ipv4Range::of(*parse_ipv4_prefix(remote)),
                0,
                {},
                {}};
    }
};

TEST_F(DynamicProvisionTest, EntryWithoutListHasAPlaceAndNoRows) {
    const Provision made = provision();
    EXPECT_THAT(made.problems, IsEmpty());
    ASSERT_EQ(made.engine->connections.size(), 2U);
    const ike::Connection& connection = made.engine->connections[1];
    EXPECT_EQ(connection.name, kName);
    ASSERT_TRUE(connection.dynamic);
    EXPECT_EQ(connection.dynamic->map_name, "DYN");
    EXPECT_EQ(made.policies.size(), 2U);
    const auto row = runtime_row(made, PolicyId{9}, kName, claim("10.7.0.0/24"));
    ASSERT_TRUE(row);
    EXPECT_GT(row->order, made.policies[1].order);
    EXPECT_EQ(row->action, static_cast<std::uint8_t>(ipc::PolicyAction::Protect));
    EXPECT_EQ(row->policy, 9U);
    EXPECT_EQ(made.engine->own_addresses, std::vector<Ipv4Address>{Ipv4Address(192, 0, 2, 1)});
}

TEST_F(DynamicProvisionTest, WhatAListPermitsIsDroppedUntilItIsClaimed) {
    config.access_lists["120"].lines = {permit("10.1.0.0/16", "10.6.0.0/16"),
                                        permit("10.1.0.0/16", "10.7.0.0/16")};
    config.dynamic_maps["DYN"][10].match_address = "120";
    const Provision made = provision();
    ASSERT_EQ(made.policies.size(), 4U);
    EXPECT_EQ(made.policies[3].action, static_cast<std::uint8_t>(ipc::PolicyAction::Drop));
    const auto row = runtime_row(made, PolicyId{9}, kName, claim("10.7.3.0/24"));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->order, made.policies[3].order) << "at the place of its line";
    EXPECT_EQ(row->entry, made.policies[3].entry);
    EXPECT_LT(row->breadth, made.policies[3].breadth) << "and before it";
    EXPECT_FALSE(runtime_row(made, PolicyId{9}, kName, claim("10.8.0.0/24")));
    EXPECT_FALSE(runtime_row(made, PolicyId{9}, "VPNMAP 7", claim("10.7.3.0/24")));
}

TEST_F(DynamicProvisionTest, ListThatIsNotThereGivesNothingToAnybody) {
    config.dynamic_maps["DYN"][10].match_address = "120";
    const Provision made = provision();
    EXPECT_THAT(made.problems, Contains(HasSubstr("access list 120")));
    EXPECT_EQ(made.engine->connections.size(), 1U);
}

TEST_F(DynamicProvisionTest, MapThatIsNotThereIsNamed) {
    config.dynamic_maps.clear();
    EXPECT_THAT(provision().problems, Contains(HasSubstr("crypto dynamic-map DYN is not defined")));
}

TEST_F(DynamicProvisionTest, ReverseRoutesGoTheWayOfThePeer) {
    const auto of = [&](const char* remote, Ipv4Address peer) {
        return reverse_routes(provision(), kName, claim(remote), peer);
    };
    const Ipv4Address beside{192, 0, 2, 20};
    const Ipv4Address far{198, 51, 100, 7};
    EXPECT_THAT(of("10.7.0.0/24", beside), IsEmpty()) << "nobody asked for them";
    config.dynamic_maps["DYN"][10].reverse_route = true;
    config.routes = {{.prefix = {}, .next_hop = Ipv4Address{192, 0, 2, 254}}};
    const auto direct = of("10.7.0.0/24", beside);
    ASSERT_EQ(direct.size(), 1U);
    EXPECT_EQ(direct[0].prefix, (Ipv4Address{10, 7, 0, 0}.value));
    EXPECT_EQ(direct[0].prefix_length, 24);
    EXPECT_EQ(direct[0].next_hop, beside.value);
    const auto by_gateway = of("10.7.0.0/24", far);
    ASSERT_EQ(by_gateway.size(), 1U);
    EXPECT_EQ(by_gateway[0].next_hop, (Ipv4Address{192, 0, 2, 254}.value));
    EXPECT_THAT(of("192.0.2.128/25", far), IsEmpty()) << "our own network";
    EXPECT_THAT(of("0.0.0.0/0", far), IsEmpty()) << "our own network is in it";
    config.routes.clear();
    EXPECT_THAT(of("10.7.0.0/24", far), IsEmpty()) << "no way to the peer";
}

TEST_F(DynamicProvisionTest, ReverseRoutesMakeUpARange) {
    config.dynamic_maps["DYN"][10].reverse_route = true;
    TrafficSelector selector = claim("10.7.0.0/24");
    selector.remote = {Ipv4Address{10, 7, 0, 1}, Ipv4Address{10, 7, 0, 6}};
    const auto routes = reverse_routes(provision(), kName, selector, Ipv4Address{192, 0, 2, 20});
    std::vector<std::pair<std::uint32_t, unsigned>> prefixes;
    for (const ipc::SetRoute& route : routes)
        prefixes.emplace_back(route.prefix & 0xff, route.prefix_length);
    EXPECT_EQ(
        prefixes,
        (std::vector<std::pair<std::uint32_t, unsigned>>{{1, 32}, {2, 31}, {4, 31}, {6, 32}}));
}

TEST(SelectorOf, RefusesWildcardsWithHoles) {
    config::AclLine line = permit("10.1.0.0/16", "10.2.0.0/16");
    EXPECT_TRUE(selector_of(line));
    line.source.wildcard = Ipv4Address(0, 255, 0, 255);
    EXPECT_THAT(selector_of(line).error().text, HasSubstr("0.255.0.255 has holes"));
}

// --- tunnel interfaces

struct TunnelProvision : ProvisionTest {
    TunnelProvision() {
        config.crypto_maps.clear();
        config.interfaces["GigabitEthernet0/0"].crypto_map.clear();
        config.interfaces["GigabitEthernet0/1"].address = Ipv4Address(10, 1, 0, 1);
        config.interfaces["GigabitEthernet0/1"].prefix_length = 16;
        config.ipsec_profiles["P"].transform_sets = {"TS"};
        config.ipsec_profiles["P"].pfs = ike::Group::Modp2048;
        config::Interface& tunnel = config.interfaces["Tunnel10"];
        tunnel.address = Ipv4Address(172, 16, 0, 1);
        tunnel.prefix_length = 30;
        tunnel.ip_mtu = 1400;
        tunnel.tcp_mss = 1360;
        tunnel.tunnel = {"GigabitEthernet0/0", {}, Ipv4Address(192, 0, 2, 20), true, "P"};
    }

    void expect_fault(const char* words) {
        Provision made = provision();
        EXPECT_THAT(made.problems, Contains(HasSubstr(words)));
        EXPECT_THAT(made.tunnels, IsEmpty());
        EXPECT_THAT(made.tunnel_faults["Tunnel10"], HasSubstr(words));
        EXPECT_THAT(made.engine->connections, IsEmpty());
    }
};

TEST_F(TunnelProvision, IsAConnectionForEverythingAndARow) {
    Provision made = provision();
    EXPECT_THAT(made.problems, IsEmpty());
    ASSERT_EQ(made.engine->connections.size(), 1U);
    const ike::Connection& connection = made.engine->connections[0];
    EXPECT_EQ(connection.name, "Tunnel10");
    EXPECT_EQ(connection.map_name, "Tunnel10-head-0");
    EXPECT_EQ(connection.local, Ipv4Address(192, 0, 2, 1));
    EXPECT_THAT(connection.peers, testing::ElementsAre(Ipv4Address(192, 0, 2, 20)));
    EXPECT_EQ(connection.pfs, ike::Group::Modp2048);
    EXPECT_TRUE(connection.routed);
    ASSERT_EQ(connection.flows.size(), 1U);
    EXPECT_EQ(ident_string(connection.flows[0].selector.remote, 0, {}), "0.0.0.0/0.0.0.0/0/0");
    EXPECT_THAT(made.policies, IsEmpty());
    const ipc::SetTunnel& row = made.tunnels.at("Tunnel10").row;
    EXPECT_EQ(row.policy, connection.flows[0].policy.value);
    EXPECT_EQ(made.connection_of_policy.at(PolicyId{row.policy}), "Tunnel10");
    EXPECT_EQ(row.address, Ipv4Address(172, 16, 0, 1).value);
    EXPECT_EQ(row.prefix_length, 30);
    EXPECT_EQ(row.ip_mtu, 1400U);
    EXPECT_EQ(row.tcp_mss, 1360);
    EXPECT_EQ(row.link, 0);
    EXPECT_EQ(row.flags, 0) << "the keeper knows";
    EXPECT_THAT(made.engine->own_addresses, Contains(Ipv4Address(172, 16, 0, 1)));
}

TEST_F(TunnelProvision, ALentAddressBringsNoNetwork) {
    config::Interface& tunnel = config.interfaces["Tunnel10"];
    tunnel.address.reset();
    tunnel.unnumbered = "GigabitEthernet0/1";
    const ipc::SetTunnel row = provision().tunnels.at("Tunnel10").row;
    EXPECT_EQ(row.address, Ipv4Address(10, 1, 0, 1).value);
    EXPECT_EQ(row.prefix_length, 0);
}

TEST_F(TunnelProvision, RoutesLeadIntoItByNameOrByANextHopInItsNetwork) {
    config.routes = {
        {*parse_ipv4_prefix("10.2.0.0/16"), "Tunnel10", std::nullopt, 1},
        {*parse_ipv4_prefix("10.3.0.0/16"), "", Ipv4Address(172, 16, 0, 2), 1},
        {*parse_ipv4_prefix("10.4.0.0/16"), "", Ipv4Address(192, 0, 2, 9), 1},
    };
    const Provision made = provision();
    ASSERT_EQ(made.routes.size(), 3U);
    for (const ipc::SetRoute& route : made.routes)
        EXPECT_EQ(route.interface == ipc::kIntoTunnel, route.prefix >> 16 != 0x0a04)
            << to_string(Ipv4Address{route.prefix});
    config.interfaces["Tunnel10"].shutdown = true;
    const Provision down = provision();
    EXPECT_THAT(down.problems, IsEmpty());
    EXPECT_THAT(down.tunnels, IsEmpty());
    EXPECT_THAT(down.engine->connections, IsEmpty());
    for (const ipc::SetRoute& route : down.routes)
        EXPECT_NE(route.interface, ipc::kIntoTunnel);
}

TEST_F(TunnelProvision, TheNearestRouteOfAPrefixComesLast) {
    const Ipv4Prefix far = *parse_ipv4_prefix("10.2.0.0/16");
    config.routes = {
        {far, "Tunnel10", std::nullopt, 5},
        {far, "", Ipv4Address(192, 0, 2, 9), 5},
        {far, "", Ipv4Address(192, 0, 2, 10), 200},
    };
    const Provision made = provision();
    ASSERT_EQ(made.routes.size(), 3U);
    EXPECT_EQ(made.routes[0].next_hop, Ipv4Address(192, 0, 2, 10).value);
    EXPECT_EQ(made.routes[1].next_hop, Ipv4Address(192, 0, 2, 9).value);
    EXPECT_EQ(made.routes[2].interface, ipc::kIntoTunnel);
}

TEST_F(TunnelProvision, SaysWhyATunnelStaysDown) {
    const config::Config sound = config;
    const auto without = [&](const auto& take_away, const char* words) {
        config = sound;
        take_away();
        expect_fault(words);
    };
    const auto settings = [&]() -> config::TunnelSettings& {
        return config.interfaces["Tunnel10"].tunnel;
    };
    without([&] { settings().source_interface.clear(); }, "no tunnel source");
    without([&] { settings().destination.reset(); }, "no tunnel destination");
    without([&] { settings().ipsec = false; }, "GRE");
    without([&] { settings().profile.clear(); }, "everything would leave in clear");
    without([&] { settings().profile = "Q"; }, "no crypto ipsec profile Q");
    without([&] { config.interfaces["GigabitEthernet0/0"].address.reset(); }, "has no address");
    without([&] { config.interfaces["GigabitEthernet0/0"].shutdown = true; }, "is shut down");
    without([&] { config.ipsec_profiles["P"].transform_sets.clear(); }, "no set transform-set");
    config = sound;
    ports.erase(ports.begin());
    EXPECT_THAT(provision().tunnel_faults["Tunnel10"], HasSubstr("has no port"));
}

TEST_F(TunnelProvision, ASourceMayBeAnAddress) {
    auto& settings = config.interfaces["Tunnel10"].tunnel;
    settings.source_interface.clear();
    settings.source = Ipv4Address(192, 0, 2, 1);
    EXPECT_EQ(provision().tunnels.at("Tunnel10").carrier, "GigabitEthernet0/0");
    settings.source = Ipv4Address(192, 0, 2, 77);
    expect_fault("no interface has its source, 192.0.2.77");
}

} // namespace
} // namespace adit
