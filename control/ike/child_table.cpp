// SPDX-License-Identifier: Apache-2.0
#include "control/ike/child_table.h"

#include <algorithm>

namespace adit::ike {

namespace {

Instant deadline_of(const Child& child) {
    Instant due = child.expires;
    if (child.current)
        due = std::min(due, child.rekey_at);
    if (child.retire_at)
        due = std::min(due, *child.retire_at);
    return due;
}

template <class Index, class Key> void forget(Index& index, const Key& key, SaId id) {
    const auto [from, to] = index.equal_range(key);
    const auto entry = std::find_if(from, to, [&](const auto& e) { return e.second == id; });
    ENSURE(entry != to);
    index.erase(entry);
}

} // namespace

Child& ChildTable::insert(Child child) {
    ENSURE(child.sa.outbound_sa.value == child.sa.inbound_sa.value + 1);
    const SaId id = child.sa.inbound_sa;
    const Instant due = deadline_of(child);
    by_peer_.emplace(child.sa.remote.address, id);
    by_policy_.emplace(child.sa.policy, id);
    by_deadline_.emplace(due, id);
    touch(child);
    return children_.emplace(id, Entry{std::move(child), due}).first->second.child;
}

Child* ChildTable::find(SaId sa) {
    auto found = children_.find(sa);
    if (found == children_.end())
        found = children_.find(SaId{sa.value - 1});
    const bool is_it = found != children_.end() && (found->second.child.sa.inbound_sa == sa ||
                                                    found->second.child.sa.outbound_sa == sa);
    return is_it ? &found->second.child : nullptr;
}

Child* ChildTable::find_outbound(const Session& peer, Spi outbound_spi) {
    for (Child* child : with_peer(peer.remote.address))
        if (child->sa.outbound_spi == outbound_spi && is_with(child->sa, peer))
            return child;
    return nullptr;
}

std::vector<Child*> ChildTable::with_peer(Ipv4Address peer) {
    std::vector<Child*> children;
    auto [from, to] = by_peer_.equal_range(peer);
    for (auto entry = from; entry != to; ++entry)
        children.push_back(&children_.at(entry->second).child);
    return children;
}

std::vector<Child*> ChildTable::with_policy(PolicyId policy) {
    std::vector<Child*> children;
    auto [from, to] = by_policy_.equal_range(policy);
    for (auto entry = from; entry != to; ++entry)
        children.push_back(&children_.at(entry->second).child);
    return children;
}

bool ChildTable::any_established(Ipv4Address peer) {
    return std::ranges::any_of(with_peer(peer), &Child::established);
}

Child* ChildTable::current(Ipv4Address peer, const std::string& connection, PolicyId policy) {
    for (Child* child : with_peer(peer))
        if (child->current && child->sa.policy == policy && child->sa.connection == connection)
            return child;
    return nullptr;
}

Child ChildTable::take(SaId inbound) {
    const auto found = children_.find(inbound);
    ENSURE(found != children_.end());
    Child child = std::move(found->second.child);
    by_deadline_.erase({found->second.deadline, inbound});
    children_.erase(found);
    forget(by_peer_, child.sa.remote.address, inbound);
    forget(by_policy_, child.sa.policy, inbound);
    touch(child);
    return child;
}

void ChildTable::reschedule(Child& child) {
    Entry& entry = children_.at(child.sa.inbound_sa);
    by_deadline_.erase({entry.deadline, child.sa.inbound_sa});
    entry.deadline = deadline_of(child);
    by_deadline_.emplace(entry.deadline, child.sa.inbound_sa);
    touch(child);
}

void ChildTable::touch(const Child& child) {
    if (watched_)
        changed_.insert(child.sa.inbound_sa);
}

std::vector<SaId> ChildTable::due(Instant now) const {
    std::vector<SaId> ids;
    for (const auto& [due, id] : by_deadline_) {
        if (due > now)
            break;
        ids.push_back(id);
    }
    return ids;
}

std::optional<Instant> ChildTable::next_deadline() const {
    if (by_deadline_.empty())
        return std::nullopt;
    return by_deadline_.begin()->first;
}

std::vector<SaId> ChildTable::ids() const {
    std::vector<SaId> ids;
    for (const auto& [id, entry] : children_)
        ids.push_back(id);
    return ids;
}

} // namespace adit::ike
