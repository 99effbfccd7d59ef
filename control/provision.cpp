// SPDX-License-Identifier: Apache-2.0
#include "control/provision.h"

#include "control/config/isakmp_policies.h"
#include "control/config/tunnel.h"
#include "control/ike/proposal.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>

namespace adit {

static Result<Ipv4Range> range_of(const config::AclAddress& term) {
    const std::uint32_t wildcard = term.wildcard.value;
    if ((wildcard & (wildcard + 1)) != 0)
        return fail(ErrorCode::Invalid,
                    "wildcard mask " + to_string(term.wildcard) +
                        " has holes: no proxy identity can say that");
    return Ipv4Range{Ipv4Address{term.address.value & ~wildcard},
                     Ipv4Address{term.address.value | wildcard}};
}

Result<TrafficSelector> selector_of(const config::AclLine& line) {
    return TrafficSelector{TRY(range_of(line.source)),
                           TRY(range_of(line.destination)),
                           line.protocol,
                           line.source_port,
                           line.destination_port};
}

ipc::SelectorRecord to_record(const TrafficSelector& selector) {
    ipc::SelectorRecord record{};
    record.local_first = selector.local.first.value;
    record.local_last = selector.local.last.value;
    record.remote_first = selector.remote.first.value;
    record.remote_last = selector.remote.last.value;
    record.local_port_first = selector.local_port.first;
    record.local_port_last = selector.local_port.last;
    record.remote_port_first = selector.remote_port.first;
    record.remote_port_last = selector.remote_port.last;
    record.protocol = selector.protocol;
    return record;
}

namespace {

/// Lines of the configuration come behind the policies made at run time in their place.
constexpr std::uint8_t kStandingLine = 0xff;

/// Behind those of crypto map entries, as on a router.
constexpr std::uint32_t kTunnelSequence = 65'536;
/// No `ip mtu`: whatever the SA and the link below it let through.
constexpr std::uint32_t kWhatTheSaTakes = 0xffff;

const TrafficSelector kEverything{{Ipv4Address{0}, Ipv4Address{0xffff'ffff}},
                                  {Ipv4Address{0}, Ipv4Address{0xffff'ffff}},
                                  0,
                                  {},
                                  {}};

/// One run of make_provision: reads the configuration front to back and fills the result.
class Builder {
  public:
    Builder(const config::Config& config,
            const std::vector<PortInfo>& ports,
            PolicyNumbers& numbers,
            std::uint64_t generation,
            const ike::Credentials& credentials)
        : config_(config), ports_(ports), numbers_(numbers) {
        engine_->generation = generation;
        engine_->credentials = credentials;
    }

    Provision build() {
        add_phase1();
        add_clients();
        add_profiles();
        for (const auto& [name, interface] : config_.interfaces)
            if (config::is_tunnel(name))
                add_tunnel(name, interface);
            else
                add_interface(name, interface);
        add_routes();
        result_.engine = std::move(engine_);
        return std::move(result_);
    }

  private:
    void problem(std::string text) { result_.problems.push_back(std::move(text)); }

    const PortInfo* find_port(const std::string& name) const {
        const auto found = std::ranges::find(ports_, name, &PortInfo::name);
        return found == ports_.end() ? nullptr : &*found;
    }

    void add_phase1() {
        for (const auto& [priority, policy] : config::isakmp_policies_in_force(config_))
            engine_->phase1.push_back({priority,
                                       policy.encryption,
                                       policy.hash,
                                       policy.group,
                                       std::chrono::seconds{policy.lifetime_seconds},
                                       authentication_of(policy.authentication)});
        // Of the built-in ones those for certificates are just not for an appliance without.
        if (!config::has_default_isakmp_policies(config_))
            std::ranges::for_each(engine_->phase1,
                                  [this](const auto& policy) { check_credentials(policy); });
        engine_->keys = keys_of(config_.isakmp_keys);
        engine_->self = self_of(config_.isakmp_identity);
        engine_->aggressive = config_.aggressive_mode;
        for (const auto& [address, peer] : config_.isakmp_peers)
            if (peer.key != nullptr)
                engine_->aggressive_peers.push_back({address, peer.key, self_of(peer.self)});
        if (config_.keepalive)
            engine_->dpd = ike::Dpd{std::chrono::seconds{config_.keepalive->interval_seconds},
                                    std::chrono::seconds{config_.keepalive->retry_seconds},
                                    config_.keepalive->periodic};
        engine_->udp_always = config_.udp_always;
        engine_->nat_keepalive = std::chrono::seconds{config_.nat_keepalive_seconds};
        engine_->fragmentation_mtu = config_.fragmentation_mtu;
        engine_->invalid_spi_recovery = config_.invalid_spi_recovery;
    }

    /// Behind all keys: a profile without a keyring has every one of them.
    void add_profiles() {
        for (const auto& [name, profile] : config_.isakmp_profiles)
            engine_->profiles.push_back(profile_of(name, profile));
    }

    static std::vector<ike::PresharedKey> keys_of(const std::vector<config::IsakmpKey>& keys) {
        std::vector<ike::PresharedKey> result;
        for (const config::IsakmpKey& key : keys)
            result.push_back({key.address, key.key, key.hostname, key.no_xauth});
        return result;
    }

    /// A name that was not written is the system's own.
    [[nodiscard]] ike::SelfIdentity self_of(ike::SelfIdentity self) const {
        if (self.type == ike::IdType::Fqdn && self.text.empty())
            self.text =
                config_.hostname + (config_.domain_name.empty() ? "" : "." + config_.domain_name);
        return self;
    }

    ike::IsakmpProfile profile_of(const std::string& name, const config::IsakmpProfile& profile) {
        ike::IsakmpProfile result;
        result.name = name;
        result.matches = profile.matches;
        result.initiate_aggressive = profile.initiate_aggressive;
        if (profile.access != config::ClientAccess{})
            result.access = access_of(profile.access);
        if (profile.self)
            result.self = self_of(*profile.self);
        if (profile.keepalive)
            result.dpd = ike::Dpd{std::chrono::seconds{profile.keepalive->interval_seconds},
                                  std::chrono::seconds{profile.keepalive->retry_seconds},
                                  profile.keepalive->periodic};
        for (const std::string& keyring : profile.keyrings)
            if (const auto found = config_.keyrings.find(keyring); found != config_.keyrings.end())
                std::ranges::copy(keys_of(found->second.keys), std::back_inserter(result.keys));
        if (profile.keyrings.empty())
            result.keys = engine_->keys;
        return result;
    }

    void add_clients() {
        for (const auto& [name, user] : config_.users)
            engine_->users.emplace(name, user.password);
        engine_->pools = config_.pools;
        for (const auto& [name, group] : config_.client_groups)
            add_group(name, group);
    }

    void add_group(const std::string& name, const config::ClientGroup& from) {
        ike::ClientGroup group;
        group.name = name;
        group.dns = from.dns;
        group.wins = from.wins;
        group.domain = from.domain;
        group.pool = from.pool;
        group.banner = from.banner;
        group.split_dns = from.split_dns;
        group.backup_gateways = from.backup_gateways;
        group.netmask = from.netmask;
        group.max_users = from.max_users;
        group.max_logins = from.max_logins;
        group.save_password = from.save_password;
        group.pfs = from.pfs;
        group.key = from.key;
        if (from.key)
            engine_->keys.push_back({Ipv4Prefix{}, from.key, name});
        add_split_networks(from.acl, group);
        engine_->groups.emplace(name, std::move(group));
    }

    /// The sources of an access list: what is behind us, as crypto ACLs have it.
    void add_split_networks(const std::string& name, ike::ClientGroup& group) {
        const auto acl = config_.access_lists.find(name);
        if (name.empty() || acl == config_.access_lists.end())
            return;
        for (const config::AclLine& line : acl->second.lines) {
            if (!line.remark.empty() || !line.permit)
                continue;
            const Result<Ipv4Range> range = range_of(line.source);
            if (range)
                group.split.push_back(
                    {range->first,
                     static_cast<std::uint8_t>(std::popcount(~line.source.wildcard.value))});
            else
                problem("client group " + group.name + ": " + range.error().text);
        }
    }

    ike::ClientAccess access_of(const config::ClientAccess& from) {
        ike::ClientAccess access;
        access.login = !from.authentication_list.empty();
        access.users_known = config_.login_lists.contains(from.authentication_list);
        access.groups_known = config_.network_lists.contains(from.authorization_list);
        access.respond = from.respond;
        access.initiate = from.initiate;
        access.group = from.group;
        // Clients that expect to be asked say so in what they offer.
        for (ike::Phase1Policy& policy : engine_->phase1)
            policy.xauth = policy.xauth || access.login;
        return access;
    }

    static ike::Authentication authentication_of(config::AuthenticationMethod method) {
        switch (method) {
        case config::AuthenticationMethod::PreShare:
            return ike::Authentication::PreSharedKey;
        case config::AuthenticationMethod::RsaSig:
            return ike::Authentication::RsaSignature;
        case config::AuthenticationMethod::EcdsaSig:
            return ike::Authentication::EcdsaSignature;
        }
        return ike::Authentication::PreSharedKey;
    }

    /// The engine offers no policy that we could not keep; the administrator hears of it here.
    void check_credentials(const ike::Phase1Policy& policy) {
        const auto scheme = ike::scheme_of(ike::method_of(policy));
        const ike::Credentials& credentials = engine_->credentials;
        if (scheme &&
            (credentials.judge == nullptr || ike::choose_own(credentials, *scheme, {}) == nullptr))
            problem("crypto isakmp policy " + std::to_string(policy.priority) +
                    " is not used: no trustpoint has a certificate with a key of kind " +
                    name(*scheme) + " and a CA to trust");
    }

    void add_interface(const std::string& name, const config::Interface& interface) {
        if (config::is_loopback(name))
            return add_loopback(interface);
        const PortInfo* port = find_port(name);
        if (port == nullptr) {
            problem("interface " + name + " has no port: start adit-dataplane with --port " + name +
                    "=...");
            return;
        }
        ipc::SetInterface record{};
        record.interface = port->index.value;
        record.flags = interface.shutdown ? std::uint8_t{0} : std::uint8_t{ipc::kInterfaceUp};
        record.ip_mtu = std::min(interface.ip_mtu.value_or(port->mtu), port->mtu);
        if (interface.address) {
            record.address = interface.address->value;
            record.prefix_length = interface.prefix_length;
        }
        result_.interfaces.push_back(record);
        if (interface.address)
            engine_->own_addresses.push_back(*interface.address);
        if (!interface.crypto_map.empty() && interface.address && !interface.shutdown)
            add_crypto_map(name, interface, *port);
    }

    void add_loopback(const config::Interface& interface) {
        if (!interface.address || interface.shutdown)
            return;
        ipc::SetRoute record{};
        record.prefix = interface.address->value;
        record.prefix_length = 32;
        record.interface = ipc::kToUs;
        result_.routes.push_back(record);
        engine_->own_addresses.push_back(*interface.address);
    }

    void add_crypto_map(const std::string& name,
                        const config::Interface& interface,
                        const PortInfo& port) {
        const auto map = config_.crypto_maps.find(interface.crypto_map);
        if (map == config_.crypto_maps.end()) {
            problem("interface " + name + ": crypto map " + interface.crypto_map +
                    " is not defined");
            return;
        }
        const auto access = config_.client_access.find(map->first);
        if (access != config_.client_access.end())
            engine_->access.emplace(*interface.address, access_of(access->second));
        for (const auto& [sequence, entry] : map->second) {
            ike::Connection connection;
            connection.map_name = map->first;
            connection.map_sequence = sequence;
            connection.interface = name;
            connection.name = map->first + " " + std::to_string(sequence) + " " + name;
            connection.local = *interface.address;
            if (entry.dynamic_map.empty())
                add_entry(std::move(connection), port, entry);
            else
                add_dynamic_map(connection, port, entry.dynamic_map);
        }
    }

    void add_dynamic_map(const ike::Connection& base,
                         const PortInfo& port,
                         const std::string& map_name) {
        const auto map = config_.dynamic_maps.find(map_name);
        if (map == config_.dynamic_maps.end()) {
            problem("crypto map " + base.map_name + " " + std::to_string(base.map_sequence) +
                    ": crypto dynamic-map " + map_name + " is not defined");
            return;
        }
        for (const auto& [sequence, entry] : map->second) {
            ike::Connection connection = base;
            connection.name += " dynamic " + map_name + " " + std::to_string(sequence);
            connection.dynamic = ike::DynamicEntry{map_name, sequence};
            add_entry(std::move(connection), port, entry);
        }
    }

    // --- tunnel interfaces

    void add_tunnel(const std::string& name, const config::Interface& interface) {
        if (interface.shutdown)
            return;
        const Result<config::TunnelEnds> ends = config::tunnel_ends(config_, interface);
        const bool loopback = ends && config::is_loopback(ends->carrier);
        const PortInfo* port = loopback ? port_towards(ends->remote)
                               : ends   ? find_port(ends->carrier)
                                        : nullptr;
        if (port == nullptr) {
            std::string fault =
                !ends      ? ends.error().text
                : loopback ? "no route leads to " + to_string(ends->remote) + ", its destination"
                           : "its source, " + ends->carrier + ", has no port";
            problem("interface " + name + " stays down: " + fault);
            result_.tunnel_faults.emplace(name, std::move(fault));
            return;
        }
        ike::Connection connection;
        connection.name = name;
        connection.map_name = config::head_of(name);
        connection.map_sequence = kTunnelSequence;
        connection.interface = name;
        connection.local = ends->local;
        connection.peers = {ends->remote};
        connection.routed = true;
        set_terms(config_.ipsec_profiles.at(interface.tunnel.profile), connection);
        if (connection.transforms.empty()) {
            std::string fault = "crypto ipsec profile " + interface.tunnel.profile +
                                " has no set transform-set that can be used";
            problem("interface " + name + " stays down: " + fault);
            result_.tunnel_faults.emplace(name, std::move(fault));
            return;
        }
        const PolicyId policy = numbers_.number(name + "|everything");
        result_.connection_of_policy.emplace(policy, name);
        connection.flows.push_back({policy, kEverything, 0});
        engine_->connections.push_back(std::move(connection));
        result_.tunnels.emplace(
            name,
            TunnelPlan{
                tunnel_row(interface, policy, *port), ends->carrier, ends->local, ends->remote});
    }

    /// The port of the interface whose network this is in.
    const PortInfo* port_at(Ipv4Address address) const {
        for (const auto& [name, interface] : config_.interfaces)
            if (interface.address && !interface.shutdown &&
                Ipv4Prefix{
                    Ipv4Address{interface.address->value & mask_of_length(interface.prefix_length)},
                    interface.prefix_length}
                    .contains(address))
                if (const PortInfo* port = find_port(name))
                    return port;
        return nullptr;
    }

    /// The port by which packets to an address leave, links and static routes taken together.
    const PortInfo* port_towards(Ipv4Address address) const {
        if (const PortInfo* port = port_at(address))
            return port;
        const auto worse = [](const config::StaticRoute& left, const config::StaticRoute& right) {
            return std::pair{left.prefix.length, -left.distance} <
                   std::pair{right.prefix.length, -right.distance};
        };
        const config::StaticRoute* best = nullptr;
        for (const config::StaticRoute& route : config_.routes)
            if (route.prefix.contains(address) && (best == nullptr || worse(*best, route)))
                best = &route;
        if (best == nullptr)
            return nullptr;
        return best->interface.empty() ? port_at(*best->next_hop) : find_port(best->interface);
    }

    ipc::SetTunnel
    tunnel_row(const config::Interface& interface, PolicyId policy, const PortInfo& port) {
        ipc::SetTunnel row{};
        row.policy = policy.value;
        row.link = port.index.value;
        row.ip_mtu = interface.ip_mtu.value_or(kWhatTheSaTakes);
        row.tcp_mss = static_cast<std::uint16_t>(interface.tcp_mss.value_or(0));
        row.address = config::address_of(config_, interface).value_or(Ipv4Address{}).value;
        if (interface.address) {
            row.prefix_length = interface.prefix_length;
            engine_->own_addresses.push_back(*interface.address);
        }
        return row;
    }

    void add_entry(ike::Connection connection,
                   const PortInfo& port,
                   const config::CryptoMapEntry& entry) {
        connection.peers = entry.peers;
        connection.prefers_first = entry.prefers_first;
        connection.acl_name = entry.match_address;
        set_terms(entry, connection);

        const auto acl = config_.access_lists.find(entry.match_address);
        if (const std::string missing = missing_in(connection, acl != config_.access_lists.end());
            !missing.empty()) {
            problem("crypto map " + connection.map_name + " " +
                    std::to_string(connection.map_sequence) + " is incomplete: it needs " +
                    missing);
            return;
        }
        const std::uint32_t entry_number = ++last_entry_;
        if (connection.dynamic)
            result_.dynamic_entries[connection.name] = {
                port.index, entry_number, ++last_order_, entry.reverse_route};
        if (acl != config_.access_lists.end())
            for (const config::AclLine& line : acl->second.lines)
                if (line.remark.empty())
                    add_line(line, port, entry_number, connection);
        engine_->connections.push_back(std::move(connection));
    }

    void set_terms(const config::IpsecProfile& entry, ike::Connection& connection) {
        connection.pfs = entry.pfs;
        connection.profile = entry.isakmp_profile;
        connection.replay_window = config_.replay_disabled ? 0 : config_.replay_window;
        connection.lifetime = std::chrono::seconds{entry.lifetime.seconds.value_or(
            config_.sa_lifetime.seconds.value_or(config::kDefaultSaSeconds))};
        connection.lifetime_kilobytes = entry.lifetime.kilobytes.value_or(
            config_.sa_lifetime.kilobytes.value_or(config::kDefaultSaKilobytes));
        connection.idle_time =
            std::chrono::seconds{entry.idle_seconds.value_or(config_.sa_idle_seconds.value_or(0))};
        connection.idle_to_first = entry.idle_to_default;
        add_transforms(entry, connection);
    }

    static std::string missing_in(const ike::Connection& connection, bool has_list) {
        if (!connection.dynamic)
            return connection.peers.empty() || connection.transforms.empty() || !has_list
                       ? "set peer, set transform-set and match address"
                       : "";
        if (connection.transforms.empty())
            return "set transform-set in crypto dynamic-map " + connection.dynamic->map_name;
        // A list that is named but not there would otherwise give everything to anybody.
        return connection.acl_name.empty() || has_list
                   ? ""
                   : "access list " + connection.acl_name + " of crypto dynamic-map " +
                         connection.dynamic->map_name;
    }

    void add_transforms(const config::IpsecProfile& entry, ike::Connection& connection) {
        for (const std::string& name : entry.transform_sets) {
            const auto set = config_.transform_sets.find(name);
            if (set == config_.transform_sets.end()) {
                problem("transform-set " + name + " is not defined");
                continue;
            }
            // RFC 4303 3.4.3: the upper half is inferred from the anti-replay window.
            if (set->second.esn && connection.replay_window == 0) {
                problem("transform-set " + name +
                        ": esn needs the anti-replay window, which is disabled; not offered");
                continue;
            }
            connection.transforms.push_back({name,
                                             set->second.cipher,
                                             set->second.mac,
                                             set->second.transport,
                                             set->second.esn,
                                             set->second.mode_required});
        }
    }

    void add_line(const config::AclLine& line,
                  const PortInfo& port,
                  std::uint32_t entry_number,
                  ike::Connection& connection) {
        const Result<TrafficSelector> selector = selector_of(line);
        if (!selector) {
            problem("access-list " + connection.acl_name + " line " +
                    std::to_string(line.sequence) + ": " + selector.error().text);
            return;
        }
        // The identity is what was configured where, not its place in the list: inserting a line
        // must not renumber the others.
        const std::string key =
            connection.name + "|" + (line.permit ? "permit " : "deny ") +
            ident_string(selector->local, line.protocol, line.source_port) + " " +
            ident_string(selector->remote, line.protocol, line.destination_port);
        const PolicyId policy = numbers_.number(key);
        if (result_.connection_of_policy.contains(policy))
            return; // the same line twice changes nothing
        ipc::SetPolicy record{};
        record.policy = policy.value;
        record.order = ++last_order_;
        record.interface = port.index.value;
        // What a dynamic entry's list permits is nobody's until a peer claims it, and then stays
        // in: what a peer will protect does not leave in clear before it comes.
        const ipc::PolicyAction permitted =
            connection.dynamic ? ipc::PolicyAction::Drop : ipc::PolicyAction::Protect;
        record.action =
            static_cast<std::uint8_t>(line.permit ? permitted : ipc::PolicyAction::Bypass);
        record.breadth = kStandingLine;
        record.entry = entry_number;
        record.selector = to_record(*selector);
        result_.policies.push_back(record);
        result_.connection_of_policy.emplace(policy, connection.name);
        if (line.permit)
            result_.row_of_line.emplace(policy, result_.policies.size() - 1);
        (line.permit ? connection.flows : connection.exceptions)
            .push_back({policy, *selector, line.sequence});
    }

    /// The dataplane takes the last of one prefix whose way can be used: the nearest comes last,
    /// and of several of one distance the first that was written.
    void add_routes() {
        std::vector<const config::StaticRoute*> routes;
        for (const config::StaticRoute& route : config_.routes)
            routes.push_back(&route);
        std::ranges::reverse(routes);
        std::ranges::stable_sort(routes, std::greater{}, [](const config::StaticRoute* route) {
            return route->distance;
        });
        for (const auto& [name, plan] : result_.tunnels)
            if (plan.row.prefix_length != 0)
                tunnel_networks_.emplace(plan.row.address & mask_of_length(plan.row.prefix_length),
                                         &plan);
        for (const config::StaticRoute* route : routes)
            add_route(*route);
    }

    /// The tunnel that leads to this next hop; networks of interfaces do not overlap.
    const TunnelPlan* tunnel_towards(const config::StaticRoute& route) const {
        if (!route.interface.empty()) {
            const auto named = result_.tunnels.find(route.interface);
            return named == result_.tunnels.end() ? nullptr : &named->second;
        }
        const auto behind = tunnel_networks_.upper_bound(route.next_hop->value);
        if (behind == tunnel_networks_.begin())
            return nullptr;
        const auto& [network, plan] = *std::prev(behind);
        const Ipv4Prefix prefix{Ipv4Address{network}, plan->row.prefix_length};
        return prefix.contains(*route.next_hop) ? plan : nullptr;
    }

    void add_route(const config::StaticRoute& route) {
        ipc::SetRoute record{};
        record.prefix = route.prefix.address.value;
        record.prefix_length = route.prefix.length;
        record.interface = kNoInterface.value;
        record.next_hop = route.next_hop ? route.next_hop->value : 0;
        if (const TunnelPlan* tunnel = tunnel_towards(route)) {
            record.interface = ipc::kIntoTunnel;
            record.next_hop = tunnel->row.policy;
            result_.routes.push_back(record);
            return;
        }
        if (config::is_tunnel(route.interface))
            return; // it is down, and says why itself
        if (route.interface == config::kNowhere) {
            record.interface = ipc::kToNowhere;
        } else if (!route.interface.empty()) {
            const PortInfo* port = find_port(route.interface);
            if (port == nullptr) {
                problem("ip route " + to_string(route.prefix) + ": interface " + route.interface +
                        " has no port");
                return;
            }
            record.interface = port->index.value;
        }
        result_.routes.push_back(record);
    }

    const config::Config& config_;
    const std::vector<PortInfo>& ports_;
    PolicyNumbers& numbers_;
    std::shared_ptr<ike::EngineConfig> engine_ = std::make_shared<ike::EngineConfig>();
    Provision result_;
    std::map<std::uint32_t, const TunnelPlan*> tunnel_networks_; // by first address
    std::uint32_t last_entry_{0};
    std::uint32_t last_order_{0};
};

} // namespace

Provision make_provision(const config::Config& config,
                         const std::vector<PortInfo>& ports,
                         PolicyNumbers& numbers,
                         std::uint64_t generation,
                         const ike::Credentials& credentials) {
    Provision provision = Builder(config, ports, numbers, generation, credentials).build();
    numbers.forget_others(provision.connection_of_policy);
    return provision;
}

} // namespace adit
