// SPDX-License-Identifier: Apache-2.0
// From one pair of SAs to the next without losing a packet: who sends by the new one, and when.
#include "control/ike/engine_core.h"

#include <algorithm>
#include <utility>

namespace adit::ike {

namespace {

bool same_flow(const ChildSa& left, const ChildSa& right) {
    return left.policy == right.policy && left.connection == right.connection;
}

/// When the volume of the old pair is nearly spent it would not last for long: half of what is left
/// at the rate so far, of which nine tenths are used.
Duration longest_hold(const Child& old, Instant now) {
    return old.volume_spent ? std::min(kLongestHold, (now - old.established_at) / 18)
                            : kLongestHold;
}

} // namespace

/// The pair that packets of this one's flow leave by until it takes over.
Child* Engine::Core::predecessor_of(const Child& fresh) {
    for (Child* other : children_.with_peer(fresh.sa.remote.address))
        if (other != &fresh && other->outbound_installed && !other->astray &&
            same_flow(other->sa, fresh.sa))
            return other;
    return nullptr;
}

/// The responder of a quick mode knows that its peer listens; the initiator can only hope so.
void Engine::Core::hand_over(Child& fresh, InstallSaAction install) {
    const Child* old = fresh.sa.role == Role::Initiator ? predecessor_of(fresh) : nullptr;
    if (old == nullptr)
        return send_by(fresh, std::move(install));
    held_.hold(fresh.sa.inbound_sa, std::move(install), now_ + longest_hold(*old, now_));
}

void Engine::Core::send_by(Child& child, InstallSaAction install) {
    if (child.sa.lease != nullptr && !std::exchange(child.sa.lease->added, true))
        actions_.emplace_back(
            AddPolicyAction{child.sa.policy, child.sa.connection, child.sa.selector});
    child.outbound_installed = true;
    children_.touch(child);
    if (child.sa.udp_encapsulated)
        install.remote = child.sa.remote; // which may have moved since message 2
    actions_.emplace_back(std::move(install));
}

void Engine::Core::end_hold(SaId inbound) {
    auto install = held_.take(inbound);
    Child* child = children_.find(inbound);
    if (install && child != nullptr)
        send_by(*child, std::move(*install));
}

/// A pair that others wait for has gone: the hope has to do.
void Engine::Core::end_holds_of(const ChildSa& gone) {
    for (const Child* other : children_.with_peer(gone.remote.address))
        if (same_flow(other->sa, gone) && held_.holds(other->sa.inbound_sa))
            end_hold(other->sa.inbound_sa);
}

void Engine::Core::on(PeerUses& event) {
    end_hold(event.sa);
}

} // namespace adit::ike
