// SPDX-License-Identifier: Apache-2.0
// Messages 2 and 3 of aggressive mode with signatures (RFC 2409 5.1). The responder signs before it
// knows anything of the peer, so this is answered only where the configuration has aggressive mode
// enabled for all.
#include "control/ike/aggressive_mode.h"
#include "control/ike/phase1_signature.h"

namespace adit::ike {

// --- message 2 ----------------------------------------------------------------------------------

Verdict sign_am2(Turn& turn) {
    MessageBuilder message = begin_am2(turn);
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    state_data<Keyed>(turn).begun = std::move(message);
    start_signing(turn);
    return {};
}

Verdict send_signed_am2(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    MessageBuilder message = std::move(keyed.begun);
    message.add(PayloadType::Identification, std::move(keyed.own_id));
    add_signature(turn, message);
    add_certificate_requests(turn, keyed.policy, message);
    add_nat_discovery(turn, message);
    // Certificates have made it longer than the question already; it is sent once.
    answer_vendors(turn, SIZE_MAX, message);
    send_kept(turn, message.clear(header_of(turn, ExchangeType::Aggressive, MessageId{})));
    return {};
}

Verdict judge_am2(Turn& turn) {
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    return start_judging(turn);
}

// --- message 3 ----------------------------------------------------------------------------------

Verdict sign_am3(Turn& turn) {
    TRY(authenticate_signed(turn));
    start_signing(turn);
    return {};
}

Verdict send_signed_am3(Turn& turn) {
    MessageBuilder message;
    add_signature(turn, message);
    finish_am3(turn, std::move(message), state_data<Keyed>(turn).claim->identity);
    return {};
}

Verdict judge_am3(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    note_vendors(turn);
    detect_nat(turn);
    keyed.claim = TRY(take_claim(turn, keyed.policy, keyed.peer_id));
    return start_judging(turn);
}

Verdict accept_signed_am3(Turn& turn) {
    const Identity peer = TRY(authenticate_signed(turn));
    follow_claim(turn);
    TRY_VOID(heed_claim(turn));
    become_secured(turn, peer);
    return {};
}

} // namespace adit::ike
