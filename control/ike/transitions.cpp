// SPDX-License-Identifier: Apache-2.0
#include "control/ike/transitions.h"

#include "control/ike/step.h"

#include <array>

namespace adit::ike {

namespace {

using enum State;
using enum Happening;
using enum TimerRule;
using P = PayloadType;

constexpr auto kMain = ExchangeType::IdentityProtection;
constexpr auto kAggressive = ExchangeType::Aggressive;
constexpr auto kQuick = ExchangeType::QuickMode;
constexpr auto kInfo = ExchangeType::Informational;
constexpr auto kConfig = ExchangeType::Transaction;
constexpr auto kI = Role::Initiator;
constexpr auto kR = Role::Responder;
constexpr auto kClear = Protection::Clear;
constexpr auto kSealed = Protection::Encrypted;
constexpr auto kEither = Protection::Either;

constexpr auto kHash = Proof::Hash;
constexpr auto kSignature = Proof::Signature;

constexpr PayloadSet kNothing{};
constexpr PayloadSet kVendors{P::VendorId};
// RFC 3947 3.2 (and its drafts) add NAT-D to messages 3 and 4; a peer that also knows certificates
// may ask for one, which pre-shared keys need not answer.
constexpr PayloadSet kKeyExtras{
    P::VendorId, P::NatDiscovery, P::NatDiscoveryDraft, P::CertificateRequest};
constexpr PayloadSet kIdExtras{P::VendorId, P::Notification};
// RFC 2409 5.1: [ CERT, ] SIG_x
constexpr PayloadSet kSignedExtras{
    P::VendorId, P::Notification, P::Certificate, P::CertificateRequest};
constexpr PayloadSet kAggressiveExtras = kKeyExtras | kIdExtras;
constexpr PayloadSet kSignedAggressiveExtras = kKeyExtras | kSignedExtras;
constexpr PayloadSet kQuickExtras{
    P::Identification, P::Notification, P::NatOriginal, P::NatOriginalDraft, P::VendorId};

#define HANDLER(function) function, #function

// clang-format off
constexpr std::array kTable = {
    // RFC 2409 5.4   HDR, SA -->
    Row{kMain, kI, Ready, Start, kNothing, kNothing, kClear, HANDLER(send_mm1), InitiatorMm1, Retransmit},
    Row{kMain, kR, Ready, Received, {P::SecurityAssociation}, kVendors, kClear, HANDLER(accept_mm1), ResponderMm2, Wait},
    // RFC 2409 5.4                      <-- HDR, SA
    Row{kMain, kI, InitiatorMm1, Received, {P::SecurityAssociation}, kVendors, kClear, HANDLER(accept_mm2), InitiatorMm2Dh, Compute},
    // RFC 2409 5.4   HDR, KE, Ni -->
    Row{kMain, kI, InitiatorMm2Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_mm3), InitiatorMm3, Retransmit},
    Row{kMain, kR, ResponderMm2, Received, {P::KeyExchange, P::Nonce}, kKeyExtras, kClear, HANDLER(accept_mm3), ResponderMm3Dh, Compute},
    // RFC 2409 5.4                      <-- HDR, KE, Nr
    Row{kMain, kR, ResponderMm3Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_mm4), ResponderMm4, Wait},
    Row{kMain, kI, InitiatorMm3, Received, {P::KeyExchange, P::Nonce}, kKeyExtras, kClear, HANDLER(accept_mm4), InitiatorMm4Dh, Compute},
    // RFC 2409 5.4   HDR*, IDii, HASH_I -->
    Row{kMain, kI, InitiatorMm4Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_mm5), InitiatorMm5, Retransmit, kHash},
    Row{kMain, kR, ResponderMm4, Received, {P::Identification, P::Hash}, kIdExtras, kSealed, HANDLER(accept_mm5), Established, Lifetime, kHash},
    // RFC 2409 5.4                      <-- HDR*, IDir, HASH_R
    Row{kMain, kI, InitiatorMm5, Received, {P::Identification, P::Hash}, kIdExtras, kSealed, HANDLER(accept_mm6), Established, Lifetime, kHash},

    // RFC 2409 5.1   HDR*, IDii, [ CERT, ] SIG_I -->
    Row{kMain, kI, InitiatorMm4Dh, DhDone, kNothing, kNothing, kClear, HANDLER(sign_mm5), InitiatorMm4Sign, Compute, kSignature},
    Row{kMain, kI, InitiatorMm4Sign, Signed, kNothing, kNothing, kClear, HANDLER(send_signed_mm5), InitiatorMm5, Retransmit, kSignature},
    Row{kMain, kR, ResponderMm4, Received, {P::Identification, P::Signature}, kSignedExtras, kSealed, HANDLER(judge_mm5), ResponderMm5Judge, Compute, kSignature},
    // RFC 2409 5.1                      <-- HDR*, IDir, [ CERT, ] SIG_R
    Row{kMain, kR, ResponderMm5Judge, Judged, kNothing, kNothing, kClear, HANDLER(sign_mm6), ResponderMm6Sign, Compute, kSignature},
    Row{kMain, kR, ResponderMm6Sign, Signed, kNothing, kNothing, kClear, HANDLER(send_signed_mm6), Established, Lifetime, kSignature},
    Row{kMain, kI, InitiatorMm5, Received, {P::Identification, P::Signature}, kSignedExtras, kSealed, HANDLER(judge_mm6), InitiatorMm6Judge, Compute, kSignature},
    Row{kMain, kI, InitiatorMm6Judge, Judged, kNothing, kNothing, kClear, HANDLER(accept_signed_mm6), Established, Lifetime, kSignature},

    // The ends of waiting.
    Row{kMain, kI, InitiatorMm1, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm2Dh, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm3, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm4Dh, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm5, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm4Sign, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, InitiatorMm6Judge, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kR, ResponderMm5Judge, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kR, ResponderMm6Sign, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kR, ResponderMm2, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kMain, kR, ResponderMm3Dh, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kMain, kR, ResponderMm4, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kMain, kI, Established, Timeout, kNothing, kNothing, kClear, HANDLER(expire_isakmp_sa), Dead, None},
    Row{kMain, kR, Established, Timeout, kNothing, kNothing, kClear, HANDLER(expire_isakmp_sa), Dead, None},

    // RFC 2409 5.4   HDR, SA, KE, Ni, IDii -->
    Row{kAggressive, kI, Ready, Start, kNothing, kNothing, kClear, HANDLER(start_am_dh), InitiatorAm1Dh, Compute},
    Row{kAggressive, kI, InitiatorAm1Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_am1), InitiatorAm1, Retransmit},
    Row{kAggressive, kR, Ready, Received, {P::SecurityAssociation, P::KeyExchange, P::Nonce, P::Identification}, kAggressiveExtras, kClear, HANDLER(accept_am1), ResponderAm1Dh, Compute},
    // RFC 2409 5.4                      <-- HDR, SA, KE, Nr, IDir, HASH_R
    Row{kAggressive, kR, ResponderAm1Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_am2), ResponderAm2, Wait, kHash},
    Row{kAggressive, kI, InitiatorAm1, Received, {P::SecurityAssociation, P::KeyExchange, P::Nonce, P::Identification, P::Hash}, kAggressiveExtras, kClear, HANDLER(accept_am2), InitiatorAm2Dh, Compute, kHash},
    // RFC 2409 5.4   HDR, HASH_I -->
    Row{kAggressive, kI, InitiatorAm2Dh, DhDone, kNothing, kNothing, kClear, HANDLER(send_am3), Established, Lifetime, kHash},
    Row{kAggressive, kR, ResponderAm2, Received, {P::Hash}, kAggressiveExtras, kEither, HANDLER(accept_am3), Established, Lifetime, kHash},

    // RFC 2409 5.1                      <-- HDR, SA, KE, Nr, IDir, [ CERT, ] SIG_R
    Row{kAggressive, kR, ResponderAm1Dh, DhDone, kNothing, kNothing, kClear, HANDLER(sign_am2), ResponderAm2Sign, Compute, kSignature},
    Row{kAggressive, kR, ResponderAm2Sign, Signed, kNothing, kNothing, kClear, HANDLER(send_signed_am2), ResponderAm2, Wait, kSignature},
    Row{kAggressive, kI, InitiatorAm1, Received, {P::SecurityAssociation, P::KeyExchange, P::Nonce, P::Identification, P::Signature}, kSignedAggressiveExtras, kClear, HANDLER(accept_am2), InitiatorAm2Dh, Compute, kSignature},
    Row{kAggressive, kI, InitiatorAm2Dh, DhDone, kNothing, kNothing, kClear, HANDLER(judge_am2), InitiatorAm2Judge, Compute, kSignature},
    // RFC 2409 5.1   HDR, [ CERT, ] SIG_I -->
    Row{kAggressive, kI, InitiatorAm2Judge, Judged, kNothing, kNothing, kClear, HANDLER(sign_am3), InitiatorAm3Sign, Compute, kSignature},
    Row{kAggressive, kI, InitiatorAm3Sign, Signed, kNothing, kNothing, kClear, HANDLER(send_signed_am3), Established, Lifetime, kSignature},
    Row{kAggressive, kR, ResponderAm2, Received, {P::Signature}, kSignedAggressiveExtras, kEither, HANDLER(judge_am3), ResponderAm3Judge, Compute, kSignature},
    Row{kAggressive, kR, ResponderAm3Judge, Judged, kNothing, kNothing, kClear, HANDLER(accept_signed_am3), Established, Lifetime, kSignature},

    // The ends of waiting.
    Row{kAggressive, kI, InitiatorAm1Dh, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kAggressive, kI, InitiatorAm1, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kAggressive, kI, InitiatorAm2Dh, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kAggressive, kI, InitiatorAm2Judge, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kAggressive, kI, InitiatorAm3Sign, Timeout, kNothing, kNothing, kClear, HANDLER(give_up_phase1), Dead, None},
    Row{kAggressive, kR, ResponderAm1Dh, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kAggressive, kR, ResponderAm2Sign, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kAggressive, kR, ResponderAm2, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kAggressive, kR, ResponderAm3Judge, Timeout, kNothing, kNothing, kClear, HANDLER(forget_half_open), Dead, None},
    Row{kAggressive, kI, Established, Timeout, kNothing, kNothing, kClear, HANDLER(expire_isakmp_sa), Dead, None},
    Row{kAggressive, kR, Established, Timeout, kNothing, kNothing, kClear, HANDLER(expire_isakmp_sa), Dead, None},

    // RFC 2409 5.5   HDR*, HASH(1), SA, Ni [, KE ] [, IDci, IDcr ] -->
    Row{kQuick, kI, Ready, Start, kNothing, kNothing, kSealed, HANDLER(send_qm1), QmInitiatorQm1, Retransmit},
    Row{kQuick, kI, Ready, StartPfs, kNothing, kNothing, kSealed, HANDLER(start_qm_dh), QmInitiatorDh, Compute},
    Row{kQuick, kI, QmInitiatorDh, DhDone, kNothing, kNothing, kSealed, HANDLER(send_qm1), QmInitiatorQm1, Retransmit},
    Row{kQuick, kR, Ready, Received, {P::Hash, P::SecurityAssociation, P::Nonce, P::KeyExchange}, kQuickExtras, kSealed, HANDLER(accept_qm1_pfs), QmResponderDh, Compute},
    Row{kQuick, kR, Ready, Received, {P::Hash, P::SecurityAssociation, P::Nonce}, kQuickExtras, kSealed, HANDLER(accept_qm1), QmResponderQm2, Retransmit},
    // RFC 2409 5.5                      <-- HDR*, HASH(2), SA, Nr [, KE ] [, IDci, IDcr ]
    Row{kQuick, kR, QmResponderDh, DhDone, kNothing, kNothing, kSealed, HANDLER(send_qm2), QmResponderQm2, Retransmit},
    Row{kQuick, kI, QmInitiatorQm1, Received, {P::Hash, P::SecurityAssociation, P::Nonce, P::KeyExchange}, kQuickExtras, kSealed, HANDLER(accept_qm2_pfs), QmInitiatorQm2Dh, Compute},
    Row{kQuick, kI, QmInitiatorQm1, Received, {P::Hash, P::SecurityAssociation, P::Nonce}, kQuickExtras, kSealed, HANDLER(accept_qm2), QmDone, Linger},
    // RFC 2408 3.1: a responder that sets the commit bit has us wait for its CONNECTED.
    Row{kQuick, kI, QmInitiatorQm1, ReceivedCommit, {P::Hash, P::SecurityAssociation, P::Nonce, P::KeyExchange}, kQuickExtras, kSealed, HANDLER(accept_qm2_pfs), QmInitiatorQm2Dh, Compute},
    Row{kQuick, kI, QmInitiatorQm1, ReceivedCommit, {P::Hash, P::SecurityAssociation, P::Nonce}, kQuickExtras, kSealed, HANDLER(accept_qm2), QmInitiatorQm3, Commit},
    Row{kQuick, kI, QmInitiatorQm2Dh, DhDoneCommit, kNothing, kNothing, kSealed, HANDLER(send_qm3), QmInitiatorQm3, Commit},
    // It comes as a fourth message of quick mode, or as an informational message.
    Row{kQuick, kI, QmInitiatorQm3, Received, {P::Hash, P::Notification}, kVendors, kSealed, HANDLER(accept_qm4), QmDone, Linger},
    Row{kQuick, kI, QmInitiatorQm3, Connected, kNothing, kNothing, kSealed, HANDLER(use_outbound), QmDone, Linger},
    Row{kQuick, kI, QmInitiatorQm3, Timeout, kNothing, kNothing, kSealed, HANDLER(use_outbound), QmDone, Linger},
    // RFC 2409 5.5   HDR*, HASH(3) -->
    Row{kQuick, kI, QmInitiatorQm2Dh, DhDone, kNothing, kNothing, kSealed, HANDLER(send_qm3), QmDone, Linger},
    Row{kQuick, kR, QmResponderQm2, Received, {P::Hash}, kVendors, kSealed, HANDLER(accept_qm3), QmDone, Linger},

    // The ends of waiting.
    Row{kQuick, kI, QmInitiatorDh, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_quick_mode), Dead, None},
    Row{kQuick, kI, QmInitiatorQm1, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_quick_mode), Dead, None},
    Row{kQuick, kI, QmInitiatorQm2Dh, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_quick_mode), Dead, None},
    Row{kQuick, kR, QmResponderDh, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_quick_mode), Dead, None},
    Row{kQuick, kR, QmResponderQm2, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_quick_mode), Dead, None},
    Row{kQuick, kI, QmDone, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_quick_mode), Dead, None},
    Row{kQuick, kR, QmDone, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_quick_mode), Dead, None},

    // draft-beaulieu-ike-xauth-02 4   <-- HDR*, HASH(1), ATTR(REQUEST: user name, password)
    Row{kConfig, kI, Ready, Start, kNothing, kNothing, kSealed, HANDLER(ask_login), XauthAsked, Retransmit},
    // draft-beaulieu-ike-xauth-02 4   HDR*, HASH(1), ATTR(REPLY: user name, password) -->
    Row{kConfig, kI, XauthAsked, Received, {P::Hash, P::Attributes}, kVendors, kSealed, HANDLER(check_login), XauthChecking, Compute},
    // draft-beaulieu-ike-xauth-02 4   <-- HDR*, HASH(1), ATTR(SET: status)
    Row{kConfig, kI, XauthChecking, Granted, kNothing, kNothing, kSealed, HANDLER(grant_login), XauthGranted, Retransmit},
    Row{kConfig, kI, XauthChecking, Denied, kNothing, kNothing, kSealed, HANDLER(deny_login), XauthPaused, Pause},
    Row{kConfig, kI, XauthPaused, Timeout, kNothing, kNothing, kSealed, HANDLER(ask_login), XauthAsked, Retransmit},
    Row{kConfig, kI, XauthChecking, Barred, kNothing, kNothing, kSealed, HANDLER(bar_login), XauthRefused, Retransmit},
    // draft-beaulieu-ike-xauth-02 4   HDR*, HASH(1), ATTR(ACK) -->
    Row{kConfig, kI, XauthGranted, Received, {P::Hash, P::Attributes}, kVendors, kSealed, HANDLER(accept_config_ack), ConfigDone, Linger},
    Row{kConfig, kI, XauthRefused, Received, {P::Hash, P::Attributes}, kVendors, kSealed, HANDLER(close_refused), Dead, None},

    // draft-ietf-ipsec-isakmp-mode-cfg-05 2   HDR*, HASH(1), ATTR(REQUEST) -->, <-- ATTR(REPLY)
    Row{kConfig, kR, Ready, Received, {P::Hash, P::Attributes}, kVendors, kSealed, HANDLER(answer_config), ConfigDone, Linger},
    // draft-ietf-ipsec-isakmp-mode-cfg-05 2   <-- HDR*, HASH(1), ATTR(SET), ATTR(ACK) -->
    Row{kConfig, kI, Ready, StartPush, kNothing, kNothing, kSealed, HANDLER(push_config), ConfigPushed, Retransmit},
    Row{kConfig, kI, ConfigPushed, Received, {P::Hash, P::Attributes}, kVendors, kSealed, HANDLER(accept_config_ack), ConfigDone, Linger},

    // The ends of waiting.
    Row{kConfig, kI, XauthAsked, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_login), Dead, None},
    Row{kConfig, kI, XauthChecking, Timeout, kNothing, kNothing, kSealed, HANDLER(give_up_login), Dead, None},
    Row{kConfig, kI, XauthGranted, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_transaction), Dead, None},
    Row{kConfig, kI, XauthRefused, Timeout, kNothing, kNothing, kSealed, HANDLER(close_refused), Dead, None},
    Row{kConfig, kI, ConfigPushed, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_transaction), Dead, None},
    Row{kConfig, kI, ConfigDone, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_transaction), Dead, None},
    Row{kConfig, kR, ConfigDone, Timeout, kNothing, kNothing, kSealed, HANDLER(forget_transaction), Dead, None},

    // RFC 2408 4.8: before keys exist a notification can only be in the clear. It is evidence, no more.
    Row{kInfo, kI, InitiatorMm1, Received, {P::Notification}, kVendors, kClear, HANDLER(note_refusal), InitiatorMm1, Retransmit},
    Row{kInfo, kI, InitiatorMm3, Received, {P::Notification}, kVendors, kClear, HANDLER(note_refusal), InitiatorMm3, Retransmit},
    Row{kInfo, kI, InitiatorAm1, Received, {P::Notification}, kVendors, kClear, HANDLER(note_refusal), InitiatorAm1, Retransmit},
    Row{kInfo, kI, InitiatorMm5, Received, {P::Notification}, kVendors, kClear, HANDLER(note_refusal), InitiatorMm5, Retransmit},
    // The peer has our keys and says no all the same.
    Row{kInfo, kI, InitiatorMm5, Received, {P::Hash, P::Notification}, kVendors, kSealed, HANDLER(note_protected_refusal), InitiatorMm5, Retransmit},
    // RFC 2409 5.7   HDR*, HASH(1), N/D
    Row{kInfo, kI, Established, Received, {P::Hash}, PayloadSet({P::Notification, P::Delete, P::VendorId}), kSealed, HANDLER(accept_informational), Established, Lifetime},
    Row{kInfo, kR, Established, Received, {P::Hash}, PayloadSet({P::Notification, P::Delete, P::VendorId}), kSealed, HANDLER(accept_informational), Established, Lifetime},
};
// clang-format on

#undef HANDLER

constexpr bool same_place(const Row& left, const Row& right) {
    return left.exchange == right.exchange && left.role == right.role &&
           left.state == right.state && left.event == right.event;
}

constexpr bool no_duplicates() {
    for (std::size_t i = 0; i < kTable.size(); ++i)
        for (std::size_t j = i + 1; j < kTable.size(); ++j)
            if (same_place(kTable[i], kTable[j]) && kTable[i].required == kTable[j].required &&
                kTable[i].protection == kTable[j].protection && kTable[i].proof == kTable[j].proof)
                return false;
    return true;
}

static_assert(no_duplicates(), "two rows for one happening");

constexpr bool sets_are_disjoint() {
    for (const Row& row : kTable)
        if (row.required.overlaps(row.optional))
            return false;
    return true;
}

static_assert(sets_are_disjoint(), "a payload is both required and optional");

constexpr bool messages_require_something() {
    for (const Row& row : kTable)
        if ((row.event == Received || row.event == ReceivedCommit) == (row.required == kNothing))
            return false;
    return true;
}

static_assert(messages_require_something(), "rows of messages name payloads, and only they do");

constexpr bool has_timeout(const Row& entering) {
    for (const Row& row : kTable)
        if (row.event == Timeout && row.role == entering.role && row.state == entering.next)
            return true;
    return false;
}

constexpr bool waiting_states_end() {
    for (const Row& row : kTable)
        if (row.next != Dead && (row.timer == None || !has_timeout(row)))
            return false;
    return true;
}

static_assert(waiting_states_end(), "a state would be waited in for ever");

constexpr bool is_entered(State state) {
    if (state == Ready)
        return true;
    for (const Row& row : kTable)
        if (row.next == state && row.state != state)
            return true;
    return false;
}

constexpr bool all_states_are_reachable() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(State::Count_); ++i)
        if (!is_entered(static_cast<State>(i)))
            return false;
    return true;
}

static_assert(all_states_are_reachable(), "a state that nothing leads to");

std::string payload_names(PayloadSet set) {
    constexpr std::array kAll = {
        P::Hash,
        P::Signature,
        P::SecurityAssociation,
        P::KeyExchange,
        P::Nonce,
        P::Identification,
        P::VendorId,
        P::Notification,
        P::Delete,
        P::Attributes,
    };
    std::string names;
    for (const PayloadType type : kAll)
        if (set.contains(type))
            names += (names.empty() ? "" : ", ") + name(type);
    return names;
}

const char* event_name(Happening event) {
    switch (event) {
    case Start:
        return "start";
    case StartPfs:
        return "start with PFS";
    case Received:
        return "";
    case ReceivedCommit:
        return "with commit bit";
    case DhDone:
        return "DH done";
    case DhDoneCommit:
        return "DH done, commit";
    case Connected:
        return "CONNECTED";
    case Signed:
        return "signed";
    case Judged:
        return "judged";
    case Timeout:
        return "timeout";
    case StartPush:
        return "start unasked";
    case Granted:
        return "password right";
    case Denied:
        return "password wrong";
    case Barred:
        return "password wrong once too often";
    }
    return "";
}

std::string node(const Row& row, State state) {
    const std::string scope = state == Ready || state == Dead
                                  ? (row.exchange == kQuick        ? " (quick mode)"
                                     : row.exchange == kAggressive ? " (aggressive mode)"
                                     : row.exchange == kConfig     ? " (transaction)"
                                                                   : " (main mode)")
                                  : "";
    return "\"" + std::string{name(state)} + scope + "\"";
}

} // namespace

std::span<const Row> transitions() {
    return kTable;
}

const Row* find_row(ExchangeType exchange,
                    Role role,
                    State state,
                    Happening event,
                    Proof agreed,
                    PayloadSet present) {
    // Rows that require more stand in front of those that require less.
    for (const Row& row : kTable)
        if (row.exchange == exchange && row.role == role && row.state == state &&
            row.event == event && (row.proof == Proof::Any || row.proof == agreed) &&
            present.contains(row.required) && (row.required | row.optional).contains(present))
            return &row;
    return nullptr;
}

std::string render_dot() {
    std::string dot = "// Drawn from the table in control/ike/transitions.cpp by its unit test.\n"
                      "digraph ikev1 {\n    rankdir=LR;\n    node [shape=box];\n";
    for (const Row& row : kTable) {
        const bool is_message = row.event == Received || row.event == ReceivedCommit;
        std::string label =
            is_message ? payload_names(row.required) : std::string{event_name(row.event)};
        if (is_message && row.protection != kClear)
            label = (row.protection == kSealed ? "HDR*, " : "HDR(*), ") + label;
        if (row.event == ReceivedCommit)
            label += " " + std::string{event_name(row.event)};
        dot += "    " + node(row, row.state) + " -> " + node(row, row.next) + " [label=\"" +
               (row.role == kI ? "I: " : "R: ") + label + "\\n" + row.handler_name + "\"];\n";
    }
    return dot + "}\n";
}

} // namespace adit::ike
