// SPDX-License-Identifier: Apache-2.0
#include "control/ike/rows.h"

#include <algorithm>

namespace adit::ike {

namespace {

Duration total_of_gaps() {
    Duration total{};
    for (const unsigned gap : kRetransmitGaps)
        total += std::chrono::seconds{gap};
    return total;
}

void set_timer(Turn& turn, Leg& leg, TimerRule timer) {
    leg.timer = timer;
    switch (timer) {
    case TimerRule::None:
        break;
    case TimerRule::Retransmit:
        leg.sends = 1;
        leg.due = turn.now() + std::chrono::seconds{kRetransmitGaps[0]};
        leg.give_up = turn.now() + total_of_gaps();
        break;
    case TimerRule::Wait:
        leg.due = turn.now() + kWaitLimit;
        break;
    case TimerRule::Compute:
        leg.due = turn.now() + kComputeLimit;
        break;
    case TimerRule::Pause:
        leg.due = turn.now() + kLoginPause;
        break;
    case TimerRule::Linger:
        leg.due = turn.now() + kLingerTime;
        break;
    case TimerRule::Commit:
        leg.due = turn.now() + kCommitLimit;
        break;
    case TimerRule::Lifetime:
        leg.due = secured(turn).expires;
        break;
    }
}

void hasten(Turn& turn) {
    Leg& leg = turn.leg();
    const Instant end = turn.now() + kRefusedGrace;
    leg.give_up = std::min(leg.give_up, end);
    leg.due = std::min(leg.due, end);
}

void remember_told(Session& session, ToldRefusal refusal) {
    if (session.told_refusals.size() == kMaxToldRefusals)
        session.told_refusals.erase(session.told_refusals.begin());
    session.told_refusals.push_back(std::move(refusal));
}

void tell(Turn& turn, NotifyType type) {
    if (turn.session.secured() == nullptr) {
        // SECURITY U2: whoever has proved nothing gets no answer longer than the question.
        constexpr std::size_t kClearNotifyBytes = kHeaderBytes + 12;
        if (turn.question_bytes >= kClearNotifyBytes)
            send_notify(turn, {ProtocolId::Isakmp, type, {}, {}});
        return;
    }
    if (turn.transaction != nullptr)
        return send_notify(turn, {ProtocolId::Isakmp, type, {}, {}});
    const Bytes spi =
        turn.quick != nullptr && turn.quick->choice ? spi_bytes(turn.quick->choice->spi) : Bytes{};
    const Notification notification{ProtocolId::Esp, type, spi, {}};
    if (turn.quick != nullptr && turn.quick->role == Role::Responder)
        remember_told(turn.session, {turn.quick->id, notification, turn.now()});
    send_notify(turn, notification);
}

/// Once an exchange is known to be doomed, more of the same is no news.
bool is_said_already(Turn& turn, const Refusal& refusal) {
    return refusal.then == Refusal::Then::Hasten &&
           std::exchange(turn.session.evidence.judged, true);
}

} // namespace

void enter(Turn& turn, const Row& row) {
    Leg& leg = turn.leg();
    if (turn.env.row_observer != nullptr && *turn.env.row_observer)
        (*turn.env.row_observer)(row);
    if (row.next == row.state || leg.state == State::Dead)
        return;
    debug(turn, "Old State = %s  New State = %s ", name(leg.state), name(row.next));
    leg.state = row.next;
    set_timer(turn, leg, row.timer);
}

void remember_refused(Leg& leg, const Refusal& refusal, Digest digest) {
    if (refusal.then == Refusal::Then::Hasten)
        leg.answered.back() = digest;
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
    else if (turn.transaction != nullptr)
        end_transaction(turn);
    else
        end_phase1(turn, refusal.failure);
}

void run(Turn& turn, const Row& row) {
    if (const Verdict verdict = row.handler(turn); !verdict)
        return refused(turn, verdict.error());
    enter(turn, row);
}

void run(Turn& turn, ExchangeType exchange, Role role, Happening event) {
    const Row* row = find_row(exchange, role, turn.leg().state, event, proof_of(turn.session));
    if (row != nullptr)
        run(turn, *row);
}

} // namespace adit::ike
