// SPDX-License-Identifier: Apache-2.0
// A user name and a password before anything else is served: the gateway's side of XAUTH. The
// password is checked by a job; a wrong one may be followed by another after a pause, a few times.
// One function, grant_login(), opens the session.
//
// Source: draft-beaulieu-ike-xauth-02 4, 5 and 6.
#include "control/ike/transaction.h"

namespace adit::ike {

namespace {

constexpr std::uint16_t kStatusFail = 0; // draft-beaulieu-ike-xauth-02 6.2: XAUTH-STATUS
constexpr std::uint16_t kStatusOk = 1;

Login& login_of(Turn& turn) {
    ENSURE(turn.session.login.has_value());
    return *turn.session.login;
}

/// The next question gets a message id of its own; the identifier stays.
void renew(Turn& turn) {
    Transaction& transaction = *turn.transaction;
    transaction.id = fresh_message_id(turn);
    transaction.iv = secured(turn).iv.phase2(transaction.id);
    remember_id(turn.session, transaction.id);
}

void tell_status(Turn& turn, std::uint16_t status) {
    renew(turn);
    send_config(turn,
                ConfigWriter{ConfigMessage::Set, turn.transaction->identifier}
                    .add_short(ConfigAttribute::XauthStatus, status)
                    .take());
}

void log_login(Turn& turn, const char* how) {
    const Session& session = turn.session;
    crypto_log(turn,
               Severity::Informational,
               "VPN_TUNNEL_STATUS",
               "(Server)  Authentication " + std::string{how} +
                   "  User=" + printable(login_of(turn).user) +
                   "  Group=" + (session.group.empty() ? "(none)" : session.group) +
                   "  Client_public_addr=" + to_string(session.remote.address) +
                   "  Server_public_addr=" + to_string(session.local.address));
}

std::string text_of(const ConfigAttributeView* attribute) {
    return attribute == nullptr ? std::string{} : to_text(attribute->value);
}

/// What is known of this user, else what matches nothing.
PasswordHash hash_of(const Turn& turn, const std::string& user) {
    const ClientAccess* access = access_of(turn.env.config, turn.session);
    const auto& users = turn.env.config.users;
    const auto known = users.find(user);
    const bool may_log_in = access != nullptr && access->users_known;
    return may_log_in && known != users.end() ? known->second : unmatchable_hash();
}

} // namespace

Verdict ask_login(Turn& turn) {
    renew(turn);
    debug(turn, "Need XAUTH; sending request for user name and password");
    send_config(turn,
                ConfigWriter{ConfigMessage::Request, turn.transaction->identifier}
                    .add_short(ConfigAttribute::XauthType, to_wire(XauthType::Generic))
                    .add(ConfigAttribute::XauthUserName, ByteView{})
                    .add(ConfigAttribute::XauthUserPassword, ByteView{})
                    .take());
    return {};
}

Verdict check_login(Turn& turn) {
    const ConfigPayload answer = TRY(take_config(turn));
    if (answer.message != ConfigMessage::Reply)
        return refuse({Failure::UnexpectedMessage,
                       name(answer.message) + " where user name and password were due"});
    Login& login = login_of(turn);
    login.user = text_of(answer.find(ConfigAttribute::XauthUserName));
    login.proof = hash_of(turn, login.user);
    ++login.tries;
    // A client that gives up says so: then there is nothing to ask again.
    const ConfigAttributeView* status = answer.find(ConfigAttribute::XauthStatus);
    if (status != nullptr && short_value(*status).value_or(kStatusFail) != kStatusOk)
        login.tries = kMaxLoginTries;
    const ConfigAttributeView* password = answer.find(ConfigAttribute::XauthUserPassword);
    debug(turn, "XAUTH: checking the password of user %s", printable(login.user).c_str());
    start_job(
        turn,
        PasswordJob{login.proof, SecretBuffer{password == nullptr ? ByteView{} : password->value}});
    return {};
}

Verdict grant_login(Turn& turn) {
    Login& login = login_of(turn);
    login.pending = false;
    log_login(turn, "PASSED");
    tell_status(turn, kStatusOk);
    open_session(turn);
    return {};
}

namespace {

void report_failure(Turn& turn) {
    const Login& login = login_of(turn);
    log_login(turn, "FAILED");
    report(turn,
           {Failure::LoginFailed,
            "user " + printable(login.user) + " unknown or password wrong, try " +
                std::to_string(login.tries) + " of " + std::to_string(kMaxLoginTries)});
}

} // namespace

Verdict deny_login(Turn& turn) {
    report_failure(turn);
    return {};
}

Verdict bar_login(Turn& turn) {
    report_failure(turn);
    tell_status(turn, kStatusFail);
    return {};
}

Verdict close_refused(Turn& turn) {
    // Whether it was acknowledged, and by whom, is all the same.
    close_session(turn);
    return {};
}

Verdict give_up_login(Turn& turn) {
    report(turn,
           {Failure::LoginTimeout,
            "no user name and password after " + std::to_string(turn.leg().sends) +
                " requests; phase 1 is up"});
    close_session(turn);
    return {};
}

} // namespace adit::ike
