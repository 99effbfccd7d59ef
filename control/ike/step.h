// SPDX-License-Identifier: Apache-2.0
// step(): what one event does to one session. Finds the row of the table, checks the payloads
// against it, runs its handler, sets state and timer. All that handlers share is here too.
//
// Threading: pure but for what Environment lends. Errors: everything a peer does wrong ends in a
// Refusal, which report() turns into counter, log and perhaps a notify; the session's state is
// untouched by a refused message.
// Source: RFC 2408 5, RFC 2409 5.
#pragma once

#include "common/random.h"
#include "control/ike/message.h"
#include "control/ike/payload_notify.h"
#include "control/ike/state.h"
#include "control/ike/transitions.h"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace adit::ike {

/// Numbers that are never used twice.
struct IdSource {
    std::uint32_t next_conn_id{1001};
    std::uint32_t next_sa_id{2001};
    std::uint64_t next_job{1};
};

/// What a step may use of the world around the session.
struct Environment {
    const EngineConfig& config;
    Instant now;
    Rng& rng;
    SpiAllocator& spis;
    RuntimeFlows& flows;
    IdSource& ids;
    EngineCounters& counters;
    AddressPools& pools;
    ByteView secret; // of this engine, for answers nobody outside can foresee
    bool debug{false};
    bool export_keys{false};
    const RowObserver* row_observer{nullptr};
};

/// Why a message or an exchange came to nothing.
struct Refusal {
    Failure failure{Failure::Malformed};
    std::string text;                 // evidence, both sides' values
    std::optional<NotifyType> notify; // told to the peer, protected once it can be
    enum class Then : std::uint8_t {
        Ignore, // as if it had not come
        Hasten, // unproven, but a genuine answer now has only kRefusedGrace to come
        End,    // the exchange is over
    } then{Then::Ignore};

    Refusal(Failure why, std::string words) : failure(why), text(std::move(words)) {}

    /// What a parser says about a message.
    Refusal(Error error) : text(std::move(error.text)) {} // NOLINT(google-explicit-constructor)

    Refusal& telling(NotifyType type) {
        notify = type;
        return *this;
    }

    Refusal& ending() {
        then = Then::End;
        return *this;
    }

    Refusal& hastening() {
        then = Then::Hasten;
        return *this;
    }
};

inline std::unexpected<Refusal> refuse(Refusal refusal) {
    return std::unexpected(std::move(refusal));
}

/// One run of one handler.
struct Turn {
    Session& session;
    Environment& env;
    std::vector<Output>& out;
    QuickMode* quick{nullptr};         // quick mode rows
    Transaction* transaction{nullptr}; // transaction rows
    const Message* message{nullptr};   // message rows
    ByteView ciphertext;               // its body as it came, when it was encrypted
    DhOutput* dh{nullptr};             // DhDone rows
    SignOutput* signature{nullptr};    // Signed rows
    Judgement* judgement{nullptr};     // Judged rows
    Endpoint from_local;               // where the message came in
    Endpoint from_remote;
    std::size_t question_bytes{SIZE_MAX}; // of the datagram; no limit for what is no answer

    [[nodiscard]] Leg& leg() const {
        return quick != nullptr         ? quick->leg
               : transaction != nullptr ? transaction->leg
                                        : session.leg;
    }

    [[nodiscard]] Instant now() const { return env.now; }
};

struct Step {
    Session session;
    std::vector<Output> outputs;
};

Step step(Session session, SessionEvent event, Environment& env);

// --- what handlers share ------------------------------------------------------------------------

/// Sends and keeps it for retransmission and duplicates.
void send_kept(Turn& turn, Bytes datagram);
/// Sends it once, for good or ill.
void send_once(Turn& turn, Bytes datagram);
/// The leg waits for it: its end is the DhDone, Signed or Judged row of the state entered now.
void start_job(Turn& turn, JobWork work);
/// Null before anything is agreed.
const Phase1Policy* agreed_policy(const Session& session);
/// That of the agreed policy; Any while none is.
Proof proof_of(const Session& session);
inline constexpr std::size_t kNonceBytes = 32; // at least half of the longest prf key
/// RFC 2409 5: between 8 and 256 octets.
Bytes random_nonce(Turn& turn, std::size_t bytes = kNonceBytes);
Result<Bytes> nonce_of(const Message& message);
Header header_of(const Turn& turn, ExchangeType exchange, MessageId message_id);

/// An informational message under the ISAKMP SA: HASH(1) in front, encrypted.
void send_protected(Turn& turn, MessageBuilder payloads);
/// HASH(1) in front of payloads (RFC 2409 5.7), and the check of one that came.
MessageBuilder behind_hash_1(const Secured& keys, MessageId id, const MessageBuilder& payloads);
Verdict verify_hash_1(const Turn& turn, HashAlgorithm hash, ByteView skeyid_a, const char* where);
void send_notify(Turn& turn, const Notification& notification);

/// Counter, the log line collectors know, and our evidence in a second one.
void report(Turn& turn, const Refusal& refusal);

/// What the lines of a failure name of phase 1.
struct Phase1Words {
    ExchangeType mode{ExchangeType::IdentityProtection};
    AuthMethod method{AuthMethod::PreSharedKey};
};

/// The lines of one failure, for those who have no session to blame it on.
std::vector<LogRecord> log_records(Failure failure,
                                   Ipv4Address peer,
                                   const std::string& evidence,
                                   Phase1Words phase1 = {});
/// A line collectors know, that belongs to no failure's usual pair.
void crypto_log(Turn& turn, Severity severity, const char* mnemonic, std::string text);
/// Evidence alone: one VPNDIAG line, no counter. `cause` is a code of the diagnosis table.
void hint(Turn& turn, const char* cause, const std::string& text);
void debug(Turn& turn, const char* format, ...) __attribute__((format(printf, 2, 3)));
/// "MM_KEY_EXCH": the state as `show crypto isakmp sa` names it.
const char* show_state(const Session& session);

/// Message ids of phase 2: never used twice (RFC 2409 appendix B: they start the IV chain).
bool id_is_used(const Session& session, MessageId id);
void remember_id(Session& session, MessageId id);
MessageId fresh_message_id(Turn& turn);
QuickMode* find_quick(Session& session, MessageId id);
std::unique_ptr<QuickMode> new_quick(Turn& turn, MessageId id, Role role);

Transaction* find_transaction(Session& session, MessageId id);
std::unique_ptr<Transaction> new_transaction(Turn& turn, MessageId id, Role role);

/// The exchange is over. Phase 1: so is the session.
void end_phase1(Turn& turn, Failure failure);
void end_quick_mode(Turn& turn);
void end_transaction(Turn& turn);
/// The ISAKMP SA ends, and the peer is told when there is something to tell it with.
void close_session(Turn& turn);
void end_everything(Turn& turn);

const Flow* find_flow(const Connection& connection, PolicyId policy);

/// Secure shorthand for handlers of rows that only exist under an established ISAKMP SA.
Secured& secured(Turn& turn);

// --- handlers, by file --------------------------------------------------------------------------

// main_mode.cpp
Verdict send_mm1(Turn& turn);
Verdict accept_mm1(Turn& turn);
Verdict accept_mm2(Turn& turn);
Verdict send_mm3(Turn& turn);
Verdict accept_mm3(Turn& turn);
Verdict send_mm4(Turn& turn);
Verdict accept_mm4(Turn& turn);
Verdict send_mm5(Turn& turn);
Verdict accept_mm5(Turn& turn);
Verdict accept_mm6(Turn& turn);

// main_mode_signed.cpp
Verdict sign_mm5(Turn& turn);
Verdict send_signed_mm5(Turn& turn);
Verdict judge_mm5(Turn& turn);
Verdict sign_mm6(Turn& turn);
Verdict send_signed_mm6(Turn& turn);
Verdict judge_mm6(Turn& turn);
Verdict accept_signed_mm6(Turn& turn);

// phase1_end.cpp
Verdict give_up_phase1(Turn& turn);
Verdict forget_half_open(Turn& turn);
Verdict expire_isakmp_sa(Turn& turn);

// aggressive_mode.cpp
Verdict start_am_dh(Turn& turn);
Verdict send_am1(Turn& turn);
Verdict accept_am1(Turn& turn);
Verdict send_am2(Turn& turn);
Verdict accept_am2(Turn& turn);
Verdict send_am3(Turn& turn);
Verdict accept_am3(Turn& turn);
// aggressive_mode_signed.cpp
Verdict sign_am2(Turn& turn);
Verdict send_signed_am2(Turn& turn);
Verdict judge_am2(Turn& turn);
Verdict sign_am3(Turn& turn);
Verdict send_signed_am3(Turn& turn);
Verdict judge_am3(Turn& turn);
Verdict accept_signed_am3(Turn& turn);

// quick_mode.cpp
Verdict send_qm1(Turn& turn);
Verdict start_qm_dh(Turn& turn);
Verdict accept_qm1(Turn& turn);
Verdict accept_qm1_pfs(Turn& turn);
Verdict send_qm2(Turn& turn);
Verdict accept_qm2(Turn& turn);
Verdict accept_qm2_pfs(Turn& turn);
Verdict send_qm3(Turn& turn);
Verdict accept_qm3(Turn& turn);
Verdict accept_qm4(Turn& turn);
Verdict use_outbound(Turn& turn);
Verdict give_up_quick_mode(Turn& turn);
Verdict forget_quick_mode(Turn& turn);

// informational.cpp
Verdict note_refusal(Turn& turn);
Verdict note_protected_refusal(Turn& turn);
Verdict accept_informational(Turn& turn);

// xauth.cpp
Verdict ask_login(Turn& turn);
Verdict check_login(Turn& turn);
Verdict grant_login(Turn& turn);
Verdict deny_login(Turn& turn);
Verdict bar_login(Turn& turn);
Verdict close_refused(Turn& turn);
Verdict give_up_login(Turn& turn);

// mode_config.cpp
Verdict answer_config(Turn& turn);
Verdict push_config(Turn& turn);
Verdict accept_config_ack(Turn& turn);
Verdict forget_transaction(Turn& turn);

/// Data of RESPONDER-LIFETIME (RFC 2407 4.6.3.1): only ever shortens.
Status
shorten_lifetime(const Notification& notification, Duration& lifetime, std::uint64_t* kilobytes);

// dpd.cpp
void start_dpd(Turn& turn);
void repeat_dpd(Turn& turn);
Verdict accept_dpd(Turn& turn, const Notification& notification);
void schedule_dpd(Turn& turn);

// natt.cpp
void offer_nat(MessageBuilder& message);
NatVersion agree_nat(const VendorSet& vendors);
/// The id that tells the peer which version was agreed.
Vendor nat_vendor(const Session& session);
void add_nat_discovery(Turn& turn, MessageBuilder& message);
void detect_nat(Turn& turn);
/// RFC 3947 4: the initiator moves to port 4500 with its first encrypted message, unless it began
/// where the peer's NAT already lets it in.
void float_ports(Session& session);
/// RFC 3947 4: the responder answers to where the initiator's proof came from. NAT-D payloads are
/// not authenticated: where damage to one has let the two find different things, the port that the
/// initiator goes on from tells what it found, and that holds.
void follow_initiator(Session& session, Endpoint local, Endpoint remote);
void schedule_keepalive(Turn& turn);
/// RFC 3947 5.2: the original addresses of both ends, in transport mode through a NAT.
void add_nat_originals(const Turn& turn, MessageBuilder& message);
Status read_nat_originals(Turn& turn);

// vendor_id.cpp
Bytes vendor_id(Vendor vendor);
VendorSet known_vendors(const Message& message);
/// Of one id; empty when it is unknown.
std::string vendor_name(ByteView body);
std::vector<std::string> vendor_names(const VendorSet& vendors);

} // namespace adit::ike
