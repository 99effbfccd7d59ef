// SPDX-License-Identifier: Apache-2.0
// Everything the stages of one worker share: tables, queues, counters, and the bursts that lie
// between two stages. A stage is `void stage(Burst&, WorkerContext&) noexcept`; stages know this
// file and nothing of each other.
//
// Threading: one worker.
#pragma once

#include "common/wire/ethernet.h"
#include "dataplane/burst.h"
#include "dataplane/egress_cache.h"
#include "dataplane/handover.h"
#include "dataplane/hold_queue.h"
#include "dataplane/icmp_errors.h"
#include "dataplane/mbuf_ring.h"
#include "dataplane/neighbor_table.h"
#include "dataplane/packet.h"
#include "dataplane/policy_table.h"
#include "dataplane/port_offloads.h"
#include "dataplane/reassembly.h"
#include "dataplane/stages/esp_context.h"
#include "dataplane/tables.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace adit::dataplane {

/// A port as a worker uses it. `out` collects frames for one transmit call.
struct WorkerPort {
    std::uint16_t dpdk_port;
    wire::MacAddress mac;
    PortOffloads offloads{};
    std::uint16_t tx_queue{0};
    std::optional<WorkerId> sender{}; // who transmits our frames when no queue is ours
    Burst out{};
};

/// What link_input asks of a port for every packet, close together.
struct PortFace {
    std::uint64_t mac_bits{0}; // MacAddress::bits()
    PortOffloads offloads{};
};

using PortFaces = std::array<PortFace, ipc::kMaxPorts>;

PortFaces faces_of(std::span<const WorkerPort> ports);

/// The queues between one worker and the housekeeper, named by what is in them.
struct HousekeeperQueues {
    // worker -> housekeeper
    MbufRing arp;        // data starts at the ARP packet
    MbufRing unresolved; // IPv4 packets whose next hop has no MAC address yet
    MbufRing punt;       // IKE: data starts at the ISAKMP header
    // housekeeper -> worker
    MbufRing inject; // IPv4 packets of ours that no policy may touch (IKE)
    MbufRing frames; // complete frames for meta.out_interface

    static Result<HousekeeperQueues> create(unsigned worker);
};

struct WorkerContext {
    EspContext esp;
    const Tables* tables; // of this turn
    const NeighborTable& neighbors;
    HousekeeperQueues& queues;
    ipc::PolicyStats* policy_stats; // max_policies cells of this worker
    std::vector<WorkerPort> ports;
    PortFaces faces; // of `ports`
    HoldQueue held;
    Reassembly reassembly;
    IcmpErrors icmp_errors;
    HandoverDesk handover{};
    std::uint16_t next_ip_id{0};
    NextHop next_hop{}; // forgotten at the start of each turn
    EgressCache egress{};

    // Between stages; each is emptied before the next burst is received.
    Burst local{};   // addressed to us
    Burst esp_in{};  // ESP for us; data starts at the ESP header
    Burst matched{}; // with many SAs: the policy is known, the SA on its way into the cache
    Burst protect{}; // to be encapsulated by meta.sa.outbound
    Burst made{};    // ours: ICMP; routed and protected like forwarded packets

    void drop(rte_mbuf* packet, DropReason reason) { esp.drops.drop(packet, reason); }

    /// Counts a hit only now: a held packet comes by its policy twice.
    void drop_for_want_of_sa(rte_mbuf* packet, std::uint32_t policy) {
        ipc::add(policy_stats[policy].hits, 1);
        ipc::add(policy_stats[policy].send_drops, 1);
        drop(packet, DropReason::NoSa);
    }

    /// Lets `to` go on with `packet`. Order is kept among packets for the same worker.
    void hand_over(rte_mbuf* packet, WorkerId to, Handover want);
    /// To the owner of meta.policy's SA, behind the packets that waited for it here.
    void hand_over_matched(rte_mbuf* packet, WorkerId owner);
    /// Packets that waited here while their SA came to another worker.
    void hand_over_held();
    void flush_handovers();

    /// Sends `packet`, which we made, at the end of the turn.
    void originate(rte_mbuf* packet);
    /// Answers the sender of `about` unless it must not be answered; `about` stays the caller's.
    void send_icmp_error(rte_mbuf* about, const IcmpError& error);
    /// Tells control about a packet that is going to be dropped, within the limit.
    void notice(rte_mbuf* packet, DropReason reason);
};

inline Flow flow_of(rte_mbuf* packet) {
    const PacketMeta& m = meta(packet);
    return {m.source,
            m.destination,
            m.source_port,
            m.destination_port,
            m.protocol,
            (m.flags & kFragment) == 0};
}

ipc::FlowRecord flow_record_of(rte_mbuf* packet);

} // namespace adit::dataplane
