// SPDX-License-Identifier: Apache-2.0
// What the handlers of all exchanges share.
#include "control/ike/payload_fragment.h"
#include "control/ike/step.h"

#include <algorithm>

namespace adit::ike {

bool id_is_used(const Session& session, MessageId id) {
    return std::ranges::find(session.used_message_ids, id) != session.used_message_ids.end();
}

void remember_id(Session& session, MessageId id) {
    auto& ids = session.used_message_ids;
    if (ids.size() == kMaxUsedIds)
        ids.erase(ids.begin());
    ids.push_back(id);
}

namespace {

template <class Exchange>
Exchange* find_id(const std::vector<std::unique_ptr<Exchange>>& exchanges, MessageId id) {
    const auto found = std::ranges::find_if(
        exchanges, [&](const std::unique_ptr<Exchange>& each) { return each->id == id; });
    return found == exchanges.end() ? nullptr : found->get();
}

} // namespace

QuickMode* find_quick(Session& session, MessageId id) {
    return find_id(session.quick_modes, id);
}

Transaction* find_transaction(Session& session, MessageId id) {
    return find_id(session.transactions, id);
}

std::unique_ptr<QuickMode> new_quick(Turn& turn, MessageId id, Role role) {
    return std::unique_ptr<QuickMode>(new QuickMode{.id = id,
                                                    .role = role,
                                                    .leg = {},
                                                    .iv = secured(turn).iv.phase2(id),
                                                    .started = turn.now()});
}

std::unique_ptr<Transaction> new_transaction(Turn& turn, MessageId id, Role role) {
    return std::unique_ptr<Transaction>(
        new Transaction{.id = id, .role = role, .leg = {}, .iv = secured(turn).iv.phase2(id)});
}

MessageId fresh_message_id(Turn& turn) {
    for (;;) {
        const MessageId id{turn.env.rng.u32()};
        if (id.value != 0 && !id_is_used(turn.session, id) &&
            find_quick(turn.session, id) == nullptr &&
            find_transaction(turn.session, id) == nullptr)
            return id;
    }
}

void send_kept(Turn& turn, Bytes datagram) {
    turn.leg().sent = datagram;
    turn.leg().sent_at = turn.now();
    send_once(turn, std::move(datagram));
}

namespace {

constexpr std::size_t kIpUdpBytes = 20 + 8;
constexpr std::size_t kMarkerBytes = 4; // RFC 3948 2.2, on port 4500

/// Whatever the message is, its fragments go by the exchange of phase 1 and by message id 0: that
/// is how other implementations send them, and some look for nothing else.
Header fragment_header(const Session& session) {
    Header header;
    header.cookies = session.cookies;
    header.exchange = session.phase1;
    return header;
}

/// The datagrams a message travels in: itself when it fits into one packet of the configured size,
/// or when the peer cannot put fragments together.
std::vector<Bytes> packets_of(Turn& turn, Bytes message) {
    const Session& session = turn.session;
    const auto mtu = turn.env.config.fragmentation_mtu;
    std::vector<Bytes> packets;
    if (mtu && session.has(Vendor::Fragmentation)) {
        const std::size_t room =
            *mtu - kIpUdpBytes - (session.local.port == kIkePort ? 0 : kMarkerBytes);
        if (message.size() > room) {
            // One message, one number, however often it is sent again: what was lost of the first
            // transmission comes with the second.
            const auto id = static_cast<std::uint16_t>(digest_of(message) | 1);
            packets = fragments_of(message, fragment_header(session), id, room);
            turn.env.counters.fragments_out += packets.size();
        }
    }
    if (packets.empty())
        packets.push_back(std::move(message));
    return packets;
}

} // namespace

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
    for (Bytes& packet : packets_of(turn, std::move(datagram)))
        turn.out.emplace_back(SendDatagram{session.local, session.remote, std::move(packet)});
}

void start_job(Turn& turn, JobWork work) {
    const JobId id{turn.env.ids.next_job++};
    turn.leg().job = id;
    turn.out.emplace_back(StartJob{{id, std::move(work)}});
}

namespace {

template <class Data> const Phase1Policy* policy_in(const Session& session) {
    const auto* owner = std::get_if<std::unique_ptr<Data>>(&session.data);
    return owner == nullptr ? nullptr : &(*owner)->policy;
}

} // namespace

const Phase1Policy* agreed_policy(const Session& session) {
    if (const auto* agreed = std::get_if<Agreed>(&session.data))
        return &agreed->policy;
    if (const Phase1Policy* policy = policy_in<Exchanging>(session))
        return policy;
    if (const Phase1Policy* policy = policy_in<Keyed>(session))
        return policy;
    return policy_in<Secured>(session);
}

Proof proof_of(const Session& session) {
    const Phase1Policy* policy = agreed_policy(session);
    if (policy == nullptr)
        return Proof::Any;
    return is_by_key(*policy) ? Proof::Hash : Proof::Signature;
}

Bytes random_nonce(Turn& turn, std::size_t bytes) {
    Bytes nonce(bytes);
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

MessageBuilder behind_hash_1(const Secured& keys, MessageId id, const MessageBuilder& payloads) {
    const SecretBuffer hash = hash_1(keys.policy.hash, keys.skeyid_a.view(), id, payloads.chain());
    MessageBuilder message;
    message.add(PayloadType::Hash, to_bytes(hash.view())).append(payloads);
    return message;
}

Verdict verify_hash_1(const Turn& turn, HashAlgorithm hash, ByteView skeyid_a, const char* where) {
    const SecretBuffer expected =
        hash_1(hash, skeyid_a, turn.message->header.message_id, turn.message->behind_first());
    if (!equal_constant_time(turn.message->find(PayloadType::Hash)->body, expected.view()))
        return refuse({Failure::BadHash, std::string{"HASH(1) of "} + where + " does not verify"});
    return {};
}

void send_protected(Turn& turn, MessageBuilder payloads) {
    const Secured& keys = secured(turn);
    const MessageId id = fresh_message_id(turn);
    IvChain iv = keys.iv.phase2(id);
    send_once(turn,
              behind_hash_1(keys, id, payloads)
                  .encrypted(header_of(turn, ExchangeType::Informational, id),
                             iv,
                             keys.cipher_key.view()));
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

void end_transaction(Turn& turn) {
    turn.transaction->leg.state = State::Dead;
    turn.transaction->leg.timer = TimerRule::None;
}

void close_session(Turn& turn) {
    if (turn.session.secured() != nullptr) {
        ++turn.env.counters.deletes_out;
        MessageBuilder message;
        message.add(PayloadType::Delete,
                    build_delete(ProtocolId::Isakmp, {cookies_as_spi(turn.session.cookies)}));
        send_protected(turn, std::move(message));
    }
    end_everything(turn);
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

void end_everything(Turn& turn) {
    for (const auto& quick : turn.session.quick_modes) {
        turn.quick = quick.get();
        end_quick_mode(turn);
    }
    turn.quick = nullptr;
    for (const auto& transaction : turn.session.transactions) {
        transaction->leg.state = State::Dead;
        transaction->leg.timer = TimerRule::None;
    }
    turn.session.leg.state = State::Dead;
    turn.session.leg.timer = TimerRule::None;
}

} // namespace adit::ike
