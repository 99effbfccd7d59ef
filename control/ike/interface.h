// SPDX-License-Identifier: Apache-2.0
// The border of the IKE engine: plain values in, plain values out. The engine has no sockets, no
// clock, no threads and no globals; whoever drives it (control's event loop, a unit test, the
// simulator) feeds events with the time and carries out the actions in the order given. That order
// matters: an inbound SA is installed before the message that lets the peer use it.
//
// Threading: one thread drives an engine.
#pragma once

#include "common/address.h"
#include "common/algorithms.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/types.h"
#include "control/ike/address_pool.h"
#include "control/ike/constants.h"
#include "control/ike/credentials.h"
#include "control/ike/crypto.h"
#include "control/ike/indexed.h"
#include "control/ike/job.h"
#include "control/ike/password.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace adit::ike {

// --- configuration, as the engine needs it ------------------------------------------------------

/// How both sides prove who they are.
enum class Authentication : std::uint8_t { PreSharedKey, RsaSignature, EcdsaSignature };

/// One acceptable phase-1 proposal, in order of preference.
struct Phase1Policy {
    std::uint32_t priority{}; // crypto isakmp policy N
    CipherAlgorithm cipher{};
    HashAlgorithm hash{};
    Group group{};
    Duration lifetime{std::chrono::seconds{86'400}};
    Authentication authentication{Authentication::PreSharedKey};
    bool xauth{false}; // also when the peer offers to log in afterwards
};

struct PresharedKey {
    Ipv4Prefix peer;
    std::shared_ptr<const SecretBuffer> key;
    /// When not empty the key is for the peer that calls itself so, wherever it comes from: only
    /// aggressive mode can use it, main mode needs the key before it sees a name.
    std::string name{};
    bool no_xauth{false}; // whoever holds it is a gateway: asked for no user name
};

/// Keys that have no name, by prefix.
class KeyIndex {
  public:
    explicit KeyIndex(const std::vector<PresharedKey>& keys);

    /// Position of the key with the longest prefix, of several the first.
    [[nodiscard]] std::optional<std::size_t> longest(Ipv4Address peer) const;

  private:
    static constexpr std::size_t kLengths = 33;

    std::array<std::unordered_map<Ipv4Address, std::size_t>, kLengths> by_length_;
};

using Keyring = Indexed<PresharedKey, KeyIndex>;

/// What we call ourselves.
struct SelfIdentity {
    /// Ipv4Address: the address we talk from; Fqdn, UserFqdn, KeyId: `text`; DerDn: the subject of
    /// our certificate.
    IdType type{IdType::Ipv4Address};
    std::string text;

    friend bool operator==(const SelfIdentity&, const SelfIdentity&) = default;
};

/// One `match identity` line: what a peer may call itself.
struct IdentityMatch {
    enum class Kind : std::uint8_t {
        Address,    // an address inside the prefix
        Host,       // this FQDN
        HostDomain, // any FQDN that ends in .text
        User,       // this user FQDN
        UserDomain, // any user FQDN that ends in @text
        Group,      // this key id, or the first OU of this DN
        Any,
    } kind{Kind::Address};
    Ipv4Prefix address{};
    std::string text{};

    friend bool operator==(const IdentityMatch&, const IdentityMatch&) = default;
};

struct Dpd {
    Duration interval;
    Duration retry;
    bool periodic{false};
};

/// How those who come to one of our addresses, or fall under a profile, are let in. Whether a user
/// name is asked for is said here and nowhere else: nothing a peer sends or leaves out changes it.
struct ClientAccess {
    bool login{false};       // XAUTH before anything else
    bool users_known{false}; // the list named is one of local users; else nobody gets in
    bool groups_known{false};
    bool respond{false};  // addresses for those who ask
    bool initiate{false}; // and for those who do not
    std::string group;    // of everybody here; empty: the one that the peer names and proves

    [[nodiscard]] bool gives_addresses() const { return groups_known && (respond || initiate); }
};

/// crypto isakmp profile: what is asked of the peers whose identity it matches.
struct IsakmpProfile {
    std::string name;
    std::vector<IdentityMatch> matches;
    Keyring keys; // of its keyrings; the global ones when it names none
    std::optional<SelfIdentity> self;
    std::optional<Dpd> dpd; // else the global one
    bool initiate_aggressive{false};
    std::optional<ClientAccess> access; // else that of the address they come to
};

/// crypto isakmp peer: how to speak to one peer, aggressively.
struct AggressivePeer {
    Ipv4Address address;
    std::shared_ptr<const SecretBuffer> key;
    SelfIdentity self;
};

/// What the clients of one group are given (crypto isakmp client configuration group).
struct ClientGroup {
    std::string name;
    std::shared_ptr<const SecretBuffer> key; // null: the group has none of its own
    std::vector<Ipv4Address> dns;
    std::vector<Ipv4Address> wins;
    std::string domain;
    std::string pool;
    std::string banner;
    std::vector<Ipv4Prefix> split; // empty: everything goes through the tunnel
    std::vector<std::string> split_dns;
    std::vector<std::string> backup_gateways;
    std::optional<Ipv4Address> netmask;
    std::optional<std::uint32_t> max_users;
    std::optional<std::uint32_t> max_logins;
    bool save_password{false};
    bool pfs{false};
};

struct Phase2Transform {
    std::string name; // of the transform set
    EspCipher cipher{};
    EspMac mac{};
    bool transport{false};          // for traffic between the gateways themselves
    bool esn{false};                // 64-bit sequence numbers (RFC 4304)
    bool transport_required{false}; // never tunnel mode instead
};

/// One permit line of a crypto map entry's ACL: its own pair of SAs.
struct Flow {
    PolicyId policy; // row of the dataplane's policy table
    TrafficSelector selector;
    std::uint32_t acl_sequence{};
};

/// What a crypto map entry takes from `crypto dynamic-map NAME SEQUENCE`.
struct DynamicEntry {
    std::string map_name;
    std::uint32_t sequence{};
};

/// A crypto map entry on one interface, or a tunnel interface.
struct Connection {
    std::string name; // "VPNMAP 10", "Tunnel10": unique
    std::string map_name;
    std::uint32_t map_sequence{};
    std::string interface; // for show
    Ipv4Address local;
    std::vector<Ipv4Address> peers;
    /// The first of them is tried first whenever a tunnel begins anew, not whoever answered last.
    bool prefers_first{false};
    Duration idle_time{};      // a pair without packets for so long is told as PairIdle; 0: never
    bool idle_to_first{false}; // and what begins after that begins with the first peer
    std::vector<Phase2Transform> transforms;
    std::optional<Group> pfs;
    Duration lifetime{std::chrono::seconds{3'600}};
    std::uint64_t lifetime_kilobytes{4'608'000}; // 0: no volume limit
    std::uint32_t replay_window{64};             // packets, 0: off
    std::string acl_name;
    std::string profile; // set isakmp-profile; empty: whichever fits
    std::vector<Flow> flows;
    std::vector<Flow> exceptions; // deny lines
    /// Of a tunnel interface: its one flow is everything, and routes say what of that it carries.
    bool routed{false};
    /// Set for an entry of a `crypto dynamic-map`. Peers are not known beforehand (or `peers` alone
    /// are served), and nothing is initiated: a peer may claim what lies inside one of the flows
    /// and inside none of the exceptions before it, or without an access list what nobody else has.
    std::optional<DynamicEntry> dynamic;
};

class ConnectionIndex {
  public:
    explicit ConnectionIndex(const std::vector<Connection>& connections);

    /// Position of the first.
    [[nodiscard]] std::optional<std::size_t> named(const std::string& name) const;

    /// Positions of all that name this peer, in their order.
    [[nodiscard]] std::span<const std::size_t> with_peer(Ipv4Address peer) const;

  private:
    std::unordered_map<std::string, std::size_t> by_name_;
    std::unordered_map<Ipv4Address, std::vector<std::size_t>> by_peer_;
};

using Connections = Indexed<Connection, ConnectionIndex>;

/// Which aggressive exchanges are answered. Each answer with a pre-shared key lets whoever asked
/// try out keys at leisure (SECURITY U13), and each one with a certificate is long and costs a
/// signature, so it is a choice of the administrator.
enum class AggressiveMode : std::uint8_t {
    Disabled, // none, of any kind
    Named,    // peers that only aggressive mode can serve: by key name, group, peer, profile
    Enabled,  // also peers known by address alone, and those that sign
};

struct EngineConfig {
    std::vector<Phase1Policy> phase1;
    Keyring keys; // longest prefix wins
    std::vector<IsakmpProfile> profiles;
    std::vector<AggressivePeer> aggressive_peers;
    AggressiveMode aggressive{AggressiveMode::Named};
    SelfIdentity self;       // of peers without a profile that says otherwise
    Credentials credentials; // for signatures
    Connections connections;
    std::vector<Ipv4Address> own_addresses;
    std::map<Ipv4Address, ClientAccess> access; // by the address of ours that they come to
    std::map<std::string, ClientGroup> groups;
    std::map<std::string, PasswordHash> users;
    std::map<std::string, AddressRange> pools;
    std::optional<Dpd> dpd;
    Duration nat_keepalive{std::chrono::seconds{20}};
    bool udp_always{false}; // ESP travels in UDP as if there were a NAT
    /// Messages go out in fragments that make no larger IP packet. Nothing: IKE fragmentation is
    /// neither offered, nor accepted, nor used.
    std::optional<std::uint32_t> fragmentation_mtu{1280};
    /// crypto isakmp invalid-spi-recovery: phase 1 with configured peers that send under SAs
    /// unknown to us.
    bool invalid_spi_recovery{false};
    std::uint64_t generation{}; // counts configurations up
};

/// Null when there is none.
const Connection* find_connection(const EngineConfig& config, const std::string& name);
/// All entries that name this peer, in their order.
std::vector<const Connection*> connections_with(const EngineConfig& config, Ipv4Address peer);

// --- events -------------------------------------------------------------------------------------

/// A datagram for one of our addresses. Port 4500's non-ESP marker is already gone.
struct DatagramReceived {
    Endpoint local, remote;
    Bytes payload;
};

struct Initiate {
    std::string connection;
    PolicyId policy; // whose flow; kNoPolicy: every flow of the connection
    enum class Cause : std::uint8_t { Traffic, Command } cause{Cause::Traffic};
};

/// What crypto_pool (or the simulator) made of a StartJob action.
struct JobFinished {
    JobResult result;
};

/// Answer of the dataplane to an Install action.
struct InstallFinished {
    SaId sa;
    bool ok{true};
    std::string reason; // when not ok
};

/// The dataplane reached a soft or hard limit of an outbound or inbound SA.
struct SaLimitReached {
    SaId sa;
    bool hard{false};
};

/// Answer of the dataplane to an AddPolicyAction that it could not carry out.
struct PolicyRefused {
    PolicyId policy;
    std::string reason;
};

/// Packets leave by this SA and none came back for the DPD interval: on-demand DPD waits for this.
struct PeerSilent {
    SaId sa; // either direction
};

/// The dataplane authenticated a packet from a new address or port.
struct PeerMovedTo {
    SaId sa;
    Endpoint remote;
};

/// No packet for its connection's idle_time, in either direction.
struct PairIdle {
    SaId sa; // either direction
};

/// The first packet came by an inbound SA that Engine::awaited() names: the peer has the pair.
struct PeerUses {
    SaId sa;
};

/// ESP came from a peer by an SPI that is not (or no longer) ours.
struct UnknownSpi {
    Ipv4Address local, remote;
    Spi spi;
};

struct ClearPhase1 {
    std::optional<Ipv4Address> peer; // nothing: all
    std::optional<ConnId> conn_id;
};

struct ClearPhase2 {
    std::optional<Ipv4Address> peer;
};

/// From now on this configuration. Negotiations and SAs of connections, flows, keys or policies
/// that did not change stay; others are deleted with notice to the peer.
struct Reconfigure {
    std::shared_ptr<const EngineConfig> config;
};

/// All SAs end with deletes to the peers: a clean stop.
struct Shutdown {};

using Event = std::variant<DatagramReceived,
                           Initiate,
                           JobFinished,
                           InstallFinished,
                           PolicyRefused,
                           SaLimitReached,
                           PeerSilent,
                           PeerMovedTo,
                           PeerUses,
                           PairIdle,
                           UnknownSpi,
                           ClearPhase1,
                           ClearPhase2,
                           Reconfigure,
                           Shutdown>;

// --- actions ------------------------------------------------------------------------------------

struct SendDatagram {
    Endpoint local, remote; // port 4500: the shell adds the marker
    Bytes payload;
};

/// RFC 3948 2.3: one octet 0xff, which is no ISAKMP message and gets no marker.
struct SendNatKeepalive {
    Endpoint local, remote;
};

/// Slow crypto; its JobFinished may come at any later time, in any order.
struct StartJob {
    Job job;
};

/// One direction of a child SA, complete. Keys move into the ring record and are wiped.
struct InstallSaAction {
    SaId sa;
    Spi spi;
    Spi inbound_spi; // of the pair: our own choice, whichever direction this is
    bool inbound{};
    PolicyId policy;
    Endpoint local, remote; // ports 0: native ESP
    EspCipher cipher{};
    EspMac mac{};
    bool esn{false};
    bool transport{false};
    std::uint32_t replay_window{};
    TrafficSelector selector;
    /// The addresses that the peer's TCP and UDP checksums cover, when a NAT changed them on the
    /// way (RFC 3948 3.1.2); 0: as the packets say.
    Ipv4Address original_local, original_remote;
    std::uint64_t soft_bytes{}, hard_bytes{}; // 0: none
    SecretBuffer key;                         // with salt
    SecretBuffer mac_key;
};

struct RemoveSaAction {
    SaId sa;
    Spi spi;
    bool inbound{};
};

/// A policy for what a peer of a dynamic entry claimed, or for the part of a static entry's line
/// that its peer asked for. The first is in the dataplane before the message leaves that lets the
/// peer use its SAs. The second comes just before the outbound SA: until then the whole line serves
/// that traffic.
struct AddPolicyAction {
    PolicyId policy;
    std::string connection;
    TrafficSelector selector;
};

/// Behind the removal of its last SA. Frees the number.
struct RemovePolicyAction {
    PolicyId policy;
};

struct Log {
    LogRecord record;
};

/// A line of `debug crypto isakmp`, already in its classic notation ("ISAKMP:(1001):..."). Made
/// only when the engine's debug flag is on.
struct Debug {
    Ipv4Address peer;
    Cookie initiator_cookie;
    std::string text;
};

/// What a packet analyser needs; made only after `debug crypto isakmp keys` was asked for.
struct ExportKeys {
    std::string line_format; // "ikev1_decryption_table" or "esp_sa"
    std::string line;
};

using Action = std::variant<SendDatagram,
                            SendNatKeepalive,
                            StartJob,
                            InstallSaAction,
                            RemoveSaAction,
                            AddPolicyAction,
                            RemovePolicyAction,
                            Log,
                            Debug,
                            ExportKeys>;
using Actions = std::vector<Action>;

// --- what the engine asks of its shell ----------------------------------------------------------

/// Hands out inbound SPIs (worker, slot and check bits: common/spi.h). The simulator gives a
/// counter.
class SpiAllocator {
  public:
    virtual ~SpiAllocator() = default;
    /// For an SA pair of `policy`. Nothing when all slots are in use.
    virtual std::optional<Spi> allocate(PolicyId policy) = 0;
    /// The SPI may be used again once the dataplane has let go of it.
    virtual void release(Spi spi) = 0;
};

/// Hands out numbers of policies made at run time.
class PolicyAllocator {
  public:
    virtual ~PolicyAllocator() = default;
    /// Nothing when all are in use. A number comes again only when the dataplane has let go of the
    /// policy that had it and of that policy's SAs.
    virtual std::optional<PolicyId> allocate() = 0;
    /// Of a number for which no AddPolicyAction was given.
    virtual void release(PolicyId policy) = 0;
};

// --- what the engine shows ----------------------------------------------------------------------

enum class Role : std::uint8_t { Initiator, Responder };

struct IsakmpSaView {
    ConnId conn_id; // 0 until keyed
    Role role{};
    Endpoint local, remote;
    Cookie initiator_cookie, responder_cookie;
    std::string state; // "MM_NO_STATE", "MM_SA_SETUP", "MM_KEY_EXCH", "MM_KEY_AUTH", "QM_IDLE"
    bool deleted{false};
    bool established{false};
    std::optional<Phase1Policy> policy; // once agreed
    Instant created;
    std::optional<Instant> established_at;
    std::optional<Instant> expires;
    bool dpd{false};           // the peer speaks RFC 3706
    bool fragmentation{false}; // messages may travel in IKE fragments, both ways
    bool nat_traversal{false};
    std::string peer_identity;             // "192.0.2.20"; empty until authenticated
    bool login{false};                     // a user name was asked for
    std::string user;                      // empty until proved
    std::string group;                     // of a client; empty for others
    std::optional<Ipv4Address> assigned;   // to a client
    std::string connection;                // name, may be empty for a responder before quick mode
    std::vector<std::string> peer_vendors; // names of recognised vendor ids
};

struct ChildSaView { // a pair, or an inbound half while quick mode runs
    SaId inbound_sa, outbound_sa;
    Spi inbound_spi, outbound_spi;
    PolicyId policy;
    bool own_policy{false}; // made at run time, for what the peer asked for
    std::string connection;
    Role role{};
    Endpoint local, remote;
    bool udp_encapsulated{false};
    EspCipher cipher{};
    EspMac mac{};
    bool transport{false};
    bool esn{false};
    std::uint32_t replay_window{};
    std::optional<Group> pfs;
    TrafficSelector selector;
    Instant established_at;
    Instant expires;
    std::uint64_t lifetime_kilobytes{}; // 0: none
    bool current{true};                 // the one that new packets leave by
    bool dying{false};                  // replaced or deleted, kept for packets in flight
    ConnId isakmp;
    std::string user; // of a client that logged in
};

/// Named reasons why something failed; one counter each. The names are what `show` and metrics
/// print.
enum class Failure : std::uint8_t {
    Malformed,            // message does not parse
    UnknownCookies,       // no ISAKMP SA and no first message
    NoPresharedKey,       // no key for this peer
    NoPhase1Proposal,     // no common phase-1 policy (as responder)
    Phase1Refused,        // the peer answered NO-PROPOSAL-CHOSEN to phase 1
    PresharedKeyMismatch, // message 5 or 6 decrypts to rubbish, or HASH differs
    IdentityMismatch,     // the peer's identity is not what the configuration expects
    NoPhase2Proposal,     // no common transform set (as responder)
    Phase2Refused,        // the peer answered NO-PROPOSAL-CHOSEN to quick mode
    ProxyMismatch,        // proxy identities match no ACL line (as responder)
    ProxyInUse,           // proxy identities overlap what another peer has (as responder)
    ProxyRefused,         // the peer answered INVALID-ID-INFORMATION
    PfsMismatch,          // group missing or other than configured
    Phase1Timeout,
    Phase2Timeout,
    BadHash,           // HASH of quick mode or informational wrong
    NotEncrypted,      // must be encrypted and is not
    UnexpectedMessage, // no row of the table allows it
    BadKeyExchange,    // public value refused
    DeadPeer,
    HalfOpenLimit,
    InstallRefused,     // by the dataplane
    FragmentRefused,    // a fragment that fits nowhere, or a message whose rest did not come
    LoginFailed,        // user name unknown or password wrong
    LoginTimeout,       // the client does not say who it is
    NoAddress,          // none left to lend, or nobody said from which pool
    NotItsAddress,      // a client asks for SAs of an address it was not given
    NoCertificate,      // none of ours for the agreed method
    CertificateRefused, // the peer's: expired, revoked, unknown CA ...
    SignatureMismatch,  // of the peer, over an exchange that is sound
    SignatureRefused,   // the peer does not accept our certificate or signature
    Count_,
};

const char* to_string(Failure failure);

struct EngineCounters {
    std::array<std::uint64_t, static_cast<std::size_t>(Failure::Count_)> failures{};
    /// What CertificateRefused and SignatureMismatch consist of.
    std::array<std::uint64_t, static_cast<std::size_t>(CertificateFault::Count_)> certificates{};
    std::uint64_t messages_in{}, messages_out{}, retransmits{}, duplicates_in{};
    std::uint64_t phase1_established{}, phase2_established{};
    std::uint64_t dpd_sent{}, dpd_answered{};
    std::uint64_t deletes_in{}, deletes_out{};
    std::uint64_t fragments_in{}, fragments_out{}, reassembled{};
};

} // namespace adit::ike
