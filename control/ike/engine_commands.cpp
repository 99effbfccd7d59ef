// SPDX-License-Identifier: Apache-2.0
#include "control/ike/dynamic_flow.h"
#include "control/ike/engine_core.h"
#include "control/ike/subset_flow.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace adit::ike {

// --- initiating ---------------------------------------------------------------------------------

void Engine::Core::on(Initiate& event) {
    const Connection* connection = find_connection(*config_, event.connection);
    // An entry for unknown peers does not begin with them.
    if (connection == nullptr || connection->peers.empty() || connection->dynamic)
        return;
    for (const Flow& flow : connection->flows)
        if (event.policy == kNoPolicy || event.policy == flow.policy)
            initiate(*connection, flow);
}

void Engine::Core::initiate(const Connection& connection, const Flow& flow) {
    const FlowRequest wanted{connection.name, flow.policy};
    if (is_pending(wanted, connection.peers))
        return;
    for (const Ipv4Address peer : connection.peers)
        if (const Child* current = children_.current(peer, connection.name, flow.policy);
            current != nullptr && !current->recalled)
            return;
    const Endpoint local{connection.local, kIkePort};
    // A peer that is up already comes before the one whose turn it is.
    for (const Ipv4Address peer : connection.peers)
        if (established_with(connection.local, peer, connection.profile) != nullptr)
            return request(wanted, connection.profile, local, {peer, kIkePort});
    request(wanted, connection.profile, local, {peer_in_turn(connection), kIkePort});
}

void Engine::Core::request(FlowRequest wanted,
                           const std::string& profile,
                           Endpoint local,
                           Endpoint remote) {
    const Ipv4Address peer = remote.address;
    // A claimed flow belongs to one peer, of perhaps several behind this address.
    const Session* session = is_claimed(wanted.lease) ? beginning_with(local.address, peer, profile)
                                                      : session_for(local.address, peer, profile);
    if (session != nullptr)
        return queue(session->id, StartQuickMode{std::move(wanted)});
    if (config_->phase1.empty())
        return log_failure(
            Failure::NoPhase1Proposal, peer, wanted.connection + ": no ISAKMP policy configured");
    if (provable_policies(*config_, find_profile(*config_, profile), peer).empty())
        return log_failure(Failure::NoPresharedKey,
                           peer,
                           wanted.connection +
                               ": no pre-shared key for this peer, and no certificate for "
                               "signatures");
    begin_phase1(local, remote, profile, {std::move(wanted)});
}

void Engine::Core::renew(const ChildSa& sa) {
    const Connection* connection = find_connection(*config_, sa.connection);
    if (connection == nullptr)
        return;
    FlowRequest wanted{sa.connection, sa.policy, sa.lease, sa.pfs};
    // Another peer may live behind the same address: its own ISAKMP SA comes first.
    if (const Session* session = keeper_of(sa)) {
        if (!is_pending(wanted, *session))
            queue(session->id, StartQuickMode{std::move(wanted)});
        return;
    }
    const std::array current{sa.remote.address};
    if (is_pending(wanted,
                   is_claimed(sa.lease) ? std::span<const Ipv4Address>{current}
                                        : connection->peers))
        return;
    if (!is_claimed(sa.lease))
        return request(std::move(wanted),
                       connection->profile,
                       {sa.local.address, kIkePort},
                       {sa.remote.address, kIkePort});
    if (!sa.user.empty())
        return; // a client logs in when it likes, never because we call
    // Whoever is not in the configuration is where its SA says; behind a NAT, at that very port.
    request(std::move(wanted),
            sa.profile,
            {sa.local.address, sa.udp_encapsulated ? sa.local.port : kIkePort},
            {sa.remote.address, sa.udp_encapsulated ? sa.remote.port : kIkePort});
}

SessionId Engine::Core::begin_phase1(Endpoint local,
                                     Endpoint remote,
                                     const std::string& profile,
                                     std::vector<FlowRequest> flows) {
    Session session;
    session.id = SessionId{next_session_++};
    session.role = Role::Initiator;
    session.profile = profile;
    if (initiates_aggressive(*config_, find_profile(*config_, profile), remote.address))
        session.phase1 = ExchangeType::Aggressive;
    session.cookies.initiator = Cookie{rng_.u64() | 1};
    session.local = local;
    session.remote = remote;
    session.created = now_;
    session.queue = std::move(flows);
    session.initial_contact = established_with(local.address, remote.address) == nullptr &&
                              children_.with_peer(remote.address).empty();
    const SessionId id = session.id;
    sessions_.insert(std::move(session));
    queue(id, StartPhase1{});
    return id;
}

bool Engine::Core::is_pending(const FlowRequest& wanted, const Session& session) {
    const auto waiting = [&](const FlowRequest& flow) {
        return flow.policy == wanted.policy && flow.connection == wanted.connection;
    };
    const auto running = [&](const std::unique_ptr<QuickMode>& quick) {
        return quick->policy == wanted.policy && quick->connection == wanted.connection &&
               quick->leg.state != State::QmDone && quick->leg.state != State::Dead;
    };
    return std::ranges::any_of(session.queue, waiting) ||
           std::ranges::any_of(session.quick_modes, running);
}

bool Engine::Core::is_pending(const FlowRequest& wanted, std::span<const Ipv4Address> peers) {
    return std::ranges::any_of(peers, [&](Ipv4Address peer) {
        return std::ranges::any_of(sessions_.with_peer(peer), [&](const Session* session) {
            return is_pending(wanted, *session);
        });
    });
}

bool Engine::Core::is_established(const Session& session) const {
    const Secured* keys = session.secured();
    return session.leg.state == State::Established && session.open() && keys != nullptr &&
           keys->expires > now_;
}

Session*
Engine::Core::established_with(Ipv4Address local, Ipv4Address peer, const std::string& profile) {
    Session* newest = nullptr;
    for (Session* session : sessions_.with_peer(peer)) {
        const bool fits =
            session->local.address == local && (profile.empty() || session->profile == profile);
        if (fits && is_established(*session))
            newest = session;
    }
    return newest;
}

Session* Engine::Core::keeper_of(const ChildSa& sa) {
    Session* newest = nullptr;
    for (Session* session : sessions_.with_peer(sa.remote.address))
        if (is_established(*session) && session->local.address == sa.local.address &&
            is_with(sa, *session))
            newest = session;
    return newest;
}

Session*
Engine::Core::session_for(Ipv4Address local, Ipv4Address peer, const std::string& profile) {
    std::map<std::string, Session*> newest; // by who it is with
    for (Session* session : sessions_.with_peer(peer))
        if (session->local.address == local && is_established(*session) &&
            (profile.empty() || session->profile == profile))
            newest[session->secured()->peer_identity] = session;
    if (newest.empty())
        return beginning_with(local, peer, profile);
    // Several behind one address: whoever has no such flow refuses, and the next try may be right.
    const auto which =
        newest.size() == 1 ? 0 : rng_.below(static_cast<std::uint32_t>(newest.size()));
    return std::next(newest.begin(), which)->second;
}

Session*
Engine::Core::beginning_with(Ipv4Address local, Ipv4Address peer, const std::string& profile) {
    for (Session* session : sessions_.with_peer(peer))
        if (session->local.address == local && session->profile == profile &&
            is_beginning(*session))
            return session;
    return nullptr;
}

bool Engine::Core::is_beginning(const Session& session) {
    return session.role == Role::Initiator && session.leg.state != State::Dead &&
           session.secured() == nullptr;
}

// --- the dataplane's news -----------------------------------------------------------------------

void Engine::Core::on(InstallFinished& event) {
    answered_.push_back(event.sa);
    Child* child = children_.find(event.sa);
    if (event.ok || child == nullptr)
        return;
    log_failure(Failure::InstallRefused,
                child->sa.remote.address,
                child->sa.connection + ": the dataplane refused SA " +
                    std::to_string(event.sa.value) + ": " + event.reason);
    remove_child(child->sa.inbound_sa, Tell::Yes);
}

void Engine::Core::on(PolicyRefused& event) {
    for (Child* child : children_.with_policy(event.policy)) {
        log_failure(Failure::InstallRefused,
                    child->sa.remote.address,
                    child->sa.connection + ": the dataplane refused policy " +
                        std::to_string(event.policy.value) + ": " + event.reason);
        remove_child(child->sa.inbound_sa, Tell::Yes);
    }
}

void Engine::Core::on(SaLimitReached& event) {
    Child* child = children_.find(event.sa);
    if (child == nullptr)
        return;
    if (!event.hard) {
        child->volume_spent = true;
        if (child->current)
            rekey(*child);
        return;
    }
    const ChildSa sa = child->sa;
    const bool in_use = child->current;
    remove_child(sa.inbound_sa, Tell::Yes);
    if (in_use)
        renew(sa);
}

void Engine::Core::on(PeerSilent& event) {
    const Child* child = children_.find(event.sa);
    if (child == nullptr)
        return;
    const ChildSa& sa = child->sa;
    if (const Session* session = keeper_of(sa))
        return queue(session->id, StartDpd{});
    if (!config_->dpd || !sa.user.empty())
        return; // a client that went away without a word: its lifetime ends it
    // Without an ISAKMP SA nobody can be asked; a new one answers the question either way.
    const Connection* connection = find_connection(*config_, sa.connection);
    const std::string profile = connection == nullptr ? std::string{} : connection->profile;
    if (session_for(sa.local.address, sa.remote.address, profile) == nullptr)
        begin_phase1({sa.local.address, kIkePort}, {sa.remote.address, kIkePort}, profile, {});
}

void Engine::Core::on(PeerMovedTo& event) {
    Child* child = children_.find(event.sa);
    if (child == nullptr || !child->sa.udp_encapsulated)
        return;
    const Endpoint before = child->sa.remote;
    for (Session* session : sessions_.with_peer(before.address)) {
        if (session->remote != before || session->secured() == nullptr)
            continue;
        Session moved = sessions_.take(session->id);
        moved.remote = event.remote;
        sessions_.insert(std::move(moved));
    }
    for (Child* sibling : children_.with_peer(before.address)) {
        if (sibling->sa.remote != before)
            continue;
        Child moved = children_.take(sibling->sa.inbound_sa);
        moved.sa.remote = event.remote;
        moved.astray = moved.outbound_installed;
        if (is_claimed(moved.sa.lease) && moved.sa.lease->claimant->at && !moved.sa.assigned)
            moved.sa.lease->claimant->at = event.remote.address;
        Child& there = children_.insert(std::move(moved));
        // The dataplane still sends to the old place, and an SA's endpoints never change: a fresh
        // pair does.
        if (there.current)
            rekey(there);
    }
}

namespace {

/// Deletes sent because of packets that anybody can forge: few, and enough for real ones.
constexpr std::uint32_t kRemindersPerSecond = 20;
constexpr std::uint32_t kRemindersBurst = 20;

} // namespace

/// We know nothing of a peer that still sends under SAs of old: one side was restarted. Phase 1
/// says INITIAL-CONTACT, and the peer lets go of them.
void Engine::Core::make_contact(Ipv4Address local, Ipv4Address peer) {
    for (const Connection* connection : connections_with(*config_, peer)) {
        if (connection->dynamic || connection->local != local ||
            provable_policies(*config_, find_profile(*config_, connection->profile), peer).empty())
            continue;
        if (reminders_.take(now_, kRemindersPerSecond, kRemindersBurst))
            begin_phase1({local, kIkePort}, {peer, kIkePort}, connection->profile, {});
        return;
    }
}

/// A delete of ours was lost, for IKEv1 acknowledges none: the peer sends into a hole. It is told
/// once more, under every ISAKMP SA that may be its own; to another peer behind the same address
/// the SPI means nothing.
void Engine::Core::on(UnknownSpi& event) {
    bool known = false;
    for (const Session* session : sessions_.with_peer(event.remote)) {
        if (session->local.address != event.local)
            continue;
        known = true;
        if (session->secured() != nullptr &&
            reminders_.take(now_, kRemindersPerSecond, kRemindersBurst))
            queue(session->id, TellDeleted{{event.spi}});
    }
    if (!known && config_->invalid_spi_recovery)
        make_contact(event.local, event.remote);
}

// --- the operator -------------------------------------------------------------------------------

void Engine::Core::close(SessionId id) {
    queue(id, Close{});
}

void Engine::Core::close_with_children(const Session& session) {
    for (const Child* child : children_.with_peer(session.remote.address))
        if (child->sa.isakmp == session.conn_id)
            remove_child(child->sa.inbound_sa, Tell::Yes);
    close(session.id);
}

void Engine::Core::on(ClearPhase1& event) {
    sessions_.for_each([&](const Session& session) {
        const bool meant = (!event.peer || session.remote.address == *event.peer) &&
                           (!event.conn_id || session.conn_id == *event.conn_id);
        // Most peers drop the children with their ISAKMP SA: so do we, rather than send into a
        // hole.
        if (meant)
            close_with_children(session);
    });
}

void Engine::Core::on(ClearPhase2& event) {
    for (const SaId id : children_.ids()) {
        const Child* child = children_.find(id);
        if (child != nullptr && (!event.peer || child->sa.remote.address == *event.peer))
            remove_child(id, Tell::Yes);
    }
}

void Engine::Core::on(Shutdown&) {
    for (const SaId id : children_.ids())
        remove_child(id, Tell::Yes);
    for (const SessionId id : sessions_.ids())
        close(id);
}

// --- a new configuration ------------------------------------------------------------------------

namespace {

bool same_key(const SharedKey& left, const SharedKey& right) {
    return left != nullptr && right != nullptr && *left == *right;
}

bool same_suite(const Phase1Policy& left, const Phase1Policy& right) {
    return left.cipher == right.cipher && left.hash == right.hash && left.group == right.group;
}

bool same_suites(const EngineConfig& left, const EngineConfig& right) {
    return std::ranges::equal(left.phase1, right.phase1, same_suite);
}

bool is_offered(const Phase2Transform& wanted, const Connection& connection) {
    return std::ranges::any_of(connection.transforms, [&](const Phase2Transform& ours) {
        // Transport mode may have become tunnel mode, where that was allowed.
        const bool mode_fits =
            ours.transport == wanted.transport || (ours.transport && !ours.transport_required);
        return ours.cipher == wanted.cipher && ours.mac == wanted.mac && ours.esn == wanted.esn &&
               mode_fits;
    });
}

} // namespace

bool Engine::Core::still_wanted(const Session& session, const EngineConfig& before) const {
    const Ipv4Address peer = session.remote.address;
    if (session.login && !session.login->pending) {
        const auto user = config_->users.find(session.login->user);
        if (user == config_->users.end() || user->second != session.login->proof)
            return false;
    }
    if (const Secured* keys = session.secured()) {
        const auto profile = choose_profile(*config_, keys->identity, peer, keys->psk.get());
        return profile && (*profile == nullptr ? "" : (*profile)->name) == session.profile &&
               std::ranges::any_of(config_->phase1, [&](const Phase1Policy& policy) {
                   return same_suite(policy, keys->policy);
               });
    }
    const auto key_in = [&](const EngineConfig& config) {
        return key_for_address(config, find_profile(config, session.profile), peer);
    };
    return same_suites(before, *config_) && same_key(key_in(before), key_in(*config_));
}

/// An entry that names the peer gives this, now: what the line says is to happen to it.
bool Engine::Core::has_line_of_its_own(const ChildSa& sa) const {
    if (sa.assigned != nullptr)
        return false; // a client, which gets nothing by such entries
    return std::ranges::any_of(connections_with(*config_, sa.remote.address),
                               [&](const Connection* entry) {
                                   return !entry->routed && entry->local == sa.local.address &&
                                          is_for(*entry, sa.remote.address, sa.profile) &&
                                          permitting_line(*entry, sa.selector) != nullptr;
                               });
}

bool Engine::Core::still_wanted(const Child& child) const {
    const ChildSa& sa = child.sa;
    const Connection* connection = find_connection(*config_, sa.connection);
    if (connection == nullptr || connection->dynamic.has_value() != is_claimed(sa.lease))
        return false;
    const bool pfs_as_asked = !connection->pfs || connection->pfs == sa.pfs;
    if (!pfs_as_asked || !is_offered(sa.algorithms, *connection))
        return false;
    if (connection->dynamic)
        return !has_line_of_its_own(sa) &&
               is_open_to(*connection, sa.local.address, sa.remote.address, sa.profile) &&
               objection(*config_, *connection, sa.selector).empty();
    if (connection->local != sa.local.address ||
        std::ranges::find(connection->peers, sa.remote.address) == connection->peers.end())
        return false;
    if (sa.lease != nullptr)
        return subset_line(*config_, *connection, sa.remote.address, sa.profile, sa.selector)
            .has_value();
    const Flow* flow = find_flow(*connection, sa.policy);
    return flow != nullptr && flow->selector == sa.selector;
}

void Engine::Core::on(Reconfigure& event) {
    ENSURE(event.config != nullptr);
    const std::shared_ptr<const EngineConfig> before = std::exchange(config_, event.config);
    pools_.configure(config_->pools);
    for (const SaId id : children_.ids()) {
        const Child* child = children_.find(id);
        if (child != nullptr && child->established && !still_wanted(*child))
            remove_child(id, Tell::Yes);
    }
    sessions_.for_each([&](const Session& session) {
        if (!still_wanted(session, *before))
            close_with_children(session);
    });
}

} // namespace adit::ike
