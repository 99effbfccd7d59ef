// SPDX-License-Identifier: Apache-2.0
// What crosses the channel between control and dataplane: fixed-size records without pointers.
// The consumer copies a record out of shared memory first, validates the copy whole, then uses it.
//
//   commands  control -> dataplane   one ring per worker (SAs), one for the housekeeper (tables)
//   events    dataplane -> control   one ring per worker, one for the housekeeper
//   inject    control -> housekeeper IKE datagrams to send
//   punt      housekeeper -> control IKE datagrams received
//
// All integers are in host order; addresses are host-order IPv4. Enumerations travel as their
// underlying integers and are checked by the consumer. Every command is answered by exactly one Ack
// event on the ring of the thread it was sent to, in order.
//
// Order that both sides keep: a command pushed before an injected datagram is applied before that
// datagram leaves (an inbound SA exists before the peer can use it, RFC 2409 5.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace adit::ipc {

// Bump when any layout below changes; the handshake refuses a different number.
inline constexpr std::uint32_t kLayoutVersion = 5;

inline constexpr std::size_t kCommandBytes = 512;
inline constexpr std::size_t kEventBytes = 128;
/// strongSwan and IOS send at most about 10,000 octets in one IKE message (certificate chains).
inline constexpr std::size_t kMaxIkeDatagramBytes = 10'176;

// ---------------------------------------------------------------------------------------------------
// commands

enum class CommandType : std::uint16_t {
    // To a worker.
    InstallSa = 1, // InstallSa: outbound ones become their policy's SA between two bursts
    RemoveSa = 2,  // RemoveSa: final counters stay readable until the slot is used again
    AdoptSa = 3,   // AdoptSa: an SA of the control before stays when our first tables come
    // To the housekeeper. Tables are staged and replaced as a whole, so a restart of either side
    // needs no other path: BeginTables, any number of Set..., PublishTables.
    BeginTables = 16,
    SetInterface = 17,
    SetRoute = 18,
    SetPolicy = 19,
    PublishTables = 20,
    FlushNeighbors = 21, // forget what ARP learnt
    // Edits of the tables in use, for what peers bring and take with them. Those that arrive
    // together are published together, before the next datagram is sent, and answered then: all Ok,
    // or none was taken.
    AddPolicy = 22,    // SetPolicy
    RemovePolicy = 23, // RemovePolicy
    AddRoute = 24,     // SetRoute
    RemoveRoute = 25,  // SetRoute, exactly as it was added
    SetTunnel = 26,    // SetTunnel, staged like SetRoute
    ChangeTunnel = 27, // SetTunnel, in place of the one of its policy: an edit
};

/// First bytes of every command. `sequence` is echoed in the Ack; control counts it up per ring.
struct CommandHeader {
    std::uint16_t type;
    std::uint16_t reserved;
    std::uint32_t sequence;
};

enum class Direction : std::uint8_t {
    Inbound = 0,
    Outbound = 1,
};

/// Ranges are inclusive. protocol 0 and port range 0..65535 mean any.
struct SelectorRecord {
    std::uint32_t local_first, local_last;
    std::uint32_t remote_first, remote_last;
    std::uint16_t local_port_first, local_port_last;
    std::uint16_t remote_port_first, remote_port_last;
    std::uint8_t protocol;
    std::uint8_t reserved[3];
};

enum class DfPolicy : std::uint8_t {
    Copy = 0, // outer DF = inner DF
    Set = 1,
    Clear = 2,
};

enum SaFlags : std::uint8_t {
    kSaExtendedSequence = 1 << 0, // RFC 4303 2.2.1
    kSaTransportMode = 1 << 1,    // the selector is the two endpoints themselves (RFC 4301 4.1)
};

struct InstallSa {
    CommandHeader header;
    std::uint32_t sa_id; // SaId; never 0
    std::uint32_t
        spi; // on the wire; inbound: spi_worker/spi_slot must name the ring's worker and `slot`
    std::uint32_t slot;   // < ChannelConfig.max_sas; inbound and outbound slots are separate spaces
    std::uint32_t policy; // outbound: the policy it serves; inbound: the policy it belongs to
    std::uint32_t local_address;  // our tunnel endpoint
    std::uint32_t remote_address; // the peer's
    std::uint16_t local_port;     // 0: native ESP (protocol 50); else UDP encapsulation (RFC 3948)
    std::uint16_t remote_port;    // 0 exactly when local_port is
    std::uint8_t direction;       // Direction
    std::uint8_t cipher;          // EspCipher
    std::uint8_t mac;             // EspMac
    std::uint8_t flags;           // SaFlags
    std::uint8_t key_bytes;       // with salt; must equal what the cipher needs
    std::uint8_t mac_key_bytes;
    std::uint8_t df_policy; // DfPolicy, outbound
    std::uint8_t reserved;
    std::uint32_t replay_window; // packets, 32..4096 and a multiple of 32; 0 switches the check off
    std::uint32_t path_mtu;      // octets of the outer path, 0: the egress interface's
    SelectorRecord selector;
    // Transport mode through a NAT, inbound: the addresses that the peer's TCP and UDP checksums
    // cover (RFC 3948 3.1.2). 0: those of the packet, or not known.
    std::uint32_t original_local;
    std::uint32_t original_remote;
    std::uint64_t soft_bytes; // SoftExpire at this many octets of plaintext, 0: never
    std::uint64_t hard_bytes; // HardExpire and stop, 0: never
    std::uint64_t
        soft_packets; // SoftExpire when this many were sent; sending stops before wrap in any case
    std::uint64_t first_sequence; // outbound: first sequence number, normally 1. Inbound: 0
    std::uint8_t key[40];
    std::uint8_t mac_key[64];
};

struct RemoveSa {
    CommandHeader header;
    std::uint32_t sa_id;
    std::uint32_t slot;
    std::uint8_t direction;
    std::uint8_t reserved[3];
};

/// SAs that nobody has adopted or installed since control attached end with its first tables.
struct AdoptSa {
    CommandHeader header;
    std::uint32_t sa_id;
    std::uint32_t spi;
    std::uint32_t slot;
    std::uint8_t direction;
    std::uint8_t reserved[3];
};

/// `detail` of an AdoptSa's Ok: limits that were reported, perhaps to a control that is gone.
enum AdoptedState : std::uint32_t {
    kAdoptedPastSoftLimit = 1 << 0,
    kAdoptedPastHardLimit = 1 << 1,
};

enum InterfaceFlags : std::uint8_t {
    kInterfaceUp = 1 << 0, // `no shutdown`
};

struct SetInterface {
    CommandHeader header;
    std::uint16_t interface; // InterfaceIndex: place in the dataplane's list of ports
    std::uint8_t prefix_length;
    std::uint8_t flags;    // InterfaceFlags
    std::uint32_t address; // 0: no address
    std::uint32_t ip_mtu;  // octets, 68..port MTU
    std::uint32_t reserved;
};

/// SetRoute.interface: into the tunnel whose policy `next_hop` names.
inline constexpr std::uint16_t kIntoTunnel = 0xfffe;
/// SetRoute.interface: Null0, as if there were no route. `next_hop` is 0.
inline constexpr std::uint16_t kToNowhere = 0xfffd;
/// SetRoute.interface: an address of ours that is on no link. `prefix_length` is 32, `next_hop` 0.
inline constexpr std::uint16_t kToUs = 0xfffc;

struct SetRoute {
    CommandHeader header;
    std::uint32_t prefix;
    std::uint8_t prefix_length;
    std::uint8_t reserved;
    std::uint16_t interface; // 0xffff: where next_hop is connected; kIntoTunnel, kToNowhere, kToUs
    std::uint32_t next_hop;  // 0: the destination itself is on the link
    std::uint32_t reserved2;
};

enum class PolicyAction : std::uint8_t {
    Protect = 0, // `permit` line of a crypto map's ACL
    Bypass = 1,  // `deny` line: not this map entry's business, look no further in this entry
    Drop = 2,
};

/// Traffic leaving `interface` whose (source, destination) matches (local, remote); in the other
/// direction clear text arriving on it that matches mirrored is dropped unless the action is
/// Bypass. Lowest `order` wins, then lowest `breadth`.
struct SetPolicy {
    CommandHeader header;
    std::uint32_t policy; // PolicyId, < ChannelConfig.max_policies; stable across publications
    std::uint32_t order;
    std::uint16_t interface;
    std::uint8_t action; // PolicyAction
    std::uint8_t breadth;
    std::uint32_t entry; // Bypass skips the remaining lines with the same `entry` number
    SelectorRecord selector;
};

struct RemovePolicy {
    CommandHeader header;
    std::uint32_t policy;
    std::uint32_t reserved;
};

enum TunnelFlags : std::uint8_t {
    kTunnelUp = 1 << 0, // its line protocol: otherwise no route leads into it
};

/// A tunnel interface: what routes lead into it is protected by one policy, which stands in no
/// policy table. The number of that policy is the tunnel's own.
struct SetTunnel {
    CommandHeader header;
    std::uint32_t policy;       // PolicyId, < ChannelConfig.max_policies
    std::uint32_t address;      // 0: none
    std::uint32_t ip_mtu;       // octets, 68..65535, of packets inside; the SA may take less
    std::uint16_t tcp_mss;      // TCP connections are told no larger segments; 0: left alone
    std::uint16_t link;         // InterfaceIndex: what is sealed leaves there, within its MTU
    std::uint8_t prefix_length; // 0: the address is another interface's, lent for ICMP errors
    std::uint8_t flags;         // TunnelFlags
    std::uint8_t reserved[2];
};

/// BeginTables, PublishTables, FlushNeighbors.
struct PlainCommand {
    CommandHeader header;
};

union CommandRecord {
    CommandHeader header;
    InstallSa install_sa;
    RemoveSa remove_sa;
    AdoptSa adopt_sa;
    SetInterface set_interface;
    SetRoute set_route;
    SetPolicy set_policy;
    RemovePolicy remove_policy;
    SetTunnel set_tunnel;
    PlainCommand plain;
    std::uint8_t bytes[kCommandBytes];
};

static_assert(sizeof(CommandRecord) == kCommandBytes);
static_assert(std::is_trivially_copyable_v<CommandRecord>);

// ---------------------------------------------------------------------------------------------------
// events

enum class EventType : std::uint16_t {
    Ack = 1,
    Acquire = 2,    // a packet matched a Protect policy that has no outbound SA; limited per policy
    SoftExpire = 3, // time to rekey
    HardExpire = 4, // the SA carries nothing any more
    PeerMoved = 5,  // an authenticated packet came from a new address or port (RFC 3948 4.1)
    PacketNotice = 6, // a dropped packet worth telling the operator about; limited per reason
    LinkChange = 7,   // also sent once for each port when control attaches
};

enum class AckResult : std::uint16_t {
    Ok = 0,
    UnknownType = 1,
    BadValue = 2, // a field outside its range; `detail` is its offset in the record
    SlotInUse = 3,
    NoSuchSa = 4,
    NoSuchPolicy = 5,
    NoSuchInterface = 6,
    NoMemory = 7,
    UnsupportedAlgorithm = 8,
    NotStaging = 9, // Set... without BeginTables
    WrongWorker = 10,
};

struct EventHeader {
    std::uint16_t type;
    std::uint16_t reserved;
    std::uint32_t reserved2;
};

struct Ack {
    EventHeader header;
    std::uint32_t sequence;
    std::uint16_t result; // AckResult
    std::uint16_t reserved;
    std::uint32_t detail;
};

struct FlowRecord {
    std::uint32_t source, destination;
    std::uint16_t source_port,
        destination_port; // 0 when the protocol has none or a fragment hides them
    std::uint8_t protocol;
    std::uint8_t reserved[3];
};

struct Acquire {
    EventHeader header;
    std::uint32_t policy;
    std::uint32_t reserved;
    FlowRecord flow; // the packet that asked
};

enum class ExpireKind : std::uint8_t {
    Bytes = 0,
    Sequence = 1,
};

struct Expire { // SoftExpire, HardExpire
    EventHeader header;
    std::uint32_t sa_id;
    std::uint8_t kind; // ExpireKind
    std::uint8_t reserved[3];
};

struct PeerMoved {
    EventHeader header;
    std::uint32_t sa_id;
    std::uint32_t address;
    std::uint16_t port;
    std::uint16_t reserved;
};

struct PacketNotice {
    EventHeader header;
    std::uint8_t reason; // DropReason
    std::uint8_t reserved[3];
    std::uint32_t sa_id;  // 0 when none was found
    std::uint32_t spi;    // 0 when the packet is not ESP
    std::uint32_t policy; // 0xffffffff when none
    std::uint64_t sequence_number;
    FlowRecord flow;    // of the outer packet for ESP reasons, of the packet itself otherwise
    std::uint32_t more; // how many of this reason were not reported since the last notice
};

struct LinkChange {
    EventHeader header;
    std::uint16_t interface;
    std::uint8_t up;
    std::uint8_t mac[6];
    std::uint8_t reserved[3];
    std::uint32_t port_mtu;
    std::uint32_t speed_mbps; // 0: unknown
};

union EventRecord {
    EventHeader header;
    Ack ack;
    Acquire acquire;
    Expire expire;
    PeerMoved peer_moved;
    PacketNotice packet_notice;
    LinkChange link_change;
    std::uint8_t bytes[kEventBytes];
};

static_assert(sizeof(EventRecord) == kEventBytes);
static_assert(std::is_trivially_copyable_v<EventRecord>);

// ---------------------------------------------------------------------------------------------------
// punt and inject

/// One UDP datagram to or from port 500 or 4500. The non-ESP marker of port 4500 (RFC 3948 2.2) is
/// removed before punting and added after injecting, so `payload` always starts at the ISAKMP
/// header. Only `kDatagramHeaderBytes + length` octets are copied.
struct DatagramRecord {
    std::uint64_t arrival_ns; // CLOCK_MONOTONIC; 0 when injected
    std::uint32_t source, destination;
    std::uint16_t source_port, destination_port;
    std::uint16_t interface; // where it came in; ignored when injected: the route decides
    std::uint16_t length;    // octets of payload
    std::uint8_t payload[kMaxIkeDatagramBytes];
};

inline constexpr std::size_t kDatagramHeaderBytes = offsetof(DatagramRecord, payload);
static_assert(std::is_trivially_copyable_v<DatagramRecord>);

} // namespace adit::ipc
