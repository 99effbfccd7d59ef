// SPDX-License-Identifier: Apache-2.0
#include "control/ike/engine_core.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// Responders' Diffie-Hellman jobs running at once: beyond this message 3 waits for its
/// retransmission, so that strangers cannot fill the pool before those who have proved themselves.
constexpr std::size_t kMaxHalfOpenJobs = 512;
/// Of these, such as a first message alone asks for: large groups take their time.
constexpr std::size_t kMaxFirstJobs = 64;
/// Of all kinds: an answer to one of ours waits for its repetition before the pool turns jobs away.
constexpr std::size_t kMaxJobs = 896;
constexpr std::size_t kCookieSecretBytes = 32;
/// Fewer are not worth looking for those that nobody shares any more.
constexpr std::size_t kManySharedBodies = 4096;

bool is_first_message(const Header& header) {
    return header.cookies.responder.value == 0 && !header.encrypted() &&
           header.message_id.value == 0 && is_phase1(header.exchange);
}

/// The answer to a message of ours begins the next computation.
bool continues_ours(State state) {
    return state == State::InitiatorMm1 || state == State::InitiatorMm3 ||
           state == State::InitiatorAm1;
}

} // namespace

// --- the public face ----------------------------------------------------------------------------

Engine::Engine(std::shared_ptr<const EngineConfig> config,
               Rng& rng,
               SpiAllocator& spis,
               PolicyAllocator& policies)
    : core_(std::make_unique<Core>(std::move(config), rng, spis, policies)) {}

Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Actions Engine::handle(Event event, Instant now) {
    return core_->handle(std::move(event), now);
}

Actions Engine::advance(Instant now) {
    return core_->advance(now);
}

std::optional<Instant> Engine::next_deadline() const {
    return core_->next_deadline();
}

std::vector<IsakmpSaView> Engine::isakmp_sas() const {
    return core_->isakmp_sas();
}

std::vector<ChildSaView> Engine::child_sas() const {
    return core_->child_sas();
}

std::vector<SaId> Engine::awaited() const {
    return core_->awaited();
}

std::vector<PoolView> Engine::pools() const {
    return core_->pools();
}

const EngineCounters& Engine::counters() const {
    return core_->counters();
}

void Engine::keep_memory() {
    core_->keep_memory();
}

std::vector<JournalEntry> Engine::take_memory(const Actions& actions) {
    return core_->take_memory(actions);
}

std::vector<JournalEntry> Engine::whole_memory() {
    return core_->whole_memory();
}

bool Engine::knows(SaId sa) {
    return core_->knows(sa);
}

Result<Engine::Resumed> Engine::resume(const std::vector<JournalEntry>& entries, Instant now) {
    return core_->resume(entries, now);
}

void Engine::set_debug(bool isakmp, bool keys) {
    core_->set_debug(isakmp, keys);
}

void Engine::set_debug_condition(DebugCondition condition) {
    core_->set_debug_condition(std::move(condition));
}

void Engine::set_row_observer(RowObserver observer) {
    core_->set_row_observer(std::move(observer));
}

// --- datagrams ----------------------------------------------------------------------------------

Engine::Core::Core(std::shared_ptr<const EngineConfig> config,
                   Rng& rng,
                   SpiAllocator& spis,
                   PolicyAllocator& policies)
    : config_(std::move(config)), rng_(rng), spis_(spis), cookie_secret_(kCookieSecretBytes),
      admission_(rng.u64()), flows_(policies) {
    ENSURE(config_ != nullptr);
    pools_.configure(config_->pools);
    rng_.fill(cookie_secret_.writable());
}

Actions Engine::Core::handle(Event event, Instant now) {
    now_ = now;
    std::visit([this](auto& happened) { on(happened); }, event);
    return finish();
}

Actions Engine::Core::advance(Instant now) {
    now_ = now;
    expire_fragments();
    for (const SessionId id : sessions_.due(now))
        queue(id, Tick{});
    Actions actions = finish();
    for (const SaId id : children_.due(now))
        tick_child(id);
    for (const SaId id : held_.due(now))
        end_hold(id);
    Actions more = finish();
    std::ranges::move(more, std::back_inserter(actions));
    return actions;
}

std::optional<Instant> Engine::Core::next_deadline() const {
    std::optional<Instant> earliest;
    for (const auto& deadline : {sessions_.next_deadline(),
                                 children_.next_deadline(),
                                 held_.next_deadline(),
                                 fragments_.next_deadline()})
        if (deadline && (!earliest || *deadline < *earliest))
            earliest = deadline;
    return earliest;
}

void Engine::Core::on(DatagramReceived& event) {
    ++counters_.messages_in;
    const auto header = parse_header(event.payload);
    if (!header)
        return refuse_stranger(Failure::Malformed, event, header.error().text);
    if (header->next_payload == PayloadType::Fragment)
        return collect_fragment(*header, event);
    receive(*header, event);
}

void Engine::Core::receive(const Header& header, DatagramReceived& event) {
    const Digest digest = digest_of(event.payload);
    const auto session = sessions_.find(header, event.local, event.remote, digest);
    if (!session && is_first_message(header))
        return admit_first_message(header, event);
    if (!session)
        return refuse_stranger(
            Failure::UnknownCookies, event, name(header.exchange) + " with cookies of no SA");
    const bool asks_for_dh = session->state == State::ResponderMm2 && !header.encrypted() &&
                             header.cookies.responder.value != 0;
    if (asks_for_dh && sessions_.jobs() >= kMaxHalfOpenJobs)
        return refuse_stranger(Failure::HalfOpenLimit, event, "too many key exchanges at once");
    // Our own repetition brings the answer back when there is room.
    if (continues_ours(session->state) && sessions_.jobs() >= kMaxJobs)
        return;
    queue(session->id, Arrival{event.local, event.remote, std::move(event.payload)});
}

void Engine::Core::admit_first_message(const Header& header, DatagramReceived& event) {
    const Ipv4Address from = event.remote.address;
    const bool aggressive = header.exchange == ExchangeType::Aggressive;
    if (aggressive && aggressive_policies(*config_).empty())
        return refuse_aggressive(event);
    const bool configured = is_configured(from);
    if (aggressive &&
        (sessions_.jobs() >= kMaxHalfOpenJobs || sessions_.first_jobs() >= kMaxFirstJobs ||
         !admission_.may_compute(configured, digest_of(event.payload), now_)))
        return refuse_stranger(Failure::HalfOpenLimit, event, "too many key exchanges at once");
    if (!admission_.admit(from, configured, sessions_.half_open(), now_))
        return refuse_stranger(
            Failure::HalfOpenLimit, event, "too many half-open exchanges from this network");
    make_room(configured);
    Session session;
    session.configured = configured;
    session.id = SessionId{next_session_++};
    session.role = Role::Responder;
    session.phase1 = header.exchange;
    session.cookies = {header.cookies.initiator, responder_cookie(header, event)};
    session.local = event.local;
    session.remote = event.remote;
    session.created = now_;
    const SessionId id = session.id;
    sessions_.insert(std::move(session));
    queue(id, Arrival{event.local, event.remote, std::move(event.payload)});
}

void Engine::Core::make_room(bool configured) {
    if (sessions_.unanswered(configured) < Engine::kMaxUnanswered)
        return;
    const Session oldest = sessions_.take(sessions_.oldest_unanswered(configured));
    log_failure(Failure::HalfOpenLimit,
                oldest.remote.address,
                "gave up the oldest half-open exchange: too many of them");
}

/// Depends on a secret, so nobody can foresee it, and on a count, so it never comes again.
Cookie Engine::Core::responder_cookie(const Header& header, const DatagramReceived& event) {
    Writer writer;
    writer.u32(event.remote.address.value);
    writer.u32(event.local.address.value);
    writer.u64(header.cookies.initiator.value);
    writer.u64(++cookie_count_);
    const SecretBuffer mac = prf(HashAlgorithm::Sha256, cookie_secret_.view(), {writer.view()});
    return Cookie{load_be<std::uint64_t>(mac.view().data()) | 1};
}

void Engine::Core::refuse_stranger(Failure failure,
                                   const DatagramReceived& event,
                                   const std::string& text) {
    log_failure(failure, event.remote.address, text);
}

void Engine::Core::refuse_aggressive(const DatagramReceived& event) {
    LogRecord record{Severity::Informational, "CRYPTO", "IKMP_MODE_FAILURE", {}, {}};
    record.subject = to_string(event.remote.address);
    record.text = "Processing of Aggressive mode failed with peer at " + record.subject;
    actions_.emplace_back(Log{std::move(record)});
    refuse_stranger(Failure::UnexpectedMessage, event, "aggressive mode is refused");
}

void Engine::Core::log_failure(Failure failure, Ipv4Address peer, const std::string& text) {
    ++counters_.failures.at(static_cast<std::size_t>(failure));
    for (LogRecord& line : log_records(failure, peer, text))
        actions_.emplace_back(Log{std::move(line)});
}

void Engine::Core::on(JobFinished& event) {
    // The session may have ended while its job ran: then nobody wants the result.
    if (const Session* session = sessions_.find_job(event.result.job_id))
        queue(session->id, std::move(event.result));
}

bool Engine::Core::is_configured(Ipv4Address peer) const {
    return !config_->connections.index().with_peer(peer).empty();
}

// --- steps --------------------------------------------------------------------------------------

bool Engine::Core::is_watched(const Session& session) const {
    const DebugCondition& only = debug_condition_;
    return only.empty() || only.names(session.remote.address) ||
           only.names(session.cookies.initiator) || only.names(session.cookies.responder) ||
           std::ranges::any_of(session.quick_modes, [&](const auto& quick) {
               return only.names(quick->inbound_spi) ||
                      (quick->choice && only.names(quick->choice->spi));
           });
}

Environment Engine::Core::environment(const Session& session) {
    const bool debug = debug_ && is_watched(session);
    return {*config_,
            now_,
            rng_,
            spis_,
            flows_,
            ids_,
            counters_,
            pools_,
            cookie_secret_.view(),
            debug,
            export_keys_,
            &row_observer_};
}

void Engine::Core::queue(SessionId id, SessionEvent event) {
    queue_.emplace_back(id, std::move(event));
}

Actions Engine::Core::finish() {
    while (!queue_.empty()) {
        auto [id, event] = std::move(queue_.front());
        queue_.pop_front();
        if (sessions_.contains(id))
            run(id, std::move(event));
    }
    remove_ended_policies();
    return std::exchange(actions_, {});
}

void Engine::Core::run(SessionId id, SessionEvent event) {
    Session session = sessions_.take(id);
    Environment env = environment(session);
    Step done = step(std::move(session), std::move(event), env);
    const bool stillborn = done.session.role == Role::Responder && done.session.leg.sent.empty() &&
                           std::holds_alternative<std::monostate>(done.session.data);
    const bool dead = done.session.leg.state == State::Dead || stillborn;
    // Strangers are told why not only as far as the budget goes.
    if (stillborn && !admission_.may_refuse(now_))
        std::erase_if(done.outputs, [](const Output& output) {
            return std::holds_alternative<SendDatagram>(output);
        });
    share_first_body(done.session);
    if (dead) {
        for (Output& output : done.outputs)
            carry_out(done.session, output);
        end_client(done.session);
        return;
    }
    if (HalfOpen::fits(done.session)) { // which asks for nothing that looks into the table
        for (Output& output : done.outputs)
            carry_out(done.session, output);
        return sessions_.insert(std::move(done.session));
    }
    sessions_.insert(std::move(done.session));
    const Session* kept = sessions_.find(id);
    for (Output& output : done.outputs)
        carry_out(*kept, output);
}

void Engine::Core::share_first_body(Session& session) {
    auto* agreed = std::get_if<Agreed>(&session.data);
    if (agreed == nullptr || agreed->sai_b.use_count() > 1)
        return;
    if (first_bodies_.size() >= sweep_bodies_at_) {
        std::erase_if(first_bodies_, [](const auto& entry) { return entry.second.expired(); });
        // Each sweep is paid for by as many new ones, however many stay.
        sweep_bodies_at_ = std::max(kManySharedBodies, 2 * first_bodies_.size());
    }
    auto& shared = first_bodies_[digest_of(*agreed->sai_b)];
    const SharedBytes known = shared.lock();
    if (known && *known == *agreed->sai_b)
        agreed->sai_b = known;
    else
        shared = agreed->sai_b;
}

void Engine::Core::carry_out(const Session& from, Output& output) {
    std::visit([&](auto& wanted) { effect(from, wanted); }, output);
}

// --- effects of phase 1 -------------------------------------------------------------------------

namespace {

/// The same peer, not just the same address: several may live behind one NAT. Clients of a group
/// share its name, devices of a user the user's: what tells those apart is their port.
bool same_peer(const Session& left, const Session& right) {
    const Secured* mine = left.secured();
    const Secured* other = right.secured();
    return mine != nullptr && other != nullptr && left.local.address == right.local.address &&
           left.remote.address == right.remote.address &&
           mine->peer_identity == other->peer_identity &&
           left.login.has_value() == right.login.has_value() && left.user() == right.user() &&
           (!left.login || !left.nat.peer_behind || left.remote.port == right.remote.port);
}

/// More than an old and a new one for one peer are leftovers.
constexpr std::size_t kMaxIsakmpPerPeer = 2;

} // namespace

void Engine::Core::effect(const Session& from, PhaseOneUp&) {
    const Secured* mine = from.secured();
    ENSURE(mine != nullptr);
    std::vector<Session*> others;
    for (Session* other : sessions_.with_peer(from.remote.address)) {
        if (other->id != from.id && same_peer(*other, from))
            others.push_back(other);
        // No longer the first contact, whoever else is on the way.
        other->initial_contact = false;
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
        const bool surplus = others.size() - i >= kMaxIsakmpPerPeer;
        if (!others[i]->rekey_started && !surplus)
            continue;
        Session old = sessions_.take(others[i]->id);
        Secured* keys = old.secured();
        ENSURE(keys != nullptr);
        old.rekey_started = true;
        keys->expires = std::min(keys->expires, now_ + kReplacedLinger);
        old.leg.due = std::min(old.leg.due, now_ + kReplacedLinger);
        sessions_.insert(std::move(old));
    }
    for (Child* child : children_.with_peer(from.remote.address))
        if (is_with(child->sa, from)) {
            child->sa.isakmp = from.conn_id;
            children_.touch(*child);
        }
    if (from.open())
        take_over_flows(from);
}

/// What waits for a phase 1 of ours with the same peer need not: behind a NAT, or while our own
/// datagrams get lost, ours may never come up. Several entries may be for several peers behind one
/// address, and nobody knows yet for whom what waits is.
void Engine::Core::take_over_flows(const Session& up) {
    if (config_->connections.index().with_peer(up.remote.address).size() != 1)
        return;
    for (Session* other : sessions_.with_peer(up.remote.address)) {
        const bool fits = other->local.address == up.local.address &&
                          (other->profile.empty() || other->profile == up.profile);
        if (!fits || !is_beginning(*other))
            continue;
        for (FlowRequest& flow : std::exchange(other->queue, {}))
            queue(up.id, StartQuickMode{std::move(flow)});
    }
}

void Engine::Core::effect(const Session& from, AddressAssigned&) {
    children_.for_each([&](Child& child) {
        if (child.sa.assigned != from.assigned)
            return;
        child.sa.isakmp = from.conn_id;
        children_.touch(child);
    });
}

void Engine::Core::end_client(const Session& gone) {
    if (!gone.login || gone.login->pending)
        return;
    for (const Session* other : sessions_.with_peer(gone.remote.address))
        if (other->open() && same_peer(*other, gone))
            return;
    for (const Child* child : children_.with_peer(gone.remote.address))
        if (is_with(child->sa, gone))
            remove_child(child->sa.inbound_sa, Tell::No);
}

void Engine::Core::effect(const Session& from, PhaseOneFailed&) {
    for (const FlowRequest& flow : from.queue) {
        const Connection* connection = find_connection(*config_, flow.connection);
        if (connection == nullptr)
            continue;
        if (const auto peer = pass_turn(*connection, from.remote.address))
            request(flow, connection->profile, {connection->local, kIkePort}, {*peer, kIkePort});
    }
}

void Engine::Core::effect(const Session& from, RekeyDue&) {
    const bool in_use = !children_.with_peer(from.remote.address).empty();
    // A client proves itself when it likes: nobody can ask it to.
    if (!in_use || from.login)
        return;
    const Endpoint local{from.local.address, from.nat.peer_behind ? from.local.port : kIkePort};
    const Endpoint remote{from.remote.address, from.nat.peer_behind ? from.remote.port : kIkePort};
    if (!provable_policies(*config_, find_profile(*config_, from.profile), remote.address).empty())
        begin_phase1(local, remote, from.profile, {});
}

void Engine::Core::effect(const Session& from, InitialContactSeen&) {
    if (!from.open())
        return;
    // RFC 2407 4.6.3.3: what this peer had with us before is gone on its side. What came up after
    // it began this very exchange is not from before; and so a replay finds nothing to end.
    // It is told all the same: what came up on its side while this travelled it does know.
    for (Session* other : sessions_.with_peer(from.remote.address)) {
        const Secured* theirs = other->secured();
        if (other->id != from.id && same_peer(*other, from) && theirs != nullptr &&
            theirs->since < from.created)
            close(other->id);
    }
    for (Child* child : children_.with_peer(from.remote.address))
        if (is_with(child->sa, from) && child->established && child->established_at < from.created)
            remove_child(child->sa.inbound_sa, Tell::No);
}

void Engine::Core::effect(const Session& from, PeerClosed& closed) {
    for (const CookiePair cookies : closed.cookies) {
        Session* session = sessions_.find_cookies(cookies, from.remote.address);
        if (session == nullptr || (session->id != from.id && !same_peer(*session, from)))
            continue;
        // Its quick modes end with it; its children live on until they are deleted themselves.
        queue(session->id, Drop{});
    }
}

void Engine::Core::effect(const Session& from, PeerDead&) {
    // Perhaps the peer has lost no more than this one: any other is asked before all is given up.
    for (const Session* other : sessions_.with_peer(from.remote.address))
        if (other->id != from.id && same_peer(*other, from) && is_established(*other) &&
            other->has(Vendor::Dpd))
            return queue(other->id, StartDpd{});
    for (const Child* child : children_.with_peer(from.remote.address))
        if (is_with(child->sa, from))
            remove_child(child->sa.inbound_sa, Tell::No);
    for (Session* other : sessions_.with_peer(from.remote.address))
        if (other->id != from.id && same_peer(*other, from))
            close(other->id);
    pass_turns_of(from.remote.address);
}

} // namespace adit::ike
