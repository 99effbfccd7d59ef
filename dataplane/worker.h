// SPDX-License-Identifier: Apache-2.0
// A polling core: takes frames from every port, runs each burst to completion, and owns the SAs
// that control installs here. worker.cpp shows the order of everything on one screen.
//
// Threading: create() on the main thread, run() on the worker's own; adopted_epoch() and
// broken_generation() from the housekeeper.
#pragma once

#include "common/ipc/channel.h"
#include "common/spi.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/handover.h"
#include "dataplane/idle.h"
#include "dataplane/queue_plan.h"
#include "dataplane/rcu.h"
#include "dataplane/stage_clock.h"
#include "dataplane/worker_context.h"

#include <atomic>
#include <memory>
#include <optional>
#include <span>

namespace adit::dataplane {

/// What the housekeeper publishes for all workers.
struct Shared {
    explicit Shared(unsigned workers,
                    std::span<ipc::NeighborEntry> neighbor_page,
                    Crossing between_workers = {})
        : rcu(workers), tables(rcu), channel(rcu), neighbors(neighbor_page),
          crossing(std::move(between_workers)) {}

    /// Changes with everything that EgressCache derives from. Read before tables and neighbours.
    [[nodiscard]] std::uint64_t egress_version() const {
        return tables.publications() + neighbors.changes();
    }

    Rcu rcu;
    Published<Tables> tables;
    Published<ipc::DataplaneChannel> channel; // null while no control is attached
    NeighborTable neighbors;
    Crossing crossing;
};

struct WorkerConfig {
    WorkerId id;
    CryptoArch crypto;
    IdleMode idle;
    std::vector<WorkerPort> ports;
    std::vector<RxQueue> rx_queues; // that this worker polls
    rte_mempool* pool;
};

class Worker {
  public:
    static Result<std::unique_ptr<Worker>>
    create(const WorkerConfig& config, Shared& shared, ipc::DataplaneStats& stats);

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Turns until `stop` is set.
    void run(const std::atomic<bool>& stop);

    /// One turn; whether it found work. For run(), tests and benchmarks.
    bool turn(std::uint64_t now_ns);

    [[nodiscard]] HousekeeperQueues& queues() { return queues_; }

    /// Injected datagrams leave by `next`, when it has applied its commands, too. Before run().
    void pass_injected_to(Worker& next) { next_injected_ = &next.queues_.inject; }

    /// Tables::sa_epoch of the SAs now installed.
    [[nodiscard]] std::uint64_t adopted_epoch() const {
        return adopted_epoch_.load(std::memory_order_acquire);
    }

    /// Attachment whose rings held something impossible; 0: none.
    [[nodiscard]] std::uint64_t broken_generation() const {
        return broken_generation_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] const char* crypto_arch() const { return crypto_->arch_name(); }

  private:
    Worker(const WorkerConfig& config,
           const SaTableConfig& sa_config,
           Shared& shared,
           ipc::DataplaneStats& stats,
           std::unique_ptr<CryptoMb> crypto,
           SaTable sas,
           HousekeeperQueues queues);

    void adopt_published();
    void end_epoch();
    /// True when none is left.
    bool drain_commands(bool& found_work);
    void apply(const ipc::CommandRecord& command);
    bool send_frames();
    bool take_handovers();
    void protect_matched(Burst& packets);
    unsigned receive(Burst& frames);
    void process(Burst& frames);
    void decapsulate();
    void send(Burst& packets);
    void transmit_all();
    void encapsulate(Burst& packets);
    void seal_and_send(Burst& packets);
    void pass_injected_on();
    void send_made();
    void send_held(std::uint32_t policy);
    void tick();
    void flush_events();
    void publish_counters(std::uint64_t now, bool found_work);
    void account(std::uint64_t now_ns, bool found_work);

    WorkerId id_;
    Shared* shared_;
    ipc::CoreStats* stats_;
    SaTableConfig sa_config_;
    Drops drops_;
    StageClock clock_;
    EventQueue events_;
    NoticeLimiter notices_;
    std::unique_ptr<CryptoMb> crypto_;
    std::optional<SaTable> sas_; // never empty but while it is made anew
    HousekeeperQueues queues_;
    WorkerContext context_;
    Idle idle_;

    ipc::DataplaneChannel* channel_{nullptr}; // of this turn
    std::uint64_t channel_generation_{0};
    std::size_t events_moved_{0};      // of events_.pending()
    Burst injected_{};                 // taken from the queue, waiting for the commands before them
    MbufRing* next_injected_{nullptr}; // of the worker they go on to; null: they leave from here
    std::vector<RxQueue> rx_queues_;
    std::size_t first_queue_{0};
    std::uint64_t turn_started_ns_{0};
    std::uint64_t next_beat_ns_{0};
    std::uint64_t next_idle_publish_ns_{0};
    std::uint64_t next_tick_ns_{0};
    std::atomic<std::uint64_t> adopted_epoch_{0};
    std::atomic<std::uint64_t> broken_generation_{0};
};

} // namespace adit::dataplane
