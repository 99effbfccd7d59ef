// SPDX-License-Identifier: Apache-2.0
#include "control/config/render.h"

#include "control/config/names.h"

#include <algorithm>
#include <utility>

namespace adit::config {

namespace {

constexpr std::uint32_t kSequenceStep = 10;

std::string key_text(const SecretBuffer& key, Secrets secrets) {
    if (secrets == Secrets::Hidden)
        return "<hidden>";
    std::string text = to_text(key.view());
    // A key that looks like the type in front of a key needs the type in front of it.
    return text == "0" || text == "6" ? "0 " + text : text;
}

void put_trustpoints(std::string& to, const Config& config) {
    for (const auto& [name, trustpoint] : config.trustpoints) {
        to += "crypto pki trustpoint " + name + '\n';
        const auto put_file = [&](const char* word, const std::string& path) {
            if (!path.empty())
                to += std::string(" ") + word + ' ' + path + '\n';
        };
        put_file("ca-file", trustpoint.ca_file);
        put_file("certificate-file", trustpoint.certificate_file);
        put_file("key-file", trustpoint.key_file);
        put_file("crl-file", trustpoint.crl_file);
        to += trustpoint.check_revocation ? " revocation-check crl\n" : " revocation-check none\n";
        to += "!\n";
    }
}

void put_policies(std::string& to, const Config& config) {
    if (!config.isakmp_default_policies)
        to += "no crypto isakmp default policy\n!\n";
    for (const auto& [priority, policy] : config.isakmp_policies) {
        to += "crypto isakmp policy " + std::to_string(priority) + '\n';
        if (policy.encryption_configured)
            to += std::string(" encr ") + encryption_name(policy.encryption) + '\n';
        if (policy.hash != ike::HashAlgorithm::Sha1)
            to += std::string(" hash ") + hash_name(policy.hash) + '\n';
        if (policy.authentication != AuthenticationMethod::RsaSig)
            to +=
                std::string(" authentication ") + authentication_name(policy.authentication) + '\n';
        if (policy.group != ike::Group::Modp768)
            to += " group " + group_number(policy.group) + '\n';
        if (policy.lifetime_seconds != IsakmpPolicy{}.lifetime_seconds)
            to += " lifetime " + std::to_string(policy.lifetime_seconds) + '\n';
        to += "!\n";
    }
}

/// "address A [MASK]" or "hostname H".
std::string owner_text(const IsakmpKey& key) {
    if (!key.hostname.empty())
        return "hostname " + key.hostname;
    std::string text = "address " + to_string(key.address.address);
    if (key.address.length != 32)
        text += ' ' + to_string(key.address.mask());
    return text;
}

/// `hostname` is the word for the system's own name: commands differ in it.
std::string identity_text(const ike::SelfIdentity& self, const std::string& hostname) {
    switch (self.type) {
    case ike::IdType::Fqdn:
        return self.text.empty() ? hostname : "fqdn " + self.text;
    case ike::IdType::UserFqdn:
        return "user-fqdn " + self.text;
    case ike::IdType::KeyId:
        return "key-id " + self.text;
    case ike::IdType::DerDn:
        return "dn";
    default:
        return "address";
    }
}

std::string match_text(const ike::IdentityMatch& match) {
    using Kind = ike::IdentityMatch::Kind;
    switch (match.kind) {
    case Kind::Address: {
        std::string text = "address " + to_string(match.address.address);
        return match.address.length == 32 ? text : text + ' ' + to_string(match.address.mask());
    }
    case Kind::Host:
        return "host " + match.text;
    case Kind::HostDomain:
        return "host domain " + match.text;
    case Kind::User:
        return "user " + match.text;
    case Kind::UserDomain:
        return "user domain " + match.text;
    case Kind::Group:
        return "group " + match.text;
    case Kind::Any:
        break;
    }
    return "any";
}

void put_keyrings(std::string& to, const Config& config, Secrets secrets) {
    for (const auto& [name, keyring] : config.keyrings) {
        to += "crypto keyring " + name + '\n';
        if (!keyring.description.empty())
            to += " description " + keyring.description + '\n';
        for (const IsakmpKey& key : keyring.keys)
            to +=
                " pre-shared-key " + owner_text(key) + " key " + key_text(*key.key, secrets) + '\n';
        to += "!\n";
    }
}

void put_isakmp_peers(std::string& to, const Config& config, Secrets secrets) {
    for (const auto& [address, peer] : config.isakmp_peers) {
        to += "crypto isakmp peer address " + to_string(address) + '\n';
        if (!peer.description.empty())
            to += " description " + peer.description + '\n';
        if (peer.key != nullptr)
            to += " set aggressive-mode password " + key_text(*peer.key, secrets) + '\n';
        if (peer.self.type != ike::IdType::Ipv4Address)
            to += " set aggressive-mode client-endpoint " + identity_text(peer.self, "") + '\n';
        to += "!\n";
    }
}

/// `before` each line: the crypto map, or nothing in a profile.
void put_access(std::string& to, const std::string& before, const ClientAccess& access) {
    if (!access.authentication_list.empty())
        to += before + " client authentication list " + access.authentication_list + '\n';
    if (!access.authorization_list.empty())
        to += before + " isakmp authorization list " + access.authorization_list + '\n';
    if (access.initiate)
        to += before + " client configuration address initiate\n";
    if (access.respond)
        to += before + " client configuration address respond\n";
    if (!access.group.empty())
        to += before + " client configuration group " + access.group + '\n';
}

void put_isakmp_profiles(std::string& to, const Config& config) {
    for (const auto& [name, profile] : config.isakmp_profiles) {
        to += "crypto isakmp profile " + name + '\n';
        if (!profile.description.empty())
            to += " description " + profile.description + '\n';
        for (const std::string& keyring : profile.keyrings)
            to += " keyring " + keyring + '\n';
        if (profile.self)
            to += " self-identity " + identity_text(*profile.self, "fqdn") + '\n';
        for (const ike::IdentityMatch& match : profile.matches)
            to += " match identity " + match_text(match) + '\n';
        put_access(to, "", profile.access);
        if (profile.keepalive)
            to += " keepalive " + std::to_string(profile.keepalive->interval_seconds) + " retry " +
                  std::to_string(profile.keepalive->retry_seconds) + '\n';
        if (profile.initiate_aggressive)
            to += " initiate mode aggressive\n";
        to += "!\n";
    }
}

void put_isakmp_globals(std::string& to, const Config& config, Secrets secrets) {
    if (config.isakmp_identity.type != ike::IdType::Ipv4Address)
        to += "crypto isakmp identity " + identity_text(config.isakmp_identity, "hostname") + '\n';
    if (config.aggressive_mode != ike::AggressiveMode::Named)
        to += std::string("crypto isakmp aggressive-mode ") +
              (config.aggressive_mode == ike::AggressiveMode::Disabled ? "disable\n" : "enable\n");
    for (const IsakmpKey& key : config.isakmp_keys) {
        to += "crypto isakmp key " + key_text(*key.key, secrets) + ' ' + owner_text(key);
        to += key.no_xauth ? " no-xauth\n" : "\n";
    }
    if (config.keepalive) {
        const Keepalive& keepalive = *config.keepalive;
        to += "crypto isakmp keepalive " + std::to_string(keepalive.interval_seconds);
        if (keepalive.retry_seconds != Keepalive{}.retry_seconds)
            to += ' ' + std::to_string(keepalive.retry_seconds);
        to += keepalive.periodic ? " periodic\n" : "\n";
    }
    if (config.nat_keepalive_seconds != Config{}.nat_keepalive_seconds)
        to += "crypto isakmp nat keepalive " + std::to_string(config.nat_keepalive_seconds) + '\n';
    if (config.invalid_spi_recovery)
        to += "crypto isakmp invalid-spi-recovery\n";
    if (!config.fragmentation_mtu)
        to += "no crypto isakmp fragmentation\n";
    else if (config.fragmentation_mtu != Config{}.fragmentation_mtu)
        to += "crypto isakmp fragmentation mtu " + std::to_string(*config.fragmentation_mtu) + '\n';
}

void put_users(std::string& to, const Config& config) {
    if (config.aaa_new_model)
        to += "aaa new-model\n!\n";
    for (const std::string& list : config.login_lists)
        to += "aaa authentication login " + list + " local\n";
    for (const std::string& list : config.network_lists)
        to += "aaa authorization network " + list + " local\n";
    if (!config.login_lists.empty() || !config.network_lists.empty())
        to += "!\n";
    for (const auto& [name, user] : config.users) {
        to += "username " + name;
        if (user.privilege)
            to += " privilege " + std::to_string(*user.privilege);
        to += " secret " + std::to_string(static_cast<unsigned>(user.password.kind)) + ' ' +
              ike::to_string(user.password) + '\n';
    }
    if (!config.users.empty())
        to += "!\n";
}

void put_each(std::string& to, const char* word, const std::vector<std::string>& names) {
    for (const std::string& name : names)
        to += std::string(" ") + word + ' ' + name + '\n';
}

void put_servers(std::string& to, const char* word, const std::vector<Ipv4Address>& servers) {
    if (servers.empty())
        return;
    to += std::string(" ") + word;
    for (const Ipv4Address server : servers)
        to += ' ' + to_string(server);
    to += '\n';
}

void put_word(std::string& to, const char* word, const std::string& value) {
    if (!value.empty())
        to += std::string(" ") + word + ' ' + value + '\n';
}

void put_client_groups(std::string& to, const Config& config, Secrets secrets) {
    for (const auto& [name, group] : config.client_groups) {
        to += "crypto isakmp client configuration group " + name + '\n';
        if (group.key)
            to += " key " + key_text(*group.key, secrets) + '\n';
        put_servers(to, "dns", group.dns);
        put_servers(to, "wins", group.wins);
        put_word(to, "domain", group.domain);
        put_word(to, "pool", group.pool);
        put_word(to, "acl", group.acl);
        put_each(to, "split-dns", group.split_dns);
        put_each(to, "backup-gateway", group.backup_gateways);
        if (group.save_password)
            to += " save-password\n";
        if (group.pfs)
            to += " pfs\n";
        if (group.max_users)
            to += " max-users " + std::to_string(*group.max_users) + '\n';
        if (group.max_logins)
            to += " max-logins " + std::to_string(*group.max_logins) + '\n';
        if (group.netmask)
            to += " netmask " + to_string(*group.netmask) + '\n';
        if (!group.banner.empty())
            to += " banner ^C " + group.banner + " ^C\n";
        to += "!\n";
    }
}

void put_client_access(std::string& to, const Config& config) {
    for (const auto& [map, access] : config.client_access)
        put_access(to, "crypto map " + map, access);
    if (!config.client_access.empty())
        to += "!\n";
}

void put_pools(std::string& to, const Config& config) {
    for (const auto& [name, range] : config.pools) {
        to += "ip local pool " + name + ' ' + to_string(range.first);
        if (range.last != range.first)
            to += ' ' + to_string(range.last);
        to += '\n';
    }
    if (!config.pools.empty())
        to += "!\n";
}

void put_lifetime(std::string& to, const SaLifetime& lifetime, const std::string& command) {
    if (lifetime.seconds)
        to += command + " seconds " + std::to_string(*lifetime.seconds) + '\n';
    if (lifetime.kilobytes)
        to += command + " kilobytes " +
              (*lifetime.kilobytes == 0 ? "disable" : std::to_string(*lifetime.kilobytes)) + '\n';
}

void put_idle_time(std::string& to,
                   std::optional<std::uint32_t> seconds,
                   const std::string& command,
                   const char* end = "\n") {
    if (seconds)
        to += command + " idle-time " + std::to_string(*seconds) + end;
}

void put_ipsec_globals(std::string& to, const Config& config) {
    SaLifetime lifetime = config.sa_lifetime;
    if (lifetime.seconds == kDefaultSaSeconds)
        lifetime.seconds.reset();
    if (lifetime.kilobytes == kDefaultSaKilobytes)
        lifetime.kilobytes.reset();
    put_lifetime(to, lifetime, "crypto ipsec security-association lifetime");
    put_idle_time(to, config.sa_idle_seconds, "crypto ipsec security-association");
    if (config.udp_always)
        to += "crypto ipsec nat-transparency udp-encapsulation force\n";
    if (config.replay_disabled)
        to += "crypto ipsec security-association replay disable\n";
    if (config.replay_window != Config{}.replay_window)
        to += "crypto ipsec security-association replay window-size " +
              std::to_string(config.replay_window) + '\n';
}

void put_transform_sets(std::string& to, const Config& config) {
    for (const auto& [name, set] : config.transform_sets) {
        to += "crypto ipsec transform-set " + name + ' ' + transform_text(set) + '\n';
        to += set.transport ? " mode transport" : " mode tunnel";
        to += set.mode_required ? " require\n" : "\n";
        if (set.esn)
            to += " esn\n";
        to += "!\n";
    }
}

void put_description(std::string& to, const std::string& description) {
    if (!description.empty())
        to += " description " + description + '\n';
}

void put_terms(std::string& to, const IpsecProfile& terms) {
    put_lifetime(to, terms.lifetime, " set security-association lifetime");
    put_idle_time(to,
                  terms.idle_seconds,
                  " set security-association",
                  terms.idle_to_default ? " default\n" : "\n");
    if (!terms.transform_sets.empty()) {
        to += " set transform-set";
        for (const std::string& set : terms.transform_sets)
            to += ' ' + set;
        to += '\n';
    }
    if (!terms.isakmp_profile.empty())
        to += " set isakmp-profile " + terms.isakmp_profile + '\n';
    if (terms.pfs)
        to += " set pfs group" + group_number(*terms.pfs) + '\n';
}

void put_ipsec_profiles(std::string& to, const Config& config) {
    for (const auto& [name, profile] : config.ipsec_profiles) {
        to += "crypto ipsec profile " + name + '\n';
        put_description(to, profile.description);
        put_terms(to, profile);
        to += "!\n";
    }
}

void put_map_entry(std::string& to, const CryptoMapEntry& entry) {
    put_description(to, entry.description);
    bool preferred = entry.prefers_first;
    for (const Ipv4Address peer : entry.peers)
        to += " set peer " + to_string(peer) +
              (std::exchange(preferred, false) ? " default\n" : "\n");
    put_terms(to, entry);
    if (!entry.match_address.empty())
        to += " match address " + entry.match_address + '\n';
    if (entry.reverse_route)
        to += " reverse-route\n";
    to += "!\n";
}

void put_crypto_maps(std::string& to, const Config& config) {
    for (const auto& [name, map] : config.dynamic_maps)
        for (const auto& [sequence, entry] : map) {
            to += "crypto dynamic-map " + name + ' ' + std::to_string(sequence) + '\n';
            put_map_entry(to, entry);
        }
    for (const auto& [name, map] : config.crypto_maps)
        for (const auto& [sequence, entry] : map) {
            to += "crypto map " + name + ' ' + std::to_string(sequence) + " ipsec-isakmp";
            if (entry.dynamic_map.empty()) {
                to += '\n';
                put_map_entry(to, entry);
            } else {
                to += " dynamic " + entry.dynamic_map + "\n!\n";
            }
        }
}

void put_tunnel(std::string& to, const TunnelSettings& tunnel) {
    if (!tunnel.source_interface.empty())
        to += " tunnel source " + tunnel.source_interface + '\n';
    if (tunnel.source)
        to += " tunnel source " + to_string(*tunnel.source) + '\n';
    if (tunnel.ipsec)
        to += " tunnel mode ipsec ipv4\n";
    if (tunnel.destination)
        to += " tunnel destination " + to_string(*tunnel.destination) + '\n';
    if (!tunnel.profile.empty())
        to += " tunnel protection ipsec profile " + tunnel.profile + '\n';
}

void put_interface(std::string& to, const std::string& name, const Interface& interface) {
    to += "interface " + name + '\n';
    put_description(to, interface.description);
    if (!interface.unnumbered.empty())
        to += " ip unnumbered " + interface.unnumbered + '\n';
    else if (interface.address)
        to += " ip address " + to_string(*interface.address) + ' ' +
              to_string(Ipv4Address{mask_of_length(interface.prefix_length)}) + '\n';
    else
        to += " no ip address\n";
    if (interface.ip_mtu)
        to += " ip mtu " + std::to_string(*interface.ip_mtu) + '\n';
    if (interface.tcp_mss)
        to += " ip tcp adjust-mss " + std::to_string(*interface.tcp_mss) + '\n';
    if (interface.shutdown)
        to += " shutdown\n";
    if (!interface.crypto_map.empty())
        to += " crypto map " + interface.crypto_map + '\n';
    put_tunnel(to, interface.tunnel);
    to += "!\n";
}

void put_routes(std::string& to, const Config& config) {
    for (const StaticRoute& route : config.routes) {
        to += "ip route " + to_string(route.prefix.address) + ' ' + to_string(route.prefix.mask());
        if (!route.interface.empty())
            to += ' ' + route.interface;
        if (route.next_hop)
            to += ' ' + to_string(*route.next_hop);
        if (route.distance != StaticRoute{}.distance)
            to += ' ' + std::to_string(route.distance);
        to += '\n';
    }
    if (!config.routes.empty())
        to += "!\n";
}

bool is_number(const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

/// What a line that gives no number gets.
bool has_automatic_sequences(const AccessList& list) {
    std::uint32_t expected = 0;
    for (const AclLine& line : list.lines)
        if (line.remark.empty() && line.sequence != (expected += kSequenceStep))
            return false;
    return true;
}

/// `access-list 110 ...` cannot say sequence numbers or that a list is empty.
bool fits_numbered_form(const std::string& name, const AccessList& list) {
    return is_number(name) && !list.lines.empty() && has_automatic_sequences(list);
}

void put_named_list(std::string& to, const std::string& name, const AccessList& list) {
    to += "ip access-list extended " + name + '\n';
    std::uint32_t last = 0;
    for (const AclLine& line : list.lines) {
        to += ' ';
        if (line.remark.empty()) {
            if (line.sequence != last + kSequenceStep)
                to += std::to_string(line.sequence) + ' ';
            last = line.sequence;
        }
        to += acl_line_text(line) + '\n';
    }
    to += "!\n";
}

void put_access_lists(std::string& to, const Config& config) {
    for (const auto& [name, list] : config.access_lists)
        if (!fits_numbered_form(name, list))
            put_named_list(to, name, list);
    for (const auto& [name, list] : config.access_lists) {
        if (!fits_numbered_form(name, list))
            continue;
        for (const AclLine& line : list.lines)
            to += "access-list " + name + ' ' + acl_line_text(line) + '\n';
        to += "!\n";
    }
}

} // namespace

std::string term_text(const AclAddress& term) {
    if (term.wildcard.value == 0xffffffff)
        return "any";
    if (term.wildcard.value == 0)
        return "host " + to_string(term.address);
    return to_string(term.address) + ' ' + to_string(term.wildcard);
}

std::string ports_text(std::uint8_t protocol, const PortRange& ports) {
    if (ports.is_any())
        return {};
    if (ports.first == ports.last)
        return " eq " + port_name(protocol, ports.first);
    if (ports.first == 0)
        return " lt " + port_name(protocol, static_cast<std::uint16_t>(ports.last + 1));
    if (ports.last == 0xffff)
        return " gt " + port_name(protocol, static_cast<std::uint16_t>(ports.first - 1));
    return " range " + port_name(protocol, ports.first) + ' ' + port_name(protocol, ports.last);
}

std::string acl_line_text(const AclLine& line) {
    if (!line.remark.empty())
        return "remark " + line.remark;
    return (line.permit ? "permit " : "deny ") + protocol_name(line.protocol) + ' ' +
           term_text(line.source) + ports_text(line.protocol, line.source_port) + ' ' +
           term_text(line.destination) + ports_text(line.protocol, line.destination_port);
}

std::string transform_text(const TransformSet& set) {
    std::string text = info(set.cipher).config_name;
    if (set.mac != EspMac::None)
        text += std::string(" ") + info(set.mac).config_name;
    return text;
}

std::string render(const Config& config, Secrets secrets) {
    // The dialect of the text, as tools that read it want to know; not a version of this program.
    std::string text = "version 15.7\n!\nhostname " + config.hostname + "\n!\n";
    if (!config.domain_name.empty())
        text += "ip domain name " + config.domain_name + "\n!\n";
    if (config.logging_session)
        text += "crypto logging session\n!\n";
    put_users(text, config);
    put_keyrings(text, config, secrets);
    put_trustpoints(text, config);
    put_policies(text, config);
    put_isakmp_globals(text, config, secrets);
    put_isakmp_peers(text, config, secrets);
    put_isakmp_profiles(text, config);
    put_client_groups(text, config, secrets);
    put_ipsec_globals(text, config);
    text += "!\n";
    put_transform_sets(text, config);
    put_ipsec_profiles(text, config);
    put_client_access(text, config);
    put_crypto_maps(text, config);
    for (const auto& [name, interface] : config.interfaces)
        put_interface(text, name, interface);
    put_pools(text, config);
    put_routes(text, config);
    put_access_lists(text, config);
    return text + "end\n";
}

std::string render_running_config(const Config& config, Secrets secrets) {
    const std::string text = "!\n" + render(config, secrets);
    return "Building configuration...\n\nCurrent configuration : " + std::to_string(text.size()) +
           " bytes\n" + text;
}

std::string render_interface(const Config& config, const std::string& name) {
    const auto found = config.interfaces.find(name);
    std::string text;
    if (found != config.interfaces.end())
        put_interface(text, name, found->second);
    return text;
}

} // namespace adit::config
