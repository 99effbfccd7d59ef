// SPDX-License-Identifier: Apache-2.0
// Any configuration, printed and read back, is the same configuration, byte for byte.
#include "control/config/names.h"
#include "control/config/parse.h"
#include "control/config/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace adit::config {

namespace {

class Generator {
  public:
    explicit Generator(unsigned seed) : random_(seed) {}

    Config make() {
        Config config;
        if (coin())
            config.hostname = word();
        config.logging_session = coin();
        times(2, [&] { config.trustpoints[word()] = trustpoint(); });
        config.isakmp_default_policies = coin();
        times(3, [&] { config.isakmp_policies[number(1, 10'000)] = policy(); });
        times(4, [&] { add_key(config.isakmp_keys, coin()); });
        times(2, [&] { config.keyrings[word()] = keyring(); });
        times(2, [&] { config.isakmp_profiles[word()] = profile(); });
        times(2, [&] { config.isakmp_peers[Ipv4Address{number(1, 4'000'000'000U)}] = peer(); });
        if (coin())
            config.isakmp_identity = self();
        config.aggressive_mode = one_of<ike::AggressiveMode>({ike::AggressiveMode::Disabled,
                                                              ike::AggressiveMode::Named,
                                                              ike::AggressiveMode::Enabled});
        if (coin())
            config.domain_name = word();
        if (coin())
            config.keepalive = Keepalive{number(10, 3'600), number(2, 60), coin()};
        if (coin())
            config.nat_keepalive_seconds = number(5, 3'600);
        if (coin())
            config.fragmentation_mtu.reset();
        else if (coin())
            config.fragmentation_mtu = number(96, 1'500);
        config.sa_lifetime = lifetime();
        if (coin())
            config.sa_idle_seconds = number(60, 86'400);
        config.udp_always = coin();
        if (config.sa_lifetime.seconds == kDefaultSaSeconds)
            config.sa_lifetime.seconds.reset();
        config.replay_window = 64U << number(0, 6);
        config.replay_disabled = coin();
        times(3, [&] { config.transform_sets[word()] = transform_set(); });
        times(3, [&] { config.access_lists[acl_name()] = access_list(); });
        times(3, [&] { config.crypto_maps[word()][number(1, 65'535)] = entry(); });
        times(2, [&] {
            CryptoMapEntry& dynamic = config.dynamic_maps[word()][number(1, 65'535)];
            dynamic = entry();
            dynamic.reverse_route = coin();
        });
        times(2, [&] {
            CryptoMapEntry& entry = config.crypto_maps[word()][number(1, 65'535)];
            entry = {};
            entry.dynamic_map = word();
        });
        add_clients(config);
        times(4, [&] { config.interfaces[interface_name()] = interface(); });
        times(2, [&] { config.ipsec_profiles[word()] = terms(); });
        times(3,
              [&] { config.interfaces["Tunnel" + std::to_string(number(0, 2'000))] = tunnel(); });
        times(4, [&] { add_route(config); });
        return config;
    }

  private:
    std::uint32_t number(std::uint32_t low, std::uint32_t high) {
        return std::uniform_int_distribution<std::uint32_t>{low, high}(random_);
    }

    bool coin() { return number(0, 1) == 1; }

    template <class Action> void times(std::uint32_t most, Action action) {
        for (std::uint32_t i = number(0, most); i > 0; --i)
            action();
    }

    Trustpoint trustpoint() {
        Trustpoint made;
        for (std::string* file :
             {&made.ca_file, &made.certificate_file, &made.key_file, &made.crl_file})
            if (coin())
                *file = "/etc/adit/" + word();
        made.check_revocation = coin();
        return made;
    }

    std::string word() {
        static constexpr std::string_view kLetters = "ABCDEFGHIJabcdefghij0123456789-.";
        std::string text(1, static_cast<char>('A' + number(0, 25)));
        times(8, [&] { text += kLetters[number(0, kLetters.size() - 1)]; });
        return text;
    }

    std::string sentence() { return word() + " " + word() + "| " + word(); }

    Ipv4Address host() {
        return Ipv4Address{10, byte(), byte(), static_cast<std::uint8_t>(number(1, 254))};
    }

    std::uint8_t byte() { return static_cast<std::uint8_t>(number(0, 255)); }

    Ipv4Prefix prefix(std::uint8_t length) {
        return {Ipv4Address{host().value & mask_of_length(length)}, length};
    }

    template <class Value> Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + number(0, static_cast<std::uint32_t>(values.size() - 1)));
    }

    ike::Group group() { return ike::kGroups[number(0, ike::kGroups.size() - 1)].group; }

    IsakmpPolicy policy() {
        using enum ike::CipherAlgorithm;
        using enum ike::HashAlgorithm;
        IsakmpPolicy policy;
        policy.encryption_configured = coin();
        if (policy.encryption_configured)
            policy.encryption = one_of({TripleDesCbc, AesCbc128, AesCbc192, AesCbc256});
        policy.hash = one_of({Md5, Sha1, Sha256, Sha384, Sha512});
        policy.authentication =
            coin() ? AuthenticationMethod::PreShare : AuthenticationMethod::RsaSig;
        policy.group = group();
        policy.lifetime_seconds = coin() ? 86'400 : number(60, 86'400);
        return policy;
    }

    std::shared_ptr<const SecretBuffer> key_text() {
        const std::string text =
            coin() ? one_of<std::string>({"0", "6", "address", "a!b#c|d"}) : word();
        return std::make_shared<const SecretBuffer>(as_bytes(text));
    }

    void add_key(std::vector<IsakmpKey>& keys, bool no_xauth) {
        IsakmpKey made{.address = {}, .key = key_text(), .no_xauth = no_xauth, .hostname = {}};
        if (coin())
            made.address = prefix(static_cast<std::uint8_t>(number(0, 32)));
        else
            made.hostname = word();
        for (const IsakmpKey& key : keys)
            if (key.address == made.address && key.hostname == made.hostname)
                return;
        keys.push_back(std::move(made));
    }

    Keyring keyring() {
        Keyring keyring;
        if (coin())
            keyring.description = word();
        times(3, [&] { add_key(keyring.keys, false); });
        return keyring;
    }

    ike::SelfIdentity self() {
        const auto type = one_of<ike::IdType>(
            {ike::IdType::Fqdn, ike::IdType::UserFqdn, ike::IdType::KeyId, ike::IdType::DerDn});
        const bool unnamed = type == ike::IdType::DerDn || (type == ike::IdType::Fqdn && coin());
        return {type, unnamed ? std::string{} : word()};
    }

    IsakmpProfile profile() {
        using Kind = ike::IdentityMatch::Kind;
        IsakmpProfile profile;
        if (coin())
            profile.description = word();
        if (coin())
            profile.keyrings.push_back(word());
        if (coin())
            profile.self = self();
        if (coin())
            profile.matches.push_back(
                {Kind::Address, prefix(static_cast<std::uint8_t>(number(0, 32))), {}});
        for (const Kind kind :
             {Kind::Host, Kind::HostDomain, Kind::User, Kind::UserDomain, Kind::Group})
            if (coin())
                profile.matches.push_back({kind, {}, "n" + word()}); // never short for "domain"
        if (coin())
            profile.matches.push_back({Kind::Any, {}, {}});
        if (coin())
            profile.keepalive = Keepalive{number(10, 3'600), number(2, 60), true};
        profile.initiate_aggressive = coin();
        return profile;
    }

    IsakmpPeer peer() {
        IsakmpPeer peer;
        if (coin())
            peer.description = word();
        if (coin())
            peer.key = key_text();
        if (coin())
            peer.self = {
                one_of<ike::IdType>({ike::IdType::Fqdn, ike::IdType::UserFqdn, ike::IdType::KeyId}),
                word()};
        return peer;
    }

    SaLifetime lifetime() {
        SaLifetime lifetime;
        if (coin())
            lifetime.seconds = number(120, 2'592'000);
        if (coin())
            lifetime.kilobytes = coin() ? 0 : number(2'560, 4'294'967'295U);
        return lifetime;
    }

    TransformSet transform_set() {
        TransformSet set;
        set.cipher = kEspCiphers[number(0, kEspCiphers.size() - 1)].cipher;
        set.mac = is_combined_mode(set.cipher) ? EspMac::None
                                               : kEspMacs[number(1, kEspMacs.size() - 1)].mac;
        set.transport = coin();
        set.mode_required = set.transport && coin();
        set.esn = coin();
        return set;
    }

    std::string acl_name() {
        return coin() ? word() : std::to_string(coin() ? number(100, 199) : number(2'000, 2'699));
    }

    AclAddress term() {
        if (number(0, 3) == 0)
            return {Ipv4Address{}, Ipv4Address{~0U}};
        const Ipv4Address wildcard =
            coin() ? Ipv4Address{number(0, ~0U)} : Ipv4Address{~mask_of_length(number(0, 32))};
        return {Ipv4Address{host().value & ~wildcard.value}, wildcard};
    }

    PortRange ports() {
        if (coin())
            return {};
        const auto a = static_cast<std::uint16_t>(number(0, 0xffff));
        const auto b =
            static_cast<std::uint16_t>(number(0, 3) == 0 ? number(0, 600) : number(0, 0xffff));
        return one_of<PortRange>({{b, b}, {std::min(a, b), std::max(a, b)}, {0, b}, {b, 0xffff}});
    }

    AclLine acl_line() {
        if (number(0, 5) == 0)
            return {.remark = sentence()};
        AclLine line{.permit = coin(),
                     .protocol = one_of<std::uint8_t>({0, 1, kTcp, kUdp, 47, 50, byte()})};
        line.source = term();
        line.destination = term();
        if (line.protocol == kTcp || line.protocol == kUdp) {
            line.source_port = ports();
            line.destination_port = ports();
        }
        return line;
    }

    AccessList access_list() {
        AccessList list;
        std::uint32_t sequence = 0;
        const bool regular = coin();
        times(6, [&] {
            AclLine line = acl_line();
            for (const AclLine& other : list.lines)
                if (acl_line_text(other) == acl_line_text(line))
                    return;
            if (line.remark.empty())
                line.sequence = sequence += regular ? 10 : number(1, 30);
            list.lines.push_back(line);
        });
        return list;
    }

    CryptoMapEntry entry() {
        CryptoMapEntry entry;
        times(3, [&] {
            const Ipv4Address peer = host();
            if (std::find(entry.peers.begin(), entry.peers.end(), peer) == entry.peers.end())
                entry.peers.push_back(peer);
        });
        times(3, [&] { entry.transform_sets.push_back(word()); });
        if (coin())
            entry.pfs = group();
        if (coin())
            entry.match_address = acl_name();
        entry.lifetime = lifetime();
        entry.prefers_first = !entry.peers.empty() && coin();
        if (coin())
            entry.idle_seconds = number(60, 86'400);
        entry.idle_to_default = entry.idle_seconds && coin();
        if (coin())
            entry.description = sentence();
        return entry;
    }

    std::string interface_name() {
        return one_of<std::string>({"GigabitEthernet", "TenGigabitEthernet", "Loopback"}) +
               std::to_string(number(0, 3)) + "/" + std::to_string(number(0, 12)) +
               (coin() ? "." + std::to_string(number(1, 4'094)) : "");
    }

    Interface interface() {
        Interface interface;
        if (coin())
            interface.description = sentence();
        if (coin()) {
            interface.prefix_length = static_cast<std::uint8_t>(number(8, 30));
            const Ipv4Address network = prefix(interface.prefix_length).address;
            interface.address = Ipv4Address{network.value + 1};
        }
        if (coin())
            interface.ip_mtu = number(68, 9'216);
        if (coin())
            interface.crypto_map = word();
        interface.shutdown = coin();
        return interface;
    }

    IpsecProfile terms() {
        IpsecProfile terms = entry();
        terms.idle_to_default = false; // it has no peers to choose from
        return terms;
    }

    Interface tunnel() {
        Interface tunnel = interface();
        tunnel.crypto_map.clear();
        if (coin()) {
            tunnel.address.reset();
            tunnel.prefix_length = 0;
            tunnel.unnumbered = interface_name();
        }
        if (coin())
            tunnel.tcp_mss = number(500, 1'460);
        if (coin())
            tunnel.tunnel.source_interface = interface_name();
        else if (coin())
            tunnel.tunnel.source = host();
        if (coin())
            tunnel.tunnel.destination = host();
        tunnel.tunnel.ipsec = coin();
        if (coin())
            tunnel.tunnel.profile = word();
        return tunnel;
    }

    User user() {
        User user;
        user.password.kind = coin() ? ike::PasswordKind::Scrypt : ike::PasswordKind::Pbkdf2Sha256;
        for (char& character : user.password.salt)
            character = static_cast<char>('0' + number(0, 9));
        for (std::uint8_t& octet : user.password.digest)
            octet = byte();
        if (coin())
            user.privilege = static_cast<std::uint8_t>(number(0, 15));
        return user;
    }

    ClientGroup client_group() {
        ClientGroup group;
        if (coin())
            group.key = std::make_shared<const SecretBuffer>(as_bytes(word()));
        times(2, [&] { group.dns.push_back(host()); });
        times(2, [&] { group.wins.push_back(host()); });
        for (std::string* text : {&group.domain, &group.pool, &group.acl})
            *text = coin() ? word() : "";
        for (std::vector<std::string>* names : {&group.split_dns, &group.backup_gateways})
            if (coin())
                *names = {word()};
        group.banner = coin() ? sentence() : "";
        if (coin())
            group.netmask = Ipv4Address{mask_of_length(number(0, 32))};
        if (coin())
            group.max_users = number(1, 5'000);
        if (coin())
            group.max_logins = number(1, 10);
        group.save_password = coin();
        group.pfs = coin();
        return group;
    }

    void add_clients(Config& config) {
        config.aaa_new_model = coin();
        times(2, [&] { config.login_lists.insert("L" + word()); });
        times(2, [&] { config.network_lists.insert(coin() ? "default" : "N" + word()); });
        times(3, [&] { config.users[word()] = user(); });
        times(2, [&] { config.client_groups[coin() ? "default" : "G" + word()] = client_group(); });
        times(2, [&] {
            const std::uint32_t first = 0x0a000000 + 0x10000 * number(1, 200);
            for (const auto& [name, other] : config.pools)
                if (other.first.value >> 16 == first >> 16)
                    return;
            config.pools[word()] = {Ipv4Address{first}, Ipv4Address{first + number(0, 0xffff)}};
        });
        times(2, [&] {
            config.client_access[word()] = {
                coin() ? "default" : "L" + word(), "N" + word(), coin(), coin()};
        });
    }

    void add_route(Config& config) {
        StaticRoute route{.prefix = prefix(static_cast<std::uint8_t>(number(0, 32)))};
        if (coin())
            route.interface = interface_name();
        if (route.interface.empty() || coin())
            route.next_hop = host();
        route.distance = coin() ? 1 : static_cast<std::uint8_t>(number(1, 255));
        config.routes.push_back(route);
    }

    std::mt19937 random_;
};

/// The problems of the text itself; a random configuration seldom holds together.
std::string text_problems(const ParseResult& result) {
    std::string text;
    for (const Problem& problem : result.problems)
        if (!problem.text.empty() && problem.severity != ProblemSeverity::Warning)
            text += to_string(problem) + '\n';
    return text;
}

TEST(RoundTrip, GivesTheSameTextForRandomConfigurations) {
    constexpr unsigned kConfigurations = 3'000;
    for (unsigned seed = 0; seed < kConfigurations; ++seed) {
        const std::string text = render(Generator{seed}.make(), Secrets::Clear);
        const auto result = parse_config(text);
        ASSERT_EQ(text_problems(result), "") << "seed " << seed << '\n' << text;
        ASSERT_EQ(render(result.config, Secrets::Clear), text) << "seed " << seed;
    }
}

TEST(RoundTrip, HidesEveryKeyUnlessAskedTo) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        const Config config = Generator{seed}.make();
        const std::string text = render_running_config(config, Secrets::Hidden);
        std::size_t hidden = 0;
        for (std::size_t at = 0; (at = text.find("<hidden>", at)) != std::string::npos; ++at)
            ++hidden;
        std::size_t keys = config.isakmp_keys.size();
        for (const auto& [name, keyring] : config.keyrings)
            keys += keyring.keys.size();
        for (const auto& [address, peer] : config.isakmp_peers)
            keys += static_cast<std::size_t>(peer.key != nullptr);
        for (const auto& [name, group] : config.client_groups)
            keys += static_cast<std::size_t>(group.key != nullptr);
        EXPECT_EQ(hidden, keys);
    }
}

TEST(Render, LeavesDefaultsOut) {
    EXPECT_EQ(render(Config{}, Secrets::Hidden), "version 15.7\n!\nhostname Router\n!\n!\nend\n");
}

TEST(Render, HeadsTheRunningConfiguration) {
    const std::string text = render_running_config(Config{}, Secrets::Hidden);
    EXPECT_EQ(text,
              "Building configuration...\n\nCurrent configuration : 41 bytes\n!\n"
              "version 15.7\n!\nhostname Router\n!\n!\nend\n");
    EXPECT_EQ(text.size() - text.find("!\nversion"), 41U);
}

TEST(Render, PrintsWhatARouterPrints) {
    const std::string text = "crypto isakmp policy 10\n"
                             " encr aes 256\n"
                             " hash sha256\n"
                             " authentication pre-share\n"
                             " group 14\n"
                             "!\n";
    EXPECT_THAT(render(parse_config(text).config, Secrets::Hidden), ::testing::HasSubstr(text));
}

TEST(Render, GivesOneInterface) {
    const auto config = parse_config("interface gi0/1\n ip address 10.0.0.1 255.0.0.0\n").config;
    EXPECT_EQ(render_interface(config, "GigabitEthernet0/1"),
              "interface GigabitEthernet0/1\n ip address 10.0.0.1 255.0.0.0\n!\n");
    EXPECT_EQ(render_interface(config, "GigabitEthernet0/2"), "");
}

} // namespace

} // namespace adit::config
