// SPDX-License-Identifier: Apache-2.0
// Aggressive mode (RFC 2409 5.4), message by message, both sides. Three messages, and names in the
// clear: who listens can try out pre-shared keys, so it is spoken only where the configuration asks
// for it, and a name that nobody has gets the same kind of answer as one that has (SECURITY U13).
#include "control/ike/aggressive_mode.h"

#include "control/ike/phase1_signature.h"

namespace adit::ike {

namespace {

/// A key that nobody holds, always the same for one name: the exchange with it fails no sooner and
/// no otherwise than one with a wrong key.
SharedKey key_for_nobody(const Turn& turn, ByteView id_body) {
    return std::make_shared<const SecretBuffer>(
        prf(HashAlgorithm::Sha256, turn.env.secret, {id_body}));
}

/// The peer's public value and its name, as messages 1 and 2 carry them.
std::expected<Identity, Refusal> take_peer_values(Turn& turn, Exchanging& exchange) {
    exchange.peer_public = body_of(*turn.message, PayloadType::KeyExchange);
    if (const Status sound = check_public_value(exchange.policy.group, exchange.peer_public);
        !sound)
        return refuse({Failure::BadKeyExchange, sound.error().text});
    exchange.peer_id = body_of(*turn.message, PayloadType::Identification);
    return TRY(parse_identity(exchange.peer_id));
}

} // namespace

// --- message 1 ----------------------------------------------------------------------------------

Verdict start_am_dh(Turn& turn) {
    Session& session = turn.session;
    debug(turn, "Trying Aggressive mode");
    const std::vector<Phase1Policy> offer = offered_policies(turn.env.config, session);
    if (offer.empty())
        return refuse(
            Refusal{Failure::NoPresharedKey, "neither key nor certificate for this peer"}.ending());
    auto exchange = std::make_unique<Exchanging>();
    exchange->policy = offer.front();
    TRY_VOID(take_credentials(turn, *exchange));
    const Group group = exchange->policy.group;
    session.data = std::move(exchange);
    start_job(turn, DhJob{.kind = DhJobKind::Generate, .group = group});
    return {};
}

/// Of message 1. No answer of ours is longer than its question (SECURITY U2), and others may hold
/// to that: there is to be room for NAT discovery, proof and vendor ids by the longest hash.
static constexpr std::size_t kRoomyNonceBytes = 240;

Verdict send_am1(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    Bytes sai_b = offer_phase1(offered_policies(turn.env.config, turn.session));
    exchange.sai_b = std::make_shared<const Bytes>(sai_b);
    exchange.pair = std::move(turn.dh->pair);
    exchange.nonce_i = random_nonce(turn, kRoomyNonceBytes);
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, std::move(sai_b));
    message.add(PayloadType::KeyExchange, exchange.pair.public_value);
    message.add(PayloadType::Nonce, exchange.nonce_i);
    message.add(PayloadType::Identification,
                exchange.own == nullptr ? own_identity_body(turn)
                                        : own_signed_identity(turn, *exchange.own));
    add_certificate_requests(turn, exchange.policy, message);
    offer_vendors(turn, message);
    debug(turn, "beginning Aggressive Mode exchange");
    send_kept(turn, message.clear(header_of(turn, ExchangeType::Aggressive, MessageId{})));
    return {};
}

Verdict accept_am1(Turn& turn) {
    Session& session = turn.session;
    const EngineConfig& config = turn.env.config;
    const ByteView body = turn.message->find(PayloadType::SecurityAssociation)->body;
    debug(turn, "processing SA payload. message ID = 0");
    const SaView sa = TRY(parse_sa(body));
    // Policy and name first: arithmetic for strangers comes later or never.
    const std::vector<Phase1Policy> policies = aggressive_policies(config);
    const auto choice = choose_phase1(sa, policies);
    if (!choice)
        return refuse(no_common_policy(turn, sa, policies));
    auto exchange = std::make_unique<Exchanging>();
    exchange->policy = choice->policy;
    exchange->sai_b = std::make_shared<const Bytes>(to_bytes(body));
    exchange->answer_sa = answer_phase1(*choice);
    exchange->question_bytes = turn.message->payloads_bytes();
    exchange->nonce_i = TRY(nonce_of(*turn.message));
    const Identity peer = TRY(take_peer_values(turn, *exchange));
    debug(turn, "processing ID payload. message ID = 0: %s", to_string(peer).c_str());
    if (!is_by_key(exchange->policy))
        exchange->own = own_certificate(turn, exchange->policy);
    else if (may_be_aggressive(config, peer, session.remote.address))
        exchange->psk = key_for_identity(config, peer, session.remote.address);
    else
        exchange->psk = key_for_nobody(turn, exchange->peer_id);
    // Whose name it is decides under which of ours we answer; proof of it comes with message 3.
    const auto profile = choose_profile(config, peer, session.remote.address, exchange->psk.get());
    if (profile && *profile != nullptr)
        session.profile = (*profile)->name;
    announce_policy(turn, choice->policy);
    note_vendors(turn);
    session.nat.version = agree_nat(session.vendors);
    DhJob job{.kind = DhJobKind::GenerateAndAgree,
              .group = choice->policy.group,
              .peer_public = exchange->peer_public};
    session.data = std::move(exchange);
    start_job(turn, std::move(job));
    return {};
}

// --- message 2 ----------------------------------------------------------------------------------

MessageBuilder begin_am2(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    exchange.pair = std::move(turn.dh->pair);
    exchange.nonce_r = random_nonce(turn);
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, std::move(exchange.answer_sa));
    message.add(PayloadType::KeyExchange, exchange.pair.public_value);
    message.add(PayloadType::Nonce, exchange.nonce_r);
    // RFC 3947 3.2: without these a peer behind a NAT gets no tunnel at all, so they go in even
    // where they make this message a little longer than the first: it is sent once, not four times.
    if (turn.session.nat.version != NatVersion::None)
        message.add(PayloadType::VendorId, vendor_id(nat_vendor(turn.session)));
    return message;
}

Verdict send_am2(Turn& turn) {
    const std::size_t question_bytes = state_data<Exchanging>(turn).question_bytes;
    MessageBuilder message = begin_am2(turn);
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    Bytes id = own_identity_body(turn);
    Bytes proof = own_proof(turn, id);
    message.add(PayloadType::Identification, std::move(id));
    message.add(PayloadType::Hash, std::move(proof));
    add_nat_discovery(turn, message);
    answer_vendors(turn, question_bytes, message);
    send_kept(turn, message.clear(header_of(turn, ExchangeType::Aggressive, MessageId{})));
    return {};
}

Verdict accept_am2(Turn& turn) {
    Session& session = turn.session;
    auto& exchange = state_data<Exchanging>(turn);
    const SaView sa = TRY(parse_sa(turn.message->find(PayloadType::SecurityAssociation)->body));
    if (turn.message->header.cookies.responder.value == 0)
        return refuse({Failure::Malformed, "message 2 without a responder cookie"});
    const auto policy = accept_phase1(sa, offered_policies(turn.env.config, session));
    if (!policy || method_of(*policy) != method_of(exchange.policy) ||
        policy->group != exchange.policy.group)
        return refuse(
            {Failure::UnexpectedMessage,
             "message 2: " + (policy ? "our policies changed meanwhile" : policy.error().text)});
    Bytes nonce = TRY(nonce_of(*turn.message));
    TRY_VOID(take_peer_values(turn, exchange));
    exchange.policy = *policy;
    exchange.nonce_r = std::move(nonce);
    if (is_by_key(*policy))
        exchange.peer_hash = body_of(*turn.message, PayloadType::Hash);
    else
        exchange.claim = TRY(take_claim(turn, *policy, exchange.peer_id));
    session.cookies.responder = turn.message->header.cookies.responder;
    announce_policy(turn, *policy);
    note_vendors(turn);
    session.nat.version = agree_nat(session.vendors);
    detect_nat(turn);
    start_job(turn,
              DhJob{.kind = DhJobKind::Agree,
                    .group = exchange.policy.group,
                    .private_key = exchange.pair.private_key.clone(),
                    .peer_public = exchange.peer_public});
    return {};
}

// --- message 3 ----------------------------------------------------------------------------------

Verdict send_am3(Turn& turn) {
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    const auto& keyed = state_data<Keyed>(turn);
    const Identity peer = TRY(authenticate(turn, keyed.peer_id, keyed.peer_hash));
    MessageBuilder message;
    message.add(PayloadType::Hash, own_proof(turn, own_identity_body(turn)));
    finish_am3(turn, std::move(message), peer);
    return {};
}

void finish_am3(Turn& turn, MessageBuilder message, const Identity& peer) {
    auto& keyed = state_data<Keyed>(turn);
    add_nat_discovery(turn, message);
    float_ports(turn.session);
    add_initial_contact(turn, message);
    send_kept(turn,
              message.encrypted(header_of(turn, ExchangeType::Aggressive, MessageId{}),
                                keyed.iv,
                                keyed.cipher_key.view()));
    become_secured(turn, peer);
    // This message has no answer: unless a quick mode follows, only DPD tells whether it has come.
    if (turn.session.queue.empty())
        start_dpd(turn);
}

Verdict accept_am3(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    debug(turn, "processing HASH payload. message ID = 0");
    detect_nat(turn);
    const Identity peer =
        TRY(authenticate(turn, keyed.peer_id, turn.message->find(PayloadType::Hash)->body));
    follow_initiator(turn.session, turn.from_local, turn.from_remote);
    note_vendors(turn);
    if (!turn.ciphertext.empty())
        TRY_VOID(keyed.iv.accept(turn.ciphertext));
    heed_identity_notifications(turn);
    become_secured(turn, peer);
    return {};
}

} // namespace adit::ike
