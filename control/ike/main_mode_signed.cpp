// SPDX-License-Identifier: Apache-2.0
// Messages 5 and 6 of main mode with signatures (RFC 2409 5.1). Each side waits twice: while the
// other's certificates and signature are judged, and while its own signature is made.
#include "control/ike/phase1_signature.h"
#include "control/ike/step.h"

namespace adit::ike {

namespace {

void send_identity_signed(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    MessageBuilder message;
    message.add(PayloadType::Identification, std::move(keyed.own_id));
    add_signature(turn, message);
    add_initial_contact(turn, message);
    send_kept(turn,
              message.encrypted(header_of(turn, ExchangeType::IdentityProtection, MessageId{}),
                                keyed.iv,
                                keyed.cipher_key.view()));
}

Verdict judge_message(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    debug(turn, "processing ID payload. message ID = 0");
    note_vendors(turn);
    keyed.claim =
        TRY(take_claim(turn, keyed.policy, turn.message->find(PayloadType::Identification)->body));
    return start_judging(turn);
}

} // namespace

// --- message 5 ----------------------------------------------------------------------------------

Verdict sign_mm5(Turn& turn) {
    TRY_VOID(derive_keys(turn, turn.dh->shared.view()));
    start_signing(turn);
    return {};
}

Verdict send_signed_mm5(Turn& turn) {
    float_ports(turn.session);
    turn.session.evidence.heard = false; // from here on: anything since message 5
    send_identity_signed(turn);
    return {};
}

Verdict judge_mm5(Turn& turn) {
    return judge_message(turn);
}

// --- message 6 ----------------------------------------------------------------------------------

Verdict sign_mm6(Turn& turn) {
    TRY(authenticate_signed(turn));
    follow_claim(turn);
    TRY_VOID(heed_claim(turn));
    start_signing(turn);
    return {};
}

Verdict send_signed_mm6(Turn& turn) {
    const Identity peer = state_data<Keyed>(turn).claim->identity;
    send_identity_signed(turn);
    become_secured(turn, peer);
    return {};
}

Verdict judge_mm6(Turn& turn) {
    return judge_message(turn);
}

Verdict accept_signed_mm6(Turn& turn) {
    const Identity peer = TRY(authenticate_signed(turn));
    TRY_VOID(heed_claim(turn));
    become_secured(turn, peer);
    return {};
}

} // namespace adit::ike
