// SPDX-License-Identifier: Apache-2.0
// A gateway with several workers between a LAN and a WAN port, and control's end of its rings.
//
//   flow f: host 10.2.f.2 -- [0] LAN  gateway 192.0.2.1  WAN [1] -- peer 192.0.2.2 -- 10.1.f.2
//
// Flow f is policy f and has an SA pair of its own, with a null cipher: what leaves can be read.
// Each packet carries its flow and its number within it.
#pragma once

#include "common/wire/esp.h"
#include "dataplane/worker.h"
#include "tests/support/ring_port.h"
#include "tests/support/worker_fixture.h"

#include <optional>
#include <unistd.h>
#include <utility>

namespace adit::test {

class WorkersFixture : public EspFixture {
  protected:
    static constexpr std::uint32_t kFlows = 4;
    static constexpr std::uint8_t kBoth[] = {0, 1}; // workers, where there are two
    static constexpr Suite kReadable{EspCipher::Null, EspMac::HmacSha1_96};

    struct Shape {
        std::uint8_t workers{2};
        std::uint16_t rx_queues{2}, tx_queues{2};
        std::uint32_t event_slots{256};
        std::uint32_t max_sas{16};
        std::uint32_t max_policies{kFlows};
        dataplane::IdleMode idle{dataplane::IdleMode::Poll};
    };

    struct Number {
        std::uint32_t flow, number;

        friend bool operator==(const Number&, const Number&) = default;
    };

    void open(const Shape& shape) {
        test_pool();
        peer.emplace();
        lan.emplace(kLan, shape.rx_queues, shape.tx_queues);
        wan.emplace(kWan, shape.rx_queues, shape.tx_queues);
        stats.emplace(make_stats(shape));
        auto crossing = dataplane::Crossing::create(shape.workers, shape.max_policies);
        ENSURE(crossing.has_value());
        shared.emplace(shape.workers, stats->neighbors(), std::move(*crossing));
        shared->neighbors.store(kLan, kHost, ipc::NeighborState::Reachable, kHostMac, 1);
        shared->neighbors.store(kWan, kPeerAddress, ipc::NeighborState::Reachable, kPeerMac, 1);
        publish(protecting_tables(1));
        for (std::uint8_t id = 0; id < shape.workers; ++id)
            workers.push_back(make_worker(WorkerId{id}, shape));
        for (std::size_t id = 1; id < workers.size(); ++id)
            workers[id]->pass_injected_to(*workers[id - 1]);
        sequences.assign(shape.workers, 0);
        attach_control();
    }

    void TearDown() override {
        workers.clear();
        for (auto* port : {&lan, &wan})
            for (unsigned queue = 0; queue < (*port)->tx_queues(); ++queue)
                while (rte_mbuf* frame = (*port)->left(queue))
                    rte_pktmbuf_free(frame);
        shared.reset();
        lan.reset();
        wan.reset();
        MbufFixture::TearDown();
    }

    // --- control -------------------------------------------------------------------------------

    static std::unique_ptr<dataplane::Tables> plain_tables(std::uint64_t version) {
        auto tables = std::make_unique<dataplane::Tables>();
        tables->version = version;
        tables->interfaces[kLan] = {true, 16, kLanAddress, 1500};
        tables->interfaces[kWan] = {true, 24, kWanAddress, 1500};
        tables->routes.add({Ipv4Address{10, 1, 0, 0}, 16},
                           {dataplane::RouteKind::Gateway, kWan, kPeerAddress});
        tables->routes.add({Ipv4Address{10, 2, 0, 0}, 16},
                           {dataplane::RouteKind::Gateway, kLan, kHost});
        tables->routes.add({Ipv4Address{192, 0, 2, 0}, 24},
                           {dataplane::RouteKind::Connected, kWan, 0});
        tables->routes.add({Ipv4Address{kWanAddress}, 32}, {dataplane::RouteKind::Local, kWan, 0});
        return tables;
    }

    /// Flow f is protected as policy f.
    static std::unique_ptr<dataplane::Tables> protecting_tables(std::uint64_t version) {
        auto tables = plain_tables(version);
        std::vector<dataplane::PolicyLine> lines;
        for (std::uint8_t flow = 0; flow < kFlows; ++flow)
            lines.push_back(
                {.order = flow,
                 .policy = PolicyId{flow},
                 .action = ipc::PolicyAction::Protect,
                 .entry = 1,
                 .selector = {{Ipv4Address{10, 2, flow, 0}, Ipv4Address{10, 2, flow, 255}},
                              {Ipv4Address{10, 1, flow, 0}, Ipv4Address{10, 1, flow, 255}}}});
        tables->policies[kWan] = dataplane::PolicyTable{lines};
        return tables;
    }

    void publish(std::unique_ptr<dataplane::Tables> tables) {
        shared->tables.publish(std::move(tables));
    }

    /// The pair of `flow` becomes that worker's; the peer gets its end. `slot` counts rekeys.
    void install(std::uint32_t flow, std::uint8_t worker, std::uint32_t slot) {
        ipc::InstallSa inbound = EspWorld::record(ipc::Direction::Inbound, kReadable, slot);
        inbound.spi = make_spi(WorkerId{worker}, slot, 0xa5).value;
        inbound.policy = flow;
        push(worker, inbound);
        install_outbound(flow, worker, slot);
        ipc::InstallSa of_peer = EspWorld::mirrored(inbound);
        of_peer.policy = flow;
        peer->install(of_peer);
    }

    void install_outbound(std::uint32_t flow, std::uint8_t worker, std::uint32_t slot) {
        ipc::InstallSa outbound = EspWorld::record(ipc::Direction::Outbound, kReadable, slot);
        outbound.policy = flow;
        push(worker, outbound);
    }

    void remove_outbound(std::uint8_t worker, std::uint32_t slot) {
        remove(worker, EspWorld::record(ipc::Direction::Outbound, kReadable, slot));
    }

    void remove(std::uint8_t worker, const ipc::InstallSa& sa) {
        ipc::CommandRecord command{};
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::RemoveSa);
        command.remove_sa.sa_id = sa.sa_id;
        command.remove_sa.slot = sa.slot;
        command.remove_sa.direction = sa.direction;
        push(worker, command);
    }

    void push(std::uint8_t worker, const ipc::InstallSa& install) {
        ipc::CommandRecord command{};
        command.install_sa = install;
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::InstallSa);
        push(worker, command);
    }

    void push(std::uint8_t worker, ipc::CommandRecord command) {
        command.header.sequence = ++sequences[worker];
        ENSURE(control->commands(worker).try_push(command));
    }

    /// Takes a worker's events; how many were of this type.
    unsigned take_events(std::uint8_t worker, ipc::EventType type) {
        unsigned count = 0;
        ipc::EventRecord event{};
        while (control->events(worker).try_pop(event) == ipc::PopResult::Got)
            count += unsigned{event.header.type == static_cast<std::uint16_t>(type)};
        return count;
    }

    // --- packets -------------------------------------------------------------------------------

    static rte_mbuf* clear_frame(std::uint8_t flow, std::uint32_t number) {
        return frame(kHostMac, kLanMac, inner(flow, number, Way::Out));
    }

    /// Sealed by the peer's current SA of the flow.
    rte_mbuf* esp_frame(std::uint8_t flow, std::uint32_t number) {
        const Bytes esp = sealed_by(*peer, flow, inner(flow, number, Way::In));
        return frame(
            kPeerMac, kWanMac, ip_packet(kPeerAddress, kWanAddress, wire::kProtocolEsp, esp));
    }

    /// What the frame carries, in clear or in ESP of a null cipher. Frees it.
    static Number read_and_free(rte_mbuf* frame) {
        const std::size_t esp = is_esp(frame) ? wire::kIpv4Bytes + wire::kEspBytes : 0;
        const std::uint8_t* at = dataplane::data(frame) + wire::kEthernetBytes + esp +
                                 wire::kIpv4Bytes + wire::kUdpBytes;
        const Number number{load_be<std::uint32_t>(at), load_be<std::uint32_t>(at + 4)};
        rte_pktmbuf_free(frame);
        return number;
    }

    static bool is_esp(rte_mbuf* frame) {
        return wire::Ipv4Header{dataplane::data(frame) + wire::kEthernetBytes}.protocol() ==
               wire::kProtocolEsp;
    }

    /// Everything that left by a queue since the last look.
    static std::vector<Number> left(RingPort& port, unsigned queue) {
        std::vector<Number> numbers;
        while (rte_mbuf* frame = port.left(queue))
            numbers.push_back(read_and_free(frame));
        return numbers;
    }

    /// Numbers first .. first+count-1 of a flow.
    static std::vector<Number> row(std::uint32_t flow, std::uint32_t first, std::uint32_t count) {
        std::vector<Number> numbers;
        for (std::uint32_t i = 0; i < count; ++i)
            numbers.push_back({flow, first + i});
        return numbers;
    }

    // --- counters ------------------------------------------------------------------------------

    [[nodiscard]] std::uint64_t dropped(std::uint8_t worker, DropReason reason) {
        return ipc::read(stats->core_stats(worker).drops[static_cast<std::size_t>(reason)]);
    }

    /// Packets that could not wait for an SA, by all workers.
    [[nodiscard]] std::uint32_t no_sa() {
        std::uint64_t sum = 0;
        for (std::uint8_t worker = 0; worker < workers.size(); ++worker)
            sum += dropped(worker, DropReason::NoSa);
        return static_cast<std::uint32_t>(sum);
    }

    [[nodiscard]] std::uint64_t dropped_in_all() {
        std::uint64_t sum = 0;
        for (std::uint8_t worker = 0; worker < workers.size(); ++worker)
            for (const ipc::Counter& reason : stats->core_stats(worker).drops)
                sum += ipc::read(reason);
        return sum;
    }

    std::optional<EspWorld> peer;
    std::optional<RingPort> lan, wan;
    std::optional<ipc::DataplaneStats> stats;
    std::optional<dataplane::Shared> shared;
    std::vector<std::unique_ptr<dataplane::Worker>> workers;
    std::unique_ptr<ipc::ControlChannel> control;
    std::vector<std::uint32_t> sequences; // of commands, by worker

    void attach_control(std::uint64_t generation = 1) {
        auto channel = ipc::DataplaneChannel::create(*stats, generation);
        ENSURE(channel.has_value());
        auto attached =
            ipc::ControlChannel::attach({UniqueFd{dup(stats->fd())},
                                         UniqueFd{dup((*channel)->up_fd())},
                                         UniqueFd{dup((*channel)->down_fd())},
                                         UniqueFd{dup((*channel)->control_doorbell_fd())},
                                         UniqueFd{dup(stats->journal_fd())}});
        ENSURE(attached.has_value());
        control = std::move(*attached);
        shared->channel.publish(std::move(*channel));
    }

  private:
    enum class Way : std::uint8_t { Out, In };

    static ipc::DataplaneStats make_stats(const Shape& shape) {
        SeededRng rng{1};
        auto made = ipc::DataplaneStats::create({.workers = shape.workers,
                                                 .max_sas = shape.max_sas,
                                                 .max_policies = shape.max_policies,
                                                 .event_slots = shape.event_slots,
                                                 .port_names = {"lan", "wan"}},
                                                rng);
        ENSURE(made.has_value());
        return std::move(*made);
    }

    std::unique_ptr<dataplane::Worker> make_worker(WorkerId id, const Shape& shape) {
        namespace dp = dataplane;
        const std::uint16_t queues[] = {shape.rx_queues, shape.rx_queues};
        const WorkerId sender = dp::sender_for(id, shape.tx_queues);
        const auto port = [&](std::uint16_t dpdk_port, const wire::MacAddress& mac) {
            return dp::WorkerPort{.dpdk_port = dpdk_port,
                                  .mac = mac,
                                  .tx_queue = id.value,
                                  .sender = sender != id ? std::optional{sender} : std::nullopt};
        };
        auto made = dp::Worker::create({.id = id,
                                        .crypto = dp::CryptoArch::Auto,
                                        .idle = shape.idle,
                                        .ports = {port(kLan, kLanMac), port(kWan, kWanMac)},
                                        .rx_queues = dp::rx_queues_of(id, shape.workers, queues),
                                        .pool = test_pool()},
                                       *shared,
                                       *stats);
        ENSURE(made.has_value());
        return std::move(*made);
    }

    static Bytes inner(std::uint8_t flow, std::uint32_t number, Way way) {
        std::uint8_t payload[8];
        store_be(payload, std::uint32_t{flow});
        store_be(payload + 4, number);
        const std::uint32_t near = Ipv4Address{10, 2, flow, 2}.value;
        const std::uint32_t far = Ipv4Address{10, 1, flow, 2}.value;
        return way == Way::Out ? udp_packet(near, far, 1000, 2000, payload)
                               : udp_packet(far, near, 2000, 1000, payload);
    }

    static rte_mbuf*
    frame(const wire::MacAddress& from, const wire::MacAddress& to, const Bytes& packet) {
        Bytes content(wire::kEthernetBytes + packet.size());
        std::copy(packet.begin(), packet.end(), content.begin() + wire::kEthernetBytes);
        wire::EthernetHeader{content.data()}.write(to, from, wire::kEtherTypeIpv4);
        return make_packet(content);
    }
};

} // namespace adit::test
