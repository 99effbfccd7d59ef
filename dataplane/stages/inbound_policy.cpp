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

void inbound_policy(Burst& burst, WorkerContext& context) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.count; ++i) {
        rte_mbuf* packet = burst.packets[i];
        const PolicyTable& policies = context.tables->policies[meta(packet).in_interface];
        if (!policies.empty()) {
            const PolicyMatch match = policies.match(flow_of(packet).mirrored());
            if (match.action == ipc::PolicyAction::Protect &&
                !carries_protection(packet, *context.tables)) {
                meta(packet).policy = match.policy.value;
                ipc::add(context.policy_stats[match.policy.value].cleartext_drops, 1);
                context.notice(packet, DropReason::PolicyCleartext);
                context.drop(packet, DropReason::PolicyCleartext);
                continue;
            }
        }
        burst.packets[kept++] = packet;
    }
    burst.count = kept;
}

} // namespace adit::dataplane
