// SPDX-License-Identifier: Apache-2.0
#include "control/ike/step.h"

#include <algorithm>

namespace adit::ike {

namespace {

// --- rows and timers
// --------------------------------------------------------------------------------

Duration total_of_gaps() {
    Duration total{};
    for (const Duration gap : kRetransmitGaps)
        total += gap;
    return total;
}

void set_timer(Turn& turn, Leg& leg, TimerRule timer) {
    leg.timer = timer;
    switch (timer) {
    case TimerRule::None:
        break;
    case TimerRule::Retransmit:
        leg.sends = 1;
        leg.due = turn.now() + kRetransmitGaps[0];
        leg.give_up = turn.now() + total_of_gaps();
        break;
    case TimerRule::Wait:
        leg.due = turn.now() + kWaitLimit;
        break;
    case TimerRule::Compute:
        leg.due = turn.now() + kComputeLimit;
        break;
    case TimerRule::Linger:
        leg.due = turn.now() + kLingerTime;
        break;
    case TimerRule::Lifetime:
        leg.due = secured(turn).expires;
        break;
    }
}

void enter(Turn& turn, const Row& row) {
    Leg& leg = turn.leg();
    if (row.next == row.state || leg.state == State::Dead)
        return;
    debug(turn, "Old State = %s  New State = %s ", name(leg.state), name(row.next));
    leg.state = row.next;
    set_timer(turn, leg, row.timer);
}

void hasten(Turn& turn) {
    Leg& leg = turn.leg();
    const Instant end = turn.now() + kRefusedGrace;
    leg.give_up = std::min(leg.give_up, end);
    leg.due = std::min(leg.due, end);
}

void tell(Turn& turn, NotifyType type) {
    if (turn.session.secured() == nullptr)
        return send_notify(turn, {ProtocolId::Isakmp, type, {}, {}});
    const Bytes spi =
        turn.quick != nullptr && turn.quick->choice ? spi_bytes(turn.quick->choice->spi) : Bytes{};
    send_notify(turn, {ProtocolId::Esp, type, spi, {}});
}

/// A copy of a message that hastened the end need not be judged again.
void remember_refused(Leg& leg, const Refusal& refusal, Digest digest) {
    if (refusal.then == Refusal::Then::Hasten)
        leg.answered.back() = digest;
}

/// Once an exchange is known to be doomed, more of the same is no news.
bool is_said_already(Turn& turn, const Refusal& refusal) {
    return refusal.then == Refusal::Then::Hasten &&
           std::exchange(turn.session.evidence.judged, true);
}

void refused(Turn& turn, const Refusal& refusal) {
    if (!is_said_already(turn, refusal))
        report(turn, refusal);
    if (refusal.notify)
        tell(turn, *refusal.notify);
    if (refusal.then == Refusal::Then::Hasten)
        hasten(turn);
    if (refusal.then != Refusal::Then::End)
        return;
    if (turn.quick != nullptr)
        end_quick_mode(turn);
    else
        end_phase1(turn, refusal.failure);
}

void run(Turn& turn, const Row& row) {
    if (const Verdict verdict = row.handler(turn); !verdict)
        return refused(turn, verdict.error());
    enter(turn, row);
}

void run(Turn& turn, ExchangeType exchange, Role role, Happening event) {
    const Row* row = find_row(exchange, role, turn.leg().state, event);
    if (row != nullptr)
        run(turn, *row);
}

// --- messages
// ---------------------------------------------------------------------------------------

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
    const bool phase1 = message.header.exchange == ExchangeType::IdentityProtection;
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

/// RFC 2408 5.1: a copy of a message gets the same answer, and changes nothing.
void answer_again(Turn& turn, Leg& leg, Digest digest) {
    ++turn.env.counters.duplicates_in;
    if (leg.answered.front() != digest || leg.sent.empty() || turn.now() - leg.sent_at < kAnswerGap)
        return;
    ++turn.env.counters.retransmits;
    leg.sent_at = turn.now();
    send_once(turn, leg.sent);
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
    const Row* row =
        find_row(header.exchange, role, leg.state, Happening::Received, types_of(*message));
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

void receive_main(Turn& turn, Arrival& arrival, const Header& header) {
    if (header.message_id.value != 0)
        return refused(turn, {Failure::Malformed, "message id in phase 1 is not zero"});
    take_message(turn, turn.session.role, arrival, header, phase1_keys(turn.session));
}

bool id_is_used(const Session& session, MessageId id) {
    return std::ranges::find(session.used_message_ids, id) != session.used_message_ids.end();
}

void remember_id(Session& session, MessageId id) {
    auto& ids = session.used_message_ids;
    if (ids.size() == kMaxUsedIds)
        ids.erase(ids.begin());
    ids.push_back(id);
}

QuickMode* find_quick(Session& session, MessageId id) {
    for (const auto& quick : session.quick_modes)
        if (quick->id == id)
            return quick.get();
    return nullptr;
}

std::unique_ptr<QuickMode> new_quick(const Secured& secured, MessageId id, Role role) {
    return std::unique_ptr<QuickMode>(
        new QuickMode{.id = id, .role = role, .leg = {}, .iv = secured.iv.phase2(id)});
}

void receive_first_quick(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (id_is_used(session, header.message_id)) {
        ++turn.env.counters.duplicates_in;
        return;
    }
    if (session.quick_modes.size() >= kMaxLingering)
        return refused(turn, {Failure::HalfOpenLimit, "too many quick modes with this peer"});
    const Secured& keys = secured(turn);
    auto quick = new_quick(keys, header.message_id, Role::Responder);
    turn.quick = quick.get();
    take_message(turn, Role::Responder, arrival, header, {&quick->iv, keys.cipher_key.view()});
    turn.quick = nullptr;
    if (quick->leg.state == State::Ready)
        return;
    // Only now has a message with this id proved authentic.
    remember_id(session, header.message_id);
    session.quick_modes.push_back(std::move(quick));
}

void receive_quick(Turn& turn, Arrival& arrival, const Header& header) {
    if (turn.session.secured() == nullptr || turn.session.leg.state != State::Established)
        return refused(turn, {Failure::UnexpectedMessage, "quick mode before phase 1 is complete"});
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

void receive_informational(Turn& turn, Arrival& arrival, const Header& header) {
    Session& session = turn.session;
    if (!header.encrypted() && session.leg.state == State::Established)
        return refused(turn, {Failure::NotEncrypted, "informational message in the clear"});
    if (header.encrypted() && header.message_id.value == 0)
        return refused(turn, {Failure::Malformed, "message id of informational is zero"});
    std::optional<IvChain> iv;
    ByteView key;
    if (const Secured* keys = session.secured()) {
        iv = keys->iv.phase2(header.message_id);
        key = keys->cipher_key.view();
    } else if (const auto* keyed = std::get_if<std::unique_ptr<Keyed>>(&session.data)) {
        iv = (*keyed)->iv.phase2(header.message_id);
        key = (*keyed)->cipher_key.view();
    }
    take_message(turn, session.role, arrival, header, {iv ? &*iv : nullptr, key});
}

// --- events
// -----------------------------------------------------------------------------------------

void on(Turn& turn, Arrival& arrival) {
    turn.from_local = arrival.local;
    turn.from_remote = arrival.remote;
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
    switch (header->exchange) {
    case ExchangeType::IdentityProtection:
        return receive_main(turn, arrival, *header);
    case ExchangeType::QuickMode:
        return receive_quick(turn, arrival, *header);
    case ExchangeType::Informational:
        return receive_informational(turn, arrival, *header);
    default:
        return refused(turn,
                       {Failure::UnexpectedMessage, name(header->exchange) + " is not done here"});
    }
}

void on(Turn& turn, StartMainMode&) {
    run(turn, ExchangeType::IdentityProtection, Role::Initiator, Happening::Start);
}

bool is_running(const std::unique_ptr<QuickMode>& quick) {
    return quick->leg.state != State::QmDone && quick->leg.state != State::Dead;
}

MessageId fresh_message_id(Turn& turn) {
    for (;;) {
        const MessageId id{turn.env.rng.u32()};
        if (id.value != 0 && !id_is_used(turn.session, id) &&
            find_quick(turn.session, id) == nullptr)
            return id;
    }
}

void begin_quick(Turn& turn, const FlowRequest& flow) {
    const Connection* connection = find_connection(turn.env.config, flow.connection);
    const Flow* line = connection == nullptr ? nullptr : find_flow(*connection, flow.policy);
    if (line == nullptr)
        return;
    Session& session = turn.session;
    auto quick = new_quick(secured(turn), fresh_message_id(turn), Role::Initiator);
    quick->connection = connection->name;
    quick->policy = line->policy;
    quick->selector = line->selector;
    quick->replay_window = connection->replay_window;
    remember_id(session, quick->id);
    turn.quick = quick.get();
    session.quick_modes.push_back(std::move(quick));
    run(turn,
        ExchangeType::QuickMode,
        Role::Initiator,
        connection->pfs ? Happening::StartPfs : Happening::Start);
    turn.quick = nullptr;
}

void on(Turn& turn, StartQuickMode& start) {
    if (turn.session.queue.size() < kMaxQueue)
        turn.session.queue.push_back(std::move(start.flow));
}

/// Starts what waits, as far as there is room.
void drain_queue(Turn& turn) {
    Session& session = turn.session;
    while (session.leg.state == State::Established && !session.queue.empty() &&
           std::ranges::count_if(session.quick_modes, is_running) <
               static_cast<std::ptrdiff_t>(kMaxQuickModes)) {
        const FlowRequest flow = std::move(session.queue.front());
        session.queue.erase(session.queue.begin());
        begin_quick(turn, flow);
    }
}

void finish_dh(Turn& turn, DhResult& result, ExchangeType exchange, Role role) {
    turn.leg().job = JobId{};
    if (!result.output)
        return refused(turn,
                       Refusal{Failure::BadKeyExchange, result.output.error().text}
                           .telling(NotifyType::InvalidKeyInformation)
                           .ending());
    turn.dh = &*result.output;
    run(turn, exchange, role, Happening::DhDone);
}

void on(Turn& turn, DhResult& result) {
    Session& session = turn.session;
    if (session.leg.job == result.job_id)
        return finish_dh(turn, result, ExchangeType::IdentityProtection, session.role);
    for (const auto& quick : session.quick_modes)
        if (quick->leg.job == result.job_id) {
            turn.quick = quick.get();
            finish_dh(turn, result, ExchangeType::QuickMode, quick->role);
            turn.quick = nullptr;
            return;
        }
}

void tick_leg(Turn& turn, ExchangeType exchange, Role role) {
    Leg& leg = turn.leg();
    if (leg.timer == TimerRule::None || leg.due > turn.now())
        return;
    const bool again = leg.timer == TimerRule::Retransmit && leg.sends < kRetransmitGaps.size() &&
                       turn.now() < leg.give_up;
    if (!again)
        return run(turn, exchange, role, Happening::Timeout);
    ++turn.env.counters.retransmits;
    leg.due = std::min(turn.now() + kRetransmitGaps[leg.sends], leg.give_up);
    ++leg.sends;
    leg.sent_at = turn.now();
    debug(turn,
          "retransmitting phase %d %s...",
          turn.quick == nullptr ? 1 : 2,
          show_state(turn.session));
    send_once(turn, leg.sent);
}

void tick_upkeep(Turn& turn) {
    Session& session = turn.session;
    if (session.keepalive_due && *session.keepalive_due <= turn.now()) {
        turn.out.emplace_back(SendNatKeepalive{session.local, session.remote});
        schedule_keepalive(turn);
    }
    const Secured* keys = session.secured();
    if (keys != nullptr && !session.rekey_started && keys->rekey_at <= turn.now()) {
        session.rekey_started = true;
        turn.out.emplace_back(RekeyDue{});
    }
    if (session.dpd.due && *session.dpd.due <= turn.now())
        repeat_dpd(turn);
}

void on(Turn& turn, Tick&) {
    Session& session = turn.session;
    for (std::size_t i = 0; i < session.quick_modes.size(); ++i) {
        turn.quick = session.quick_modes[i].get();
        tick_leg(turn, ExchangeType::QuickMode, turn.quick->role);
    }
    turn.quick = nullptr;
    tick_upkeep(turn);
    if (session.leg.state != State::Dead)
        tick_leg(turn, ExchangeType::IdentityProtection, session.role);
}

void on(Turn& turn, StartDpd&) {
    if (turn.session.secured() != nullptr)
        start_dpd(turn);
}

void on(Turn& turn, TellDeleted& gone) {
    constexpr std::size_t kPerMessage = 64;
    if (turn.session.secured() == nullptr)
        return;
    for (std::size_t from = 0; from < gone.spis.size(); from += kPerMessage) {
        std::vector<Bytes> spis;
        for (std::size_t i = from; i < std::min(from + kPerMessage, gone.spis.size()); ++i)
            spis.push_back(spi_bytes(gone.spis[i]));
        turn.env.counters.deletes_out += spis.size();
        MessageBuilder message;
        message.add(PayloadType::Delete, build_delete(ProtocolId::Esp, spis));
        send_protected(turn, std::move(message));
    }
}

void end_everything(Turn& turn) {
    for (const auto& quick : turn.session.quick_modes) {
        turn.quick = quick.get();
        end_quick_mode(turn);
    }
    turn.quick = nullptr;
    turn.session.leg.state = State::Dead;
    turn.session.leg.timer = TimerRule::None;
}

void on(Turn& turn, Close&) {
    if (turn.session.secured() != nullptr) {
        ++turn.env.counters.deletes_out;
        MessageBuilder message;
        message.add(PayloadType::Delete,
                    build_delete(ProtocolId::Isakmp, {cookies_as_spi(turn.session.cookies)}));
        send_protected(turn, std::move(message));
    }
    end_everything(turn);
}

void on(Turn& turn, Drop&) {
    end_everything(turn);
}

} // namespace

Step step(Session session, SessionEvent event, Environment& env) {
    std::vector<Output> outputs;
    Turn turn{session, env, outputs};
    std::visit([&](auto& happened) { on(turn, happened); }, event);
    drain_queue(turn);
    std::erase_if(session.quick_modes,
                  [](const auto& quick) { return quick->leg.state == State::Dead; });
    return {std::move(session), std::move(outputs)};
}

// --- what handlers share
// ----------------------------------------------------------------------------

void send_kept(Turn& turn, Bytes datagram) {
    turn.leg().sent = datagram;
    turn.leg().sent_at = turn.now();
    send_once(turn, std::move(datagram));
}

void send_once(Turn& turn, Bytes datagram) {
    const Session& session = turn.session;
    ++turn.env.counters.messages_out;
    if (turn.env.debug)
        debug(turn,
              "sending packet to %s my_port %u peer_port %u (%c) %s",
              to_string(session.remote.address).c_str(),
              session.local.port,
              session.remote.port,
              session.role == Role::Initiator ? 'I' : 'R',
              show_state(session));
    turn.out.emplace_back(SendDatagram{session.local, session.remote, std::move(datagram)});
}

void start_dh(Turn& turn, DhJob job) {
    job.job_id = JobId{turn.env.ids.next_job++};
    turn.leg().job = job.job_id;
    turn.out.emplace_back(StartDh{std::move(job)});
}

Bytes random_nonce(Turn& turn) {
    constexpr std::size_t kNonceBytes = 32; // at least half of the longest prf key
    Bytes nonce(kNonceBytes);
    turn.env.rng.fill(nonce);
    return nonce;
}

Result<Bytes> nonce_of(const Message& message) {
    constexpr std::size_t kShortest = 8;
    constexpr std::size_t kLongest = 256;
    const ByteView body = message.find(PayloadType::Nonce)->body;
    if (body.size() < kShortest || body.size() > kLongest)
        return fail(ErrorCode::Malformed, "nonce of " + std::to_string(body.size()) + " octets");
    return to_bytes(body);
}

Header header_of(const Turn& turn, ExchangeType exchange, MessageId message_id) {
    Header header;
    header.cookies = turn.session.cookies;
    header.exchange = exchange;
    header.message_id = message_id;
    return header;
}

void send_protected(Turn& turn, MessageBuilder payloads) {
    const Secured& keys = secured(turn);
    const MessageId id = fresh_message_id(turn);
    IvChain iv = keys.iv.phase2(id);
    const Bytes rest = payloads.chain();
    const SecretBuffer hash = hash_1(keys.policy.hash, keys.skeyid_a.view(), id, rest);
    MessageBuilder message;
    message.add(PayloadType::Hash, to_bytes(hash.view())).append(payloads);
    send_once(turn,
              message.encrypted(
                  header_of(turn, ExchangeType::Informational, id), iv, keys.cipher_key.view()));
}

void send_notify(Turn& turn, const Notification& notification) {
    MessageBuilder message;
    message.add(PayloadType::Notification, build_notification(notification));
    if (turn.session.secured() != nullptr)
        return send_protected(turn, std::move(message));
    const MessageId id = fresh_message_id(turn);
    send_once(turn, message.clear(header_of(turn, ExchangeType::Informational, id)));
}

void end_phase1(Turn& turn, Failure failure) {
    Session& session = turn.session;
    const bool negotiating = session.secured() == nullptr;
    end_everything(turn);
    if (negotiating)
        turn.out.emplace_back(PhaseOneFailed{failure});
}

void end_quick_mode(Turn& turn) {
    QuickMode& quick = *turn.quick;
    const bool done = quick.leg.state == State::QmDone || quick.leg.state == State::Dead;
    quick.leg.state = State::Dead;
    quick.leg.timer = TimerRule::None;
    if (!done && quick.inbound_spi.value != 0)
        turn.out.emplace_back(
            ChildAbandoned{quick.inbound_sa, quick.inbound_spi, quick.inbound_installed});
}

const SecretBuffer* find_psk(const EngineConfig& config, Ipv4Address peer) {
    const PresharedKey* best = nullptr;
    for (const PresharedKey& key : config.keys)
        if (key.peer.contains(peer) && (best == nullptr || key.peer.length > best->peer.length))
            best = &key;
    return best == nullptr ? nullptr : best->key.get();
}

const Connection* find_connection(const EngineConfig& config, const std::string& name) {
    const auto found = std::ranges::find(config.connections, name, &Connection::name);
    return found == config.connections.end() ? nullptr : &*found;
}

const Flow* find_flow(const Connection& connection, PolicyId policy) {
    const auto found = std::ranges::find(connection.flows, policy, &Flow::policy);
    return found == connection.flows.end() ? nullptr : &*found;
}

Secured& secured(Turn& turn) {
    Secured* keys = turn.session.secured();
    ENSURE(keys != nullptr);
    return *keys;
}

} // namespace adit::ike
