// SPDX-License-Identifier: Apache-2.0
// Remote access as dialogues: a login before anything else, addresses that belong to users and
// their SAs, and clients that try to get around either.
#include "tests/support/ike_client.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using namespace std::chrono_literals;
using test::ScriptedClient;
using A = ConfigAttribute;

constexpr Ipv4Address kGateway = test::kRight;
constexpr Ipv4Address kClient = test::kLeft;
constexpr const char* kPsk = "correct horse battery";

PasswordHash hashed(const char* password) {
    test::SeededRng rng{99};
    return hash_password(as_bytes(password), rng);
}

/// Policies as provisioned, for the addresses of the pool behind any peer.
EngineConfig config_with_clients() {
    EngineConfig config = test::right_config();
    config.phase1.front().xauth = true;
    config.connections.front().flows.clear();
    for (std::uint32_t i = 1; i <= 3; ++i)
        config.connections.front().flows.push_back(
            {PolicyId{i},
             {Ipv4Range::of({Ipv4Address{}, 0}),
              Ipv4Range::host(Ipv4Address{10, 9, 0, static_cast<std::uint8_t>(i)}),
              0,
              {},
              {}},
             i});
    config.users = {{"ann", hashed("anns secret")}, {"bob", hashed("bobs secret")}};
    config.pools = {{"P", {Ipv4Address{10, 9, 0, 1}, Ipv4Address{10, 9, 0, 3}}}};
    ClientGroup group;
    group.name = "default";
    group.pool = "P";
    group.dns = {Ipv4Address{10, 1, 0, 53}, Ipv4Address{10, 1, 0, 54}};
    group.wins = {Ipv4Address{10, 1, 0, 60}};
    group.domain = "example.com";
    group.banner = "Welcome";
    group.split = {*parse_ipv4_prefix("10.1.0.0/16"), *parse_ipv4_prefix("10.2.0.0/16")};
    group.split_dns = {"a.example", "b.example"};
    group.save_password = true;
    config.groups = {{"default", group}};
    ClientAccess access;
    access.login = true;
    access.users_known = true;
    access.groups_known = true;
    access.respond = true;
    config.access = {{kGateway, access}};
    return config;
}

class RemoteAccess : public ::testing::Test {
  protected:
    test::Gateway& gateway(EngineConfig config = config_with_clients()) {
        network.tap = [this](const SendDatagram& send) {
            for (const auto& client : clients)
                if (client->endpoint() == send.remote)
                    client->deliver(send.payload);
            return true;
        };
        gateway_ = &network.add("gateway", kGateway, std::move(config), 1);
        return *gateway_;
    }

    ScriptedClient& client(std::uint16_t port = 500, ScriptedClient::Options options = {}) {
        clients.push_back(std::make_unique<ScriptedClient>(
            network, *gateway_, Endpoint{kClient, port}, kPsk, options));
        return *clients.back();
    }

    std::string state() const {
        const auto sas = gateway_->engine.isakmp_sas();
        return sas.empty() ? "none" : sas.front().state;
    }

    test::Network network{5};
    test::Gateway* gateway_{nullptr};
    std::vector<std::unique_ptr<ScriptedClient>> clients;
};

TEST_F(RemoteAccess, LoginAddressAndTunnel) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    EXPECT_EQ(state(), "CONF_XAUTH");
    ASSERT_TRUE(ann.log_in("ann", "anns secret"));
    EXPECT_EQ(state(), "CONF_ADDR");
    EXPECT_TRUE(
        gw.logged({"%CRYPTO-6-VPN_TUNNEL_STATUS: (Server)  Authentication PASSED  User=ann"}));
    const auto reply =
        ann.request({A::InternalIp4Address, A::InternalIp4Netmask, A::InternalIp4Dns});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->message, ConfigMessage::Reply);
    EXPECT_EQ(reply->identifier, 7);
    EXPECT_EQ(reply->address(), (Ipv4Address{10, 9, 0, 1}));
    EXPECT_EQ(reply->attributes.count(A::InternalIp4Dns), 2U);
    EXPECT_FALSE(reply->has(A::InternalIp4Netmask)) << "the group names none";
    EXPECT_EQ(state(), "QM_IDLE");
    ann.quick_mode(reply->address());
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 1U);
    const auto view = gw.engine.isakmp_sas().front();
    EXPECT_EQ(view.user, "ann");
    EXPECT_EQ(view.group, "default");
    EXPECT_EQ(view.assigned, (Ipv4Address{10, 9, 0, 1}));
    EXPECT_TRUE(view.login);
}

/// Gateways may have part of a line; a client has what it is lent, by an entry for that.
TEST_F(RemoteAccess, LineThatHoldsItsAddressIsNotForAClient) {
    EngineConfig config = config_with_clients();
    config.connections.front().flows = {
        {PolicyId{1}, {test::range("0.0.0.0/0"), test::range("10.9.0.0/24"), 0, {}, {}}, 10}};
    test::Gateway& gw = gateway(config);
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    ASSERT_TRUE(ann.log_in("ann", "anns secret"));
    const auto reply = ann.request({A::InternalIp4Address});
    ASSERT_TRUE(reply);
    ann.quick_mode(reply->address());
    network.run_for(std::chrono::seconds{1});
    EXPECT_TRUE(gw.engine.child_sas().empty());
    EXPECT_EQ(gw.failures(Failure::ProxyMismatch), 1U);
}

TEST_F(RemoteAccess, PlainPreSharedKeyOfferIsAskedAllTheSame) {
    gateway();
    ScriptedClient& ann = client(500, {.method = AuthMethod::PreSharedKey});
    ASSERT_TRUE(ann.main_mode());
    EXPECT_EQ(state(), "CONF_XAUTH");
    ann.quick_mode({10, 9, 0, 1});
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 0U);
}

TEST_F(RemoteAccess, NothingIsServedBeforeTheLogin) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    const auto question = ann.config();
    ASSERT_TRUE(question);
    const auto nothing = [&] {
        ann.forget_inbox();
        EXPECT_FALSE(ann.request({A::InternalIp4Address}));
        ann.quick_mode({10, 9, 0, 1});
        EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 0U);
        EXPECT_TRUE(gw.installed.empty());
        EXPECT_EQ(gw.engine.pools().front().in_use, 0U);
    };
    nothing();
    ann.log_in(*question, "ann", "wrong");
    nothing();
    network.run_for(3s);
    nothing();
    EXPECT_GE(gw.failures(Failure::UnexpectedMessage), 6U);
    EXPECT_EQ(state(), "CONF_XAUTH");
}

TEST_F(RemoteAccess, WrongPasswordMayBeFollowedByTheRightOne) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    ann.log_in(*ann.config(), "ann", "wrong");
    network.run_for(1s);
    EXPECT_FALSE(ann.config()) << "not before the pause is over";
    network.run_for(2s);
    EXPECT_EQ(gw.failures(Failure::LoginFailed), 1U);
    EXPECT_TRUE(ann.log_in("ann", "anns secret"));
    EXPECT_EQ(gw.engine.isakmp_sas().front().user, "ann");
}

TEST_F(RemoteAccess, TooManyWrongPasswordsEndTheSession) {
    test::Gateway& gw = gateway();
    ScriptedClient& eve = client();
    ASSERT_TRUE(eve.main_mode());
    for (const char* guess : {"one", "two", "three"}) {
        const auto question = eve.config();
        ASSERT_TRUE(question) << guess;
        ASSERT_TRUE(question->has(A::XauthUserName)) << guess;
        eve.log_in(*question, "nobody", guess);
        network.run_for(2500ms);
    }
    const auto status = eve.config();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->value(A::XauthStatus), (Bytes{0, 0}));
    eve.acknowledge(*status);
    EXPECT_EQ(eve.waiting(ExchangeType::Informational), 1U) << "DELETE";
    EXPECT_EQ(gw.failures(Failure::LoginFailed), 3U);
    EXPECT_TRUE(gw.engine.isakmp_sas().empty());
    EXPECT_TRUE(gw.is_empty());
}

TEST_F(RemoteAccess, SilentClientIsGivenUp) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    network.run_for(90s);
    EXPECT_EQ(gw.failures(Failure::LoginTimeout), 1U);
    EXPECT_TRUE(gw.is_empty());
}

TEST_F(RemoteAccess, ListOfNobodyLetsNobodyIn) {
    EngineConfig config = config_with_clients();
    config.access.at(kGateway).users_known = false;
    gateway(config);
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    EXPECT_FALSE(ann.log_in("ann", "anns secret"));
}

TEST_F(RemoteAccess, KeyOfAGatewayIsAskedForNoName) {
    EngineConfig config = config_with_clients();
    config.keys.front().no_xauth = true;
    gateway(config);
    ScriptedClient& site = client(500, {.method = AuthMethod::PreSharedKey});
    ASSERT_TRUE(site.main_mode());
    EXPECT_EQ(state(), "QM_IDLE");
    EXPECT_FALSE(site.config());
    EXPECT_FALSE(site.request({A::InternalIp4Address})) << "and is no client of a group";
}

TEST_F(RemoteAccess, ClientSpeaksForItsOwnAddressAlone) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    ann.quick_mode({10, 9, 0, 1});
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 0U) << "no address yet";
    ASSERT_TRUE(ann.request({A::InternalIp4Address}));
    ann.quick_mode({10, 9, 0, 2});
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 0U) << "another's";
    EXPECT_EQ(gw.failures(Failure::NotItsAddress), 2U);
    ann.quick_mode({10, 9, 0, 1});
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 1U);
}

TEST_F(RemoteAccess, RequestAgainGetsTheSameAddress) {
    gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    const auto first = ann.request({A::InternalIp4Address});
    const auto second = ann.request({A::InternalIp4Address});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->address(), second->address());
}

TEST_F(RemoteAccess, CopyOfARequestGetsTheStoredAnswer) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    ASSERT_TRUE(ann.request({A::InternalIp4Address}));
    const Bytes copy = ann.last_sent();
    network.run_for(2s);
    ann.send(copy);
    EXPECT_EQ(ann.waiting(ExchangeType::Transaction), 1U);
    EXPECT_EQ(gw.engine.pools().front().in_use, 1U);
}

TEST_F(RemoteAccess, GroupSaysWhatItSays) {
    gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    const auto reply = ann.request({A::InternalIp4Address,
                                    A::InternalIp4Nbns,
                                    A::UnityBanner,
                                    A::UnityDefaultDomain,
                                    A::UnitySplitInclude,
                                    A::UnitySplitDns,
                                    A::UnitySavePassword,
                                    A::UnityPfs,
                                    A::ApplicationVersion,
                                    A::InternalIp6Address});
    ASSERT_TRUE(reply);
    EXPECT_EQ(to_text(reply->value(A::UnityBanner)), "Welcome");
    EXPECT_EQ(to_text(reply->value(A::UnityDefaultDomain)), "example.com");
    EXPECT_EQ(to_text(reply->value(A::UnitySplitDns)), "a.example,b.example");
    EXPECT_EQ(to_hex(reply->value(A::UnitySplitInclude)),
              "0a010000ffff0000000000000000"
              "0a020000ffff0000000000000000");
    EXPECT_EQ(reply->value(A::UnitySavePassword), (Bytes{0, 1}));
    EXPECT_EQ(reply->value(A::UnityPfs), (Bytes{0, 0}));
    EXPECT_TRUE(to_text(reply->value(A::ApplicationVersion)).starts_with("Adit "));
    EXPECT_EQ(reply->attributes.count(A::InternalIp4Nbns), 1U);
    EXPECT_FALSE(reply->has(A::InternalIp6Address));
}

TEST_F(RemoteAccess, AddressIsFreeWhenTheClientLeaves) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    ASSERT_TRUE(ann.request({A::InternalIp4Address}));
    EXPECT_EQ(gw.engine.pools().front().in_use, 1U);
    ann.leave();
    EXPECT_EQ(gw.engine.pools().front().in_use, 0U);
    EXPECT_TRUE(gw.is_empty());
}

TEST_F(RemoteAccess, ExhaustedPoolHasAName) {
    EngineConfig config = config_with_clients();
    config.pools.at("P").last = config.pools.at("P").first;
    test::Gateway& gw = gateway(config);
    ScriptedClient& ann = client(40001, {.behind_nat = true});
    ScriptedClient& bob = client(40002, {.behind_nat = true});
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    ASSERT_TRUE(ann.request({A::InternalIp4Address}));
    ASSERT_TRUE(bob.main_mode() && bob.log_in("bob", "bobs secret"));
    const auto reply = bob.request({A::InternalIp4Address, A::InternalIp4Dns});
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->has(A::InternalIp4Address));
    EXPECT_EQ(gw.failures(Failure::NoAddress), 1U);
    EXPECT_TRUE(gw.logged({"all 1 addresses of ip local pool P are in use"}));
}

TEST_F(RemoteAccess, ClientsBehindOneNatDoNotThrowEachOtherOut) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client(40001, {.behind_nat = true, .initial_contact = true});
    ScriptedClient& bob = client(40002, {.behind_nat = true, .initial_contact = true});
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    const auto for_ann = ann.request({A::InternalIp4Address});
    network.run_for(5s);
    ASSERT_TRUE(bob.main_mode());
    EXPECT_EQ(gw.engine.isakmp_sas().size(), 2U) << "the group's key alone throws nobody out";
    ASSERT_TRUE(bob.log_in("bob", "bobs secret"));
    const auto for_bob = bob.request({A::InternalIp4Address});
    ASSERT_TRUE(for_ann && for_bob);
    EXPECT_NE(for_ann->address(), for_bob->address());
    EXPECT_EQ(gw.engine.isakmp_sas().size(), 2U);
    bob.leave();
    ASSERT_EQ(gw.engine.isakmp_sas().size(), 1U);
    EXPECT_EQ(gw.engine.isakmp_sas().front().user, "ann");
    ann.quick_mode(for_ann->address());
    EXPECT_EQ(ann.waiting(ExchangeType::QuickMode), 1U);
}

TEST_F(RemoteAccess, WhoProvesItselfAnewKeepsItsAddress) {
    test::Gateway& gw = gateway();
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    const auto before = ann.request({A::InternalIp4Address});
    ScriptedClient& again = client(500);
    clients.front() = nullptr;
    std::erase(clients, nullptr);
    ASSERT_TRUE(again.main_mode() && again.log_in("ann", "anns secret"));
    const auto after = again.request({A::InternalIp4Address});
    ASSERT_TRUE(before && after);
    EXPECT_EQ(before->address(), after->address());
    EXPECT_EQ(gw.engine.pools().front().in_use, 1U);
}

TEST_F(RemoteAccess, RemovedUserIsLoggedOut) {
    EngineConfig config = config_with_clients();
    test::Gateway& gw = gateway(config);
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    config.users.erase("bob");
    network.give(gw, Reconfigure{std::make_shared<const EngineConfig>(config)});
    EXPECT_EQ(gw.engine.isakmp_sas().size(), 1U);
    config.users.erase("ann");
    network.give(gw, Reconfigure{std::make_shared<const EngineConfig>(config)});
    EXPECT_TRUE(gw.engine.isakmp_sas().empty());
}

TEST_F(RemoteAccess, LimitOfLoginsHolds) {
    EngineConfig config = config_with_clients();
    config.groups.at("default").max_logins = 1;
    test::Gateway& gw = gateway(config);
    ScriptedClient& phone = client(40001, {.behind_nat = true});
    ScriptedClient& laptop = client(40002, {.behind_nat = true});
    ASSERT_TRUE(phone.main_mode() && phone.log_in("ann", "anns secret"));
    ASSERT_TRUE(phone.request({A::InternalIp4Address}));
    ASSERT_TRUE(laptop.main_mode() && laptop.log_in("ann", "anns secret"));
    const auto reply = laptop.request({A::InternalIp4Address});
    EXPECT_FALSE(reply && reply->has(A::InternalIp4Address));
    EXPECT_TRUE(gw.logged({"user ann is logged in 1 times already"}));
}

TEST_F(RemoteAccess, AddressIsPushedWhenConfiguredSo) {
    EngineConfig config = config_with_clients();
    config.access.at(kGateway).respond = false;
    config.access.at(kGateway).initiate = true;
    test::Gateway& gw = gateway(config);
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode() && ann.log_in("ann", "anns secret"));
    const auto set = ann.config();
    ASSERT_TRUE(set);
    EXPECT_EQ(set->message, ConfigMessage::Set);
    EXPECT_EQ(set->address(), (Ipv4Address{10, 9, 0, 1}));
    ann.acknowledge(*set);
    network.run_for(3s);
    EXPECT_EQ(ann.waiting(ExchangeType::Transaction), 0U) << "acknowledged: not sent again";
    EXPECT_EQ(gw.engine.isakmp_sas().front().state, "QM_IDLE");
}

/// Client access under a profile for addresses of this network, none under the crypto map.
EngineConfig config_with_profile(const char* network) {
    EngineConfig config = config_with_clients();
    IsakmpProfile profile{.name = "CLIENTS", .keys = config.keys};
    profile.matches = {{IdentityMatch::Kind::Address, *parse_ipv4_prefix(network), {}}};
    profile.access = config.access.at(kGateway);
    profile.access->group = "default";
    config.profiles = {profile};
    config.access.clear();
    return config;
}

TEST_F(RemoteAccess, ProfileLetsItsPeersIn) {
    gateway(config_with_profile("0.0.0.0/0"));
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    EXPECT_EQ(state(), "CONF_XAUTH");
    ASSERT_TRUE(ann.log_in("ann", "anns secret"));
    EXPECT_EQ(state(), "CONF_ADDR");
    ASSERT_TRUE(ann.request({A::InternalIp4Address}));
}

TEST_F(RemoteAccess, PeersOfNoProfileAreNoClients) {
    gateway(config_with_profile("203.0.113.0/24"));
    ScriptedClient& ann = client();
    ASSERT_TRUE(ann.main_mode());
    EXPECT_EQ(state(), "QM_IDLE");
    EXPECT_FALSE(ann.request({A::InternalIp4Address}));
}

TEST_F(RemoteAccess, NamesArePrintedSafely) {
    test::Gateway& gw = gateway();
    ScriptedClient& eve = client();
    ASSERT_TRUE(eve.main_mode());
    eve.log_in(*eve.config(), "x\n%CRYPTO-5-FAKE: up", "y");
    network.run_for(1s);
    EXPECT_TRUE(gw.logged({"User=x?%CRYPTO-5-FAKE:?up"}));
}

} // namespace
} // namespace adit::ike
