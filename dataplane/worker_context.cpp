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
        if (route.kind != RouteKind::None)
            return tables.interfaces[route.interface].address;
    }
    return m.in_interface < tables.interfaces.size() ? tables.interfaces[m.in_interface].address
                                                     : 0;
}

} // namespace

Result<HousekeeperQueues> HousekeeperQueues::create(unsigned worker) {
    const std::string prefix = "w" + std::to_string(worker) + "_";
    return HousekeeperQueues{TRY(MbufRing::create(prefix + "arp", kArpSlots)),
                             TRY(MbufRing::create(prefix + "unresolved", kUnresolvedSlots)),
                             TRY(MbufRing::create(prefix + "punt", kPuntSlots)),
                             TRY(MbufRing::create(prefix + "inject", kInjectSlots)),
                             TRY(MbufRing::create(prefix + "frames", kFrameSlots))};
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
