// SPDX-License-Identifier: Apache-2.0
// Control's side of the channel while it runs: finds the dataplane, keeps looking for it when it is
// gone, pushes commands and pairs them with their Acks, moves IKE datagrams, and hands events on.
//
// A full ring never blocks and never loses a command: what does not fit waits here, in order. A
// datagram waits behind the commands given before it, so that an inbound SA exists before the peer
// can use it. Only datagrams are dropped when too many wait (counted): IKE retransmits them.
//
// Threading: control's loop.
#pragma once

#include "common/ipc/handshake.h"
#include "common/log.h"
#include "control/event_loop.h"

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace adit {

class DataplaneClient {
  public:
    struct Handlers {
        /// A dataplane is there; `known` when it is the one we were attached to before.
        std::function<void(bool known)> attached;
        std::function<void()> lost;
        std::function<void(const ipc::EventRecord&)> event; // everything but Acks
        std::function<void(const ipc::DatagramRecord&)> datagram;
    };

    /// Called once with the answer; `AckResult` and the offset of the field it objects to.
    using AckCallback = std::function<void(ipc::AckResult, std::uint32_t detail)>;

    static constexpr Duration kRetryEvery = std::chrono::milliseconds{200};
    static constexpr std::size_t kMaxWaitingDatagrams = 4096;
    /// Records taken from one ring before the others get their turn.
    static constexpr unsigned kBudget = 256;

    DataplaneClient(EventLoop& loop, Logger& log, std::string socket_path, Handlers handlers);
    DataplaneClient(const DataplaneClient&) = delete;
    DataplaneClient& operator=(const DataplaneClient&) = delete;
    ~DataplaneClient();

    /// Tries to attach now and, when that fails, every kRetryEvery until it works.
    void start();

    [[nodiscard]] bool attached() const { return link_.channel != nullptr; }

    /// Only while attached.
    [[nodiscard]] const ipc::ControlChannel& channel() const { return *link_.channel; }

    [[nodiscard]] MutableBytes journal() { return link_.channel->journal(); }

    /// Those that arrive stay in their ring while this is off, as it is after each attachment.
    void take_datagrams(bool on) { takes_datagrams_ = on; }

    /// Why it is not attached; empty when it is.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    /// To the worker that owns an SA. Dropped when not attached, without an answer: after an
    /// attachment everything is sent anew anyway.
    void command_worker(WorkerId worker, ipc::CommandRecord record, AckCallback on_ack);
    void command_housekeeper(ipc::CommandRecord record, AckCallback on_ack);
    void inject(const ipc::DatagramRecord& datagram);

    /// Takes what has arrived, pushes what waits. Called at each turn of the loop.
    void turn();

    /// True when there is something to do and the loop must not sleep.
    [[nodiscard]] bool busy();

    [[nodiscard]] std::uint64_t datagrams_dropped() const { return datagrams_dropped_; }

    /// Nothing waits here, and the dataplane has taken all that was sent.
    [[nodiscard]] bool drained() const;

  private:
    /// One command ring with what waits for it and what waits for an Ack.
    struct CommandPort {
        ipc::RingProducer<ipc::CommandRecord>* ring{nullptr};
        ipc::RingConsumer<ipc::EventRecord>* events{nullptr};
        std::uint32_t next_sequence{1};
        std::deque<ipc::CommandRecord> waiting;
        std::deque<std::pair<std::uint32_t, AckCallback>> unanswered;
    };

    void try_attach();
    void detach(const std::string& reason);
    void enqueue(CommandPort& port, ipc::CommandRecord& record, AckCallback on_ack);
    void flush(CommandPort& port);
    void flush_datagrams();
    bool take_events(CommandPort& port);
    bool take_ack(CommandPort& port, const ipc::Ack& ack);
    void take_datagrams();

    EventLoop& loop_;
    Logger& log_;
    std::string socket_path_;
    Handlers handlers_;
    ipc::DataplaneLink link_;
    std::vector<CommandPort> ports_; // workers, then the housekeeper
    std::deque<std::unique_ptr<ipc::DatagramRecord>> waiting_datagrams_;
    std::uint64_t datagrams_dropped_{0};
    bool takes_datagrams_{false};
    std::uint64_t last_boot_id_{0};
    std::string trouble_{"not tried yet"};
    EventLoop::TimerId retry_timer_{0};
};

} // namespace adit
