// SPDX-License-Identifier: Apache-2.0
// How packets go through stages. Most stages look at one packet at a time: a *step*,
//
//     bool step(Passing& passing, WorkerContext& context) noexcept
//     bool step(rte_mbuf* packet, WorkerContext& context) noexcept
//
// True: the packet goes on. False: it has left by one of the exits that the step's header lists.
// Neighbouring steps run packet by packet in one loop:
//
//     pass<link_input, route, forward>(burst, context);
//
// What one step finds out the next has in a register, by way of Passing: a core that must read back
// what it has just written waits, and has fewer packets under way meanwhile. So steps are inline
// and hold the way of an ordinary packet only; what is rare stands in the .cpp file of the same
// name. Cryptography wants company: the ESP stages take whole bursts.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/packet.h"

#include <concepts>
#include <cstdint>

namespace adit::dataplane {

struct WorkerContext;

/// A packet between two steps of a pass. The fields repeat what mbuf and metadata say, which is
/// always written too.
struct Passing {
    explicit Passing(rte_mbuf* from) : packet(from) { reload(); }

    /// After somebody else has changed the packet.
    void reload() {
        const PacketMeta& m = meta(packet);
        at = data(packet);
        bytes = rte_pktmbuf_pkt_len(packet);
        source = m.source;
        destination = m.destination;
        next_hop = m.next_hop;
        out_interface = m.out_interface;
    }

    rte_mbuf* packet;
    std::uint8_t* at; // data
    std::uint32_t bytes;
    std::uint32_t source, destination;
    std::uint32_t next_hop;
    std::uint16_t out_interface;
};

template <auto kStep>
[[gnu::always_inline]] inline bool take_step(Passing& passing, WorkerContext& context) noexcept {
    if constexpr (std::invocable<decltype(kStep), Passing&, WorkerContext&>) {
        return kStep(passing, context);
    } else {
        const bool goes_on = kStep(passing.packet, context);
        if (goes_on)
            passing.reload();
        return goes_on;
    }
}

/// Runs every packet through the steps in turn, until one takes it. What goes on stays in `burst`,
/// in order.
template <auto... kSteps> void pass(Burst& burst, WorkerContext& context) noexcept {
    const unsigned count = burst.count;
    unsigned kept = 0;
    for (unsigned i = 0; i < count; ++i) {
        Passing passing{burst.packets[i]};
        if ((take_step<kSteps>(passing, context) && ...))
            burst.packets[kept++] = passing.packet;
    }
    burst.count = kept;
}

} // namespace adit::dataplane

/// A step that becomes a part of its loop, however often it is used.
#define ADIT_STEP [[gnu::always_inline, nodiscard]] inline bool
