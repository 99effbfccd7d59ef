// SPDX-License-Identifier: Apache-2.0
// What a session is made of: the states of its exchanges, the data each state owns, what can happen
// to it and what it asks for. A session is one ISAKMP SA with the quick modes that run under it.
// Each transition moves what survives into the next state's data and so wipes what does not; keys
// that need authentication exist only in Secured.
//
// Threading: values; an engine owns them. Source: RFC 2409 5.
#pragma once

#include "common/clock.h"
#include "control/ike/interface.h"
#include "control/ike/keymat.h"
#include "control/ike/message.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/peer_policy.h"
#include "control/ike/proposal.h"
#include "control/ike/runtime_flows.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace adit::ike {

inline constexpr std::uint16_t kIkePort = 500;
inline constexpr std::uint16_t kNatPort = 4500; // RFC 3947 4
inline constexpr std::uint8_t kUdp = 17;

// --- states -------------------------------------------------------------------------------------

/// Named after the last message sent (Mm1: message 1 is out). `...Dh`, `...Sign`, `...Judge` wait
/// for slow arithmetic.
enum class State : std::uint8_t {
    Ready, // nothing sent, nothing received
    InitiatorMm1,
    InitiatorMm2Dh,
    InitiatorMm3,
    InitiatorMm4Dh,
    InitiatorMm4Sign,
    InitiatorMm5,
    InitiatorMm6Judge,
    ResponderMm2,
    ResponderMm3Dh,
    ResponderMm4,
    ResponderMm5Judge,
    ResponderMm6Sign,
    InitiatorAm1Dh,
    InitiatorAm1,
    InitiatorAm2Dh,
    InitiatorAm2Judge,
    InitiatorAm3Sign,
    ResponderAm1Dh,
    ResponderAm2Sign,
    ResponderAm2,
    ResponderAm3Judge,
    Established,
    QmInitiatorDh,
    QmInitiatorQm1,
    QmInitiatorQm2Dh,
    QmInitiatorQm3, // the responder set the commit bit: its word is awaited
    QmResponderDh,
    QmResponderQm2,
    QmDone,
    XauthAsked,
    XauthChecking,
    XauthPaused,
    XauthGranted,
    XauthRefused,
    ConfigPushed,
    ConfigDone,
    Dead,
    Count_,
};

/// As `debug crypto isakmp` calls them: "IKE_I_MM1".
const char* name(State state);

enum class TimerRule : std::uint8_t {
    None,
    Retransmit, // send again with growing gaps, then give up
    Wait,       // the peer retransmits, we only give up
    Compute,    // our own arithmetic: a guard against a lost job
    Pause,      // before a wrong password may be followed by another one
    Linger,     // done; kept to answer duplicates
    Commit,     // everything is done, but the peer asked us to wait
    Lifetime,   // until the SA expires
};

/// Gaps between transmissions, in seconds: the first few short, since one lost datagram is the
/// usual case; the sum below a minute, so that within one something fresh has begun, whatever an
/// exchange was caught in. With 30 % lost each way a round trip fails nineteen times in a row once
/// in 300,000.
inline constexpr std::array<unsigned, 19> kRetransmitGaps = {
    1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5};
inline constexpr Duration kWaitLimit = std::chrono::seconds{60};
inline constexpr Duration kComputeLimit = std::chrono::seconds{30};
/// RFC 2408 3.1 sets no end to waiting for CONNECTED, but the header with the commit bit in it is
/// not authenticated, and a lost word must not cost a tunnel.
inline constexpr Duration kCommitLimit = std::chrono::seconds{5};
inline constexpr Duration kLoginPause = std::chrono::seconds{2};
inline constexpr Duration kLingerTime = std::chrono::seconds{65}; // a peer's whole back-off
/// An unauthenticated refusal must not end an exchange (anyone on the path can forge one), but
/// repeating ourselves is pointless: a genuine answer has this long to arrive.
inline constexpr Duration kRefusedGrace = std::chrono::seconds{4};
/// A duplicate is answered from store at most this often.
inline constexpr Duration kAnswerGap = std::chrono::seconds{1};

/// First octets of SHA-256 over a datagram: recognises exact copies.
using Digest = std::uint64_t;
Digest digest_of(ByteView datagram);

/// One exchange's place in its dialogue, and what retransmissions and duplicates need.
struct Leg {
    State state{State::Ready};
    TimerRule timer{TimerRule::None};
    std::uint8_t sends{};
    Instant due;     // when the timer fires
    Instant give_up; // Retransmit: the end of it
    Instant sent_at;
    Bytes sent;                       // our last message, as it went out
    std::array<Digest, 3> answered{}; // the peer's messages so far, newest first
    JobId job;                        // the job waited for
};

// --- phase 1 ------------------------------------------------------------------------------------

using SharedBytes = std::shared_ptr<const Bytes>;

/// Initiator of main mode, message 1 is out.
struct Offered {
    Bytes sai_b;
};

/// A policy is agreed, nothing secret exists.
struct Agreed {
    Phase1Policy policy;
    SharedBytes sai_b; // equal bodies are stored once: a flood of first messages costs one
};

using SharedCertificate = std::shared_ptr<const OwnCertificate>;

/// What a peer says of itself while its signature is judged: none of it counts before that.
struct Claim {
    Identity identity;
    Bytes id_body;          // the same as it came
    PeerProof proof;        // until it goes to be judged
    Bytes ciphertext;       // of the message, to go on from once it is proved
    Endpoint local, remote; // where it came in
    bool initial_contact{false};
};

/// Public values travel.
struct Exchanging {
    Phase1Policy policy; // initiator of aggressive mode: only the group is certain before message 2
    SharedBytes sai_b;
    SharedKey psk;         // null when signatures prove who is who
    SharedCertificate own; // to sign with; null for keys
    DhKeyPair pair;        // responder: once its job is done
    Bytes nonce_i;         // Ni_b
    Bytes nonce_r;         // Nr_b
    Bytes peer_public;     // g^x of the peer
    // Aggressive mode: what the peer has said before anything could be checked.
    Bytes peer_id; // body of IDii or IDir
    Bytes peer_hash;
    std::optional<Claim> claim; // instead of the HASH, with signatures
    Bytes answer_sa;            // responder: body of the SA payload to answer with
    std::size_t question_bytes{};
};

/// Both sides can compute the keys; nobody has proved anything.
struct Keyed {
    Phase1Policy policy;
    SharedBytes sai_b;
    SharedKey psk;
    SharedCertificate own;
    Bytes g_xi;
    Bytes g_xr;
    Skeyids keys;
    SecretBuffer cipher_key;
    IvChain iv;
    Bytes peer_id; // aggressive mode: as in Exchanging
    Bytes peer_hash;
    std::optional<Claim> claim; // until it is judged
    Bytes own_id;               // while we sign: body of our identification payload
    MessageBuilder begun;       // while we sign: what of message 2 stands before it
};

/// The peer has proved that it holds the key.
struct Secured {
    Phase1Policy policy;
    SecretBuffer skeyid_d;
    SecretBuffer skeyid_a;
    SecretBuffer cipher_key;
    IvChain iv; // where every later exchange begins
    Identity identity;
    std::string peer_identity; // the same in words
    SharedKey psk;             // that proved it; null for signatures
    Instant since;
    Instant rekey_at;
    Instant expires;
};

using Phase1Data = std::variant<std::monostate,
                                Offered,
                                Agreed,
                                std::unique_ptr<Exchanging>,
                                std::unique_ptr<Keyed>,
                                std::unique_ptr<Secured>>;

// --- phase 2 ------------------------------------------------------------------------------------

/// A wish for a child SA.
struct FlowRequest {
    std::string connection;
    PolicyId policy;
    FlowLease lease{}; // of a flow made at run time
    /// Of the pair to be replaced, where the entry names none: the peer may insist on its group.
    std::optional<Group> pfs{};
};

struct QuickMode {
    MessageId id;
    Role role{};
    Leg leg;
    IvChain iv;
    Instant started;
    std::string connection;
    PolicyId policy{kNoPolicy};
    FlowLease lease; // of a flow made at run time
    TrafficSelector selector;
    std::optional<Group> pfs; // initiator: the group we ask for
    std::uint32_t replay_window{};
    Bytes nonce_i;
    Bytes nonce_r;
    DhKeyPair pair;
    Bytes peer_public;
    SecretBuffer g_xy; // only while PFS needs it
    std::unique_ptr<Phase2Choice> choice;
    Bytes answer_idci; // responder: the bodies to send back, as they came
    Bytes answer_idcr;
    Spi inbound_spi;
    SaId inbound_sa;
    SaId outbound_sa;
    std::unique_ptr<InstallSaAction> outbound; // waits for message 3, or for CONNECTED
    bool commit{false};                        // the responder asked us to wait for CONNECTED
    /// RFC 3947 5.2: both ends as the peer sees them; unspecified without NAT or in tunnel mode.
    Ipv4Address original_local;
    Ipv4Address original_remote;
    bool inbound_installed{false};
};

// --- transaction exchange -----------------------------------------------------------------------

/// A question and its answer. A login is several of them, each with its own message id.
struct Transaction {
    MessageId id;
    Role role{};
    Leg leg;
    IvChain iv;
    std::uint16_t identifier{}; // the same in all messages of a login
};

/// A peer that has to name a user and prove to be it before anything else is served.
struct Login {
    bool pending{true};
    std::uint8_t tries{};
    std::string user; // as the peer says; proved once nothing is pending
    PasswordHash proof;
};

inline constexpr std::uint8_t kMaxLoginTries = 3;
inline constexpr std::size_t kMaxTransactions = 64; // with those kept to answer duplicates
inline constexpr std::size_t kMaxUserBytes = 64;

// --- session ------------------------------------------------------------------------------------

/// Vendor ids that mean something to us. Many more are known by name (vendor_id.cpp).
enum class Vendor : std::uint8_t {
    NatRfc3947,
    NatDraft03,
    NatDraft02n,
    NatDraft02,
    Dpd,
    Xauth,
    Unity,
    Fragmentation,
    StrongSwan,
    Other, // a name, no more
};

/// Which ids of the table in vendor_id.cpp a peer has sent, by row.
class VendorSet {
  public:
    static constexpr std::size_t kMaxRows = 192;

    void insert(std::size_t row) { words_.at(row / 64) |= std::uint64_t{1} << row % 64; }

    [[nodiscard]] bool contains(std::size_t row) const {
        return (words_.at(row / 64) >> row % 64 & 1) != 0;
    }

    [[nodiscard]] const auto& words() const { return words_; }

    [[nodiscard]] auto& words() { return words_; }

    /// Any row of this vendor.
    [[nodiscard]] bool has(Vendor vendor) const;

    VendorSet& operator|=(const VendorSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i)
            words_[i] |= other.words_[i];
        return *this;
    }

  private:
    std::array<std::uint64_t, kMaxRows / 64> words_{};
};

struct NatState {
    NatVersion version{NatVersion::None};
    bool local_behind{false};
    bool peer_behind{false};

    [[nodiscard]] bool detected() const { return local_behind || peer_behind; }
};

/// What we have seen that explains a failure later on; none of it is proof.
struct Evidence {
    std::optional<NotifyType> refused; // by an unauthenticated notification
    bool judged{false};                // why this will fail has been reported
    bool heard{false};                 // anything at all
};

struct DpdState {
    std::uint32_t sequence{};
    std::uint8_t tries{};          // R-U-THEREs out and unanswered
    std::optional<Instant> due;    // next R-U-THERE, or its repetition
    std::uint32_t peer_sequence{}; // highest seen
};

/// Why a quick mode of the peer's came to nothing, as it was told.
struct ToldRefusal {
    MessageId id;
    Notification notification;
    Instant told_at;
};

using SessionId = Strong<struct SessionIdTag, std::uint64_t>;

struct Session {
    SessionId id;
    Role role{};
    ExchangeType phase1{ExchangeType::IdentityProtection}; // or Aggressive
    std::string profile; // initiator: as the entry says; responder: once the peer is known
    CookiePair cookies;
    Endpoint local;
    Endpoint remote;
    bool configured{false}; // responder: a crypto map names the peer's address
    ConnId conn_id;
    VendorSet vendors; // of the peer
    NatState nat;
    Evidence evidence;
    bool initial_contact{false}; // to be sent with our identity
    bool rekey_started{false};
    Instant created;
    Leg leg;
    Phase1Data data;
    DpdState dpd;
    std::optional<Instant> keepalive_due;
    std::vector<std::unique_ptr<QuickMode>> quick_modes;
    std::vector<std::unique_ptr<Transaction>> transactions;
    /// The peer says it has no other SA with us. Of clients, who share their group's name and key,
    /// that counts once it is known which of them says so.
    bool first_contact{false};
    bool client{false};         // of remote access: set when phase 1 ends, with the login
    std::optional<Login> login; // by our configuration alone
    std::string group;          // of a client; empty for others
    AddressLeasePtr assigned;
    bool pushed{false};                      // given what it did not ask for, or tried to
    std::vector<FlowRequest> queue;          // waiting for phase 1, or for a free quick mode
    std::vector<MessageId> used_message_ids; // newest last, bounded
    std::vector<ToldRefusal> told_refusals;  // likewise

    [[nodiscard]] bool has(Vendor vendor) const { return vendors.has(vendor); }

    [[nodiscard]] Secured* secured() {
        auto* owner = std::get_if<std::unique_ptr<Secured>>(&data);
        return owner == nullptr ? nullptr : owner->get();
    }

    [[nodiscard]] const Secured* secured() const {
        const auto* owner = std::get_if<std::unique_ptr<Secured>>(&data);
        return owner == nullptr ? nullptr : owner->get();
    }

    /// Everything may be served.
    [[nodiscard]] bool open() const {
        return leg.state == State::Established && secured() != nullptr &&
               (!login || !login->pending);
    }

    /// Proved; empty for those who were not asked.
    [[nodiscard]] std::string user() const {
        return login && !login->pending ? login->user : std::string{};
    }

    [[nodiscard]] bool floated() const { return remote.port != kIkePort || local.port != kIkePort; }
};

/// Earliest instant at which Tick has something to do.
std::optional<Instant> deadline(const Session& session);

inline constexpr std::size_t kMaxQuickModes = 16;  // running at once under one ISAKMP SA
inline constexpr std::size_t kMaxLingering = 1024; // with those kept to answer duplicates
inline constexpr std::size_t kMaxQueue = 1024;     // flows behind one peer
inline constexpr std::size_t kMaxUsedIds = 128;    // message ids remembered
inline constexpr std::size_t kMaxToldRefusals = 16;
inline constexpr std::uint8_t kDpdTries = 5;

// --- what can happen ----------------------------------------------------------------------------

/// `payload` is the session's own copy: decrypting happens in place.
struct Arrival {
    Endpoint local;
    Endpoint remote;
    Bytes payload;
};

/// Main or aggressive mode, as the session's phase1 says.
struct StartPhase1 {};

struct StartQuickMode {
    FlowRequest flow;
};

/// Something whose time has come; `now` says what.
struct Tick {};

struct StartDpd {};

/// Tells the peer which of our inbound SPIs are gone.
struct TellDeleted {
    std::vector<Spi> spis;
};

/// Ends the ISAKMP SA, telling the peer when there is one to tell.
struct Close {};

/// The peer has ended it already: as Close, without a word.
struct Drop {};

using SessionEvent = std::variant<Arrival,
                                  StartPhase1,
                                  StartQuickMode,
                                  JobResult,
                                  Tick,
                                  StartDpd,
                                  TellDeleted,
                                  Close,
                                  Drop>;

// --- what comes of it ---------------------------------------------------------------------------

/// A child SA as the engine keeps it. Keys are not in it: they live in the install actions only.
struct ChildSa {
    SaId inbound_sa;
    SaId outbound_sa;
    Spi inbound_spi;
    Spi outbound_spi;
    PolicyId policy;
    FlowLease lease; // of a flow made at run time
    std::string connection;
    Role role{};
    Endpoint local;
    Endpoint remote;
    bool udp_encapsulated{false};
    Phase2Transform algorithms;
    std::optional<Group> pfs;
    std::uint32_t replay_window{};
    TrafficSelector selector;
    Ipv4Address original_local; // see InstallSaAction
    Ipv4Address original_remote;
    Duration lifetime{};
    std::uint64_t kilobytes{};
    ConnId isakmp;
    std::string peer_identity;
    std::string profile;      // of the session that made it
    std::string user;         // of a client that logged in
    AddressLeasePtr assigned; // to a client: lent as long as the SA lives
    Instant started;          // first message sent or received
};

/// Whether an SA belongs to whom this session is with.
[[nodiscard]] bool is_with(const ChildSa& sa, const Session& session);

/// The inbound half is installed (its action stands just before this).
struct InboundReady {
    ChildSa child;
};

/// The peer listens: outbound may be used, unless a twin is to be preferred.
struct OutboundReady {
    SaId inbound_sa;
    Spi inbound_spi;
    InstallSaAction install;
};

/// A quick mode ended without a child; its inbound half goes.
struct ChildAbandoned {
    SaId inbound_sa;
    Spi spi;
    bool installed{false};
};

/// Authenticated deletes: SPIs the peer no longer receives on.
struct PeerDeleted {
    std::vector<Spi> spis;
};

/// Authenticated deletes of ISAKMP SAs, perhaps of others with the same peer.
struct PeerClosed {
    std::vector<CookiePair> cookies;
};

/// RFC 2407 4.6.3.3: the peer knows of no other SA with us.
struct InitialContactSeen {};

/// Somebody else claims what this policy protects: does its holder still live?
struct HolderDoubted {
    PolicyId policy;
};

struct PhaseOneUp {};

/// A client has its address; what it had under an ISAKMP SA before may go on under this one.
struct AddressAssigned {};

/// Phase 1 ended before it was established.
struct PhaseOneFailed {
    Failure failure{};
};

struct RekeyDue {};

struct PeerDead {};

using Output = std::variant<SendDatagram,
                            SendNatKeepalive,
                            StartJob,
                            InstallSaAction,
                            AddPolicyAction,
                            Log,
                            Debug,
                            ExportKeys,
                            InboundReady,
                            OutboundReady,
                            ChildAbandoned,
                            PeerDeleted,
                            PeerClosed,
                            InitialContactSeen,
                            HolderDoubted,
                            PhaseOneUp,
                            AddressAssigned,
                            PhaseOneFailed,
                            RekeyDue,
                            PeerDead>;

} // namespace adit::ike
