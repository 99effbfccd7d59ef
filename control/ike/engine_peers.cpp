// SPDX-License-Identifier: Apache-2.0
// Which of an entry's peers a tunnel begins with. One that does not answer gives its turn to the
// next of the list, which keeps it; an entry with a default peer comes back to that one whenever a
// tunnel begins anew.
#include "control/ike/engine_core.h"

#include <algorithm>

namespace adit::ike {

Ipv4Address Engine::Core::peer_in_turn(const Connection& connection) const {
    const auto known = turns_.find(connection.name);
    const bool listed =
        known != turns_.end() &&
        std::ranges::find(connection.peers, known->second) != connection.peers.end();
    return listed ? known->second : connection.peers.front();
}

/// Nothing when it was the last of the list: the first has the next turn, when traffic asks again.
std::optional<Ipv4Address> Engine::Core::pass_turn(const Connection& connection,
                                                   Ipv4Address failed) {
    auto next = std::ranges::find(connection.peers, failed);
    if (connection.peers.size() < 2 || next == connection.peers.end())
        return std::nullopt;
    const Ipv4Address holder = peer_in_turn(connection);
    if (holder != failed) // passed on already, for another flow
        return holder == connection.peers.front() ? std::nullopt : std::optional{holder};
    const bool last = ++next == connection.peers.end();
    const Ipv4Address peer = last ? connection.peers.front() : *next;
    turns_[connection.name] = peer;
    LogRecord record{Severity::Notice, "CRYPTO", "PEER_SWITCH", {}, to_string(failed)};
    record.text = connection.name + ": peer " + to_string(failed) +
                  " does not answer, the turn is that of " + to_string(peer);
    actions_.emplace_back(Log{std::move(record)});
    return last ? std::nullopt : std::optional{peer};
}

/// The flows of a dead peer begin with the next one when traffic asks for them.
void Engine::Core::pass_turns_of(Ipv4Address dead) {
    for (const Connection* connection : connections_with(*config_, dead))
        if (!connection->dynamic)
            static_cast<void>(pass_turn(*connection, dead));
}

/// No pair of the entry is left: what begins next is with the first peer again. An ISAKMP SA with
/// another one that serves nothing any more would be in its way.
void Engine::Core::return_to_first(const Connection& connection) {
    turns_.erase(connection.name);
    for (const Ipv4Address peer : connection.peers) {
        if (peer == connection.peers.front() || !children_.with_peer(peer).empty())
            continue;
        for (const Session* session : sessions_.with_peer(peer))
            if (session->local.address == connection.local)
                close(session->id);
    }
}

bool Engine::Core::has_pairs(const Connection& connection) {
    return std::ranges::any_of(connection.peers, [&](Ipv4Address peer) {
        return std::ranges::any_of(children_.with_peer(peer), [&](const Child* child) {
            return child->sa.connection == connection.name;
        });
    });
}

void Engine::Core::after_last_pair(const ChildSa& gone) {
    const Connection* connection = find_connection(*config_, gone.connection);
    if (connection != nullptr && connection->prefers_first && !has_pairs(*connection))
        return_to_first(*connection);
}

void Engine::Core::on(PairIdle& event) {
    const Child* child = children_.find(event.sa);
    if (child == nullptr)
        return;
    const ChildSa sa = child->sa;
    remove_child(sa.inbound_sa, Tell::Yes);
    const Connection* connection = find_connection(*config_, sa.connection);
    if (connection != nullptr && connection->idle_to_first && !has_pairs(*connection))
        return_to_first(*connection);
}

} // namespace adit::ike
