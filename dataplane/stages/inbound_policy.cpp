// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/inbound_policy.h"

#include "common/wire/udp.h"

namespace adit::dataplane {

namespace {

/// A later fragment of UDP shows no port; local delivery judges the datagram when it is whole.
bool carries_protection(rte_mbuf* packet, const Tables& tables) {
    const PacketMeta& m = meta(packet);
    const bool ike = m.protocol == wire::kProtocolUdp &&
                     ((m.flags & kFragment) != 0 || m.destination_port == wire::kIkePort ||
                      m.destination_port == wire::kNatTraversalPort);
    return (ike || m.protocol == wire::kProtocolEsp) && tables.is_own_address(m.destination);
}

} // namespace

bool passes_inbound_policy(rte_mbuf* packet, WorkerContext& context) noexcept {
    if (carries_protection(packet, *context.tables))
        return true;
    PacketMeta& m = meta(packet);
    const PolicyTable& policies = context.tables->policies[m.in_interface];
    const PolicyMatch match = policies.match(flow_of(packet).mirrored());
    if (match.action == ipc::PolicyAction::Bypass)
        return true;
    m.policy = match.policy.value;
    ipc::add(context.policy_stats[match.policy.value].cleartext_drops, 1);
    context.notice(packet, DropReason::PolicyCleartext);
    context.drop(packet, DropReason::PolicyCleartext);
    return false;
}

} // namespace adit::dataplane
