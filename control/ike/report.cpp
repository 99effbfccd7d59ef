// SPDX-License-Identifier: Apache-2.0
// Words for what goes wrong. Each failure has its counter, the log line that collectors know
// (CRYPTO), and a second line with our evidence (VPNDIAG).
#include "control/ike/cause.h"
#include "control/ike/proposal.h"
#include "control/ike/step.h"

#include <array>
#include <cstdarg>
#include <cstdio>

namespace adit::ike {

namespace {

struct FailureWords {
    Failure failure;
    const char* name;  // what `show` and metrics print
    const char* cause; // code of the diagnosis table
    Severity severity;
    const char* mnemonic; // null: evidence only
    const char* text;     // %s: the peer's address, %m and %a: mode and method of phase 1
};

// clang-format off
constexpr std::array kFailureWords = {
    FailureWords{Failure::Malformed, "malformed", "malformed", Severity::Warning, "IKMP_BAD_MESSAGE", "IKE message from %s failed its sanity check or is malformed"},
    FailureWords{Failure::UnknownCookies, "unknown-cookies", "stale-sa", Severity::Warning, "IKMP_NO_SA", "IKE message from %s has no SA and is not an initialization offer"},
    FailureWords{Failure::NoPresharedKey, "no-preshared-key", "local-config", Severity::Error, "IKMP_NO_PRESHARED_KEY", "Pre-shared key for remote peer at %s is missing"},
    FailureWords{Failure::NoPhase1Proposal, "no-phase1-proposal", "p1-policy", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::Phase1Refused, "phase1-refused", "p1-notify", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::PresharedKeyMismatch, "psk-mismatch", "psk-mismatch", Severity::Warning, "IKMP_BAD_MESSAGE", "IKE message from %s failed its sanity check or is malformed"},
    FailureWords{Failure::IdentityMismatch, "identity-mismatch", "p1-identity", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::NoPhase2Proposal, "no-phase2-proposal", "p2-transform", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::Phase2Refused, "phase2-refused", "p2-transform", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Informational mode failed with peer at %s"},
    FailureWords{Failure::ProxyMismatch, "proxy-mismatch", "p2-proxy", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::ProxyInUse, "proxy-in-use", "p2-proxy", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::ProxyRefused, "proxy-refused", "p2-proxy", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Informational mode failed with peer at %s"},
    FailureWords{Failure::PfsMismatch, "pfs-mismatch", "p2-transform", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::Phase1Timeout, "phase1-timeout", "no-reply", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::Phase2Timeout, "phase2-timeout", "p2-no-answer", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::BadHash, "bad-hash", "bad-hash", Severity::Warning, "IKMP_BAD_MESSAGE", "IKE message from %s failed its sanity check or is malformed"},
    FailureWords{Failure::NotEncrypted, "not-encrypted", "not-encrypted", Severity::Informational, "IKMP_NOT_ENCRYPTED", "IKE packet from %s was not encrypted and it should've been."},
    FailureWords{Failure::UnexpectedMessage, "unexpected-message", "unexpected", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::BadKeyExchange, "bad-key-exchange", "bad-key-exchange", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::DeadPeer, "dead-peer", "no-reply", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::HalfOpenLimit, "half-open-limit", "overload", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::InstallRefused, "install-refused", "install-refused", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::FragmentRefused, "fragment-refused", "fragment", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::LoginFailed, "login-failed", "login", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::LoginTimeout, "login-timeout", "login", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::NoAddress, "no-address", "pool", Severity::Informational, nullptr, nullptr},
    FailureWords{Failure::NotItsAddress, "not-its-address", "p2-proxy", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of Quick mode failed with peer at %s"},
    FailureWords{Failure::NoCertificate, "no-certificate", "local-config", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
    FailureWords{Failure::CertificateRefused, "certificate-refused", "cert", Severity::Notice, "IKMP_INVAL_CERT", "Certificate received from %s is bad: certificate invalid"},
    FailureWords{Failure::SignatureMismatch, "signature-mismatch", "cert", Severity::Informational, "IKMP_AUTH_FAIL", "Authentication method %a failed with host %s"},
    FailureWords{Failure::SignatureRefused, "signature-refused", "cert", Severity::Informational, "IKMP_MODE_FAILURE", "Processing of %m failed with peer at %s"},
};
// clang-format on

constexpr bool words_are_in_order() {
    for (std::size_t i = 0; i < kFailureWords.size(); ++i)
        if (static_cast<std::size_t>(kFailureWords[i].failure) != i)
            return false;
    return kFailureWords.size() == static_cast<std::size_t>(Failure::Count_);
}

static_assert(words_are_in_order(), "to_string() indexes by enumerator");

const FailureWords& words(Failure failure) {
    return kFailureWords.at(static_cast<std::size_t>(failure));
}

std::string filled_in(std::string line, const char* place, const std::string& with) {
    const std::size_t at = line.find(place);
    return at == std::string::npos ? line : line.replace(at, 2, with);
}

LogRecord record(Severity severity,
                 const char* facility,
                 const char* mnemonic,
                 std::string text,
                 std::string subject) {
    return {severity, facility, mnemonic, std::move(text), std::move(subject)};
}

constexpr std::string_view kDiagnosis = "VPNDIAG";
constexpr std::string_view kCause = "CAUSE";

/// "peer A: CODE: evidence"; cause_of() takes it apart.
LogRecord cause_record(Ipv4Address peer, const std::string& code, const std::string& evidence) {
    const std::string address = to_string(peer);
    return {Severity::Warning,
            std::string{kDiagnosis},
            std::string{kCause},
            "peer " + address + ": " + code + ": " + evidence,
            address};
}

} // namespace

std::optional<Cause> cause_of(const LogRecord& record) {
    if (record.facility != kDiagnosis || record.mnemonic != kCause)
        return std::nullopt;
    const std::size_t code = record.text.find(": ");
    const std::size_t evidence = record.text.find(": ", code + 2);
    if (code == std::string::npos || evidence == std::string::npos)
        return std::nullopt;
    return Cause{record.text.substr(code + 2, evidence - code - 2),
                 record.text.substr(evidence + 2)};
}

const char* to_string(Failure failure) {
    return words(failure).name;
}

std::vector<LogRecord>
log_records(Failure failure, Ipv4Address peer, const std::string& evidence, Phase1Words phase1) {
    const FailureWords& row = words(failure);
    const std::string address = to_string(peer);
    std::vector<LogRecord> records;
    if (row.mnemonic != nullptr) {
        std::string text = filled_in(row.text, "%m", name(phase1.mode));
        text = filled_in(std::move(text), "%a", std::to_string(to_wire(phase1.method)));
        text = filled_in(std::move(text), "%s", address);
        records.push_back(record(row.severity, "CRYPTO", row.mnemonic, std::move(text), address));
    }
    records.push_back(cause_record(peer, row.cause, evidence));
    return records;
}

void report(Turn& turn, const Refusal& refusal) {
    ++turn.env.counters.failures.at(static_cast<std::size_t>(refusal.failure));
    const Ipv4Address peer = turn.session.remote.address;
    Phase1Words phase1{.mode = turn.session.phase1};
    if (const Phase1Policy* policy = agreed_policy(turn.session))
        phase1.method = method_of(*policy);
    for (LogRecord& line : log_records(refusal.failure, peer, refusal.text, phase1)) {
        // Our own exchange fails; nothing of the peer's was malformed.
        if (refusal.failure == Failure::PresharedKeyMismatch && line.facility == "CRYPTO" &&
            turn.session.role == Role::Initiator)
            line = log_records(Failure::Phase1Timeout, peer, {}, phase1).front();
        turn.out.emplace_back(Log{std::move(line)});
    }
    debug(turn, "%s", refusal.text.c_str());
}

void crypto_log(Turn& turn, Severity severity, const char* mnemonic, std::string text) {
    turn.out.emplace_back(Log{record(
        severity, "CRYPTO", mnemonic, std::move(text), to_string(turn.session.remote.address))});
}

void hint(Turn& turn, const char* cause, const std::string& text) {
    turn.out.emplace_back(Log{cause_record(turn.session.remote.address, cause, text)});
}

void debug(Turn& turn, const char* format, ...) {
    if (!turn.env.debug)
        return;
    constexpr std::size_t kLongestLine = 512;
    std::array<char, kLongestLine> text{};
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    const Session& session = turn.session;
    turn.out.emplace_back(
        Debug{session.remote.address,
              session.cookies.initiator,
              "ISAKMP:(" + std::to_string(session.conn_id.value) + "):" + text.data()});
}

const char* show_state(const Session& session) {
    if (session.leg.state == State::Established && session.login && session.login->pending)
        return "CONF_XAUTH";
    if (session.leg.state == State::Established && !session.group.empty() && !session.assigned)
        return "CONF_ADDR";
    switch (session.leg.state) {
    case State::InitiatorMm2Dh:
    case State::InitiatorMm3:
    case State::ResponderMm2:
        return "MM_SA_SETUP";
    case State::InitiatorMm4Dh:
    case State::InitiatorMm4Sign:
    case State::InitiatorMm5:
    case State::ResponderMm3Dh:
    case State::ResponderMm4:
        return "MM_KEY_EXCH";
    case State::InitiatorMm6Judge:
    case State::ResponderMm5Judge:
    case State::ResponderMm6Sign:
        return "MM_KEY_AUTH";
    case State::InitiatorAm2Dh:
    case State::ResponderAm1Dh:
    case State::ResponderAm2Sign:
    case State::ResponderAm2:
        return "AG_INIT_EXCH";
    case State::InitiatorAm2Judge:
    case State::InitiatorAm3Sign:
    case State::ResponderAm3Judge:
        return "AG_AUTH";
    case State::InitiatorAm1Dh:
    case State::InitiatorAm1:
        return "AG_NO_STATE";
    case State::Established:
        return "QM_IDLE";
    default:
        if (session.secured() != nullptr)
            return "QM_IDLE";
        return session.phase1 == ExchangeType::Aggressive ? "AG_NO_STATE" : "MM_NO_STATE";
    }
}

} // namespace adit::ike
