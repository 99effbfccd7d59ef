// SPDX-License-Identifier: Apache-2.0
#include "control/ike/session_table.h"

#include <algorithm>

namespace adit::ike {

namespace {

template <class Map, class Key> void erase_from(Map& map, const Key& key, SessionId id) {
    auto [from, to] = map.equal_range(key);
    for (auto entry = from; entry != to; ++entry)
        if (entry->second == id) {
            map.erase(entry);
            return;
        }
}

/// The jobs a session waits for; none has the number 0.
template <class Visit> void for_each_job(const Session& session, const Visit& visit) {
    if (session.leg.job.value != 0)
        visit(session.leg.job);
    for (const auto& quick : session.quick_modes)
        if (quick->leg.job.value != 0)
            visit(quick->leg.job);
    for (const auto& transaction : session.transactions)
        if (transaction->leg.job.value != 0)
            visit(transaction->leg.job);
}

bool cookies_fit(const Session& session, const Header& header, Digest digest) {
    if (session.cookies.responder == header.cookies.responder)
        return true;
    // Our first message is out and the peer's cookie unknown: any will do.
    if (session.leg.state == State::InitiatorMm1 || session.leg.state == State::InitiatorAm1)
        return true;
    // A refusal of our first message may leave its cookie out.
    const bool first = header.cookies.responder.value == 0;
    return first && session.role == Role::Responder &&
           std::ranges::find(session.leg.answered, digest) != session.leg.answered.end();
}

bool cookies_fit(const HalfOpen& waiting, const Header& header, Digest digest) {
    const Cookie responder = header.cookies.responder;
    return waiting.cookies().responder == responder ||
           (responder.value == 0 && waiting.answered() == digest);
}

} // namespace

bool is_half_open(const Session& session) {
    return session.role == Role::Responder && session.secured() == nullptr;
}

bool is_unanswered(const Session& session) {
    return session.leg.state == State::ResponderMm2 || session.leg.state == State::ResponderAm2;
}

std::optional<SessionTable::Glimpse>
SessionTable::find(const Header& header, Endpoint local, Endpoint remote, Digest digest) const {
    auto [from, to] = by_cookie_.equal_range({header.cookies.initiator, remote.address});
    for (auto entry = from; entry != to; ++entry) {
        const SessionId id = entry->second;
        if (const HalfOpen* waiting = find_waiting(id)) {
            if (waiting->local().address == local.address && cookies_fit(*waiting, header, digest))
                return Glimpse{id, State::ResponderMm2, false};
            continue;
        }
        const Session& session = sessions_.at(id).session;
        if (session.local.address == local.address && cookies_fit(session, header, digest))
            return Glimpse{id, session.leg.state, session.secured() != nullptr};
    }
    return std::nullopt;
}

const HalfOpen* SessionTable::find_waiting(SessionId id) const {
    for (const Waiting& waiting : waiting_)
        if (const auto found = waiting.find(id); found != waiting.end())
            return &found->second;
    return nullptr;
}

bool SessionTable::contains(SessionId id) const {
    return sessions_.contains(id) || find_waiting(id) != nullptr;
}

Session* SessionTable::find(SessionId id) {
    const auto entry = sessions_.find(id);
    return entry == sessions_.end() ? nullptr : &entry->second.session;
}

Session* SessionTable::find_job(JobId job) {
    const auto entry = by_job_.find(job);
    return entry == by_job_.end() ? nullptr : find(entry->second);
}

Session* SessionTable::find_cookies(CookiePair cookies, Ipv4Address peer) {
    auto [from, to] = by_cookie_.equal_range({cookies.initiator, peer});
    for (auto entry = from; entry != to; ++entry)
        if (Session* session = find(entry->second);
            session != nullptr && session->cookies == cookies)
            return session;
    return nullptr;
}

std::vector<Session*> SessionTable::with_peer(Ipv4Address peer) {
    std::vector<Session*> sessions;
    for (auto entry = by_peer_.lower_bound({peer, SessionId{}});
         entry != by_peer_.end() && entry->first == peer;
         ++entry)
        sessions.push_back(find(entry->second));
    return sessions;
}

void SessionTable::insert(Session session) {
    const SessionId id = session.id;
    if (watched_ && session.secured() != nullptr)
        changed_.insert(id);
    const Ipv4Address peer = session.remote.address;
    by_cookie_.emplace(std::pair{session.cookies.initiator, peer}, id);
    if (HalfOpen::fits(session)) {
        Waiting& waiting = waiting_[side(session.configured)];
        ENSURE(waiting.try_emplace(id, std::move(session)).second);
        return;
    }
    by_peer_.emplace(peer, id);
    for_each_job(session, [&](JobId job) { by_job_.emplace(job, id); });
    const auto due = deadline(session);
    if (due)
        by_deadline_.emplace(*due, id);
    half_open_ += static_cast<std::size_t>(is_half_open(session));
    first_jobs_ += static_cast<std::size_t>(session.leg.state == State::ResponderAm1Dh);
    if (is_unanswered(session))
        unanswered_[side(session.configured)].insert(id);
    const bool fresh = sessions_.emplace(id, Entry{std::move(session), due}).second;
    ENSURE(fresh);
}

Session SessionTable::take(SessionId id) {
    for (Waiting& waiting : waiting_)
        if (const auto found = waiting.find(id); found != waiting.end()) {
            Session session = found->second.session(id);
            waiting.erase(found);
            erase_from(
                by_cookie_, std::pair{session.cookies.initiator, session.remote.address}, id);
            return session;
        }
    const auto found = sessions_.find(id);
    ENSURE(found != sessions_.end());
    Entry entry = std::move(found->second);
    if (watched_ && entry.session.secured() != nullptr)
        changed_.insert(id);
    sessions_.erase(found);
    const Ipv4Address peer = entry.session.remote.address;
    erase_from(by_cookie_, std::pair{entry.session.cookies.initiator, peer}, id);
    by_peer_.erase({peer, id});
    for_each_job(entry.session, [&](JobId job) { by_job_.erase(job); });
    if (entry.deadline)
        by_deadline_.erase({*entry.deadline, id});
    half_open_ -= static_cast<std::size_t>(is_half_open(entry.session));
    first_jobs_ -= static_cast<std::size_t>(entry.session.leg.state == State::ResponderAm1Dh);
    if (is_unanswered(entry.session))
        unanswered_[side(entry.session.configured)].erase(id);
    return std::move(entry.session);
}

SessionId SessionTable::oldest_unanswered(bool configured) const {
    const Waiting& waiting = waiting_[side(configured)];
    const std::set<SessionId>& others = unanswered_[side(configured)];
    if (waiting.empty() || others.empty())
        return waiting.empty() ? *others.begin() : waiting.begin()->first;
    return std::min(waiting.begin()->first, *others.begin());
}

std::vector<SessionId> SessionTable::due(Instant now) const {
    std::vector<SessionId> ids;
    for (const auto& [due, id] : by_deadline_) {
        if (due > now)
            break;
        ids.push_back(id);
    }
    for (const Waiting& waiting : waiting_)
        for (const auto& [id, small] : waiting) {
            if (small.due() > now)
                break;
            ids.push_back(id);
        }
    return ids;
}

std::optional<Instant> SessionTable::next_deadline() const {
    std::optional<Instant> next;
    if (!by_deadline_.empty())
        next = by_deadline_.begin()->first;
    for (const Waiting& waiting : waiting_)
        if (!waiting.empty() && (!next || waiting.begin()->second.due() < *next))
            next = waiting.begin()->second.due();
    return next;
}

std::vector<SessionId> SessionTable::ids() const {
    std::vector<SessionId> ids;
    ids.reserve(sessions_.size() + waiting_[0].size() + waiting_[1].size());
    for (const auto& [id, entry] : sessions_)
        ids.push_back(id);
    for (const Waiting& waiting : waiting_)
        for (const auto& [id, small] : waiting)
            ids.push_back(id);
    return ids;
}

} // namespace adit::ike
