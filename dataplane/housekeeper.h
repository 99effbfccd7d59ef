// SPDX-License-Identifier: Apache-2.0
// The core beside the workers: takes control in, answers its table commands, carries IKE between
// rings and queues, keeps ARP, and writes down counters and links. Nothing here is in a packet's
// way but the first packet to a new neighbour.
//
// When control goes away, forwarding continues with the tables and SAs there are. The next control
// gets fresh rings; its first tables end the SAs of the one before (Tables::sa_epoch).
//
// Threading: the main thread. Reaches workers through their queues and Shared only.
#pragma once

#include "common/clock.h"
#include "common/ipc/channel.h"
#include "common/ipc/handshake.h"
#include "common/log.h"
#include "common/stall_watch.h"
#include "dataplane/arp.h"
#include "dataplane/eth_port.h"
#include "dataplane/ike_datagrams.h"
#include "dataplane/tables.h"
#include "dataplane/worker.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace adit::dataplane {

/// What the housekeeper works with; all of it outlives it.
struct HousekeeperParts {
    Shared& shared;
    ipc::DataplaneStats& stats;
    std::vector<Worker*> workers;
    std::vector<EthPort>& ports;
    const MbufPool& pool;
    Logger& log;
};

class Housekeeper {
  public:
    Housekeeper(const HousekeeperParts& parts, ipc::HandshakeServer server);

    /// Turns until `stop` is set; `look` is called between turns, many times a second.
    void run(const std::atomic<bool>& stop, const std::function<void(Instant)>& look);

    /// One turn; whether it found work.
    bool turn(Instant now);

  private:
    void serve_control(Instant now);
    void attach(const ipc::Peer& peer, Instant now);
    void detach(const std::string& why, Severity severity, Instant now);
    [[nodiscard]] bool rings_broken() const;

    bool drain_commands(bool& found_work);
    void apply(const ipc::CommandRecord& command);
    Verdict publish_tables(std::uint32_t sequence, bool& answered);
    void edit_tables(const ipc::CommandRecord& command);
    void publish_edits();
    void answer_when_adopted();
    void acknowledge(std::uint32_t sequence, const Verdict& verdict);

    bool send_injected();
    void send_datagram();
    bool punt(Instant now);
    bool serve_arp(Instant now);
    void send_frames();

    void tick(Instant now);
    void watch_links(Instant now);
    void watch_control(Instant now);
    void report_links();
    void log(Severity severity,
             const char* facility,
             const char* mnemonic,
             std::string text,
             Instant now);

    HousekeeperParts parts_;
    ipc::HandshakeServer server_;
    Drops drops_;
    TableBuilder builder_;
    Arp arp_;
    DatagramBuilder datagrams_;

    ipc::DataplaneChannel* channel_{nullptr};         // owned by parts_.shared.channel
    StallWatch control_watch_;                        // of this attachment
    std::uint64_t generation_{0};                     // of the last attachment
    std::uint64_t published_{0};                      // Tables::version of the last
    std::optional<std::uint32_t> unanswered_publish_; // waits for the workers to drop old SAs

    /// Edits not yet published, in order: what answers each when the batch is taken.
    struct Edit {
        std::uint32_t sequence;
        Verdict verdict;
    };

    std::vector<Edit> edits_;
    bool has_injected_{false};
    ipc::DatagramRecord injected_;
    ipc::DatagramRecord punted_;
    std::vector<LinkState> links_;
    std::vector<bool> link_reported_; // to this control
    Instant next_tick_{};
    Instant next_socket_look_{};
};

} // namespace adit::dataplane
