// SPDX-License-Identifier: Apache-2.0
#include "control/ike/engine_core.h"

#include <algorithm>
#include <utility>

namespace adit::ike {

namespace {

/// Both ends see the same two SPIs, so both prefer the same pair when two were made at once.
std::pair<Spi, Spi> rank(const ChildSa& child) {
    return std::minmax(child.inbound_spi, child.outbound_spi);
}

/// Was the other made while this one was under way, by the other side? Then neither replaces the
/// other; whatever stood before both is replaced by either.
bool collides(const Child& fresh, const Child& other) {
    const Duration slack = fresh.sa.role == Role::Responder ? kCollisionSlack : Duration::zero();
    return fresh.sa.role != other.sa.role && other.established_at + slack >= fresh.sa.started;
}

/// Of two pairs that one side made, both ends keep the one that was begun later: a message 3 that
/// came late makes none newer.
bool overtaken(const Child& fresh, const Child& other) {
    return fresh.sa.role == other.sa.role && other.sa.started > fresh.sa.started;
}

Duration overlap_of(const ChildSa& sa) {
    return sa.local.address < sa.remote.address ? kOverlapFirst : kOverlapSecond;
}

} // namespace

void Engine::Core::effect(const Session&, InboundReady& ready) {
    Child child;
    child.sa = std::move(ready.child);
    child.established_at = now_;
    // Until the peer has answered, the quick mode's own timer decides.
    child.expires = now_ + child.sa.lifetime;
    child.rekey_at = child.expires;
    children_.insert(std::move(child));
}

void Engine::Core::effect(const Session& from, OutboundReady& ready) {
    Child* child = children_.find(ready.inbound_sa);
    // Removed while the last message travelled: the peer thinks it stands.
    if (child == nullptr)
        return queue(from.id, TellDeleted{{ready.inbound_spi}});
    const bool first = !children_.any_established(from.remote.address);
    // The initiator rekeys first; two sides with one moment would collide.
    const std::int64_t percent =
        (child->sa.role == Role::Initiator ? 85 : 92) + static_cast<std::int64_t>(rng_.below(5));
    child->established = true;
    child->current = true;
    child->established_at = now_;
    child->expires = now_ + child->sa.lifetime;
    child->rekey_at = now_ + child->sa.lifetime / 100 * percent;
    replace_twin(*child);
    if (is_claimed(child->sa.lease))
        replace_elsewhere(*child);
    if (child->current)
        hand_over(*child, std::move(ready.install));
    children_.reschedule(*child);
    if (first)
        log_session_status(from.remote.address, from.remote.port, "UP  ", child->sa.peer_identity);
}

void Engine::Core::effect(const Session&, ChildAbandoned& abandoned) {
    if (children_.find(abandoned.inbound_sa) != nullptr)
        remove_child(abandoned.inbound_sa, Tell::No);
    else if (!abandoned.installed)
        spis_.release(abandoned.spi); // once installed it goes with its child, which is gone
}

void Engine::Core::effect(const Session& from, PeerDeleted& deleted) {
    for (const Spi spi : deleted.spis) {
        const Child* child = children_.find_outbound(from, spi);
        if (child == nullptr)
            continue;
        const Child gone = *child;
        remove_child(gone.sa.inbound_sa, Tell::No);
        if (gone.current)
            recall_twin(gone);
    }
}

/// The peer let go of the pair we preferred. If it kept another one of the flow, that stays, and a
/// fresh pair is made at once.
void Engine::Core::recall_twin(const Child& gone) {
    for (Child* twin : children_.with_peer(gone.sa.remote.address)) {
        if (!twin->retire_at || twin->sa.policy != gone.sa.policy ||
            twin->sa.connection != gone.sa.connection)
            continue;
        twin->retire_at.reset();
        twin->current = true;
        twin->recalled = true;
        return rekey(*twin);
    }
}

/// A peer that came back under another address finds its own old SA in the way. Asked (RFC 3706),
/// the dead one is gone before the living has asked often.
void Engine::Core::effect(const Session&, HolderDoubted& doubted) {
    for (const Child* child : children_.with_policy(doubted.policy))
        if (child->established) {
            PeerSilent question{child->sa.inbound_sa};
            return on(question);
        }
}

/// At most one SA pair of a flow is current. A rekey's result takes over; of two made at once by
/// both sides, both keep the same one.
void Engine::Core::replace_twin(Child& fresh) {
    for (Child* other : children_.with_peer(fresh.sa.remote.address)) {
        const bool twin = other != &fresh && other->current &&
                          other->sa.policy == fresh.sa.policy &&
                          other->sa.connection == fresh.sa.connection;
        if (!twin)
            continue;
        const bool other_stays = overtaken(fresh, *other) ||
                                 (collides(fresh, *other) && rank(other->sa) > rank(fresh.sa));
        retire(other_stays ? fresh : *other);
    }
}

/// A peer of a dynamic entry came back from another address: nobody is at the old one any more.
void Engine::Core::replace_elsewhere(const Child& fresh) {
    for (Child* other : children_.with_policy(fresh.sa.policy))
        if (other->established && other->sa.remote.address != fresh.sa.remote.address)
            remove_child(other->sa.inbound_sa, Tell::Yes);
}

void Engine::Core::retire(Child& child) {
    child.current = false;
    static_cast<void>(held_.take(child.sa.inbound_sa)); // overtaken: it never gets its turn
    child.retire_at = std::min(child.expires, now_ + overlap_of(child.sa));
    children_.reschedule(child);
}

void Engine::Core::remove_child(SaId inbound, Tell tell) {
    const Child child = children_.take(inbound);
    const ChildSa& sa = child.sa;
    static_cast<void>(held_.take(inbound));
    if (child.outbound_installed) {
        end_holds_of(sa);
        actions_.emplace_back(RemoveSaAction{sa.outbound_sa, sa.outbound_spi, false});
    }
    actions_.emplace_back(RemoveSaAction{sa.inbound_sa, sa.inbound_spi, true});
    spis_.release(sa.inbound_spi);
    if (tell == Tell::Yes)
        if (const Session* session = keeper_of(sa))
            queue(session->id, TellDeleted{{sa.inbound_spi}});
    if (child.established)
        after_last_pair(sa);
    if (child.established && !children_.any_established(sa.remote.address))
        log_session_status(sa.remote.address, sa.remote.port, "DOWN", sa.peer_identity);
}

void Engine::Core::remove_ended_policies() {
    for (const PolicyId policy : flows_.take_ended())
        actions_.emplace_back(RemovePolicyAction{policy});
}

void Engine::Core::tick_child(SaId inbound) {
    Child* child = children_.find(inbound);
    if (child == nullptr)
        return;
    if (child->expires <= now_ || (child->retire_at && *child->retire_at <= now_))
        return remove_child(inbound, Tell::Yes);
    if (child->current && child->rekey_at <= now_)
        rekey(*child);
}

void Engine::Core::rekey(Child& child) {
    // If this comes to nothing, again after a while, until the SA itself ends.
    child.rekey_at = now_ + kRekeyRetry;
    children_.reschedule(child);
    renew(child.sa);
}

void Engine::Core::log_session_status(Ipv4Address peer,
                                      std::uint16_t port,
                                      const char* status,
                                      const std::string& id) {
    LogRecord record{Severity::Notice, "CRYPTO", "SESSION_STATUS", {}, to_string(peer)};
    record.text = "Crypto tunnel is " + std::string{status} + ".  Peer " + to_string(peer) + ":" +
                  std::to_string(port) + "       Id: " + id;
    actions_.emplace_back(Log{std::move(record)});
}

} // namespace adit::ike
