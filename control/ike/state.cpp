// SPDX-License-Identifier: Apache-2.0
#include "control/ike/state.h"

#include <algorithm>

namespace adit::ike {

const char* name(State state) {
    switch (state) {
    case State::Ready:
        return "IKE_READY";
    case State::InitiatorMm1:
        return "IKE_I_MM1";
    case State::InitiatorMm2Dh:
        return "IKE_I_MM2";
    case State::InitiatorMm3:
        return "IKE_I_MM3";
    case State::InitiatorMm4Dh:
        return "IKE_I_MM4";
    case State::InitiatorMm5:
        return "IKE_I_MM5";
    case State::ResponderMm2:
        return "IKE_R_MM2";
    case State::ResponderMm3Dh:
        return "IKE_R_MM3";
    case State::ResponderMm4:
        return "IKE_R_MM4";
    case State::InitiatorAm1Dh:
        return "IKE_I_AM_DH";
    case State::InitiatorMm4Sign:
        return "IKE_I_MM4_SIGN";
    case State::InitiatorMm6Judge:
        return "IKE_I_MM6";
    case State::ResponderMm5Judge:
        return "IKE_R_MM5";
    case State::ResponderMm6Sign:
        return "IKE_R_MM5_SIGN";
    case State::InitiatorAm1:
        return "IKE_I_AM1";
    case State::InitiatorAm2Dh:
        return "IKE_I_AM2";
    case State::InitiatorAm2Judge:
        return "IKE_I_AM2_AUTH";
    case State::InitiatorAm3Sign:
        return "IKE_I_AM3_SIGN";
    case State::ResponderAm1Dh:
        return "IKE_R_AM1";
    case State::ResponderAm2Sign:
        return "IKE_R_AM2_SIGN";
    case State::ResponderAm2:
        return "IKE_R_AM2";
    case State::ResponderAm3Judge:
        return "IKE_R_AM3";
    case State::Established:
        return "IKE_P1_COMPLETE";
    case State::QmInitiatorDh:
        return "IKE_QM_I_DH";
    case State::QmInitiatorQm1:
        return "IKE_QM_I_QM1";
    case State::QmInitiatorQm2Dh:
        return "IKE_QM_I_QM2";
    case State::QmInitiatorQm3:
        return "IKE_QM_I_QM3";
    case State::QmResponderDh:
        return "IKE_QM_SPI_STARVE";
    case State::QmResponderQm2:
        return "IKE_QM_R_QM2";
    case State::QmDone:
        return "IKE_QM_PHASE2_COMPLETE";
    case State::XauthAsked:
        return "IKE_XAUTH_REQ_SENT";
    case State::XauthChecking:
        return "IKE_XAUTH_AAA_CONT_LOGIN_AWAIT";
    case State::XauthPaused:
        return "IKE_XAUTH_PAUSE";
    case State::XauthGranted:
        return "IKE_XAUTH_SET_SENT";
    case State::XauthRefused:
        return "IKE_XAUTH_FAILED";
    case State::ConfigPushed:
        return "IKE_CONFIG_MODE_SET_SENT";
    case State::ConfigDone:
        return "IKE_CONFIG_MODE_DONE";
    case State::Dead:
        return "IKE_DEST_SA";
    case State::Count_:
        break;
    }
    return "unknown";
}

bool is_with(const ChildSa& sa, const Session& session) {
    const Secured* secured = session.secured();
    if (secured == nullptr || sa.peer_identity != secured->peer_identity ||
        sa.user != session.user())
        return false;
    if (sa.user.empty())
        return true;
    // Devices of one user behind one NAT differ in their ports, and in the address they were given.
    return sa.assigned == session.assigned || !session.nat.peer_behind ||
           sa.remote.port == session.remote.port;
}

Digest digest_of(ByteView datagram) {
    const Bytes digest = hash(HashAlgorithm::Sha256, {datagram});
    return load_be<Digest>(digest.data());
}

std::optional<Instant> deadline(const Session& session) {
    std::optional<Instant> earliest;
    const auto consider = [&](Instant due) {
        if (!earliest || due < *earliest)
            earliest = due;
    };
    if (session.leg.timer != TimerRule::None)
        consider(session.leg.due);
    for (const auto& quick : session.quick_modes)
        if (quick->leg.timer != TimerRule::None)
            consider(quick->leg.due);
    for (const auto& transaction : session.transactions)
        if (transaction->leg.timer != TimerRule::None)
            consider(transaction->leg.due);
    if (session.dpd.due)
        consider(*session.dpd.due);
    if (session.keepalive_due)
        consider(*session.keepalive_due);
    const Secured* secured = session.secured();
    if (secured != nullptr && !session.rekey_started)
        consider(secured->rekey_at);
    return earliest;
}

} // namespace adit::ike
