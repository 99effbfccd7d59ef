// SPDX-License-Identifier: Apache-2.0
// What is looked up in a configuration, however large: keys by prefix, entries by name and by peer.
#include "control/ike/interface.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

PresharedKey key_for(const char* prefix, std::string name = {}) {
    return {*parse_ipv4_prefix(prefix), nullptr, std::move(name)};
}

Connection entry(std::string name, std::vector<Ipv4Address> peers) {
    Connection connection;
    connection.name = std::move(name);
    connection.peers = std::move(peers);
    return connection;
}

constexpr Ipv4Address kPeer{192, 0, 2, 20};
constexpr Ipv4Address kOther{192, 0, 2, 21};

TEST(KeyIndex, LongestPrefixWinsAndOfEqualOnesTheFirst) {
    const Keyring keys{key_for("0.0.0.0/0"),
                       key_for("192.0.2.0/24"),
                       key_for("192.0.2.0/24"),
                       key_for("192.0.2.20/32", "named"),
                       key_for("192.0.2.21/32")};
    EXPECT_EQ(keys.index().longest(kPeer), 1U);
    EXPECT_EQ(keys.index().longest(kOther), 4U);
    EXPECT_EQ(keys.index().longest(Ipv4Address{203, 0, 113, 1}), 0U);
}

TEST(KeyIndex, NobodysKeyIsNone) {
    EXPECT_EQ(Keyring{}.index().longest(kPeer), std::nullopt);
    EXPECT_EQ((Keyring{key_for("192.0.2.21/32")}.index().longest(kPeer)), std::nullopt);
}

TEST(ConnectionIndex, FindsEntriesByNameAndByPeerInTheirOrder) {
    EngineConfig config;
    config.connections = {entry("M 10", {kPeer, kOther, kPeer}), entry("M 20", {kPeer})};
    EXPECT_EQ(find_connection(config, "M 20"), &std::as_const(config).connections[1]);
    EXPECT_EQ(find_connection(config, "M 30"), nullptr);
    const auto of_peer = connections_with(config, kPeer);
    ASSERT_EQ(of_peer.size(), 2U);
    EXPECT_EQ(of_peer[0]->name, "M 10");
    EXPECT_EQ(of_peer[1]->name, "M 20");
    EXPECT_EQ(connections_with(config, kOther).size(), 1U);
}

TEST(ConnectionIndex, KnowsWhatWasChangedSinceTheLastQuestion) {
    EngineConfig config;
    config.connections = {entry("M 10", {kPeer})};
    EXPECT_EQ(connections_with(config, kPeer).size(), 1U);
    config.connections.front().peers = {kOther};
    EXPECT_TRUE(connections_with(config, kPeer).empty());
    config.connections.push_back(entry("M 20", {kPeer}));
    EXPECT_EQ(connections_with(config, kPeer).size(), 1U);
    EngineConfig copy = config;
    copy.connections.back().name = "M 30";
    EXPECT_EQ(find_connection(copy, "M 20"), nullptr);
    EXPECT_NE(find_connection(config, "M 20"), nullptr);
}

} // namespace
} // namespace adit::ike
