// SPDX-License-Identifier: Apache-2.0
// ARP, both ways (RFC 826; RFC 5227 for announcements): who on our links has which MAC address.
//
//      resolve()                    reply                     4 h
//     ----------> Incomplete ------------------> Reachable ---------> Stale
//                  | 3 requests unanswered        ^                    | in use, but asked again
//                  v                              `------- reply ------|
//                 gone                                                 `-> gone after 3 requests
//
// Learnt is only from replies that were asked for and from requests to us. An unasked announcement
// of a known neighbour's new MAC address makes us ask, not believe. Everything is bounded:
// neighbours, packets waiting for one, packets waiting in all.
//
// Threading: the housekeeper. Frames to send are collected for the caller (take_frames).
#pragma once

#include "common/clock.h"
#include "common/log.h"
#include "common/wire/arp.h"
#include "dataplane/burst.h"
#include "dataplane/neighbor_table.h"
#include "dataplane/tables.h"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace adit::dataplane {

class Arp {
  public:
    static constexpr std::size_t kMaxNeighbors = ipc::kMaxNeighbors / 2;
    static constexpr std::size_t kMaxQueuePerNeighbor = 8;
    static constexpr std::size_t kMaxQueued = 256;
    static constexpr unsigned kTries = 3;
    static constexpr Duration kRetry = std::chrono::seconds{1};
    static constexpr Duration kReachable = std::chrono::hours{4};

    /// `macs`: one a port.
    Arp(NeighborTable& published,
        std::vector<wire::MacAddress> macs,
        rte_mempool* pool,
        Drops& drops,
        Logger& log);
    ~Arp();
    Arp(const Arp&) = delete;
    Arp& operator=(const Arp&) = delete;

    /// New tables: announces addresses that came up, forgets neighbours of links that changed.
    void set_interfaces(const Interfaces& interfaces);

    /// A received ARP packet; data starts behind the Ethernet header. Taken.
    void input(rte_mbuf* packet, Instant now);
    /// An IPv4 packet whose meta.out_interface and meta.next_hop have no MAC address yet. Taken:
    /// sent when the answer comes, else dropped (NeighborUnresolved).
    void resolve(rte_mbuf* packet, Instant now);
    /// Repeats and gives up; call every 100 ms or so.
    void tick(Instant now);
    /// Forgets all neighbours.
    void flush();

    /// Complete frames for their meta.out_interface, in order; the caller's from now on.
    [[nodiscard]] std::vector<rte_mbuf*> take_frames() { return std::exchange(frames_, {}); }

    [[nodiscard]] std::size_t queued() const { return queued_; }

  private:
    struct Key {
        std::uint16_t interface;
        std::uint32_t address;

        friend bool operator==(const Key&, const Key&) = default;
    };

    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return std::hash<std::uint64_t>{}(std::uint64_t{key.interface} << 32 | key.address);
        }
    };

    struct Neighbor {
        ipc::NeighborState state{ipc::NeighborState::Incomplete};
        wire::MacAddress mac;
        unsigned unanswered{0}; // requests sent since the last answer
        Instant next;           // when to ask again, to give up or to turn stale
        std::vector<rte_mbuf*> queue;
    };

    using Neighbors = std::unordered_map<Key, Neighbor, KeyHash>;

    [[nodiscard]] bool is_plausible(std::uint16_t interface, const wire::ArpPacket& arp) const;
    void learn(const Key& key, const wire::MacAddress& mac, Instant now);
    void suspect(const Key& key, Instant now);
    void ask(const Key& key, Neighbor& neighbor, Instant now);
    void send(std::uint16_t interface, const wire::MacAddress& to, const wire::ArpPacket& arp);
    void send_ip(rte_mbuf* packet, const wire::MacAddress& to);
    void announce(std::uint16_t interface);
    void drop_queue(Neighbor& neighbor);
    Neighbors::iterator forget(Neighbors::iterator at);
    void publish(const Key& key, const Neighbor& neighbor, Instant now);

    NeighborTable* published_;
    std::vector<wire::MacAddress> macs_;
    rte_mempool* pool_;
    Drops* drops_;
    Logger* log_;
    Interfaces interfaces_{};
    Neighbors neighbors_;
    std::vector<rte_mbuf*> frames_;
    std::size_t queued_{0};
};

} // namespace adit::dataplane
