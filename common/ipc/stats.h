// SPDX-License-Identifier: Apache-2.0
// Counters and tables as they lie in the region that only the dataplane can write. Control reads
// them whenever it likes; `show` never interrupts a worker. Each cell has one writer; cells are 64
// bits and written with relaxed atomic stores, so a reader sees whole values, if not all of one
// instant.
//
// Readers must bound every count they take from here: the memory belongs to another process.
#pragma once

#include "common/drop_reason.h"
#include "common/spi.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace adit::ipc {

using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == 8);

/// Adds without a locked instruction: the caller is the only writer.
inline void add(Counter& counter, std::uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

inline std::uint64_t read(const Counter& counter) {
    return counter.load(std::memory_order_relaxed);
}

inline constexpr std::size_t kMaxPorts = 64;
inline constexpr std::size_t kMaxNeighbors = 4096;
inline constexpr std::size_t kPortNameBytes = 48;

/// Parts of a worker's turn whose cost is sampled (dataplane/stage_clock.h).
enum class WorkerPart : std::uint32_t {
    Receive,      // the drivers' receive calls
    Forward,      // off the wire up to policy; packets in clear as far as their frames
    EspOutbound,  // checks, headers, cipher, ICV
    Output,       // outer packets to frames
    Deliver,      // packets to our own addresses
    EspInbound,   // SA, window, ICV, cipher, inner packet, selectors
    ForwardInner, // as Forward, for what came out of SAs
    Transmit,     // the drivers' transmit calls
};

inline constexpr const char* kWorkerPartNames[] = {"receive",
                                                   "forward",
                                                   "esp-outbound",
                                                   "output",
                                                   "deliver",
                                                   "esp-inbound",
                                                   "forward-inner",
                                                   "transmit"};

inline constexpr std::size_t kWorkerParts = std::size(kWorkerPartNames);

/// One per worker; the housekeeper has one of its own behind the workers'.
struct alignas(64) CoreStats {
    Counter heartbeat_ns; // CLOCK_MONOTONIC of the last turn of the loop, written about every ms
    Counter busy_ns;      // time spent in turns that found work, since start
    Counter idle_ns;
    Counter turns;
    Counter packets;        // received by this core
    Counter held;           // packets waiting for an SA or a neighbour
    Counter events_lost;    // events that found the ring full
    Counter notices_silent; // notices held back by the limit
    Counter drops[kDropReasonCount];
    Counter part_ticks[kWorkerParts];   // time-stamp counter, of sampled turns
    Counter part_packets[kWorkerParts]; // of the same turns
};

struct alignas(64) PortStats {
    char name[kPortNameBytes]; // as given with --port: "GigabitEthernet0/0"; NUL-terminated
    std::uint8_t mac[8];
    Counter link_up; // 0 or 1
    Counter speed_mbps;
    Counter port_mtu;
    Counter in_packets, in_bytes, in_errors, in_missed, in_no_buffer;
    Counter out_packets, out_bytes, out_errors;
    Counter in_broadcasts;
};

/// One cache line per SA and direction, indexed by slot. Reset when the slot is installed anew. The
/// owner publishes what it counted a few SAs a turn, drops at once: of many busy SAs the figures
/// may be half a second old.
struct alignas(64) SaStats {
    Counter sa_id; // whose counters these are
    Counter packets;
    Counter bytes;           // plaintext octets
    Counter sequence;        // outbound: last sent. Inbound: highest accepted
    Counter last_packet_ns;  // CLOCK_MONOTONIC, as of publishing; 0: none yet
    Counter replay_drops;    // inbound
    Counter integrity_drops; // inbound: ICV
    Counter other_drops; // inbound: length, padding, selector, inner; outbound: too big, no buffer
};

static_assert(sizeof(SaStats) == 64);

/// Per policy, across rekeys; belongs to the identity (CLI.md 1.4). Hits and sent as old as
/// SaStats.
struct PolicyStats {
    Counter hits;       // packets that matched
    Counter sent;       // encapsulated
    Counter send_drops; // wanted ESP and did not get it
    Counter cleartext_drops;
};

enum class NeighborState : std::uint32_t {
    Empty = 0,
    Incomplete = 1,
    Reachable = 2,
    Stale = 3,
};

/// Written by the housekeeper under `version`: odd while it changes (a sequence lock).
struct NeighborEntry {
    std::atomic<std::uint32_t> version;
    std::uint32_t state; // NeighborState
    std::uint32_t address;
    std::uint16_t interface;
    std::uint8_t mac[6];
    std::uint64_t updated_ns; // CLOCK_MONOTONIC
};

} // namespace adit::ipc
