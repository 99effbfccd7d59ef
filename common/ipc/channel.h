// SPDX-License-Identifier: Apache-2.0
// The channel between control and dataplane: rings in `up` and `down`, counters in `stats`
// (layout.h says where).
//
//   DataplaneStats     made once by the dataplane; counters go on from one control to the next
//   DataplaneChannel   the dataplane's ends of one attachment: fresh rings for each control
//   ControlChannel     control's ends of all three, from descriptors that the dataplane passed
//
// Control is the exposed side and may be hostile: the dataplane writes no byte that control could
// take away, reads only ring slots, indices and the ControlBlock from `down`, and never trusts
// them. Control can map `up` and `stats` only for reading. After a dead or broken control the
// dataplane drops the DataplaneChannel (once no worker uses it) and makes the next one.
//
// The journal region is neither: control alone maps it, and its contents outlive control.
//
// Waking control: a socket pair, not an eventfd. Both holders of an eventfd share its open file
// description: a hostile control could make it blocking, fill it, and so stop a worker in write(2).
//
// Threading: each ring end belongs to the one thread named at its accessor; stats cells have the
// one writer stats.h names; wake_control() is for any thread. Errors: creation and attachment fail
// with a Result; afterwards nothing fails but a ring (spsc_ring.h).
#pragma once

#include "common/bytes.h"
#include "common/clock.h"
#include "common/ipc/layout.h"
#include "common/ipc/shm.h"
#include "common/random.h"

#include <memory>
#include <optional>
#include <span>

namespace adit::ipc {

/// Cells of the stats region, for their writer or (const) for a reader.
class StatsView {
  public:
    StatsView() = default;
    StatsView(std::uint8_t* base, const ChannelConfig& config, const ChannelLayout& layout);

    /// The worker's page; worker `workers` is the housekeeper.
    [[nodiscard]] CoreStats& core(std::uint32_t worker) const;
    [[nodiscard]] PortStats& port(std::uint32_t port) const;
    [[nodiscard]] SaStats& inbound_sa(std::uint32_t worker, std::uint32_t slot) const;
    [[nodiscard]] SaStats& outbound_sa(std::uint32_t worker, std::uint32_t slot) const;
    [[nodiscard]] PolicyStats& policy(std::uint32_t policy, std::uint32_t worker) const;
    [[nodiscard]] std::span<NeighborEntry> neighbors() const;

  private:
    std::uint8_t* base_{nullptr};
    std::size_t cores_{0}, ports_{0}, sas_{0}, policies_{0}, neighbors_{0};
    std::uint32_t workers_{0}, port_count_{0}, max_sas_{0}, max_policies_{0};
};

/// The dataplane's counters and tables, for as long as it runs.
class DataplaneStats {
  public:
    /// Invalid when a number of `config` is out of bounds.
    static Result<DataplaneStats> create(const ChannelConfig& config, Rng& rng);

    CoreStats& core_stats(std::uint32_t worker) { return view_.core(worker); }

    CoreStats& housekeeper_stats() { return view_.core(config_.workers); }

    PortStats& port_stats(std::uint32_t port) { return view_.port(port); }

    SaStats& inbound_sa_stats(std::uint32_t worker, std::uint32_t slot) {
        return view_.inbound_sa(worker, slot);
    }

    SaStats& outbound_sa_stats(std::uint32_t worker, std::uint32_t slot) {
        return view_.outbound_sa(worker, slot);
    }

    /// Cells of one policy, one per worker; only that worker writes it.
    PolicyStats& policy_stats(std::uint32_t policy, std::uint32_t worker) {
        return view_.policy(policy, worker);
    }

    /// kMaxNeighbors cells, written with store_neighbor() by the housekeeper.
    std::span<NeighborEntry> neighbors() { return view_.neighbors(); }

    [[nodiscard]] const ChannelConfig& config() const { return config_; }

    [[nodiscard]] std::uint64_t boot_id() const { return boot_id_; }

    [[nodiscard]] int fd() const { return region_.fd(); }

    /// What control remembers beyond its own death. Nothing here reads it.
    [[nodiscard]] int journal_fd() const { return journal_.fd(); }

  private:
    DataplaneStats() = default;

    ChannelConfig config_;
    std::uint64_t boot_id_{0};
    SharedRegion region_;
    SharedRegion journal_;
    StatsView view_;
};

/// Descriptors that make a ControlChannel. Borrowed from a DataplaneChannel or owned on arrival.
struct ChannelFds {
    UniqueFd stats, up, down, doorbell, journal;
};

/// The dataplane's ring ends of one attachment. Not movable: threads hold references to its parts.
class DataplaneChannel {
  public:
    /// `generation` counts attachments of this dataplane, from 1.
    static Result<std::unique_ptr<DataplaneChannel>> create(const DataplaneStats& stats,
                                                            std::uint64_t generation);

    DataplaneChannel(const DataplaneChannel&) = delete;
    DataplaneChannel& operator=(const DataplaneChannel&) = delete;
    ~DataplaneChannel();

    // That worker's thread.
    RingConsumer<CommandRecord>& commands(std::uint32_t worker);
    RingProducer<EventRecord>& events(std::uint32_t worker);

    // The housekeeper's thread.
    RingConsumer<CommandRecord>& housekeeper_commands();
    RingProducer<EventRecord>& housekeeper_events();
    RingProducer<DatagramRecord>& punt();
    RingConsumer<DatagramRecord>& inject();

    /// After pushing events or datagrams (once per batch): wakes control if it said it sleeps. At
    /// most one system call for each time it falls asleep; never blocks. Any thread.
    void wake_control();

    /// CLOCK_MONOTONIC of control's last turn as it claims, 0: none yet.
    [[nodiscard]] std::uint64_t control_heartbeat_ns() const;

    /// Some ring saw an impossible index or length: drop this attachment. Housekeeper's view of its
    /// own rings; a worker asks its two rings itself.
    [[nodiscard]] bool housekeeper_rings_broken() const;

    [[nodiscard]] std::uint64_t generation() const { return generation_; }

    // To be passed to control; they stay ours.
    [[nodiscard]] int up_fd() const { return up_.fd(); }

    [[nodiscard]] int down_fd() const { return down_.fd(); }

    [[nodiscard]] int control_doorbell_fd() const { return control_doorbell_.get(); }

    /// Control's end of the doorbell, once passed on: then its death is seen by us and ours by it.
    void close_control_doorbell() { control_doorbell_.reset(); }

  private:
    DataplaneChannel(std::uint64_t generation, SharedRegion up, SharedRegion down);
    void build_rings(const ChannelConfig& config, const ChannelLayout& layout);

    std::uint64_t generation_;
    std::uint32_t workers_{0};
    SharedRegion up_;
    SharedRegion down_;
    UniqueFd doorbell_;
    UniqueFd control_doorbell_;
    ControlBlock* control_block_{nullptr};
    std::atomic<std::uint64_t> rung_epoch_{0}; // the last sleep that was rung for
    std::vector<RingConsumer<CommandRecord>> commands_;
    std::vector<RingProducer<EventRecord>> events_;
    std::optional<RingProducer<DatagramRecord>> punt_;
    std::optional<RingConsumer<DatagramRecord>> inject_;
};

/// Control's ends. One thread. Not movable: others hold references to its parts.
class ControlChannel {
  public:
    /// Checks every number of the headers against its bounds and against the regions' real sizes.
    static Result<std::unique_ptr<ControlChannel>> attach(ChannelFds fds);

    ControlChannel(const ControlChannel&) = delete;
    ControlChannel& operator=(const ControlChannel&) = delete;

    RingProducer<CommandRecord>& commands(std::uint32_t worker);
    RingConsumer<EventRecord>& events(std::uint32_t worker);
    RingProducer<CommandRecord>& housekeeper_commands();
    RingConsumer<EventRecord>& housekeeper_events();
    RingConsumer<DatagramRecord>& punt();
    RingProducer<DatagramRecord>& inject();

    [[nodiscard]] const CoreStats& core_stats(std::uint32_t worker) const;
    [[nodiscard]] const CoreStats& housekeeper_stats() const;
    [[nodiscard]] const PortStats& port_stats(std::uint32_t port) const;
    [[nodiscard]] const SaStats& inbound_sa_stats(std::uint32_t worker, std::uint32_t slot) const;
    [[nodiscard]] const SaStats& outbound_sa_stats(std::uint32_t worker, std::uint32_t slot) const;
    [[nodiscard]] const PolicyStats& policy_stats(std::uint32_t policy, std::uint32_t worker) const;
    /// Read with load_neighbor().
    [[nodiscard]] std::span<const NeighborEntry> neighbors() const;

    /// Outlives this process as long as the dataplane runs: as the control before left it.
    [[nodiscard]] MutableBytes journal() { return {journal_.data(), journal_.size()}; }

    /// Of the dataplane; port_names are filled in.
    [[nodiscard]] const ChannelConfig& config() const { return config_; }

    [[nodiscard]] std::uint64_t boot_id() const { return boot_id_; }

    [[nodiscard]] std::uint64_t generation() const { return generation_; }

    [[nodiscard]] std::uint32_t dataplane_pid() const { return dataplane_pid_; }

    /// Readable when the dataplane rang; for epoll, level-triggered.
    [[nodiscard]] int doorbell_fd() const { return doorbell_.get(); }

    /// Announces sleep, then looks once more at every ring. True: nothing is there, wait for
    /// doorbell_fd() (and whatever else), then call awake(). False: there is work; still awake.
    [[nodiscard]] bool prepare_to_sleep();

    /// Ends the sleep and empties the doorbell.
    void awake();

    /// Tells the dataplane that control's loop turns.
    void beat(Instant now);

    /// The dataplane published something impossible: drop the channel and attach again.
    [[nodiscard]] bool broken() const;

  private:
    ControlChannel(SharedRegion stats,
                   SharedRegion up,
                   SharedRegion down,
                   SharedRegion journal,
                   UniqueFd doorbell);
    void build(const RegionHeader& header, const ChannelConfig& config);
    [[nodiscard]] bool anything_ready() const;

    /// Reads of the doorbell in a row; more than the kernel queues by default.
    static constexpr unsigned kMaxUnreadRings = 64;

    SharedRegion stats_;
    SharedRegion up_;
    SharedRegion down_;
    SharedRegion journal_;
    UniqueFd doorbell_;
    ChannelConfig config_;
    std::uint64_t boot_id_{0};
    std::uint64_t generation_{0};
    std::uint32_t dataplane_pid_{0};
    StatsView view_;
    ControlBlock* block_{nullptr};
    std::uint64_t sleep_epoch_{0};
    std::vector<RingProducer<CommandRecord>> commands_;
    std::vector<RingConsumer<EventRecord>> events_;
    std::optional<RingConsumer<DatagramRecord>> punt_;
    std::optional<RingProducer<DatagramRecord>> inject_;
};

} // namespace adit::ipc
