// SPDX-License-Identifier: Apache-2.0
// Main mode (RFC 2409 5.4), message by message, both sides.
#include "control/ike/phase1_proof.h"
#include "control/ike/phase1_signature.h"
#include "control/ike/step.h"

#include <algorithm>

namespace adit::ike {

// --- message 1 ----------------------------------------------------------------------------------

Verdict send_mm1(Turn& turn) {
    Session& session = turn.session;
    debug(turn, "SA request profile is (NULL)");
    debug(turn, "local port %u, remote port %u", session.local.port, session.remote.port);
    debug(turn, "Can not start Aggressive mode, trying Main mode.");
    debug(turn, "found peer pre-shared key matching %s", to_string(session.remote.address).c_str());
    Bytes sai_b = offer_phase1(offered_policies(turn.env.config, session));
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, sai_b);
    offer_vendors(turn, message);
    debug(turn, "constructed NAT-T vendor-rfc3947 ID");
    debug(turn, "beginning Main Mode exchange");
    session.data = Offered{std::move(sai_b)};
    send_kept(turn, message.clear(header_of(turn, ExchangeType::IdentityProtection, MessageId{})));
    return {};
}

Verdict accept_mm1(Turn& turn) {
    Session& session = turn.session;
    const ByteView body = turn.message->find(PayloadType::SecurityAssociation)->body;
    debug(turn, "processing SA payload. message ID = 0");
    const SaView sa = TRY(parse_sa(body));
    // Key and policy first: arithmetic for strangers comes later or never.
    const std::vector<Phase1Policy> policies =
        provable_policies(turn.env.config, nullptr, session.remote.address);
    if (policies.empty() && !turn.env.config.phase1.empty())
        return refuse(
            Refusal{Failure::NoPresharedKey,
                    "no pre-shared key covers this address; they offer " + describe_phase1(sa)}
                .telling(NotifyType::NoProposalChosen)
                .ending());
    const auto choice = choose_phase1(sa, policies);
    if (!choice)
        return refuse(no_common_policy(turn, sa, policies));
    announce_policy(turn, choice->policy);
    note_vendors(turn);
    session.nat.version = agree_nat(session.vendors);
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, answer_phase1(*choice));
    const std::size_t question_bytes = turn.message->payloads_bytes();
    if (session.nat.version != NatVersion::None &&
        !add_vendor_if_it_fits(question_bytes, message, nat_vendor(session)))
        session.nat.version = NatVersion::None;
    answer_vendors(turn, question_bytes, message);
    session.data = Agreed{choice->policy, std::make_shared<const Bytes>(to_bytes(body))};
    send_kept(turn, message.clear(header_of(turn, ExchangeType::IdentityProtection, MessageId{})));
    return {};
}

// --- message 2 and 3 ----------------------------------------------------------------------------

Verdict accept_mm2(Turn& turn) {
    Session& session = turn.session;
    const SaView sa = TRY(parse_sa(turn.message->find(PayloadType::SecurityAssociation)->body));
    if (turn.message->header.cookies.responder.value == 0)
        return refuse({Failure::Malformed, "message 2 without a responder cookie"});
    const auto policy = accept_phase1(sa, offered_policies(turn.env.config, session));
    if (!policy) {
        crypto_log(turn,
                   Severity::Informational,
                   "IKMP_SA_NOT_OFFERED",
                   "Remote peer " + to_string(session.remote.address) +
                       " responded with attribute transform not offered or changed");
        return refuse({Failure::UnexpectedMessage, "message 2: " + policy.error().text});
    }
    session.cookies.responder = turn.message->header.cookies.responder;
    announce_policy(turn, *policy);
    note_vendors(turn);
    session.nat.version = agree_nat(session.vendors);
    auto exchange = std::make_unique<Exchanging>();
    exchange->policy = *policy;
    TRY_VOID(take_credentials(turn, *exchange));
    exchange->sai_b =
        std::make_shared<const Bytes>(std::move(std::get<Offered>(session.data).sai_b));
    session.data = std::move(exchange);
    start_job(turn, DhJob{.kind = DhJobKind::Generate, .group = policy->group});
    return {};
}

Verdict send_mm3(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    exchange.pair = std::move(turn.dh->pair);
    exchange.nonce_i = random_nonce(turn);
    MessageBuilder message;
    message.add(PayloadType::KeyExchange, exchange.pair.public_value);
    message.add(PayloadType::Nonce, exchange.nonce_i);
    add_certificate_requests(turn, exchange.policy, message);
    add_nat_discovery(turn, message);
    send_kept(turn, message.clear(header_of(turn, ExchangeType::IdentityProtection, MessageId{})));
    return {};
}

Verdict accept_mm3(Turn& turn) {
    Session& session = turn.session;
    auto& agreed = std::get<Agreed>(session.data);
    debug(turn, "processing KE payload. message ID = 0");
    Bytes peer_public = body_of(*turn.message, PayloadType::KeyExchange);
    if (const Status sound = check_public_value(agreed.policy.group, peer_public); !sound)
        return refuse({Failure::BadKeyExchange, sound.error().text});
    debug(turn, "processing NONCE payload. message ID = 0");
    Bytes nonce = TRY(nonce_of(*turn.message));
    note_vendors(turn);
    auto exchange = std::make_unique<Exchanging>();
    exchange->policy = agreed.policy;
    TRY_VOID(take_credentials(turn, *exchange));
    exchange->sai_b = std::move(agreed.sai_b);
    exchange->nonce_i = std::move(nonce);
    exchange->peer_public = peer_public;
    session.data = std::move(exchange);
    detect_nat(turn);
    start_job(turn,
              DhJob{.kind = DhJobKind::GenerateAndAgree,
                    .group = state_data<Exchanging>(turn).policy.group,
                    .peer_public = std::move(peer_public)});
    return {};
}

// --- message 4 ----------------------------------------------------------------------------------

Verdict send_mm4(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    exchange.pair = std::move(turn.dh->pair);
    exchange.nonce_r = random_nonce(turn);
    MessageBuilder message;
    message.add(PayloadType::KeyExchange, exchange.pair.public_value);
    message.add(PayloadType::Nonce, exchange.nonce_r);
    add_certificate_requests(turn, exchange.policy, message);
    add_nat_discovery(turn, message);
    send_kept(turn, message.clear(header_of(turn, ExchangeType::IdentityProtection, MessageId{})));
    return derive_keys(turn, turn.dh->shared.view());
}

Verdict accept_mm4(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    Bytes peer_public = body_of(*turn.message, PayloadType::KeyExchange);
    if (const Status sound = check_public_value(exchange.policy.group, peer_public); !sound)
        return refuse({Failure::BadKeyExchange, sound.error().text});
    exchange.nonce_r = TRY(nonce_of(*turn.message));
    exchange.peer_public = peer_public;
    TRY_VOID(take_credentials(turn, exchange)); // now under a CA that the peer asks for
    note_vendors(turn);
    detect_nat(turn);
    start_job(turn,
              DhJob{.kind = DhJobKind::Agree,
                    .group = exchange.policy.group,
                    .private_key = exchange.pair.private_key.clone(),
                    .peer_public = std::move(peer_public)});
    return {};
}

// --- message 5 and 6 ----------------------------------------------------------------------------

Verdict send_mm5(Turn& turn) {
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    Session& session = turn.session;
    float_ports(session);
    session.evidence.heard = false; // from here on: anything since message 5
    send_identity(turn);
    return {};
}

Verdict accept_mm5(Turn& turn) {
    debug(turn, "processing ID payload. message ID = 0");
    debug(turn, "processing HASH payload. message ID = 0");
    const Identity identity =
        TRY(authenticate(turn,
                         turn.message->find(PayloadType::Identification)->body,
                         turn.message->find(PayloadType::Hash)->body));
    follow_initiator(turn.session, turn.from_local, turn.from_remote);
    note_vendors(turn);
    auto& keyed = state_data<Keyed>(turn);
    TRY_VOID(keyed.iv.accept(turn.ciphertext));
    send_identity(turn);
    heed_identity_notifications(turn);
    become_secured(turn, identity);
    return {};
}

Verdict accept_mm6(Turn& turn) {
    const Identity identity =
        TRY(authenticate(turn,
                         turn.message->find(PayloadType::Identification)->body,
                         turn.message->find(PayloadType::Hash)->body));
    note_vendors(turn);
    TRY_VOID(state_data<Keyed>(turn).iv.accept(turn.ciphertext));
    heed_identity_notifications(turn);
    become_secured(turn, identity);
    return {};
}

} // namespace adit::ike
