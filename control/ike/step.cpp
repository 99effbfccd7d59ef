// SPDX-License-Identifier: Apache-2.0
#include "control/ike/step.h"

#include "control/ike/dynamic_flow.h"
#include "control/ike/receive.h"
#include "control/ike/rows.h"
#include "control/ike/transaction.h"

#include <algorithm>

namespace adit::ike {

namespace {

void on(Turn& turn, Arrival& arrival) {
    receive(turn, arrival);
}

void on(Turn& turn, StartPhase1&) {
    run(turn, turn.session.phase1, Role::Initiator, Happening::Start);
}

/// A login begins as soon as phase 1 is over; what a client is given unasked, as soon as it may be.
void begin_transactions(Turn& turn) {
    Session& session = turn.session;
    const auto under_way = [](const auto& transaction) {
        return transaction->leg.state != State::ConfigDone;
    };
    if (session.leg.state != State::Established ||
        std::ranges::any_of(session.transactions, under_way))
        return;
    const bool login = session.login && session.login->pending;
    if (!login && !wants_push(turn))
        return;
    session.pushed = !login;
    auto transaction = new_transaction(turn, fresh_message_id(turn), Role::Initiator);
    transaction->identifier = static_cast<std::uint16_t>(turn.env.rng.u32());
    turn.transaction = transaction.get();
    session.transactions.push_back(std::move(transaction));
    run(turn,
        ExchangeType::Transaction,
        Role::Initiator,
        login ? Happening::Start : Happening::StartPush);
    turn.transaction = nullptr;
}

bool is_running(const std::unique_ptr<QuickMode>& quick) {
    return quick->leg.state != State::QmDone && quick->leg.state != State::Dead;
}

void begin_quick(Turn& turn, const FlowRequest& flow) {
    const Connection* connection = find_connection(turn.env.config, flow.connection);
    const Flow* line = connection == nullptr ? nullptr : find_flow(*connection, flow.policy);
    if (connection == nullptr || (line == nullptr && flow.lease == nullptr))
        return;
    // Whoever answered phase 1 at that address need not be who holds the flow.
    if (is_claimed(flow.lease) && flow.lease->claimant != claimant_of(turn))
        return;
    Session& session = turn.session;
    auto quick = new_quick(turn, fresh_message_id(turn), Role::Initiator);
    quick->connection = connection->name;
    quick->policy = flow.policy;
    quick->lease = flow.lease;
    quick->selector = flow.lease != nullptr ? flow.lease->selector : line->selector;
    quick->pfs = connection->pfs ? connection->pfs : flow.pfs;
    quick->replay_window = connection->replay_window;
    remember_id(session, quick->id);
    turn.quick = quick.get();
    session.quick_modes.push_back(std::move(quick));
    run(turn,
        ExchangeType::QuickMode,
        Role::Initiator,
        turn.quick->pfs ? Happening::StartPfs : Happening::Start);
    turn.quick = nullptr;
}

void on(Turn& turn, StartQuickMode& start) {
    if (turn.session.queue.size() < kMaxQueue)
        turn.session.queue.push_back(std::move(start.flow));
}

/// Starts what waits, as far as there is room.
void drain_queue(Turn& turn) {
    Session& session = turn.session;
    while (session.open() && !session.queue.empty() &&
           std::ranges::count_if(session.quick_modes, is_running) <
               static_cast<std::ptrdiff_t>(kMaxQuickModes)) {
        const FlowRequest flow = std::move(session.queue.front());
        session.queue.erase(session.queue.begin());
        begin_quick(turn, flow);
    }
}

bool is_signing(State state) {
    return state == State::InitiatorMm4Sign || state == State::ResponderMm6Sign ||
           state == State::InitiatorAm3Sign || state == State::ResponderAm2Sign;
}

/// The arithmetic itself failed: a public value that is none, or a key that does not sign.
Refusal job_refusal(const Leg& leg, const Error& error) {
    if (is_signing(leg.state))
        return Refusal{Failure::NoCertificate, "our key does not sign: " + error.text}.ending();
    return Refusal{Failure::BadKeyExchange, error.text}
        .telling(NotifyType::InvalidKeyInformation)
        .ending();
}

void finish_job(Turn& turn, JobResult& result, ExchangeType exchange, Role role) {
    turn.leg().job = JobId{};
    if (!result.output)
        return refused(turn, job_refusal(turn.leg(), result.output.error()));
    turn.dh = std::get_if<DhOutput>(&*result.output);
    turn.signature = std::get_if<SignOutput>(&*result.output);
    turn.judgement = std::get_if<Judgement>(&*result.output);
    const bool commit = turn.quick != nullptr && turn.quick->commit;
    run(turn,
        exchange,
        role,
        turn.dh != nullptr          ? commit ? Happening::DhDoneCommit : Happening::DhDone
        : turn.signature != nullptr ? Happening::Signed
                                    : Happening::Judged);
    // A quick mode that begins in the same step has its own.
    turn.dh = nullptr;
    turn.signature = nullptr;
    turn.judgement = nullptr;
}

void finish_login(Turn& turn, const JobResult& result) {
    turn.leg().job = JobId{};
    const auto* output = result.output ? std::get_if<PasswordOutput>(&*result.output) : nullptr;
    const Login* login = turn.session.login ? &*turn.session.login : nullptr;
    const bool last = login == nullptr || login->tries >= kMaxLoginTries;
    run(turn,
        ExchangeType::Transaction,
        Role::Initiator,
        output != nullptr && output->matches ? Happening::Granted
        : last                               ? Happening::Barred
                                             : Happening::Denied);
}

void on(Turn& turn, JobResult& result) {
    Session& session = turn.session;
    if (session.leg.job == result.job_id)
        return finish_job(turn, result, session.phase1, session.role);
    for (const auto& quick : session.quick_modes)
        if (quick->leg.job == result.job_id) {
            turn.quick = quick.get();
            finish_job(turn, result, ExchangeType::QuickMode, quick->role);
            turn.quick = nullptr;
            return;
        }
    for (const auto& transaction : session.transactions)
        if (transaction->leg.job == result.job_id) {
            turn.transaction = transaction.get();
            finish_login(turn, result);
            turn.transaction = nullptr;
            return;
        }
}

/// A quick mode sent this often, and as often again, without an answer puts the ISAKMP SA itself in
/// doubt: the peer may have lost it, and its delete on the way to us. Deletes are not acknowledged.
constexpr std::uint8_t kDoubtAfter = 4;

void tick_leg(Turn& turn, ExchangeType exchange, Role role) {
    Leg& leg = turn.leg();
    if (leg.timer == TimerRule::None || leg.due > turn.now())
        return;
    const bool again = leg.timer == TimerRule::Retransmit && leg.sends < kRetransmitGaps.size() &&
                       turn.now() < leg.give_up;
    if (!again)
        return run(turn, exchange, role, Happening::Timeout);
    ++turn.env.counters.retransmits;
    leg.due = std::min(turn.now() + std::chrono::seconds{kRetransmitGaps[leg.sends]}, leg.give_up);
    ++leg.sends;
    leg.sent_at = turn.now();
    debug(turn,
          "retransmitting phase %d %s...",
          &turn.leg() == &turn.session.leg ? 1 : 2,
          show_state(turn.session));
    send_once(turn, leg.sent);
    if (leg.state == State::QmInitiatorQm1 && leg.sends % kDoubtAfter == 0)
        start_dpd(turn);
}

void tick_upkeep(Turn& turn) {
    Session& session = turn.session;
    if (session.keepalive_due && *session.keepalive_due <= turn.now()) {
        turn.out.emplace_back(SendNatKeepalive{session.local, session.remote});
        schedule_keepalive(turn);
    }
    const Secured* keys = session.secured();
    if (keys != nullptr && !session.rekey_started && keys->rekey_at <= turn.now()) {
        session.rekey_started = true;
        turn.out.emplace_back(RekeyDue{});
    }
    if (session.dpd.due && *session.dpd.due <= turn.now())
        repeat_dpd(turn);
}

void on(Turn& turn, Tick&) {
    Session& session = turn.session;
    for (std::size_t i = 0; i < session.quick_modes.size(); ++i) {
        turn.quick = session.quick_modes[i].get();
        tick_leg(turn, ExchangeType::QuickMode, turn.quick->role);
    }
    turn.quick = nullptr;
    for (std::size_t i = 0; i < session.transactions.size(); ++i) {
        turn.transaction = session.transactions[i].get();
        tick_leg(turn, ExchangeType::Transaction, turn.transaction->role);
    }
    turn.transaction = nullptr;
    tick_upkeep(turn);
    if (session.leg.state != State::Dead)
        tick_leg(turn, session.phase1, session.role);
}

void on(Turn& turn, StartDpd&) {
    if (turn.session.secured() != nullptr)
        start_dpd(turn);
}

void on(Turn& turn, TellDeleted& gone) {
    constexpr std::size_t kPerMessage = 64;
    if (turn.session.secured() == nullptr)
        return;
    for (std::size_t from = 0; from < gone.spis.size(); from += kPerMessage) {
        std::vector<Bytes> spis;
        for (std::size_t i = from; i < std::min(from + kPerMessage, gone.spis.size()); ++i)
            spis.push_back(spi_bytes(gone.spis[i]));
        turn.env.counters.deletes_out += spis.size();
        MessageBuilder message;
        message.add(PayloadType::Delete, build_delete(ProtocolId::Esp, spis));
        send_protected(turn, std::move(message));
    }
}

void on(Turn& turn, Close&) {
    close_session(turn);
}

void on(Turn& turn, Drop&) {
    end_everything(turn);
}

} // namespace

Step step(Session session, SessionEvent event, Environment& env) {
    std::vector<Output> outputs;
    Turn turn{session, env, outputs};
    std::visit([&](auto& happened) { on(turn, happened); }, event);
    begin_transactions(turn);
    drain_queue(turn);
    std::erase_if(session.quick_modes,
                  [](const auto& quick) { return quick->leg.state == State::Dead; });
    std::erase_if(session.transactions,
                  [](const auto& transaction) { return transaction->leg.state == State::Dead; });
    return {std::move(session), std::move(outputs)};
}

} // namespace adit::ike
