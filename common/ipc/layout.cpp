// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/layout.h"

#include <unistd.h>

namespace adit::ipc {

namespace {

/// Hands out places one behind the other, each on its own pair of cache lines.
class Cursor {
  public:
    std::size_t take(std::size_t size_bytes) {
        const std::size_t place = next_;
        next_ += (size_bytes + kAlignment - 1) / kAlignment * kAlignment;
        return place;
    }

    [[nodiscard]] std::size_t end() const { return next_; }

  private:
    static constexpr std::size_t kAlignment = 2 * kCacheLineBytes;
    std::size_t next_{0};
};

template <class T>
RingPlace place_ring(Cursor& producer, Cursor& consumer, std::uint32_t capacity) {
    return RingPlace{.tail = producer.take(sizeof(RingIndex)),
                     .head = consumer.take(sizeof(RingIndex)),
                     .slots = producer.take(slots_bytes<T>(capacity)),
                     .capacity = capacity};
}

Status check_range(const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value >= low && value <= high)
        return {};
    return fail(ErrorCode::Invalid,
                std::string{name} + " is " + std::to_string(value) + ", not " +
                    std::to_string(low) + " to " + std::to_string(high));
}

Status check_slots(const char* name, std::uint32_t slots) {
    if (is_ring_capacity(slots))
        return {};
    return fail(ErrorCode::Invalid,
                std::string{name} + " is " + std::to_string(slots) + ", not a power of two from " +
                    std::to_string(kMinRingSlots) + " to " + std::to_string(kMaxRingSlots));
}

Status check_same(const char* name, std::uint64_t theirs, std::uint64_t ours) {
    if (theirs == ours)
        return {};
    return fail(ErrorCode::Invalid,
                "the dataplane's " + std::string{name} + " is " + std::to_string(theirs) +
                    ", ours " + std::to_string(ours) +
                    "; install adit-control and adit-dataplane of the same version");
}

Status check_record_sizes(const RegionHeader& header) {
    TRY_VOID(check_same("command size", header.command_bytes, sizeof(CommandRecord)));
    TRY_VOID(check_same("event size", header.event_bytes, sizeof(EventRecord)));
    TRY_VOID(check_same("datagram size", header.datagram_bytes, sizeof(DatagramRecord)));
    TRY_VOID(check_same("core page size", header.core_stats_bytes, sizeof(CoreStats)));
    TRY_VOID(check_same("port page size", header.port_stats_bytes, sizeof(PortStats)));
    TRY_VOID(check_same("SA cell size", header.sa_stats_bytes, sizeof(SaStats)));
    TRY_VOID(check_same("policy cell size", header.policy_stats_bytes, sizeof(PolicyStats)));
    return check_same("neighbor cell size", header.neighbor_bytes, sizeof(NeighborEntry));
}

/// Address space only: pages come into being when they are written. A configuration text may take
/// 16 MB and stands there twice while it is replaced; a tunnel takes about 1.5 kB.
constexpr std::size_t kJournalBase = std::size_t{64} << 20;
constexpr std::size_t kJournalBytesPerPolicy = 4096;

std::size_t region_bytes(const ChannelLayout& layout, RegionKind kind) {
    switch (kind) {
    case RegionKind::Stats:
        return layout.stats_bytes;
    case RegionKind::Up:
        return layout.up_bytes;
    case RegionKind::Down:
        break;
    }
    return layout.down_bytes;
}

} // namespace

Status check(const ChannelConfig& config) {
    TRY_VOID(check_range("number of workers", config.workers, 1, kMaxWorkers));
    TRY_VOID(check_range("number of SAs", config.max_sas, 1, kMaxSaSlots));
    TRY_VOID(check_range("number of policies", config.max_policies, 1, kMaxPolicies));
    TRY_VOID(check_slots("size of the command ring", config.command_slots));
    TRY_VOID(check_slots("size of the event ring", config.event_slots));
    TRY_VOID(check_slots("size of the punt ring", config.punt_slots));
    TRY_VOID(check_slots("size of the inject ring", config.inject_slots));
    TRY_VOID(check_range("number of ports", config.port_names.size(), 0, kMaxPorts));
    for (const std::string& name : config.port_names)
        if (name.size() >= kPortNameBytes)
            return fail(ErrorCode::Invalid,
                        "port name " + name + " is longer than " +
                            std::to_string(kPortNameBytes - 1) + " characters");
    return {};
}

ChannelLayout lay_out(const ChannelConfig& config) {
    ChannelLayout layout{};
    const std::size_t rings = config.workers + std::size_t{1};

    Cursor stats;
    stats.take(sizeof(RegionHeader));
    layout.cores = stats.take(rings * sizeof(CoreStats));
    layout.ports = stats.take(config.port_names.size() * sizeof(PortStats));
    layout.sas = stats.take(std::size_t{2} * config.workers * config.max_sas * sizeof(SaStats));
    layout.policies =
        stats.take(std::size_t{config.workers} * config.max_policies * sizeof(PolicyStats));
    layout.neighbors = stats.take(kMaxNeighbors * sizeof(NeighborEntry));
    layout.stats_bytes = stats.end();

    Cursor up;
    Cursor down;
    up.take(sizeof(RegionHeader));
    down.take(sizeof(RegionHeader));
    layout.control_block = down.take(sizeof(ControlBlock));
    for (std::size_t ring = 0; ring < rings; ++ring) {
        layout.commands.push_back(place_ring<CommandRecord>(down, up, config.command_slots));
        layout.events.push_back(place_ring<EventRecord>(up, down, config.event_slots));
    }
    layout.punt = place_ring<DatagramRecord>(up, down, config.punt_slots);
    layout.inject = place_ring<DatagramRecord>(down, up, config.inject_slots);
    layout.up_bytes = up.end();
    layout.down_bytes = down.end();
    layout.journal_bytes = kJournalBase + std::size_t{config.max_policies} * kJournalBytesPerPolicy;
    return layout;
}

RegionHeader make_header(RegionKind kind,
                         const ChannelConfig& config,
                         std::uint64_t size_bytes,
                         std::uint64_t boot_id,
                         std::uint64_t generation) {
    return RegionHeader{
        .magic = kRegionMagic,
        .layout_version = kLayoutVersion,
        .kind = static_cast<std::uint32_t>(kind),
        .size_bytes = size_bytes,
        .boot_id = boot_id,
        .generation = generation,
        .dataplane_pid = static_cast<std::uint32_t>(::getpid()),
        .command_bytes = sizeof(CommandRecord),
        .event_bytes = sizeof(EventRecord),
        .datagram_bytes = sizeof(DatagramRecord),
        .core_stats_bytes = sizeof(CoreStats),
        .port_stats_bytes = sizeof(PortStats),
        .sa_stats_bytes = sizeof(SaStats),
        .policy_stats_bytes = sizeof(PolicyStats),
        .neighbor_bytes = sizeof(NeighborEntry),
        .workers = config.workers,
        .max_sas = config.max_sas,
        .max_policies = config.max_policies,
        .command_slots = config.command_slots,
        .event_slots = config.event_slots,
        .punt_slots = config.punt_slots,
        .inject_slots = config.inject_slots,
        .ports = static_cast<std::uint32_t>(config.port_names.size()),
    };
}

Result<ChannelConfig>
check_header(const RegionHeader& header, RegionKind kind, std::size_t real_size_bytes) {
    if (header.magic != kRegionMagic)
        return fail(ErrorCode::Malformed, "shared memory does not start with Adit's magic number");
    if (header.layout_version != kLayoutVersion)
        return std::unexpected(version_error(header.layout_version));
    TRY_VOID(check_same("kind of region", header.kind, static_cast<std::uint32_t>(kind)));
    TRY_VOID(check_record_sizes(header));
    // Before anything is sized by it.
    TRY_VOID(check_range("number of ports", header.ports, 0, kMaxPorts));
    ChannelConfig config{.workers = header.workers,
                         .max_sas = header.max_sas,
                         .max_policies = header.max_policies,
                         .command_slots = header.command_slots,
                         .event_slots = header.event_slots,
                         .punt_slots = header.punt_slots,
                         .inject_slots = header.inject_slots,
                         .port_names = std::vector<std::string>(header.ports)};
    TRY_VOID(check(config));
    TRY_VOID(check_same("size of region", header.size_bytes, real_size_bytes));
    TRY_VOID(check_same("size of region", real_size_bytes, region_bytes(lay_out(config), kind)));
    return config;
}

Error version_error(std::uint32_t theirs) {
    return {ErrorCode::Unsupported,
            "the dataplane speaks channel version " + std::to_string(theirs) +
                ", this adit-control version " + std::to_string(kLayoutVersion) +
                "; install both from the same release"};
}

} // namespace adit::ipc
