// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker_context.h"

#include <string>

namespace adit::dataplane {

namespace {

// What may lie between the two threads for the milliseconds that the housekeeper may sleep.
constexpr unsigned kArpSlots = 256;
constexpr unsigned kUnresolvedSlots = 512;
constexpr unsigned kPuntSlots = 512;
constexpr unsigned kInjectSlots = 512;
constexpr unsigned kFrameSlots = 1024;

/// RFC 1812 4.3.2.4: an error comes from the address of the interface that the packet came in by. A
/// packet out of a tunnel came in by the outer link, whose address means nothing inside: the link
/// that it was going to leave by stands on the same side of the tunnel as its destination.
std::uint32_t error_source(const Tables& tables, rte_mbuf* about) {
    const PacketMeta& m = meta(about);
    if ((m.flags & kFromSa) != 0) {
        const Route& route = tables.routes.lookup(m.destination);
        if (route.interface == kTunnelInterface)
            return tables.tunnels[route.gateway].address;
        if (route.kind != RouteKind::None)
            return tables.interfaces[route.interface].address;
    }
    return m.in_interface < tables.interfaces.size() ? tables.interfaces[m.in_interface].address
                                                     : 0;
}

/// Tables::version counts from 1: the policy is to be matched again.
constexpr std::uint64_t kNotMatched = 0;

void hand_over_for_protection(rte_mbuf* packet,
                              WorkerId owner,
                              std::uint64_t tables_version,
                              WorkerContext& context) {
    PacketMeta& m = meta(packet);
    // Its SA has moved on while it was on its way: once is enough, or it could follow forever.
    if (m.handover >= Handover::Protect) {
        context.drop_for_want_of_sa(packet, m.policy);
        return;
    }
    m.sa.tables_version = tables_version;
    context.hand_over(packet, owner, Handover::Protect);
}

/// All packets of a policy go by one look at its owner: a claim that came between two looks would
/// let the second packet overtake the first.
void hand_over_held_of(std::uint32_t policy, WorkerId owner, WorkerContext& context) {
    Burst waited;
    context.held.release(policy, waited);
    for (unsigned i = 0; i < waited.count; ++i)
        hand_over_for_protection(waited.packets[i], owner, kNotMatched, context);
}

void flush_handovers_to(WorkerId to, WorkerContext& context) {
    for (rte_mbuf* packet : context.handover.flush(to)) {
        if (meta(packet).handover == Handover::Protect) {
            ipc::PolicyStats& policy = context.policy_stats[meta(packet).policy];
            ipc::add(policy.hits, 1);
            ipc::add(policy.send_drops, 1);
        }
        context.drop(packet, DropReason::HandoverFull);
    }
}

} // namespace

PortFaces faces_of(std::span<const WorkerPort> ports) {
    PortFaces faces{};
    for (std::size_t i = 0; i < ports.size(); ++i)
        faces[i] = {ports[i].mac.bits(), ports[i].offloads};
    return faces;
}

Result<HousekeeperQueues> HousekeeperQueues::create(unsigned worker) {
    const std::string prefix = "w" + std::to_string(worker) + "_";
    return HousekeeperQueues{TRY(MbufRing::create(prefix + "arp", kArpSlots)),
                             TRY(MbufRing::create(prefix + "unresolved", kUnresolvedSlots)),
                             TRY(MbufRing::create(prefix + "punt", kPuntSlots)),
                             TRY(MbufRing::create(prefix + "inject", kInjectSlots)),
                             TRY(MbufRing::create(prefix + "frames", kFrameSlots))};
}

void WorkerContext::hand_over(rte_mbuf* packet, WorkerId to, Handover want) {
    if (handover.add(packet, to, want))
        flush_handovers_to(to, *this);
}

void WorkerContext::hand_over_matched(rte_mbuf* packet, WorkerId owner) {
    if (held.size() > 0)
        hand_over_held_of(meta(packet).policy, owner, *this);
    hand_over_for_protection(packet, owner, tables->version, *this);
}

void WorkerContext::hand_over_held() {
    std::optional<WorkerId> owner;
    const auto has_owner = [&](std::uint32_t policy) {
        owner = handover.other_owner(policy);
        return owner.has_value();
    };
    while (const auto policy = held.find_policy(has_owner))
        hand_over_held_of(*policy, *owner, *this);
}

void WorkerContext::flush_handovers() {
    for (std::uint8_t to = 0; to < handover.workers(); ++to)
        if (handover.pending(WorkerId{to}))
            flush_handovers_to(WorkerId{to}, *this);
}

void WorkerContext::originate(rte_mbuf* packet) {
    if (made.full())
        drop(packet, DropReason::NoBuffer);
    else
        made.push(packet);
}

void WorkerContext::send_icmp_error(rte_mbuf* about, const IcmpError& error) {
    if (tables->is_own_address(meta(about).source))
        return;
    rte_mbuf* answer = icmp_errors.make(about, error, error_source(*tables, about), esp.now_ns);
    if (answer != nullptr)
        originate(answer);
}

void WorkerContext::notice(rte_mbuf* packet, DropReason reason) {
    ipc::EventRecord event{};
    if (!esp.notices.admit(reason, esp.now_ns, event.packet_notice.more))
        return;
    event.packet_notice.header.type = static_cast<std::uint16_t>(ipc::EventType::PacketNotice);
    event.packet_notice.reason = static_cast<std::uint8_t>(reason);
    event.packet_notice.policy = meta(packet).policy;
    event.packet_notice.flow = flow_record_of(packet);
    esp.events.push(event);
}

ipc::FlowRecord flow_record_of(rte_mbuf* packet) {
    const PacketMeta& m = meta(packet);
    return {m.source, m.destination, m.source_port, m.destination_port, m.protocol, {}};
}

} // namespace adit::dataplane
