// SPDX-License-Identifier: Apache-2.0
// Where things lie in the shared regions. Both sides compute the same places from the same
// few numbers; no offset ever crosses the channel.
//
//   stats  header, cores, ports, SA counters, policy counters, neighbours     written by the
//   dataplane
//          lives as long as the dataplane: counters outlive any control
//   up     header, tails and slots of events and punt,                        written by the
//   dataplane
//          heads of commands and inject
//   down   header, control's block, tails and slots of commands and inject,   written by control;
//   the
//          heads of events and punt                                           dataplane wipes slots
//
//   journal  control's memory beyond its own death (control/journal.h); the dataplane keeps the
//          region and reads nothing of it
//
// `up` and `down` are made anew for every control that attaches. The dataplane never reads the
// header of `down`: it knows the numbers.
//
// Threading: pure functions.
#pragma once

#include "common/error.h"
#include "common/ipc/spsc_ring.h"
#include "common/ipc/stats.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace adit::ipc {

/// Chosen by the dataplane at start and constant from then on.
struct ChannelConfig {
    std::uint32_t workers{1};      // 1..kMaxWorkers
    std::uint32_t max_sas{16'384}; // slots per worker and direction, 1..kMaxSaSlots
    std::uint32_t max_policies{16'384};
    std::uint32_t command_slots{1024}; // the four ring sizes are powers of two
    std::uint32_t event_slots{1024};
    std::uint32_t punt_slots{256};
    std::uint32_t inject_slots{256};
    std::vector<std::string> port_names; // up to kMaxPorts, each shorter than kPortNameBytes
};

inline constexpr std::uint32_t kMaxPolicies = 1U << 20;

/// Invalid, naming the number, when one is out of its bounds.
Status check(const ChannelConfig& config);

enum class RegionKind : std::uint32_t {
    Stats = 1,
    Up = 2,
    Down = 3,
};

inline constexpr std::uint64_t kRegionMagic = 0x41444954'43484e31; // "ADITCHN1"

/// First octets of every region. Layout version and magic keep their places in all versions.
struct RegionHeader {
    std::uint64_t magic;
    std::uint32_t layout_version;
    std::uint32_t kind; // RegionKind
    std::uint64_t size_bytes;
    std::uint64_t boot_id;    // random, of one run of the dataplane; the same in all regions
    std::uint64_t generation; // of the attachment, counted from 1; 0 in stats
    std::uint32_t dataplane_pid;
    // Sizes of what the region is made of: a compiler that lays a record out otherwise is noticed.
    std::uint32_t command_bytes, event_bytes, datagram_bytes;
    std::uint32_t core_stats_bytes, port_stats_bytes, sa_stats_bytes, policy_stats_bytes;
    std::uint32_t neighbor_bytes;
    // ChannelConfig; the names of the ports are in PortStats.
    std::uint32_t workers, max_sas, max_policies;
    std::uint32_t command_slots, event_slots, punt_slots, inject_slots;
    std::uint32_t ports;
};

/// What control tells about itself, in `down`.
struct alignas(2 * kCacheLineBytes) ControlBlock {
    /// Odd while control sleeps; counted up at each change.
    std::atomic<std::uint64_t> sleep_epoch;
    /// CLOCK_MONOTONIC, written by control's loop.
    Counter heartbeat_ns;
};

/// Where one ring lies: slots and tail in its producer's region, head in its consumer's.
struct RingPlace {
    std::size_t tail, head, slots; // octets from the start of the region
    std::uint32_t capacity;
};

struct ChannelLayout {
    // stats
    std::size_t cores, ports, sas, policies, neighbors;
    std::size_t stats_bytes;
    // down
    std::size_t control_block;
    std::vector<RingPlace> commands; // one per worker, the housekeeper's last
    RingPlace inject;
    std::size_t down_bytes;
    // up
    std::vector<RingPlace> events; // one per worker, the housekeeper's last
    RingPlace punt;
    std::size_t up_bytes;
    std::size_t journal_bytes;
};

/// For a config that passed check().
ChannelLayout lay_out(const ChannelConfig& config);

/// A header for a region of this process.
RegionHeader make_header(RegionKind kind,
                         const ChannelConfig& config,
                         std::uint64_t size_bytes,
                         std::uint64_t boot_id,
                         std::uint64_t generation);

/// Checks the private copy of a header that came from another process: magic, version, record
/// sizes, every number against its bounds, and the size against the region's real one. The result
/// has nameless ports, as many as the header says.
Result<ChannelConfig>
check_header(const RegionHeader& header, RegionKind kind, std::size_t real_size_bytes);

/// The refusal of a peer with another kLayoutVersion; names both numbers.
Error version_error(std::uint32_t theirs);

/// Bounds of any sound region.
inline constexpr std::size_t kMinRegionBytes = sizeof(RegionHeader);
inline constexpr std::size_t kMaxRegionBytes = std::size_t{1} << 33;

} // namespace adit::ipc
