// SPDX-License-Identifier: Apache-2.0
#include "perf/pktgen/generator.h"

#include "common/wire/arp.h"
#include "dataplane/packet.h"
#include "perf/harness.h"

#include <algorithm>
#include <rte_ethdev.h>

namespace adit::perf {

namespace {

using dataplane::data;

constexpr std::uint32_t kMemoryMb = 128;
/// What PortSpec::frame_room_bytes() says of memif's default MTU.
constexpr std::uint16_t kFrameRoomBytes = 2048;
/// Bursts in a row from one port: the cable is emptied before more is sent into the gateway.
constexpr unsigned kBurstsPerTurn = 4;
/// A generator that lost its core for a moment does not make up for it with a burst longer than
/// this: it offers less instead, as a wire would.
constexpr std::uint64_t kMaxLagFrames = 256;

bool is_esp(rte_mbuf* frame) {
    return rte_pktmbuf_data_len(frame) >= wire::kEthernetBytes + wire::kIpv4Bytes &&
           wire::EthernetHeader{data(frame)}.type() == wire::kEtherTypeIpv4 &&
           wire::Ipv4Header{data(frame) + wire::kEthernetBytes}.protocol() == wire::kProtocolEsp;
}

} // namespace

Result<Generator> Generator::open(const GeneratorConfig& config) {
    auto eal = TRY(dataplane::Eal::start({.file_prefix = "adit-generator",
                                          .hugepages = config.hugepages,
                                          .memory_mb = kMemoryMb,
                                          .workers = 0}));
    auto pool = TRY(dataplane::MbufPool::create(
        "frames", dataplane::PoolPlan::fill(kMemoryMb, kFrameRoomBytes)));
    Generator generator{std::move(eal), std::move(pool), config.gateway};

    struct End {
        const char* name;
        const std::string& socket;
        const char* id;
    };

    const std::array<End, kPlaces> ends{End{"lan-a", config.socket_a, "1"},
                                        End{"wan-a", config.socket_a, "0"},
                                        End{"wan-b", config.socket_b, "0"},
                                        End{"lan-b", config.socket_b, "1"}};
    for (const End& end : ends) {
        const dataplane::PortSpec spec{end.name,
                                       "net_memif" + std::to_string(generator.ports_.size()) +
                                           ",role=client,id=" + end.id +
                                           ",socket-abstract=no,socket=" + end.socket +
                                           ",rsize=" + std::to_string(config.ring_bits)};
        generator.ports_.push_back(TRY(dataplane::EthPort::open(spec, generator.pool_, 1)));
    }
    return generator;
}

bool Generator::connected() const {
    return std::ranges::all_of(ports_,
                               [](const dataplane::EthPort& port) { return port.link().up; });
}

// ---------------------------------------------------------------------------------------------------
// the cable and the hosts

unsigned Generator::receive_all() {
    unsigned frames = serve_cable(kWanA, kWanB);
    frames += serve_cable(kWanB, kWanA);
    frames += serve_host(kLanA);
    return frames + serve_host(kLanB);
}

/// ESP is counted and, on the path through one gateway, ends here. All else goes on.
unsigned Generator::serve_cable(Place from, Place to) {
    unsigned total = 0;
    for (unsigned turn = 0; turn < kBurstsPerTurn; ++turn) {
        std::array<rte_mbuf*, kBurst> frames;
        const std::uint16_t got = rte_eth_rx_burst(ports_[from].id(), 0, frames.data(), kBurst);
        std::array<rte_mbuf*, kBurst> ending, passing;
        std::uint16_t ends = 0, passes = 0;
        for (std::uint16_t i = 0; i < got; ++i)
            if (path_ == Path::OneGateway && is_esp(frames[i]))
                ending[ends++] = frames[i];
            else
                passing[passes++] = frames[i];
        arrived_.received += ends;
        rte_pktmbuf_free_bulk(ending.data(), ends);
        if (passes > 0)
            pass_on({passing.data(), passes}, to);
        total += got;
        if (got < kBurst)
            break;
    }
    return total;
}

void Generator::pass_on(std::span<rte_mbuf*> frames, Place to) {
    const auto count = static_cast<std::uint16_t>(frames.size());
    const std::uint16_t sent = rte_eth_tx_burst(ports_[to].id(), 0, frames.data(), count);
    arrived_.cable_refused += count - sent;
    rte_pktmbuf_free_bulk(frames.data() + sent, static_cast<unsigned>(count - sent));
}

unsigned Generator::serve_host(Place place) {
    unsigned total = 0;
    for (unsigned turn = 0; turn < kBurstsPerTurn; ++turn) {
        std::array<rte_mbuf*, kBurst> frames;
        const std::uint16_t got = rte_eth_rx_burst(ports_[place].id(), 0, frames.data(), kBurst);
        for (std::uint16_t i = 0; i < got; ++i) {
            const std::uint16_t type = wire::EthernetHeader{data(frames[i])}.type();
            if (type == wire::kEtherTypeArp && answer_arp(place, frames[i]))
                continue;
            if (place == kLanB && type == wire::kEtherTypeIpv4)
                ++arrived_.received;
            rte_pktmbuf_free(frames[i]);
        }
        total += got;
        if (got < kBurst)
            break;
    }
    return total;
}

/// In the frame that asked. False when it asks nothing: announcements, probes, replies.
bool Generator::answer_arp(Place place, rte_mbuf* frame) {
    std::uint8_t* const body = data(frame) + wire::kEthernetBytes;
    const auto arp =
        wire::ArpPacket::parse({body, rte_pktmbuf_data_len(frame) - wire::kEthernetBytes});
    if (!arp || arp->operation != wire::ArpOperation::Request || arp->sender_address == 0 ||
        arp->sender_address == arp->target_address)
        return false;
    const wire::MacAddress& own = ports_[place].mac();
    wire::EthernetHeader{data(frame)}.write(arp->sender_mac, own, wire::kEtherTypeArp);
    wire::ArpPacket{
        wire::ArpOperation::Reply, own, arp->target_address, arp->sender_mac, arp->sender_address}
        .write(body);
    return rte_eth_tx_burst(ports_[place].id(), 0, &frame, 1) == 1;
}

// ---------------------------------------------------------------------------------------------------
// sending

void Generator::make_waiting(FrameSequence& sequence, std::uint16_t wanted) {
    const unsigned missing = wanted - waiting_count_;
    rte_mbuf** const fresh = waiting_.data() + waiting_count_;
    if (rte_pktmbuf_alloc_bulk(pool_.get(), fresh, missing) != 0)
        return; // all are on their way: later
    for (unsigned i = 0; i < missing; ++i) {
        const TestFrame frame = sequence.next();
        frame.write(
            dataplane::append(fresh[i], frame.frame_bytes()), gateway_, ports_[kLanA].mac());
    }
    waiting_count_ = wanted;
}

std::uint16_t Generator::send_waiting() {
    const std::uint16_t sent =
        rte_eth_tx_burst(ports_[kLanA].id(), 0, waiting_.data(), waiting_count_);
    std::copy(waiting_.begin() + sent, waiting_.begin() + waiting_count_, waiting_.begin());
    waiting_count_ = static_cast<std::uint16_t>(waiting_count_ - sent);
    return sent;
}

void Generator::discard_waiting() {
    rte_pktmbuf_free_bulk(waiting_.data(), waiting_count_);
    waiting_count_ = 0;
}

/// What the gateway has no room for waits for the next turn: nothing is lost in front of it.
void Generator::send_as_taken(FrameSequence& sequence, Sent& sent) {
    make_waiting(sequence, kBurst);
    const std::uint16_t count = send_waiting();
    sent.offered += count;
    sent.taken += count;
    sent.full_turns += waiting_count_ > 0 ? 1 : 0;
}

/// What the gateway has no room for is lost, as at a NIC whose ring is full.
void Generator::send_due(FrameSequence& sequence, std::uint64_t due, Sent& sent) {
    make_waiting(sequence, static_cast<std::uint16_t>(std::min<std::uint64_t>(due, kBurst)));
    sent.offered += waiting_count_;
    sent.taken += send_waiting();
    sent.full_turns += waiting_count_ > 0 ? 1 : 0;
    discard_waiting();
}

Sent Generator::run(const Trial& trial) {
    path_ = trial.path;
    arrived_ = {};
    Sent sent;
    FrameSequence sequence{trial.tunnels, trial.ip_bytes};
    const double frames_per_ns = trial.frames_per_second / 1e9;
    std::uint64_t given_up = 0; // frames whose time passed while this core was elsewhere
    const std::uint64_t start = now_ns();
    const std::uint64_t end = start + static_cast<std::uint64_t>(trial.seconds * 1e9);
    for (std::uint64_t now = start; now < end; now = now_ns()) {
        receive_all();
        ++sent.turns;
        if (trial.frames_per_second == 0) {
            send_as_taken(sequence, sent);
            continue;
        }
        const double elapsed_ns = static_cast<double>(now - start);
        const auto planned = static_cast<std::uint64_t>(elapsed_ns * frames_per_ns);
        std::uint64_t due = planned - given_up - sent.offered;
        if (due > kMaxLagFrames) {
            given_up += due - kMaxLagFrames;
            due = kMaxLagFrames;
        }
        send_due(sequence, due, sent);
    }
    discard_waiting();
    return sent;
}

} // namespace adit::perf
