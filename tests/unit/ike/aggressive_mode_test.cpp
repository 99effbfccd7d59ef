// SPDX-License-Identifier: Apache-2.0
// Aggressive mode between two engines: who may, who may not, and what outsiders learn.
#include "control/ike/message.h"
#include "control/ike/peer_policy.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

constexpr const char* kName = "spoke.example.net";

/// The left side calls itself by name; its key at the right side stands under that name alone.
EngineConfig spoke() {
    EngineConfig config = test::left_config();
    config.aggressive_peers = {
        {test::kRight, test::secret("a key of the spoke"), {IdType::Fqdn, kName}}};
    return config;
}

EngineConfig hub() {
    EngineConfig config = test::right_config();
    config.keys = {{{}, test::secret("a key of the spoke"), kName}};
    return config;
}

class Aggressive : public ::testing::Test {
  protected:
    void SetUp() override {
        network.tap = [&](const SendDatagram& send) {
            const auto header = parse_header(send.payload);
            if (send.local.address == test::kLeft)
                sent_bytes += send.payload.size();
            else
                answered_bytes += send.payload.size();
            dialogue.push_back((send.local.address == test::kLeft ? "-> " : "<- ") +
                               name(header->exchange) + (header->encrypted() ? "*" : ""));
            return !lose || !lose(send);
        };
    }

    void start(EngineConfig left = spoke(), EngineConfig right = hub()) {
        a = &network.add("left", test::kLeft, std::move(left), 1);
        b = &network.add("right", test::kRight, std::move(right), 2);
    }

    void run(Duration time = 3s) {
        network.give(*a, test::initiate());
        network.run_for(time);
    }

    void expect_tunnel() {
        ASSERT_EQ(a->installed.size(), 2U);
        ASSERT_EQ(b->installed.size(), 2U);
        for (const auto& [id, sa] : a->installed)
            EXPECT_TRUE(std::ranges::any_of(b->installed, [&](const auto& twin) {
                return twin.second.spi == sa.spi && twin.second.key == sa.key &&
                       twin.second.inbound != sa.inbound;
            }));
    }

    Network network{7};
    Gateway* a{nullptr};
    Gateway* b{nullptr};
    std::vector<std::string> dialogue;
    std::size_t sent_bytes{0};
    std::size_t answered_bytes{0};
    std::function<bool(const SendDatagram&)> lose;
};

TEST_F(Aggressive, ThreeMessagesThenQuickMode) {
    start();
    run();
    const std::vector<std::string> expected = {"-> Aggressive mode",
                                               "<- Aggressive mode",
                                               "-> Aggressive mode*",
                                               "-> Quick mode*",
                                               "<- Quick mode*",
                                               "-> Quick mode*"};
    EXPECT_EQ(dialogue, expected);
    expect_tunnel();
    EXPECT_EQ(b->engine.isakmp_sas().front().peer_identity, kName);
    EXPECT_EQ(a->engine.isakmp_sas().front().state, "QM_IDLE");
}

/// But for NAT discovery, which a peer behind a NAT cannot do without.
TEST_F(Aggressive, AnswerIsHardlyLongerThanItsQuestion) {
    start();
    run(0ms);
    network.run_for(5ms);
    ASSERT_EQ(dialogue.size(), 2U);
    constexpr std::size_t kDiscoveryBytes = 2 * (4 + 32); // SHA2-256
    EXPECT_LE(answered_bytes, sent_bytes + kDiscoveryBytes);
    EXPECT_LE(answered_bytes * 10, sent_bytes * 12);
}

TEST_F(Aggressive, OneAnswerAndNoRetransmissionToAnUnprovedAddress) {
    start();
    lose = [](const SendDatagram& send) { return send.local.address == test::kRight; };
    run(500ms);
    EXPECT_EQ(std::ranges::count(dialogue, "<- Aggressive mode"), 1);
}

TEST_F(Aggressive, OffUnlessSomebodyIsNamed) {
    EngineConfig right = test::right_config(); // a key by address alone
    start(spoke(), right);
    run();
    EXPECT_EQ(std::ranges::count(dialogue, "<- Aggressive mode"), 0);
    EXPECT_TRUE(b->engine.isakmp_sas().empty());
    EXPECT_TRUE(b->logged({"IKMP_MODE_FAILURE", "Aggressive mode"}));
}

TEST_F(Aggressive, EnabledServesKeysByAddressToo) {
    EngineConfig right = test::right_config();
    right.aggressive = AggressiveMode::Enabled;
    EngineConfig left = spoke();
    left.aggressive_peers.front().key = test::secret("correct horse battery");
    start(left, right);
    run();
    expect_tunnel();
}

TEST_F(Aggressive, DisabledOutweighsEveryName) {
    EngineConfig right = hub();
    right.aggressive = AggressiveMode::Disabled;
    start(spoke(), right);
    run();
    EXPECT_EQ(std::ranges::count(dialogue, "<- Aggressive mode"), 0);
}

/// SECURITY U13: a name nobody has is answered like one with another key; only message 3 fails.
TEST_F(Aggressive, UnknownNameLooksLikeAWrongKey) {
    EngineConfig stranger = spoke();
    stranger.aggressive_peers.front().self.text = "nobody.example.net";
    start(stranger);
    run();
    EXPECT_EQ(std::ranges::count(dialogue, "<- Aggressive mode"), 1);
    EXPECT_TRUE(a->logged({"psk-mismatch"}));
    EXPECT_TRUE(a->installed.empty());
    EXPECT_TRUE(b->installed.empty());
}

TEST_F(Aggressive, UnknownNameGetsTheSameKeyAgain) {
    EngineConfig stranger = spoke();
    stranger.aggressive_peers.front().self.text = "nobody.example.net";
    start(stranger);
    std::vector<Bytes> identities;
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kRight) {
            const auto message = parse_clear(send.payload);
            if (message && message->find(PayloadType::Hash) != nullptr)
                identities.push_back(to_bytes(message->find(PayloadType::Identification)->body));
        }
        return true;
    };
    run();
    network.run_for(90s);
    network.give(*a, test::initiate());
    network.run_for(3s);
    ASSERT_EQ(identities.size(), 2U);
    EXPECT_EQ(identities[0], identities[1]);
}

TEST_F(Aggressive, WrongKeyIsNamedByTheInitiator) {
    EngineConfig left = spoke();
    left.aggressive_peers.front().key = test::secret("another key");
    start(left);
    run(120s);
    EXPECT_TRUE(a->logged({"psk-mismatch", "HASH does not verify"}));
    EXPECT_TRUE(a->is_empty());
    EXPECT_TRUE(b->is_empty());
}

/// Message 3 has no answer. When it is lost, quick mode shows that the peer has our message 2; it
/// goes out again and brings message 3 back.
TEST_F(Aggressive, LostLastMessageIsMadeUpFor) {
    start();
    bool lost = false;
    lose = [&](const SendDatagram& send) {
        const auto header = parse_header(send.payload);
        const bool third = header->exchange == ExchangeType::Aggressive && header->encrypted();
        return third && !std::exchange(lost, true);
    };
    run(10s);
    EXPECT_TRUE(lost);
    expect_tunnel();
}

// --- floods of first messages

/// In the peer's own name, a thousand before each message of its own.
TEST_F(Aggressive, FloodInThePeersNameDoesNotKeepItOut) {
    start();
    Bytes first;
    std::uint64_t cookie = 0;
    std::size_t jobs = 0;
    network.work = [&](Gateway& gateway, const Job& job) {
        jobs += &gateway == b ? 1 : 0;
        return std::optional{ike::run(job, gateway.rng)};
    };
    lose = [&](const SendDatagram& send) {
        if (send.local.address == test::kRight) // answers to the flood go nowhere
            return parse_header(send.payload)->cookies.initiator.value <= cookie;
        if (first.empty())
            first = send.payload;
        for (unsigned i = 0; i < 1'000; ++i) {
            store_be(first.data(), ++cookie);
            network.give_datagram(*b, {test::kLeft, 500}, 500, first);
        }
        return false;
    };
    run(4s);
    expect_tunnel();
    EXPECT_GT(b->failures(Failure::HalfOpenLimit), 2'000U);
    EXPECT_LT(jobs, 900U) << "two hundred a second";
}

/// However long each computation takes.
TEST_F(Aggressive, FloodLeavesRoomForMainMode) {
    EngineConfig right = hub();
    right.keys.push_back({{test::kLeft, 32}, test::secret("correct horse battery")});
    start(test::left_config(), right);
    EngineConfig noise = spoke();
    noise.connections.front().local = {198, 51, 100, 7};
    Gateway& flooder = network.add("flooder", {198, 51, 100, 7}, noise, 3);
    Bytes first;
    lose = [&](const SendDatagram& send) {
        if (send.local.address == flooder.address)
            first = send.payload;
        return send.local.address == flooder.address;
    };
    network.give(flooder, test::initiate());
    network.run_for(10ms);
    network.work_time = [] { return 5s; };
    for (std::uint64_t cookie = 1; cookie <= 5'000; ++cookie) {
        store_be(first.data(), cookie);
        network.give_datagram(*b, {test::kLeft, 500}, 500, first);
        if (cookie % 100 == 0)
            network.run_for(10ms);
    }
    network.work_time = [] { return 1ms; };
    network.give(*a, test::initiate());
    network.run_for(2s);
    expect_tunnel();
    EXPECT_GT(b->failures(Failure::HalfOpenLimit), 4'900U);
}

TEST_F(Aggressive, ProfileMatchesByNameAndGivesOurs) {
    EngineConfig right = test::right_config();
    right.keys.clear();
    IsakmpProfile profile;
    profile.name = "SPOKES";
    profile.matches = {{IdentityMatch::Kind::HostDomain, {}, "example.net"}};
    profile.keys = {{{Ipv4Address{}, 0}, test::secret("a key of the spoke")}};
    profile.self = SelfIdentity{IdType::Fqdn, "hub.example.net"};
    right.profiles = {profile};
    right.connections.front().profile = "SPOKES";
    start(spoke(), right);
    run();
    expect_tunnel();
    EXPECT_EQ(a->engine.isakmp_sas().front().peer_identity, "hub.example.net");
}

/// A profile that matches the name holds another key: refused, and the words say which profile.
TEST(PeerPolicy, AProfilesKeyIsForThoseItMatches) {
    EngineConfig config = test::right_config();
    IsakmpProfile profile;
    profile.name = "P";
    profile.matches = {{IdentityMatch::Kind::Host, {}, "one.example.net"}};
    profile.keys = {{{test::kLeft, 32}, test::secret("of the profile")}};
    config.profiles = {profile};
    const Identity one{IdType::Fqdn, 0, 0, to_bytes(as_bytes("ONE.example.net"))};
    const Identity two{IdType::Fqdn, 0, 0, to_bytes(as_bytes("two.example.net"))};
    const auto global = test::secret("correct horse battery");
    const auto of_profile = test::secret("of the profile");

    const auto matched = choose_profile(config, one, test::kLeft, of_profile.get());
    ASSERT_TRUE(matched);
    EXPECT_EQ((*matched)->name, "P");
    const auto other = choose_profile(config, one, test::kLeft, global.get());
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().find("profile P"), std::string::npos);
    const auto unmatched = choose_profile(config, two, test::kLeft, global.get());
    ASSERT_TRUE(unmatched);
    EXPECT_EQ(*unmatched, nullptr);
    EXPECT_FALSE(choose_profile(config, two, test::kLeft, of_profile.get()));
}

TEST(PeerPolicy, IdentitiesMatchByKind) {
    using Kind = IdentityMatch::Kind;
    const auto named = [](IdType type, const char* text) {
        return Identity{type, 0, 0, to_bytes(as_bytes(text))};
    };
    const Identity host = named(IdType::Fqdn, "gw.Example.com");
    const Identity user = named(IdType::UserFqdn, "ann@example.com");
    const Identity group = named(IdType::KeyId, "SALES");
    EXPECT_TRUE(matches({Kind::Host, {}, "GW.example.com"}, host));
    EXPECT_FALSE(matches({Kind::Host, {}, "example.com"}, host));
    EXPECT_TRUE(matches({Kind::HostDomain, {}, "example.com"}, host));
    EXPECT_FALSE(matches({Kind::HostDomain, {}, "ample.com"}, host));
    EXPECT_FALSE(
        matches({Kind::HostDomain, {}, "example.com"}, named(IdType::Fqdn, "example.com")));
    EXPECT_TRUE(matches({Kind::User, {}, "ann@example.com"}, user));
    EXPECT_TRUE(matches({Kind::UserDomain, {}, "example.com"}, user));
    EXPECT_FALSE(matches({Kind::Host, {}, "ann@example.com"}, user));
    EXPECT_TRUE(matches({Kind::Group, {}, "SALES"}, group));
    EXPECT_FALSE(matches({Kind::Group, {}, "sales"}, group)) << "key ids are octets";
    EXPECT_TRUE(
        matches({Kind::Address, *parse_ipv4_prefix("192.0.2.0/24"), {}}, identity_of(test::kLeft)));
    EXPECT_FALSE(
        matches({Kind::Address, *parse_ipv4_prefix("192.0.3.0/24"), {}}, identity_of(test::kLeft)));
}

TEST(PeerPolicy, LongestPrefixOfAllKeyringsWins) {
    EngineConfig config;
    config.keys = {{{Ipv4Address{}, 0}, test::secret("anybody")}};
    IsakmpProfile profile;
    profile.name = "P";
    profile.keys = {{*parse_ipv4_prefix("192.0.2.0/24"), test::secret("network")}};
    config.profiles = {profile};
    EXPECT_EQ(*key_for_address(config, nullptr, test::kLeft), *test::secret("network"));
    EXPECT_EQ(*key_for_address(config, nullptr, Ipv4Address{10, 0, 0, 1}),
              *test::secret("anybody"));
    EXPECT_EQ(key_for_address(config, &config.profiles.front(), Ipv4Address{10, 0, 0, 1}), nullptr);
}

} // namespace
} // namespace adit::ike
