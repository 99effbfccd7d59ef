// SPDX-License-Identifier: Apache-2.0
// Informational exchanges: deletes and notifications. Only what HASH(1) authenticates changes
// anything (RFC 2409 5.7); the rest is evidence for the operator.
#include "control/ike/phase1_proof.h"
#include "control/ike/phase2_terms.h"
#include "control/ike/rows.h"
#include "control/ike/step.h"
#include "control/ike/transaction.h"

#include <algorithm>

namespace adit::ike {

namespace {

constexpr const char* kWhere = "an informational message"; // whose HASH(1)

/// A quick mode the notification is about: by our SPI, else the only one that waits for an answer.
QuickMode* quick_of(Session& session, const Notification& notification) {
    QuickMode* waiting = nullptr;
    for (const auto& quick : session.quick_modes) {
        if (quick->leg.state != State::QmInitiatorQm1)
            continue;
        if (std::ranges::equal(notification.spi, spi_bytes(quick->inbound_spi)))
            return quick.get();
        // The oldest, when there are several: peers answer in order.
        if (waiting == nullptr)
            waiting = quick.get();
    }
    return waiting;
}

std::string both_offers(Turn& turn, const QuickMode& quick) {
    const Connection* connection = find_connection(turn.env.config, quick.connection);
    if (connection == nullptr)
        return quick.connection;
    return "we offered " + describe(terms_of(turn.session, *connection, quick));
}

void fail_quick(Turn& turn, QuickMode& quick, const Notification& notification) {
    turn.quick = &quick;
    const bool proxy = notification.type == NotifyType::InvalidIdInformation;
    std::string text = quick.connection + ": peer answered " + name(notification.type) + "; ";
    if (proxy)
        text +=
            "we proposed local " +
            ident_string(quick.selector.local, quick.selector.protocol, quick.selector.local_port) +
            " remote " +
            ident_string(
                quick.selector.remote, quick.selector.protocol, quick.selector.remote_port);
    else
        text += both_offers(turn, quick);
    report(turn, {proxy ? Failure::ProxyRefused : Failure::Phase2Refused, text});
    end_quick_mode(turn);
    turn.quick = nullptr;
}

/// RFC 2408 3.1: with the message id of the quick mode that it is about.
void take_connected(Turn& turn) {
    turn.quick = find_quick(turn.session, turn.message->header.message_id);
    if (turn.quick != nullptr)
        run(turn, ExchangeType::QuickMode, turn.quick->role, Happening::Connected);
    turn.quick = nullptr;
}

Verdict take_notification(Turn& turn, const Notification& notification) {
    Session& session = turn.session;
    Secured& keys = secured(turn);
    switch (notification.type) {
    case NotifyType::RUThere:
    case NotifyType::RUThereAck:
        return accept_dpd(turn, notification);
    case NotifyType::InitialContact:
        heed_initial_contact(turn);
        return {};
    case NotifyType::ResponderLifetime: {
        Duration lifetime = keys.expires - keys.since;
        if (notification.protocol != ProtocolId::Isakmp)
            return {};
        TRY_VOID(shorten_lifetime(notification, lifetime, nullptr));
        keys.expires = keys.since + lifetime;
        keys.rekey_at = std::min(keys.rekey_at, keys.since + lifetime / 100 * 90);
        session.leg.due = keys.expires;
        return {};
    }
    case NotifyType::Connected:
        take_connected(turn);
        return {};
    default:
        break;
    }
    if (!is_error(notification.type)) {
        debug(turn, "processing NOTIFY %s", name(notification.type).c_str());
        return {};
    }
    if (QuickMode* quick = quick_of(session, notification))
        fail_quick(turn, *quick, notification);
    else
        hint(turn, "notify", "peer says " + name(notification.type));
    return {};
}

Verdict take_delete(Turn& turn, const DeletePayload& payload) {
    turn.env.counters.deletes_in += payload.spis.size();
    if (payload.protocol == ProtocolId::Isakmp) {
        PeerClosed closed;
        for (const ByteView spi : payload.spis)
            if (const auto cookies = cookies_of_spi(spi))
                closed.cookies.push_back(*cookies);
        turn.out.emplace_back(std::move(closed));
        return {};
    }
    if (payload.protocol != ProtocolId::Esp)
        return {};
    PeerDeleted deleted;
    for (const ByteView spi : payload.spis)
        deleted.spis.push_back(Spi{load_be<std::uint32_t>(spi.data())});
    turn.out.emplace_back(std::move(deleted));
    return {};
}

Verdict take_payload(Turn& turn, const Payload& payload) {
    if (payload.type == PayloadType::Notification)
        return take_notification(turn, TRY(parse_notification(payload.body)));
    if (payload.type == PayloadType::Delete)
        return take_delete(turn, TRY(parse_delete(payload.body)));
    return {};
}

} // namespace

Verdict note_refusal(Turn& turn) {
    const Notification notification =
        TRY(parse_notification(turn.message->find(PayloadType::Notification)->body));
    Evidence& evidence = turn.session.evidence;
    if (!is_error(notification.type) || evidence.refused)
        return {};
    evidence.refused = notification.type;
    // Told at once, acted on late: whoever forged it gains nothing when the real answer comes.
    const bool proving = turn.session.leg.state == State::InitiatorMm5;
    const std::string text = "peer says " + name(notification.type) + " (unauthenticated)";
    if (proving && proof_of(turn.session) == Proof::Signature)
        hint(turn, "cert", text + " to message 5: it may not trust our certificate");
    else if (proving)
        hint(turn, "psk-mismatch", text + " to message 5: the pre-shared keys may differ");
    else
        hint(turn,
             "p1-notify",
             text + "; we offered " + describe(offered_policies(turn.env.config, turn.session)));
    Leg& leg = turn.session.leg;
    const Instant end = turn.now() + kRefusedGrace;
    leg.give_up = std::min(leg.give_up, end);
    leg.due = std::min(leg.due, end);
    return {};
}

Verdict note_protected_refusal(Turn& turn) {
    const auto& keyed = *std::get<std::unique_ptr<Keyed>>(turn.session.data);
    TRY_VOID(verify_hash_1(turn, keyed.policy.hash, keyed.keys.skeyid_a.view(), kWhere));
    const Notification notification =
        TRY(parse_notification(turn.message->find(PayloadType::Notification)->body));
    if (!is_error(notification.type))
        return {};
    if (proof_of(turn.session) == Proof::Signature)
        return refuse(
            Refusal{Failure::SignatureRefused,
                    "peer answers our certificate and signature by " + name(notification.type)}
                .ending());
    return refuse(Refusal{Failure::IdentityMismatch,
                          "peer has our key, yet answers message 5 by " + name(notification.type) +
                              "; we named ourselves " + to_string(turn.session.local.address)}
                      .ending());
}

Verdict accept_informational(Turn& turn) {
    const Secured& keys = secured(turn);
    TRY_VOID(verify_hash_1(turn, keys.policy.hash, keys.skeyid_a.view(), kWhere));
    // Each payload for itself: a DPD request that rides along with deletes spoils neither.
    for (const Payload& payload : turn.message->payloads)
        if (const Verdict verdict = take_payload(turn, payload); !verdict)
            report(turn, verdict.error());
    return {};
}

Status
shorten_lifetime(const Notification& notification, Duration& lifetime, std::uint64_t* kilobytes) {
    std::optional<LifeType> type;
    for (const Attribute& attribute : TRY(parse_attributes(notification.data))) {
        // RFC 2407 4.5: life type is 1 and duration 2 in phase 2; in phase 1 they are 11 and 12.
        const bool is_type = attribute.type == to_wire(IpsecAttribute::LifeType) ||
                             attribute.type == to_wire(IkeAttribute::LifeType);
        const std::uint64_t value = attribute.value.value_or(0);
        if (is_type) {
            type = from_wire<LifeType>(static_cast<std::uint16_t>(value));
            continue;
        }
        if (!type || value == 0)
            return fail(ErrorCode::Malformed, "RESPONDER-LIFETIME without type or duration");
        constexpr std::uint64_t kYear = 365ULL * 86'400;
        if (*type == LifeType::Seconds)
            lifetime = std::min<Duration>(
                lifetime, std::chrono::seconds{static_cast<std::int64_t>(std::min(value, kYear))});
        else if (*type == LifeType::Kilobytes && kilobytes != nullptr)
            *kilobytes = *kilobytes == 0 ? value : std::min(*kilobytes, value);
    }
    return {};
}

} // namespace adit::ike
