// SPDX-License-Identifier: Apache-2.0
// Everything around two gateways, on one core: the host behind each of them, and the cable between.
//
//     lan-a          gw-a           cable            gw-b          lan-b
//     sends frames > encrypts > counts, passes on > decrypts > counts what arrives
//
// The cable always passes on what is not ESP (ARP, IKE), so that the gateways negotiate for real.
// ESP ends on it, or goes on to gw-b: Path. The hosts answer every ARP request with their own
// address; they are the next hop of all test traffic.
//
// Threading: one thread. Errors name the thing that is missing.
#pragma once

#include "common/error.h"
#include "common/wire/ethernet.h"
#include "dataplane/eal.h"
#include "dataplane/eth_port.h"
#include "dataplane/mbuf_pool.h"
#include "perf/pktgen/frames.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adit::perf {

enum class Path : std::uint8_t {
    OneGateway,   // ESP of gw-a is counted on the cable and ends there
    BothGateways, // it goes on to gw-b; what lan-b gets in clear is counted
};

struct Trial {
    std::vector<std::uint16_t> ip_bytes; // lengths of the packets, in turn
    std::uint32_t tunnels{1};            // in turn, too
    double frames_per_second{0};         // 0: as many as the gateway takes
    double seconds{1};
    Path path{Path::OneGateway};
};

struct Sent {
    std::uint64_t offered{0}; // frames that were sent, whether or not the gateway had room
    std::uint64_t taken{0};   // of those, what found room in gw-a's ring
    std::uint64_t turns{0};
    std::uint64_t full_turns{0}; // gw-a's ring was full: the gateway was the slower one
};

/// Since the last trial began.
struct Arrived {
    std::uint64_t received{0};      // at the end of the path
    std::uint64_t cable_refused{0}; // found no room in the ring of the gateway it was for
};

struct GeneratorConfig {
    /// memif sockets of the gateways; interface 0 of each is wan, 1 is lan.
    std::string socket_a, socket_b;
    /// Where frames for the tunnels go: the address of gw-a's lan.
    wire::MacAddress gateway;
    int ring_bits{10}; // memif's rings have 2^n places
    dataplane::Hugepages hugepages{dataplane::Hugepages::Off};
};

class Generator {
  public:
    static Result<Generator> open(const GeneratorConfig& config);

    /// Whether all four memifs are connected.
    [[nodiscard]] bool connected() const;

    /// Carries what is under way: ARP, IKE, the rest of a trial. True when there was any. To be
    /// called whenever no trial runs.
    bool idle_turn() { return receive_all() > 0; }

    Sent run(const Trial& trial);

    /// Grows for a moment after a trial, while the gateways empty their rings.
    [[nodiscard]] const Arrived& arrived() const { return arrived_; }

  private:
    enum Place : std::size_t { kLanA, kWanA, kWanB, kLanB, kPlaces };

    static constexpr std::uint16_t kBurst = 32; // as memif moves them

    Generator(dataplane::Eal eal, dataplane::MbufPool pool, wire::MacAddress gateway)
        : eal_(std::move(eal)), pool_(std::move(pool)), gateway_(gateway) {}

    unsigned receive_all();
    unsigned serve_cable(Place from, Place to);
    void pass_on(std::span<rte_mbuf*> frames, Place to);
    unsigned serve_host(Place place);
    bool answer_arp(Place place, rte_mbuf* frame);

    void make_waiting(FrameSequence& sequence, std::uint16_t wanted);
    std::uint16_t send_waiting();
    void discard_waiting();
    void send_as_taken(FrameSequence& sequence, Sent& sent);
    void send_due(FrameSequence& sequence, std::uint64_t due, Sent& sent);

    // In order of construction: ports use the pool's memory, which is EAL's.
    dataplane::Eal eal_;
    dataplane::MbufPool pool_;
    std::vector<dataplane::EthPort> ports_;
    wire::MacAddress gateway_;
    std::array<rte_mbuf*, kBurst> waiting_{}; // made, not sent yet
    std::uint16_t waiting_count_{0};
    Path path_{Path::OneGateway};
    Arrived arrived_;
};

} // namespace adit::perf
