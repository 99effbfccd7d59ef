// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values: what the IOS text says, nothing derived. The parser fills it,
// the renderer prints it back, provision.cpp turns it into tables, policies and IKE connections.
//
// Lists keep the order of the text where order means something (ACL lines, set peer); maps are
// sorted as `show running-config` prints them. Fields that equal their default are not printed.
#pragma once

#include "common/address.h"
#include "common/algorithms.h"
#include "common/secret.h"
#include "control/ike/address_pool.h"
#include "control/ike/crypto.h"
#include "control/ike/interface.h"
#include "control/ike/password.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace adit::config {

// --- phase 1 -------------------------------------------------------------------------------------

enum class AuthenticationMethod : std::uint8_t {
    PreShare,
    RsaSig,
    EcdsaSig,
};

/// crypto pki trustpoint NAME: certificates and keys lie in PEM files.
struct Trustpoint {
    std::string ca_file;
    std::string certificate_file; // our own first, then intermediates
    std::string key_file;
    std::string crl_file;
    bool check_revocation{true}; // revocation-check crl
};

/// crypto isakmp policy N
struct IsakmpPolicy {
    /// IOS would take DES when no `encr` line stands there; we have none, so check() refuses a
    /// policy whose cipher was not written down.
    ike::CipherAlgorithm encryption{ike::CipherAlgorithm::AesCbc128};
    ike::HashAlgorithm hash{ike::HashAlgorithm::Sha1};
    AuthenticationMethod authentication{AuthenticationMethod::RsaSig};
    ike::Group group{ike::Group::Modp768};
    std::uint32_t lifetime_seconds{86'400};
    /// IOS would take DES when no `encr` line stands there; we have none, so check() refuses a
    /// policy whose cipher was not written down.
    bool encryption_configured{false};
};

/// crypto isakmp key [0|6] K {address A [MASK] | hostname H}; pre-shared-key of a keyring.
struct IsakmpKey {
    Ipv4Prefix address; // /32 for one peer, /0 for anybody
    std::shared_ptr<const SecretBuffer> key;
    bool no_xauth{false};
    std::string hostname; // instead of an address: the peer's own name
};

/// crypto keyring NAME
struct Keyring {
    std::string description;
    std::vector<IsakmpKey> keys;
};

/// crypto isakmp peer address A: aggressive mode towards it
struct IsakmpPeer {
    std::string description;
    std::shared_ptr<const SecretBuffer> key; // set aggressive-mode password
    ike::SelfIdentity self;                  // set aggressive-mode client-endpoint
};

/// crypto isakmp keepalive SECONDS [RETRY] [periodic|on-demand]
struct Keepalive {
    std::uint32_t interval_seconds{10};
    std::uint32_t retry_seconds{2};
    bool periodic{false};
};

/// crypto map M client ..., crypto map M isakmp authorization ..., or the same lines in an ISAKMP
/// profile: how those who come in through the map, or fall under the profile, prove who they are,
/// and whether they are given addresses.
struct ClientAccess {
    std::string authentication_list; // aaa authentication login
    std::string authorization_list;  // aaa authorization network
    bool respond{false};             // client configuration address respond
    bool initiate{false};            // client configuration address initiate
    std::string group;               // client configuration group; profiles alone

    friend bool operator==(const ClientAccess&, const ClientAccess&) = default;
};

/// crypto isakmp profile NAME
struct IsakmpProfile {
    std::string description;
    std::vector<std::string> keyrings;
    std::vector<ike::IdentityMatch> matches;
    std::optional<ike::SelfIdentity> self; // Fqdn without text: hostname and domain
    std::optional<Keepalive> keepalive;
    bool initiate_aggressive{false};
    ClientAccess access;
};

// --- phase 2 -------------------------------------------------------------------------------------

/// crypto ipsec transform-set NAME esp-... [esp-...-hmac] / mode tunnel|transport [require]
/// / esn
struct TransformSet {
    EspCipher cipher{EspCipher::AesCbc128};
    EspMac mac{EspMac::HmacSha1_96};
    bool transport{false};
    bool mode_required{false}; // mode transport require: never tunnel mode instead
    bool esn{false};           // esn: 64-bit sequence numbers
};

/// Seconds and kilobytes; no value: as the level above says. Kilobytes may be switched off.
struct SaLifetime {
    std::optional<std::uint32_t> seconds;   // 120..2592000
    std::optional<std::uint32_t> kilobytes; // 2560..4294967295; 0: "disable"
};

inline constexpr std::uint32_t kDefaultSaSeconds = 3'600;
inline constexpr std::uint32_t kDefaultSaKilobytes = 4'608'000;

/// One address-and-wildcard term of an ACL line. `wildcard` bits that are 1 do not matter.
struct AclAddress {
    Ipv4Address address;
    Ipv4Address wildcard; // 0.0.0.0: host; 255.255.255.255: any
};

struct AclLine {
    std::uint32_t sequence{}; // 10, 20, ... as `show access-lists` prints; 0 for a remark
    bool permit{true};
    std::uint8_t protocol{0}; // 0: ip
    AclAddress source, destination;
    PortRange source_port, destination_port; // only TCP and UDP
    std::string remark; // when not empty the line is a remark and nothing else counts
};

/// `ip access-list extended NAME` or `access-list N`, N in 100..199, 2000..2699.
struct AccessList {
    std::vector<AclLine> lines;
};

/// crypto ipsec profile NAME: how SAs are made. A crypto map entry says it for itself.
struct IpsecProfile {
    std::string description;
    std::vector<std::string> transform_sets;
    std::optional<ike::Group> pfs; // set pfs groupN
    std::string isakmp_profile;    // set isakmp-profile
    SaLifetime lifetime;
    std::optional<std::uint32_t> idle_seconds; // set security-association idle-time
    bool idle_to_default{false};               // ... default
};

/// crypto map M N ipsec-isakmp, or crypto dynamic-map D N: then peers and access list are optional
struct CryptoMapEntry : IpsecProfile {
    std::string dynamic_map;        // crypto map M N ipsec-isakmp dynamic D: nothing else is set
    std::vector<Ipv4Address> peers; // set peer A, in order
    bool prefers_first{false};      // set peer A default: of the first
    std::string match_address;
    bool reverse_route{false}; // of a dynamic entry: routes to what its peers claim
};

using CryptoMap = std::map<std::uint32_t, CryptoMapEntry>; // by sequence number

// --- remote access -------------------------------------------------------------------------------

/// username NAME [privilege N] {password|secret} ...: only what scrypt or PBKDF2 made of it is
/// kept.
struct User {
    ike::PasswordHash password;
    std::optional<std::uint8_t> privilege;
};

/// crypto isakmp client configuration group NAME: what its clients are given.
struct ClientGroup {
    std::shared_ptr<const SecretBuffer> key; // null: none
    std::vector<Ipv4Address> dns;            // at most two
    std::vector<Ipv4Address> wins;           // at most two
    std::string domain;
    std::string pool;
    std::string acl; // split tunnelling: what the client sends through the tunnel
    std::vector<std::string> split_dns;
    std::vector<std::string> backup_gateways; // names or addresses, as clients take them
    std::string banner;
    std::optional<Ipv4Address> netmask;
    std::optional<std::uint32_t> max_users;  // clients of the group at once
    std::optional<std::uint32_t> max_logins; // of one user
    bool save_password{false};
    bool pfs{false};
};

// --- interfaces and routes -----------------------------------------------------------------------

/// The lines of `interface TunnelN` that begin with `tunnel`.
struct TunnelSettings {
    std::string source_interface;           // tunnel source, one of the two
    std::optional<Ipv4Address> source;      //
    std::optional<Ipv4Address> destination; // tunnel destination
    bool ipsec{false};                      // tunnel mode ipsec ipv4
    std::string profile;                    // tunnel protection ipsec profile
};

struct Interface {
    std::string description;
    std::optional<Ipv4Address> address;
    std::uint8_t prefix_length{0};
    std::optional<std::uint32_t> ip_mtu;
    std::string crypto_map;
    bool shutdown{false};
    // Of tunnels alone.
    std::string unnumbered;               // ip unnumbered: the interface that lends its address
    std::optional<std::uint32_t> tcp_mss; // ip tcp adjust-mss
    TunnelSettings tunnel;
};

/// Where packets end that must not follow a shorter route.
inline constexpr std::string_view kNowhere = "Null0";

/// ip route PREFIX MASK {NEXT-HOP | INTERFACE [NEXT-HOP]} [DISTANCE]
struct StaticRoute {
    Ipv4Prefix prefix;
    std::string interface;               // canonical name, may be empty
    std::optional<Ipv4Address> next_hop; // at least one of the two
    std::uint8_t distance{1};
};

/// Orders names as a router does: type first, then numbers as numbers (Gi0/2 before Gi0/10).
struct InterfaceNameLess {
    bool operator()(const std::string& left, const std::string& right) const;
};

struct Config {
    std::string hostname{"Router"};
    std::string domain_name; // ip domain name
    std::map<std::string, Trustpoint> trustpoints;
    std::map<std::uint32_t, IsakmpPolicy> isakmp_policies;
    bool isakmp_default_policies{true}; // crypto isakmp default policy: while none is written
    std::vector<IsakmpKey> isakmp_keys;
    std::map<std::string, Keyring> keyrings;
    std::map<std::string, IsakmpProfile> isakmp_profiles;
    std::map<Ipv4Address, IsakmpPeer> isakmp_peers;
    ike::SelfIdentity isakmp_identity; // Fqdn without text: hostname and domain
    ike::AggressiveMode aggressive_mode{ike::AggressiveMode::Named};
    std::optional<Keepalive> keepalive;
    std::uint32_t nat_keepalive_seconds{20};
    /// crypto isakmp fragmentation [mtu N]; nothing: switched off. On unless said otherwise: a peer
    /// that does not know it is not disturbed by the offer. What carries IPv6 carries 1280 octets.
    std::optional<std::uint32_t> fragmentation_mtu{1280};
    bool invalid_spi_recovery{false}; // crypto isakmp invalid-spi-recovery
    std::map<std::string, TransformSet> transform_sets;
    SaLifetime sa_lifetime; // crypto ipsec security-association lifetime
    /// crypto ipsec security-association idle-time; nothing: SAs without traffic stay
    std::optional<std::uint32_t> sa_idle_seconds;
    bool udp_always{false};          // crypto ipsec nat-transparency udp-encapsulation force
    std::uint32_t replay_window{64}; // crypto ipsec security-association replay window-size
    bool replay_disabled{false};
    std::map<std::string, AccessList> access_lists;
    std::map<std::string, IpsecProfile> ipsec_profiles;
    std::map<std::string, CryptoMap> crypto_maps;
    std::map<std::string, CryptoMap> dynamic_maps;
    std::map<std::string, ClientAccess> client_access; // by crypto map
    bool aaa_new_model{false};
    std::set<std::string> login_lists;   // aaa authentication login NAME local
    std::set<std::string> network_lists; // aaa authorization network NAME local
    std::map<std::string, User> users;
    std::map<std::string, ClientGroup> client_groups;
    std::map<std::string, ike::AddressRange> pools; // ip local pool
    std::map<std::string, Interface, InterfaceNameLess> interfaces;
    std::vector<StaticRoute> routes;
    bool logging_session{false}; // crypto logging session
};

} // namespace adit::config
