// SPDX-License-Identifier: Apache-2.0
#include "control/ike/half_open.h"

namespace adit::ike {

bool HalfOpen::fits(const Session& session) {
    const Leg& leg = session.leg;
    const bool as_answered = leg.state == State::ResponderMm2 && leg.timer == TimerRule::Wait &&
                             leg.due == session.created + kWaitLimit && leg.sends == 0 &&
                             leg.give_up == Instant{} && leg.answered[1] == 0 &&
                             leg.answered[2] == 0;
    return as_answered && session.role == Role::Responder &&
           std::holds_alternative<Agreed>(session.data) && session.evidence.heard &&
           !session.evidence.refused && !session.evidence.judged && session.queue.empty();
}

HalfOpen::HalfOpen(Session session)
    : cookies_(session.cookies), local_(session.local), remote_(session.remote),
      created_(session.created), sent_at_(session.leg.sent_at),
      answered_(session.leg.answered.front()), vendors_(session.vendors),
      agreed_(std::get<Agreed>(std::move(session.data))), sent_(std::move(session.leg.sent)),
      nat_(session.nat.version), configured_(session.configured) {
    sent_.shrink_to_fit();
}

Session HalfOpen::session(SessionId id) const {
    Session session;
    session.id = id;
    session.role = Role::Responder;
    session.cookies = cookies_;
    session.local = local_;
    session.remote = remote_;
    session.configured = configured_;
    session.vendors = vendors_;
    session.nat.version = nat_;
    session.evidence.heard = true;
    session.created = created_;
    session.data = agreed_;
    session.leg.state = State::ResponderMm2;
    session.leg.timer = TimerRule::Wait;
    session.leg.due = due();
    session.leg.sent_at = sent_at_;
    session.leg.sent = sent_;
    session.leg.answered.front() = answered_;
    return session;
}

} // namespace adit::ike
