// SPDX-License-Identifier: Apache-2.0
// How phase 1 ends other than well: silence, strangers who did not go on, and age.
#include "control/ike/phase1_proof.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// What the silence, or what little was heard, means.
Refusal silence(const Session& session, const EngineConfig& config) {
    const Evidence& seen = session.evidence;
    const std::string notify = seen.refused ? name(*seen.refused) + " (unauthenticated)" : "";
    switch (session.leg.state) {
    case State::InitiatorAm1Dh:
    case State::InitiatorAm1:
    case State::InitiatorAm2Dh:
    case State::InitiatorMm1:
    case State::InitiatorMm2Dh:
    case State::InitiatorMm3:
    case State::InitiatorMm4Dh:
        if (seen.refused)
            return {Failure::Phase1Refused,
                    "peer answered " + notify + "; we offered " +
                        describe(offered_policies(config, session))};
        if (session.leg.state != State::InitiatorMm3 && session.leg.state != State::InitiatorMm4Dh)
            return {Failure::Phase1Timeout,
                    "message 1 sent " + std::to_string(session.leg.sends) +
                        " times, no usable answer"};
        return {Failure::Phase1Timeout, "message 2 was received, message 3 stays unanswered"};
    case State::InitiatorMm5:
        if (proof_of(session) == Proof::Signature)
            return {
                Failure::SignatureRefused,
                "messages 1 to 4 are sound, message 5 " +
                    (seen.refused ? "was answered by " + notify : std::string{"stays unanswered"}) +
                    ": likely the peer does not trust our certificate" +
                    (session.floated() && !seen.refused
                         ? ", or UDP 4500 or fragments are filtered on the way"
                         : "")};
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

Verdict give_up_phase1(Turn& turn) {
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
