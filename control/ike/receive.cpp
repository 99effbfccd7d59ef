// SPDX-License-Identifier: Apache-2.0
#include "control/ike/receive.h"

#include "control/ike/rows.h"

#include <algorithm>

namespace adit::ike {

namespace {

PayloadSet types_of(const Message& message) {
    PayloadSet present;
    for (const Payload& payload : message.payloads)
        present.insert(payload.type);
    return present;
}

std::string names_of(const Message& message) {
    std::string names;
    for (const Payload& payload : message.payloads)
        names += (names.empty() ? "" : ", ") + name(payload.type);
    return names.empty() ? "no payloads" : names;
}

/// How often a type may stand in one message.
std::size_t most_of(PayloadType type, ExchangeType exchange) {
    switch (type) {
    case PayloadType::VendorId:
    case PayloadType::NatDiscovery:
    case PayloadType::NatDiscoveryDraft:
    case PayloadType::NatOriginal:
    case PayloadType::NatOriginalDraft:
    case PayloadType::Notification:
    case PayloadType::Delete:
    case PayloadType::Certificate:
    case PayloadType::CertificateRequest:
        return kMaxPayloads;
    case PayloadType::Identification:
        return exchange == ExchangeType::QuickMode ? 2 : 1;
    default:
        return 1;
    }
}

/// RFC 2409 5: SA comes first in phase 1. RFC 2409 5.5 and 5.7: HASH comes first, SA right behind.
Verdict check_shape(const Message& message) {
    const bool phase1 = is_phase1(message.header.exchange);
    const auto at = [&](std::size_t index) { return message.payloads[index].type; };
    for (const Payload& payload : message.payloads)
        if (message.count(payload.type) > most_of(payload.type, message.header.exchange))
            return refuse({Failure::Malformed, "payload " + name(payload.type) + " doubled"});
    const bool has_sa = message.find(PayloadType::SecurityAssociation) != nullptr;
    const bool has_hash = message.find(PayloadType::Hash) != nullptr;
    if (phase1 && has_sa && at(0) != PayloadType::SecurityAssociation)
        return refuse({Failure::Malformed, "SA is not the first payload"});
    if (!phase1 && has_hash && at(0) != PayloadType::Hash)
        return refuse({Failure::Malformed, "HASH is not the first payload"});
    if (!phase1 && has_sa && at(1) != PayloadType::SecurityAssociation)
        return refuse({Failure::Malformed, "SA does not follow HASH"});
    if (message.header.exchange == ExchangeType::QuickMode &&
        message.count(PayloadType::Identification) == 1)
        return refuse({Failure::Malformed, "one client identity without the other"});
    return {};
}

bool answered_before(const Leg& leg, Digest digest) {
    return std::ranges::find(leg.answered, digest) != leg.answered.end();
}

void repeat_answer(Turn& turn, Leg& leg) {
    if (leg.sent.empty() || turn.now() - leg.sent_at < kAnswerGap)
        return;
    ++turn.env.counters.retransmits;
    leg.sent_at = turn.now();
    // A NAT may have chosen another port since the first copy: this answer goes there. The session
    // moves only with something fresh.
    const Endpoint known = std::exchange(turn.session.remote, turn.from_remote);
    send_once(turn, leg.sent);
    turn.session.remote = known;
}

/// RFC 2408 5.1: a copy of a message gets the same answer, and changes nothing.
void answer_again(Turn& turn, Leg& leg, Digest digest) {
    ++turn.env.counters.duplicates_in;
    if (leg.answered.front() == digest)
        repeat_answer(turn, leg);
}

/// Moves the leg on if `row`'s handler likes the message. A refused one leaves no trace.
void receive(Turn& turn, const Row& row, Digest digest) {
    Leg& leg = turn.leg();
    if (row.next == row.state)
        return run(turn, row);
    Bytes before = std::exchange(leg.sent, {});
    if (const Verdict verdict = row.handler(turn); !verdict) {
        leg.sent = std::move(before);
        remember_refused(leg, verdict.error(), digest);
        return refused(turn, verdict.error());
    }
    std::ranges::rotate(leg.answered, leg.answered.end() - 1);
    leg.answered.front() = digest;
    enter(turn, row);
}

/// A body that our keys do not open, or open to rubbish.
Refusal unreadable(Turn& turn, ExchangeType exchange, const Error& error) {
    const State state = turn.session.leg.state;
    if (proof_of(turn.session) == Proof::Signature)
        return error; // no key could differ that both sides have not just made
    if (state == State::ResponderMm4 && exchange == ExchangeType::IdentityProtection)
        return Refusal{Failure::PresharedKeyMismatch,
                       "pre-shared key differs, or message 5 was damaged (" + error.text +
                           "); cookies, key exchange and nonces are sound"}
            .telling(NotifyType::AuthenticationFailed)
            .hastening();
    if (state != State::InitiatorMm5)
        return error;
    return Refusal{Failure::PresharedKeyMismatch,
                   name(exchange) + " in answer to message 5 is not readable with our keys (" +
                       error.text + "): likely the pre-shared keys differ"}
        .hastening();
}

struct Keys {
    const IvChain* iv{nullptr};
    ByteView cipher_key;
};

/// The commit bit means something in some states of quick mode, and nothing anywhere else.
const Row* find_row_for(const Turn& turn, const Header& header, Role role, PayloadSet present) {
    const auto row_for = [&](Happening event) {
        const State state = turn.leg().state;
        return find_row(header.exchange, role, state, event, proof_of(turn.session), present);
    };
    const Row* row = nullptr;
    if ((header.flags & kFlagCommit) != 0)
        row = row_for(Happening::ReceivedCommit);
    return row != nullptr ? row : row_for(Happening::Received);
}

void take_message(Turn& turn, Role role, Arrival& arrival, const Header& header, const Keys& keys) {
    const Digest digest = digest_of(arrival.payload);
    Leg& leg = turn.leg();
    if (answered_before(leg, digest))
        return answer_again(turn, leg, digest);
    const Bytes ciphertext =
        header.encrypted() ? to_bytes(ByteView{arrival.payload}.subspan(kHeaderBytes)) : Bytes{};
    if (header.encrypted() && keys.iv == nullptr)
        return refused(turn,
                       {Failure::UnexpectedMessage,
                        name(header.exchange) + " is encrypted before there are keys"});
    const auto message = header.encrypted()
                             ? parse_encrypted(arrival.payload, *keys.iv, keys.cipher_key)
                             : parse_clear(arrival.payload);
    if (!message) {
        const Refusal refusal = header.encrypted()
                                    ? unreadable(turn, header.exchange, message.error())
                                    : Refusal{message.error()};
        remember_refused(leg, refusal, digest);
        return refused(turn, refusal);
    }
    const Row* row = find_row_for(turn, header, role, types_of(*message));
    if (row == nullptr)
        return refused(turn,
                       {Failure::UnexpectedMessage,
                        name(header.exchange) + " with " + names_of(*message) + " in state " +
                            name(leg.state)});
    if (row->protection == Protection::Encrypted && !header.encrypted())
        return refused(turn, {Failure::NotEncrypted, name(header.exchange) + " in the clear"});
    if (row->protection == Protection::Clear && header.encrypted())
        return refused(turn, {Failure::UnexpectedMessage, "encrypted before there are keys"});
    if (const Verdict shape = check_shape(*message); !shape)
        return refused(turn, shape.error());
    turn.message = &*message;
    turn.ciphertext = ciphertext;
    receive(turn, *row, digest);
}

Keys phase1_keys(const Session& session) {
    if (const auto* keyed = std::get_if<std::unique_ptr<Keyed>>(&session.data))
        return {&(*keyed)->iv, (*keyed)->cipher_key.view()};
    return {};
}

/// Of phase 1 while it lasts, of the ISAKMP SA it made from then on.
Keys isakmp_keys(const Session& session) {
    if (const Secured* keys = session.secured())
        return {&keys->iv, keys->cipher_key.view()};
    return phase1_keys(session);
}

void receive_phase1(Turn& turn, Arrival& arrival, const Header& header) {
    if (header.message_id.value != 0)
        return refused(turn, {Failure::Malformed, "message id in phase 1 is not zero"});
    if (header.exchange != turn.session.phase1)
        return refused(turn,
                       {Failure::UnexpectedMessage,
                        name(header.exchange) + " within " + name(turn.session.phase1)});
    take_message(turn, turn.session.role, arrival, header, phase1_keys(turn.session));
}

/// Message 1 of an exchange under the ISAKMP SA. Only one that proves authentic is kept, and its id
/// with it.
template <class Exchange>
void receive_first(Turn& turn,
                   Arrival& arrival,
                   const Header& header,
                   Exchange* Turn::* current,
                   std::unique_ptr<Exchange> fresh,
                   std::vector<std::unique_ptr<Exchange>>& kept) {
    turn.*current = fresh.get();
    take_message(
        turn, Role::Responder, arrival, header, {&fresh->iv, secured(turn).cipher_key.view()});
    turn.*current = nullptr;
    if (fresh->leg.state == State::Ready)
        return;
    remember_id(turn.session, header.message_id);
    kept.push_back(std::move(fresh));
}

/// Notifications are not acknowledged: a peer that asks again has not heard ours.
void refuse_again(Turn& turn, MessageId id) {
    auto& told = turn.session.told_refusals;
    const auto refusal = std::ranges::find(told, id, &ToldRefusal::id);
    if (refusal == told.end() || turn.now() - refusal->told_at < kAnswerGap)
        return;
    ++turn.env.counters.retransmits;
    refusal->told_at = turn.now();
    send_notify(turn, refusal->notification);
}

void receive_first_quick(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (id_is_used(session, header.message_id)) {
        ++turn.env.counters.duplicates_in;
        return refuse_again(turn, header.message_id);
    }
    if (session.quick_modes.size() >= kMaxLingering)
        return refused(turn, {Failure::HalfOpenLimit, "too many quick modes with this peer"});
    receive_first(turn,
                  arrival,
                  header,
                  &Turn::quick,
                  new_quick(turn, header.message_id, Role::Responder),
                  session.quick_modes);
}

/// Whoever knows our cookie and goes on has had our message 2: it went to the right place, and its
/// answer got lost. It will answer again (RFC 2409 5.4 gives the last message of aggressive mode no
/// reply).
bool is_beyond_message_2(const Session& session, const Header& header) {
    return session.leg.state == State::ResponderAm2 && header.encrypted() &&
           !is_phase1(header.exchange);
}

void receive_quick(Turn& turn, Arrival& arrival, const Header& header) {
    if (!turn.session.open()) {
        crypto_log(turn,
                   Severity::Informational,
                   "IKMP_SA_NOT_AUTH",
                   "Cannot accept Quick Mode exchange from " +
                       to_string(turn.session.remote.address) + " if SA is not authenticated!");
        return refused(turn,
                       {Failure::UnexpectedMessage,
                        turn.session.login ? "quick mode before the login is complete"
                                           : "quick mode before phase 1 is complete"});
    }
    if (header.message_id.value == 0)
        return refused(turn, {Failure::Malformed, "message id of quick mode is zero"});
    if (!header.encrypted())
        return refused(turn, {Failure::NotEncrypted, "quick mode in the clear"});
    QuickMode* quick = find_quick(turn.session, header.message_id);
    if (quick == nullptr)
        return receive_first_quick(turn, arrival, header);
    turn.quick = quick;
    take_message(turn, quick->role, arrival, header, {&quick->iv, secured(turn).cipher_key.view()});
    turn.quick = nullptr;
}

void receive_first_transaction(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (id_is_used(session, header.message_id)) {
        ++turn.env.counters.duplicates_in;
        return;
    }
    if (!session.open())
        return refused(turn,
                       {Failure::UnexpectedMessage, "transaction before the login is complete"});
    if (session.transactions.size() >= kMaxTransactions)
        return refused(turn, {Failure::HalfOpenLimit, "too many transactions with this peer"});
    receive_first(turn,
                  arrival,
                  header,
                  &Turn::transaction,
                  new_transaction(turn, header.message_id, Role::Responder),
                  session.transactions);
}

void receive_transaction(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (session.secured() == nullptr || session.leg.state != State::Established)
        return refused(turn,
                       {Failure::UnexpectedMessage, "transaction before phase 1 is complete"});
    if (header.message_id.value == 0)
        return refused(turn, {Failure::Malformed, "message id of a transaction is zero"});
    if (!header.encrypted())
        return refused(turn, {Failure::NotEncrypted, "transaction in the clear"});
    if (Transaction* known = find_transaction(session, header.message_id)) {
        turn.transaction = known;
        take_message(
            turn, known->role, arrival, header, {&known->iv, secured(turn).cipher_key.view()});
        turn.transaction = nullptr;
    } else {
        receive_first_transaction(turn, arrival, header);
    }
    // Decrypted in place: a password may be in it.
    wipe(arrival.payload.data(), arrival.payload.size());
}

void receive_informational(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (!header.encrypted() && session.leg.state == State::Established)
        return refused(turn, {Failure::NotEncrypted, "informational message in the clear"});
    if (header.encrypted() && header.message_id.value == 0)
        return refused(turn, {Failure::Malformed, "message id of informational is zero"});
    const Keys keys = isakmp_keys(session);
    // A message in the clear may have no id, and then begins no IV chain.
    std::optional<IvChain> iv;
    if (header.encrypted() && keys.iv != nullptr)
        iv = keys.iv->phase2(header.message_id);
    take_message(turn, session.role, arrival, header, {iv ? &*iv : nullptr, keys.cipher_key});
}

} // namespace

void receive(Turn& turn, Arrival& arrival) {
    turn.from_local = arrival.local;
    turn.from_remote = arrival.remote;
    turn.question_bytes = arrival.payload.size();
    turn.session.evidence.heard = true;
    const auto header = parse_header(arrival.payload);
    if (!header)
        return refused(turn, header.error());
    if (turn.env.debug)
        debug(turn,
              "received packet from %s dport %u sport %u Global (%c) %s",
              to_string(arrival.remote.address).c_str(),
              arrival.local.port,
              arrival.remote.port,
              turn.session.role == Role::Initiator ? 'I' : 'R',
              show_state(turn.session));
    if (is_beyond_message_2(turn.session, *header))
        return repeat_answer(turn, turn.session.leg);
    switch (header->exchange) {
    case ExchangeType::IdentityProtection:
    case ExchangeType::Aggressive:
        return receive_phase1(turn, arrival, *header);
    case ExchangeType::QuickMode:
        return receive_quick(turn, arrival, *header);
    case ExchangeType::Transaction:
        return receive_transaction(turn, arrival, *header);
    case ExchangeType::Informational:
        return receive_informational(turn, arrival, *header);
    default:
        return refused(turn,
                       {Failure::UnexpectedMessage, name(header->exchange) + " is not done here"});
    }
}

} // namespace adit::ike
