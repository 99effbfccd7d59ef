// SPDX-License-Identifier: Apache-2.0
// Main mode with pre-shared keys (RFC 2409 5.4), message by message, both sides.
#include "control/ike/phase1_proof.h"
#include "control/ike/step.h"

#include <algorithm>

namespace adit::ike {

namespace {

Bytes body_of(const Message& message, PayloadType type) {
    return to_bytes(message.find(type)->body);
}

void announce_policy(Turn& turn, const Phase1Policy& policy) {
    if (turn.env.debug)
        debug(turn, "atts are acceptable. Next payload is 0 (%s)", describe(policy).c_str());
}

void note_vendors(Turn& turn) {
    turn.session.vendors |= known_vendors(*turn.message);
    if (turn.env.debug)
        for (const std::string& vendor : vendor_names(known_vendors(*turn.message)))
            debug(turn, "vendor ID is %s", vendor.c_str());
}

std::string both_policies(const SaView& theirs, const EngineConfig& config) {
    return "they offer " + describe_phase1(theirs) + "; we accept " + describe(config.phase1);
}

/// Each offer against each policy, as `debug crypto isakmp` words it.
void debug_offers(Turn& turn, const SaView& sa) {
    if (!turn.env.debug)
        return;
    for (const ProposalView& proposal : sa.proposals)
        for (const TransformView& transform : proposal.transforms)
            for (const Phase1Policy& policy : turn.env.config.phase1) {
                debug(turn,
                      "Checking ISAKMP transform %u against priority %u policy",
                      transform.number,
                      policy.priority);
                const auto offer = decode_phase1(transform);
                const char* differs = offer ? mismatch(*offer, policy) : "atts are malformed";
                if (differs != nullptr) {
                    debug(turn, "%s", differs);
                    debug(turn, "atts are not acceptable. Next payload is 0");
                }
            }
    debug(turn, "no offers accepted!");
}

} // namespace

// --- message 1 ----------------------------------------------------------------------------------

Verdict send_mm1(Turn& turn) {
    Session& session = turn.session;
    debug(turn, "SA request profile is (NULL)");
    debug(turn, "local port %u, remote port %u", session.local.port, session.remote.port);
    debug(turn, "Can not start Aggressive mode, trying Main mode.");
    debug(turn, "found peer pre-shared key matching %s", to_string(session.remote.address).c_str());
    Bytes sai_b = offer_phase1(turn.env.config.phase1);
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, sai_b);
    offer_nat(message);
    debug(turn, "constructed NAT-T vendor-rfc3947 ID");
    message.add(PayloadType::VendorId, vendor_id(Vendor::Dpd));
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
    const SecretBuffer* psk = find_psk(turn.env.config, session.remote.address);
    if (psk == nullptr)
        return refuse(
            Refusal{Failure::NoPresharedKey,
                    "no pre-shared key covers this address; they offer " + describe_phase1(sa)}
                .telling(NotifyType::NoProposalChosen)
                .ending());
    const auto choice = choose_phase1(sa, turn.env.config.phase1);
    if (!choice) {
        debug_offers(turn, sa);
        return refuse(Refusal{Failure::NoPhase1Proposal, both_policies(sa, turn.env.config)}
                          .telling(NotifyType::NoProposalChosen)
                          .ending());
    }
    announce_policy(turn, choice->policy);
    note_vendors(turn);
    session.nat.version = agree_nat(session.vendors);
    MessageBuilder message;
    message.add(PayloadType::SecurityAssociation, answer_phase1(*choice));
    const Header header = header_of(turn, ExchangeType::IdentityProtection, MessageId{});
    const std::size_t question_bytes = kHeaderBytes + turn.message->payloads_bytes();
    // An answer is never longer than its question: vendor ids go in as far as they fit.
    const auto add_if_it_fits = [&](Vendor vendor) {
        MessageBuilder longer = message;
        longer.add(PayloadType::VendorId, vendor_id(vendor));
        if (longer.clear(header).size() > question_bytes)
            return false;
        message = std::move(longer);
        return true;
    };
    if (session.nat.version != NatVersion::None &&
        !add_if_it_fits(session.nat.version == NatVersion::Rfc3947 ? Vendor::NatRfc3947
                        : session.has(Vendor::NatDraft03)          ? Vendor::NatDraft03
                                                                   : Vendor::NatDraft02n))
        session.nat.version = NatVersion::None;
    add_if_it_fits(Vendor::Dpd);
    session.data = Agreed{choice->policy, std::make_shared<const Bytes>(to_bytes(body))};
    send_kept(turn, message.clear(header));
    return {};
}

// --- message 2 and 3 ----------------------------------------------------------------------------

Verdict accept_mm2(Turn& turn) {
    Session& session = turn.session;
    const SaView sa = TRY(parse_sa(turn.message->find(PayloadType::SecurityAssociation)->body));
    if (turn.message->header.cookies.responder.value == 0)
        return refuse({Failure::Malformed, "message 2 without a responder cookie"});
    const auto policy = accept_phase1(sa, turn.env.config.phase1);
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
    exchange->sai_b =
        std::make_shared<const Bytes>(std::move(std::get<Offered>(session.data).sai_b));
    session.data = std::move(exchange);
    start_dh(turn, {.kind = DhJobKind::Generate, .group = policy->group});
    return {};
}

Verdict send_mm3(Turn& turn) {
    auto& exchange = state_data<Exchanging>(turn);
    exchange.pair = std::move(turn.dh->pair);
    exchange.nonce_i = random_nonce(turn);
    MessageBuilder message;
    message.add(PayloadType::KeyExchange, exchange.pair.public_value);
    message.add(PayloadType::Nonce, exchange.nonce_i);
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
    exchange->sai_b = std::move(agreed.sai_b);
    exchange->nonce_i = std::move(nonce);
    exchange->peer_public = peer_public;
    session.data = std::move(exchange);
    detect_nat(turn);
    start_dh(turn,
             {.kind = DhJobKind::GenerateAndAgree,
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
    note_vendors(turn);
    detect_nat(turn);
    start_dh(turn,
             {.kind = DhJobKind::Agree,
              .group = exchange.policy.group,
              .private_key = exchange.pair.private_key.clone(),
              .peer_public = std::move(peer_public)});
    return {};
}

// --- message 5 and 6 ----------------------------------------------------------------------------

Verdict send_mm5(Turn& turn) {
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    Session& session = turn.session;
    if (session.nat.detected() && !session.floated()) {
        // RFC 3947 4: the initiator moves to port 4500 with its first encrypted message.
        session.local.port = kNatPort;
        session.remote.port = kNatPort;
    }
    session.evidence.heard = false; // from here on: anything since message 5
    send_identity(turn);
    return {};
}

Verdict accept_mm5(Turn& turn) {
    Session& session = turn.session;
    debug(turn, "processing ID payload. message ID = 0");
    debug(turn, "processing HASH payload. message ID = 0");
    const auto identity = authenticate(turn);
    if (!identity)
        return refuse(hash_refusal(identity.error()));
    if (!identity_fits(session, *identity) || !id_ports_fit(*identity))
        return refuse(identity_refusal(*identity, session));
    // RFC 3947 4: answer to where it came from, now that it is proved whose message it is.
    session.local = turn.from_local;
    session.remote = turn.from_remote;
    note_vendors(turn);
    auto& keyed = state_data<Keyed>(turn);
    TRY_VOID(keyed.iv.accept(turn.ciphertext));
    send_identity(turn);
    heed_identity_notifications(turn);
    become_secured(turn, *identity);
    return {};
}

Verdict accept_mm6(Turn& turn) {
    Session& session = turn.session;
    const auto identity = authenticate(turn);
    if (!identity)
        return refuse(hash_refusal(identity.error()));
    if (!identity_fits(session, *identity) || !id_ports_fit(*identity))
        return refuse(identity_refusal(*identity, session));
    note_vendors(turn);
    TRY_VOID(state_data<Keyed>(turn).iv.accept(turn.ciphertext));
    heed_identity_notifications(turn);
    become_secured(turn, *identity);
    return {};
}

// --- endings ------------------------------------------------------------------------------------

namespace {

/// What the silence, or what little was heard, means.
Refusal silence(const Session& session, const EngineConfig& config) {
    const Evidence& seen = session.evidence;
    const std::string notify = seen.refused ? name(*seen.refused) + " (unauthenticated)" : "";
    switch (session.leg.state) {
    case State::InitiatorMm1:
    case State::InitiatorMm2Dh:
    case State::InitiatorMm3:
    case State::InitiatorMm4Dh:
        if (seen.refused)
            return {Failure::Phase1Refused,
                    "peer answered " + notify + "; we offered " + describe(config.phase1)};
        if (session.leg.state == State::InitiatorMm1)
            return {Failure::Phase1Timeout,
                    "message 1 sent " + std::to_string(session.leg.sends) +
                        " times, no usable answer"};
        return {Failure::Phase1Timeout, "message 2 was received, message 3 stays unanswered"};
    case State::InitiatorMm5:
        if (seen.refused)
            return {Failure::PresharedKeyMismatch,
                    "messages 1 to 4 are sound, message 5 was answered by " + notify +
                        ": likely the pre-shared keys differ"};
        return {Failure::PresharedKeyMismatch,
                std::string{"messages 1 to 4 are sound, message 5 stays unanswered: likely the "
                            "pre-shared keys differ"} +
                    (session.floated() ? ", else one-way-4500: UDP 4500 is filtered" : "")};
    default:
        return {Failure::Phase1Timeout, "message 5 did not come"};
    }
}

} // namespace

Verdict give_up_main_mode(Turn& turn) {
    debug(turn,
          "deleting SA reason \"Death by retransmission P1\" state (%c) %s (peer %s)",
          turn.session.role == Role::Initiator ? 'I' : 'R',
          show_state(turn.session),
          to_string(turn.session.remote.address).c_str());
    const Refusal refusal = silence(turn.session, turn.env.config);
    if (!turn.session.evidence.judged)
        report(turn, refusal);
    end_phase1(turn, refusal.failure);
    return {};
}

/// A stranger who did not go on: counted, not logged, or a flood of first messages would be a flood
/// of log lines.
Verdict forget_half_open(Turn& turn) {
    ++turn.env.counters.failures.at(static_cast<std::size_t>(Failure::Phase1Timeout));
    end_phase1(turn, Failure::Phase1Timeout);
    return {};
}

Verdict expire_isakmp_sa(Turn& turn) {
    ++turn.env.counters.deletes_out;
    MessageBuilder message;
    message.add(PayloadType::Delete,
                build_delete(ProtocolId::Isakmp, {cookies_as_spi(turn.session.cookies)}));
    send_protected(turn, std::move(message));
    debug(turn, "deleting SA reason \"IKE SA Lifetime Exceeded\"");
    end_phase1(turn, Failure::Phase1Timeout);
    return {};
}

} // namespace adit::ike
