// SPDX-License-Identifier: Apache-2.0
#include "control/ike/engine_core.h"
#include "control/ike/memory.h"

#include <algorithm>
#include <utility>

namespace adit::ike {

namespace {

JournalEntry gone(MemoryKind kind, std::uint64_t number, std::uint32_t part = 0) {
    return {memory_key(kind, number, part), {}};
}

} // namespace

// --- keeping ------------------------------------------------------------------------------------

void Engine::Core::keep_memory() {
    sessions_.watch_changes();
    children_.watch_changes();
    held_.watch_changes();
}

std::vector<JournalEntry> Engine::Core::take_memory(const Actions& actions) {
    std::vector<JournalEntry> entries;
    for (const SessionId id : sessions_.take_changed())
        remember_session(id, entries);
    for (const SaId id : children_.take_changed())
        remember_child(id, entries);
    for (const SaId inbound : held_.take_changed())
        remember_held(inbound, entries);
    remember_installs(actions, entries);
    remember_numbers(entries);
    return entries;
}

std::vector<JournalEntry> Engine::Core::whole_memory() {
    remembered_.clear();
    remembered_numbers_ = 0;
    (void)sessions_.take_changed();
    (void)children_.take_changed();
    (void)held_.take_changed();
    std::vector<JournalEntry> entries;
    for (const SessionId id : sessions_.ids())
        remember_session(id, entries);
    for (const SaId id : children_.ids())
        remember_child(id, entries);
    for (const SaId inbound : held_.inbound())
        remember_held(inbound, entries);
    for (const auto& [id, octets] : unanswered_)
        entries.push_back({memory_key(MemoryKind::Install, id.value), octets.clone()});
    remember_numbers(entries);
    return entries;
}

void Engine::Core::remember_session(SessionId id, std::vector<JournalEntry>& entries) {
    const Session* session = sessions_.find(id);
    if (session == nullptr || !is_lasting(*session))
        return forget_session(id, entries);
    entries.push_back(remember(*session, now_));
    remember_quick_modes(*session, entries);
}

/// Each state once: what else changes in one (how often a message was sent) may be forgotten.
void Engine::Core::remember_quick_modes(const Session& session,
                                        std::vector<JournalEntry>& entries) {
    std::map<MessageId, State>& known = remembered_[session.id];
    const auto still_there = [&](MessageId id) {
        return std::ranges::any_of(session.quick_modes,
                                   [&](const auto& quick) { return quick->id == id; });
    };
    std::erase_if(known, [&](const auto& entry) {
        if (still_there(entry.first))
            return false;
        entries.push_back(gone(MemoryKind::QuickMode, session.id.value, entry.first.value));
        return true;
    });
    for (const auto& quick : session.quick_modes) {
        const auto before = known.find(quick->id);
        if (!is_lasting(*quick) || (before != known.end() && before->second == quick->leg.state))
            continue;
        known[quick->id] = quick->leg.state;
        entries.push_back(remember(session.id, *quick));
    }
}

void Engine::Core::forget_session(SessionId id, std::vector<JournalEntry>& entries) {
    const auto known = remembered_.find(id);
    if (known == remembered_.end())
        return;
    entries.push_back(gone(MemoryKind::Session, id.value));
    for (const auto& [message_id, state] : known->second)
        entries.push_back(gone(MemoryKind::QuickMode, id.value, message_id.value));
    remembered_.erase(known);
}

void Engine::Core::remember_child(SaId id, std::vector<JournalEntry>& entries) {
    const Child* child = children_.find(id);
    entries.push_back(child == nullptr ? gone(MemoryKind::Child, id.value) : remember(*child));
}

void Engine::Core::remember_held(SaId inbound, std::vector<JournalEntry>& entries) {
    const HeldOutbound::Held* held = held_.find(inbound);
    entries.push_back(held == nullptr ? gone(MemoryKind::Held, inbound.value)
                                      : remember(inbound, *held));
}

/// Keys of an SA are in no other record once its quick mode is done: until the dataplane has
/// answered, the next process may have to ask again.
void Engine::Core::remember_installs(const Actions& actions, std::vector<JournalEntry>& entries) {
    for (const Action& action : actions)
        if (const auto* install = std::get_if<InstallSaAction>(&action)) {
            entries.push_back(remember(*install));
            unanswered_[install->sa] = entries.back().octets.clone();
        }
    for (const SaId id : std::exchange(answered_, {}))
        if (unanswered_.erase(id) > 0)
            entries.push_back(gone(MemoryKind::Install, id.value));
}

void Engine::Core::remember_numbers(std::vector<JournalEntry>& entries) {
    const std::uint32_t now = ids_.next_sa_id + ids_.next_conn_id;
    if (std::exchange(remembered_numbers_, now) == now)
        return;
    entries.push_back(remember(
        Numbers{next_session_, ids_.next_conn_id, ids_.next_sa_id, cookie_secret_.clone()}));
}

// --- going on -----------------------------------------------------------------------------------

Result<Engine::Resumed> Engine::Core::resume(const std::vector<JournalEntry>& entries,
                                             Instant now) {
    now_ = now;
    ENSURE(sessions_.ids().empty() && children_.ids().empty());
    Recollection all = TRY(recollect(entries, pools_, flows_));
    (void)flows_.take_ended(); // of what did not fit together; no table will have their policies
    Resumed resumed;
    resumed.sessions = all.sessions.size();
    if (all.numbers) {
        next_session_ = std::max(next_session_, all.numbers->next_session);
        ids_.next_conn_id = std::max(ids_.next_conn_id, all.numbers->next_conn_id);
        ids_.next_sa_id = std::max(ids_.next_sa_id, all.numbers->next_sa_id);
        if (all.numbers->cookie_secret.size() == cookie_secret_.size())
            cookie_secret_ = std::move(all.numbers->cookie_secret);
    }
    for (Child& child : all.children) {
        resumed.spis.emplace_back(child.sa.inbound_spi, child.sa.policy);
        resumed.installed.push_back(child.sa.inbound_sa);
        if (child.outbound_installed)
            resumed.installed.push_back(child.sa.outbound_sa);
        note_policies(child.sa.lease, resumed);
        children_.insert(std::move(child));
    }
    for (HeldOutbound::Held& held : all.held) {
        const Child* child = children_.find(held.install.sa);
        if (child != nullptr && !child->outbound_installed)
            held_.hold(child->sa.inbound_sa, std::move(held.install), held.until);
    }
    for (InstallSaAction& install : all.installs) {
        unanswered_[install.sa] = remember(install).octets;
        const SaId id = install.sa;
        resumed.unanswered.emplace(id, std::move(install));
    }
    for (auto& [id, session] : all.sessions) {
        for (const auto& quick : session.quick_modes) {
            note_policies(quick->lease, resumed);
            if (!quick->inbound_installed && quick->leg.state != State::QmDone)
                resumed.spis.emplace_back(quick->inbound_spi, quick->policy);
        }
        next_session_ = std::max(next_session_, id.value + 1);
        take_in(std::move(session));
    }
    return resumed;
}

/// A rekey that had not come to its end died with the process: it begins again. One that had left
/// the old ISAKMP SA little time.
void Engine::Core::take_in(Session session) {
    if (session.rekey_started && session.secured()->expires > now_ + kReplacedLinger)
        session.rekey_started = false;
    sessions_.insert(std::move(session));
}

void Engine::Core::note_policies(const FlowLease& lease, Resumed& resumed) {
    if (lease != nullptr && resumed.policy_numbers.insert(lease->policy).second && lease->added)
        resumed.policies.push_back({lease->policy, lease->connection, lease->selector});
}

} // namespace adit::ike
