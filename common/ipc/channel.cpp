// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/channel.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <sys/socket.h>

namespace adit::ipc {

namespace {

/// An object of type T at a place of a mapped region. Regions start zero-filled, and every T here
/// is sound when all its octets are zero.
template <class T> T& at(std::uint8_t* base, std::size_t offset) {
    return *std::launder(static_cast<T*>(static_cast<void*>(base + offset)));
}

void write_header(SharedRegion& region,
                  RegionKind kind,
                  const ChannelConfig& config,
                  std::uint64_t boot_id,
                  std::uint64_t generation) {
    const RegionHeader header = make_header(kind, config, region.size(), boot_id, generation);
    std::memcpy(region.data(), &header, sizeof header);
}

/// A private copy: what is checked is what is used.
RegionHeader copy_header(const SharedRegion& region) {
    RegionHeader header;
    std::memcpy(&header, region.data(), sizeof header);
    return header;
}

Status check_same_boot(const RegionHeader& left, const RegionHeader& right) {
    if (left.boot_id == right.boot_id && left.workers == right.workers &&
        left.max_sas == right.max_sas && left.max_policies == right.max_policies &&
        left.command_slots == right.command_slots && left.event_slots == right.event_slots &&
        left.punt_slots == right.punt_slots && left.inject_slots == right.inject_slots &&
        left.ports == right.ports)
        return {};
    return fail(ErrorCode::Invalid, "the dataplane's shared regions do not belong together");
}

std::string port_name(const PortStats& port) {
    char name[kPortNameBytes];
    std::memcpy(name, port.name, sizeof name);
    return {name, ::strnlen(name, sizeof name - 1)};
}

Result<std::pair<UniqueFd, UniqueFd>> make_doorbell() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return fail_errno("socketpair for the doorbell");
    return std::pair{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

} // namespace

// ---------------------------------------------------------------------------------------------------
// counters

StatsView::StatsView(std::uint8_t* base, const ChannelConfig& config, const ChannelLayout& layout)
    : base_(base), cores_(layout.cores), ports_(layout.ports), sas_(layout.sas),
      policies_(layout.policies), neighbors_(layout.neighbors), workers_(config.workers),
      port_count_(static_cast<std::uint32_t>(config.port_names.size())), max_sas_(config.max_sas),
      max_policies_(config.max_policies) {}

CoreStats& StatsView::core(std::uint32_t worker) const {
    ENSURE(worker <= workers_);
    return at<CoreStats>(base_, cores_ + worker * sizeof(CoreStats));
}

PortStats& StatsView::port(std::uint32_t port) const {
    ENSURE(port < port_count_);
    return at<PortStats>(base_, ports_ + port * sizeof(PortStats));
}

SaStats& StatsView::inbound_sa(std::uint32_t worker, std::uint32_t slot) const {
    ENSURE(worker < workers_ && slot < max_sas_);
    const std::size_t cell = std::size_t{2} * worker * max_sas_ + slot;
    return at<SaStats>(base_, sas_ + cell * sizeof(SaStats));
}

SaStats& StatsView::outbound_sa(std::uint32_t worker, std::uint32_t slot) const {
    ENSURE(worker < workers_ && slot < max_sas_);
    const std::size_t cell = (std::size_t{2} * worker + 1) * max_sas_ + slot;
    return at<SaStats>(base_, sas_ + cell * sizeof(SaStats));
}

PolicyStats& StatsView::policy(std::uint32_t policy, std::uint32_t worker) const {
    ENSURE(worker < workers_ && policy < max_policies_);
    // Worker by worker: two writers never share a cache line, but for one where two parts meet.
    const std::size_t cell = std::size_t{worker} * max_policies_ + policy;
    return at<PolicyStats>(base_, policies_ + cell * sizeof(PolicyStats));
}

std::span<NeighborEntry> StatsView::neighbors() const {
    return {&at<NeighborEntry>(base_, neighbors_), kMaxNeighbors};
}

Result<DataplaneStats> DataplaneStats::create(const ChannelConfig& config, Rng& rng) {
    TRY_VOID(check(config));
    const ChannelLayout layout = lay_out(config);
    DataplaneStats stats;
    stats.config_ = config;
    stats.boot_id_ = rng.u64();
    stats.region_ = TRY(SharedRegion::create(
        "adit-stats", layout.stats_bytes, PeerAccess::ReadOnly, Contents::Counters));
    stats.journal_ = TRY(SharedRegion::create(
        "adit-journal", layout.journal_bytes, PeerAccess::ReadWrite, Contents::Journal));
    stats.view_ = StatsView{stats.region_.data(), config, layout};
    for (std::uint32_t port = 0; port < config.port_names.size(); ++port) {
        const std::string& name = config.port_names[port];
        std::memcpy(stats.view_.port(port).name, name.data(), name.size());
    }
    write_header(stats.region_, RegionKind::Stats, config, stats.boot_id_, 0);
    return stats;
}

// ---------------------------------------------------------------------------------------------------
// the dataplane's end

DataplaneChannel::DataplaneChannel(std::uint64_t generation, SharedRegion up, SharedRegion down)
    : generation_(generation), up_(std::move(up)), down_(std::move(down)) {}

DataplaneChannel::~DataplaneChannel() = default;

Result<std::unique_ptr<DataplaneChannel>> DataplaneChannel::create(const DataplaneStats& stats,
                                                                   std::uint64_t generation) {
    const ChannelConfig& config = stats.config();
    const ChannelLayout layout = lay_out(config);
    SharedRegion up = TRY(
        SharedRegion::create("adit-up", layout.up_bytes, PeerAccess::ReadOnly, Contents::Counters));
    SharedRegion down = TRY(SharedRegion::create(
        "adit-down", layout.down_bytes, PeerAccess::ReadWrite, Contents::Secrets));
    write_header(up, RegionKind::Up, config, stats.boot_id(), generation);
    write_header(down, RegionKind::Down, config, stats.boot_id(), generation);
    auto doorbell = TRY(make_doorbell());
    std::unique_ptr<DataplaneChannel> channel{
        new DataplaneChannel(generation, std::move(up), std::move(down))};
    channel->doorbell_ = std::move(doorbell.first);
    channel->control_doorbell_ = std::move(doorbell.second);
    channel->build_rings(config, layout);
    return channel;
}

void DataplaneChannel::build_rings(const ChannelConfig& config, const ChannelLayout& layout) {
    std::uint8_t* const up = up_.data();
    std::uint8_t* const down = down_.data();
    control_block_ = &at<ControlBlock>(down, layout.control_block);
    commands_.reserve(layout.commands.size());
    events_.reserve(layout.events.size());
    for (const RingPlace& place : layout.commands)
        commands_.emplace_back(at<RingIndex>(down, place.tail),
                               at<RingIndex>(up, place.head),
                               down + place.slots,
                               place.capacity);
    for (const RingPlace& place : layout.events)
        events_.emplace_back(at<RingIndex>(up, place.tail),
                             at<RingIndex>(down, place.head),
                             up + place.slots,
                             place.capacity);
    workers_ = config.workers;
    punt_.emplace(at<RingIndex>(up, layout.punt.tail),
                  at<RingIndex>(down, layout.punt.head),
                  up + layout.punt.slots,
                  layout.punt.capacity);
    inject_.emplace(at<RingIndex>(down, layout.inject.tail),
                    at<RingIndex>(up, layout.inject.head),
                    down + layout.inject.slots,
                    layout.inject.capacity);
}

RingConsumer<CommandRecord>& DataplaneChannel::commands(std::uint32_t worker) {
    ENSURE(worker < workers_);
    return commands_[worker];
}

RingProducer<EventRecord>& DataplaneChannel::events(std::uint32_t worker) {
    ENSURE(worker < workers_);
    return events_[worker];
}

RingConsumer<CommandRecord>& DataplaneChannel::housekeeper_commands() {
    return commands_[workers_];
}

RingProducer<EventRecord>& DataplaneChannel::housekeeper_events() {
    return events_[workers_];
}

RingProducer<DatagramRecord>& DataplaneChannel::punt() {
    return *punt_;
}

RingConsumer<DatagramRecord>& DataplaneChannel::inject() {
    return *inject_;
}

void DataplaneChannel::wake_control() {
    // A read-modify-write that changes nothing: it takes its place in the order of all changes of
    // this word. Before control's announcement: the announcement (acquire) then sees what this
    // (release) follows, our tail, so control finds the record in its last look. After it: we read
    // the announcement and ring. There is no third case. A plain load could pass our store of the
    // tail.
    const std::uint64_t epoch = control_block_->sleep_epoch.fetch_add(0, std::memory_order_acq_rel);
    if (epoch % 2 == 0)
        return;
    // Relaxed: only saves system calls. Two threads may both ring; nobody leaves it to one who did
    // not.
    if (rung_epoch_.exchange(epoch, std::memory_order_relaxed) == epoch)
        return;
    // EAGAIN: unread rings are there already. EPIPE: control is gone, which the housekeeper
    // notices.
    (void)::send(doorbell_.get(), "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::uint64_t DataplaneChannel::control_heartbeat_ns() const {
    return read(control_block_->heartbeat_ns);
}

bool DataplaneChannel::housekeeper_rings_broken() const {
    return commands_[workers_].broken() || events_[workers_].broken() || punt_->broken() ||
           inject_->broken();
}

// ---------------------------------------------------------------------------------------------------
// control's end

ControlChannel::ControlChannel(
    SharedRegion stats, SharedRegion up, SharedRegion down, SharedRegion journal, UniqueFd doorbell)
    : stats_(std::move(stats)), up_(std::move(up)), down_(std::move(down)),
      journal_(std::move(journal)), doorbell_(std::move(doorbell)) {}

Result<std::unique_ptr<ControlChannel>> ControlChannel::attach(ChannelFds fds) {
    const auto attach_region = [](UniqueFd& fd, Access access, Contents contents) {
        return SharedRegion::attach(
            std::move(fd), access, contents, kMinRegionBytes, kMaxRegionBytes);
    };
    SharedRegion stats = TRY(attach_region(fds.stats, Access::ReadOnly, Contents::Counters));
    SharedRegion up = TRY(attach_region(fds.up, Access::ReadOnly, Contents::Counters));
    SharedRegion down = TRY(attach_region(fds.down, Access::ReadWrite, Contents::Secrets));
    SharedRegion journal = TRY(attach_region(fds.journal, Access::ReadWrite, Contents::Journal));
    const RegionHeader stats_header = copy_header(stats);
    const RegionHeader up_header = copy_header(up);
    const RegionHeader down_header = copy_header(down);
    TRY(check_header(stats_header, RegionKind::Stats, stats.size()));
    TRY(check_header(down_header, RegionKind::Down, down.size()));
    const ChannelConfig config = TRY(check_header(up_header, RegionKind::Up, up.size()));
    TRY_VOID(check_same_boot(stats_header, up_header));
    TRY_VOID(check_same_boot(down_header, up_header));
    std::unique_ptr<ControlChannel> channel{new ControlChannel(std::move(stats),
                                                               std::move(up),
                                                               std::move(down),
                                                               std::move(journal),
                                                               std::move(fds.doorbell))};
    channel->build(up_header, config);
    return channel;
}

void ControlChannel::build(const RegionHeader& header, const ChannelConfig& config) {
    config_ = config;
    boot_id_ = header.boot_id;
    generation_ = header.generation;
    dataplane_pid_ = header.dataplane_pid;
    const ChannelLayout layout = lay_out(config);
    view_ = StatsView{stats_.data(), config, layout};
    for (std::uint32_t port = 0; port < config_.port_names.size(); ++port)
        config_.port_names[port] = port_name(view_.port(port));

    std::uint8_t* const up = up_.data();
    std::uint8_t* const down = down_.data();
    block_ = &at<ControlBlock>(down, layout.control_block);
    commands_.reserve(layout.commands.size());
    events_.reserve(layout.events.size());
    for (const RingPlace& place : layout.commands)
        commands_.emplace_back(at<RingIndex>(down, place.tail),
                               at<RingIndex>(up, place.head),
                               down + place.slots,
                               place.capacity);
    for (const RingPlace& place : layout.events)
        events_.emplace_back(at<RingIndex>(up, place.tail),
                             at<RingIndex>(down, place.head),
                             up + place.slots,
                             place.capacity);
    punt_.emplace(at<RingIndex>(up, layout.punt.tail),
                  at<RingIndex>(down, layout.punt.head),
                  up + layout.punt.slots,
                  layout.punt.capacity);
    inject_.emplace(at<RingIndex>(down, layout.inject.tail),
                    at<RingIndex>(up, layout.inject.head),
                    down + layout.inject.slots,
                    layout.inject.capacity);
}

RingProducer<CommandRecord>& ControlChannel::commands(std::uint32_t worker) {
    ENSURE(worker < config_.workers);
    return commands_[worker];
}

RingConsumer<EventRecord>& ControlChannel::events(std::uint32_t worker) {
    ENSURE(worker < config_.workers);
    return events_[worker];
}

RingProducer<CommandRecord>& ControlChannel::housekeeper_commands() {
    return commands_[config_.workers];
}

RingConsumer<EventRecord>& ControlChannel::housekeeper_events() {
    return events_[config_.workers];
}

RingConsumer<DatagramRecord>& ControlChannel::punt() {
    return *punt_;
}

RingProducer<DatagramRecord>& ControlChannel::inject() {
    return *inject_;
}

const CoreStats& ControlChannel::core_stats(std::uint32_t worker) const {
    return view_.core(worker);
}

const CoreStats& ControlChannel::housekeeper_stats() const {
    return view_.core(config_.workers);
}

const PortStats& ControlChannel::port_stats(std::uint32_t port) const {
    return view_.port(port);
}

const SaStats& ControlChannel::inbound_sa_stats(std::uint32_t worker, std::uint32_t slot) const {
    return view_.inbound_sa(worker, slot);
}

const SaStats& ControlChannel::outbound_sa_stats(std::uint32_t worker, std::uint32_t slot) const {
    return view_.outbound_sa(worker, slot);
}

const PolicyStats& ControlChannel::policy_stats(std::uint32_t policy, std::uint32_t worker) const {
    return view_.policy(policy, worker);
}

std::span<const NeighborEntry> ControlChannel::neighbors() const {
    return view_.neighbors();
}

bool ControlChannel::prepare_to_sleep() {
    ENSURE(sleep_epoch_ % 2 == 0);
    ++sleep_epoch_;
    // Acquire and release: see DataplaneChannel::wake_control(). An exchange, because a plain store
    // would not see the tails that come before it.
    block_->sleep_epoch.exchange(sleep_epoch_, std::memory_order_acq_rel);
    if (!anything_ready())
        return true;
    awake();
    return false;
}

void ControlChannel::awake() {
    if (sleep_epoch_ % 2 == 1) {
        ++sleep_epoch_;
        // Again an exchange: a producer that read the old epoch, and left ringing to another, comes
        // before it, so its record is seen from here on.
        block_->sleep_epoch.exchange(sleep_epoch_, std::memory_order_acq_rel);
    }
    char rings[8];
    for (unsigned reads = 0; reads < kMaxUnreadRings; ++reads)
        if (::recv(doorbell_.get(), rings, sizeof rings, MSG_DONTWAIT) <= 0)
            return;
}

void ControlChannel::beat(Instant now) {
    block_->heartbeat_ns.store(static_cast<std::uint64_t>(now.time_since_epoch().count()),
                               std::memory_order_relaxed);
}

bool ControlChannel::anything_ready() const {
    for (const auto& ring : events_)
        if (ring.ready())
            return true;
    return punt_->ready();
}

bool ControlChannel::broken() const {
    for (const auto& ring : events_)
        if (ring.broken())
            return true;
    for (const auto& ring : commands_)
        if (ring.broken())
            return true;
    return punt_->broken() || inject_->broken();
}

} // namespace adit::ipc
