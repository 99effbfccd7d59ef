// SPDX-License-Identifier: Apache-2.0
// A whole worker between two ports that are made of rings (net_ring): what a test lets arrive is
// received, what is transmitted can be taken. Tables are published and SAs installed as in the
// running program, by RCU and through control's rings. Addresses and names: worker_fixture.h.
//
// Threading: the test's thread is worker, housekeeper and control in one. One gateway at a time.
#pragma once

#include "dataplane/worker.h"
#include "tests/support/worker_fixture.h"

#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

namespace adit::test {

class RingPort {
  public:
    RingPort(std::string name, rte_mempool* pool)
        : name_(std::move(name)), received_(make_ring(name_ + "-rx")),
          sent_(make_ring(name_ + "-tx")),
          id_(make_port(name_, received_.get(), sent_.get(), pool)) {}

    ~RingPort() {
        rte_eth_dev_stop(id_);
        // The driver puts its own name in front of ours; without this it is taken for ever.
        rte_vdev_uninit(("net_ring_" + name_).c_str());
    }

    RingPort(const RingPort&) = delete;
    RingPort& operator=(const RingPort&) = delete;

    [[nodiscard]] std::uint16_t id() const { return id_; }

    void arrive(std::span<rte_mbuf* const> frames) {
        for (rte_mbuf* frame : frames)
            ENSURE(rte_ring_enqueue(received_.get(), frame) == 0);
    }

    /// Gives every transmitted frame to `look`, then frees it; how many frames that was.
    template <class Look> unsigned take_all(Look look) {
        std::array<void*, kSlots> frames;
        const unsigned count =
            rte_ring_dequeue_burst(sent_.get(), frames.data(), frames.size(), nullptr);
        for (unsigned i = 0; i < count; ++i) {
            look(static_cast<rte_mbuf*>(frames[i]));
            rte_pktmbuf_free(static_cast<rte_mbuf*>(frames[i]));
        }
        return count;
    }

    unsigned take_all() {
        return take_all([](const rte_mbuf*) {});
    }

  private:
    static constexpr unsigned kSlots = 1024; // all buffers of the test pool fit

    struct Free {
        void operator()(rte_ring* ring) const { rte_ring_free(ring); }
    };

    using RingPtr = std::unique_ptr<rte_ring, Free>;

    static RingPtr make_ring(const std::string& name) {
        RingPtr ring{
            rte_ring_create(name.c_str(), kSlots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ)};
        ENSURE(ring != nullptr);
        return ring;
    }

    static std::uint16_t
    make_port(const std::string& name, rte_ring* rx, rte_ring* tx, rte_mempool* pool) {
        const int port = rte_eth_from_rings(name.c_str(), &rx, 1, &tx, 1, 0);
        ENSURE(port >= 0);
        const auto id = static_cast<std::uint16_t>(port);
        const rte_eth_conf plain{};
        ENSURE(rte_eth_dev_configure(id, 1, 1, &plain) == 0);
        ENSURE(rte_eth_rx_queue_setup(id, 0, kSlots, 0, nullptr, pool) == 0);
        ENSURE(rte_eth_tx_queue_setup(id, 0, kSlots, 0, nullptr) == 0);
        ENSURE(rte_eth_dev_start(id) == 0);
        return id;
    }

    std::string name_;
    RingPtr received_;
    RingPtr sent_;
    std::uint16_t id_;
};

class RingGateway {
  public:
    static constexpr WorkerId kWorker{0};

    RingGateway() {
        publish(gateway_tables());
        shared_.neighbors.store(kLan, kHost, ipc::NeighborState::Reachable, kHostMac, 1);
        shared_.neighbors.store(kWan, kPeerAddress, ipc::NeighborState::Reachable, kPeerMac, 1);
        auto made = dataplane::Worker::create({.id = kWorker,
                                               .crypto = dataplane::CryptoArch::Auto,
                                               .idle = dataplane::IdleMode::Poll,
                                               .ports = {{.dpdk_port = lan.id(), .mac = kLanMac},
                                                         {.dpdk_port = wan.id(), .mac = kWanMac}},
                                               .rx_queues = {{kLan, 0}, {kWan, 0}},
                                               .pool = test_pool()},
                                              shared_,
                                              stats_);
        ENSURE(made.has_value());
        worker_ = std::move(*made);
        shared_.rcu.join(kWorker.value);
        attach_control();
    }

    ~RingGateway() { shared_.rcu.leave(kWorker.value); }

    RingGateway(const RingGateway&) = delete;
    RingGateway& operator=(const RingGateway&) = delete;

    void publish(dataplane::Tables tables) {
        shared_.tables.publish(std::make_unique<dataplane::Tables>(std::move(tables)));
    }

    /// As control would: by record, and acknowledged at the end of the turn.
    void install(const ipc::InstallSa& sa, std::uint64_t now_ns) {
        ipc::CommandRecord command{};
        command.install_sa = sa;
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::InstallSa);
        run(command, now_ns);
    }

    void remove(const ipc::InstallSa& sa, std::uint64_t now_ns) {
        ipc::CommandRecord command{};
        command.remove_sa = {.sa_id = sa.sa_id, .slot = sa.slot};
        command.header.type = static_cast<std::uint16_t>(ipc::CommandType::RemoveSa);
        run(command, now_ns);
    }

    [[nodiscard]] dataplane::Worker& worker() { return *worker_; }

    [[nodiscard]] const ipc::CoreStats& counters() { return stats_.core_stats(kWorker.value); }

    /// Names of all drop reasons counted so far, with their numbers.
    [[nodiscard]] std::string drops() {
        std::string text;
        for (std::size_t i = 0; i < kDropReasonCount; ++i)
            if (const std::uint64_t count = ipc::read(counters().drops[i]); count != 0)
                text += std::string{kDropReasonNames[i]} + "=" + std::to_string(count) + " ";
        return text;
    }

    /// What control would read next; empties the ring.
    unsigned take_events() {
        unsigned count = 0;
        ipc::EventRecord event;
        while (control_->events(kWorker.value).try_pop(event) == ipc::PopResult::Got)
            ++count;
        return count;
    }

    RingPort lan{"lan", test_pool()};
    RingPort wan{"wan", test_pool()};

  private:
    static ipc::DataplaneStats make_stats() {
        SeededRng rng{1};
        auto made = ipc::DataplaneStats::create(
            {.max_sas = 16, .max_policies = 16, .port_names = {"lan", "wan"}}, rng);
        ENSURE(made.has_value());
        return std::move(*made);
    }

    void attach_control() {
        auto channel = ipc::DataplaneChannel::create(stats_, 1);
        ENSURE(channel.has_value());
        auto attached =
            ipc::ControlChannel::attach({UniqueFd{dup(stats_.fd())},
                                         UniqueFd{dup((*channel)->up_fd())},
                                         UniqueFd{dup((*channel)->down_fd())},
                                         UniqueFd{dup((*channel)->control_doorbell_fd())},
                                         UniqueFd{dup(stats_.journal_fd())}});
        ENSURE(attached.has_value());
        control_ = std::move(*attached);
        shared_.channel.publish(std::move(*channel));
    }

    void run(ipc::CommandRecord& command, std::uint64_t now_ns) {
        command.header.sequence = ++sequence_;
        ENSURE(control_->commands(kWorker.value).try_push(command));
        worker_->turn(now_ns);
        ipc::EventRecord event{};
        while (event.header.type != static_cast<std::uint16_t>(ipc::EventType::Ack))
            ENSURE(control_->events(kWorker.value).try_pop(event) == ipc::PopResult::Got);
        ENSURE(event.ack.sequence == sequence_);
        ENSURE(event.ack.result == static_cast<std::uint16_t>(ipc::AckResult::Ok));
    }

    ipc::DataplaneStats stats_ = make_stats();
    dataplane::Shared shared_{1, {}};
    std::unique_ptr<dataplane::Worker> worker_;
    std::unique_ptr<ipc::ControlChannel> control_;
    std::uint32_t sequence_{0};
};

} // namespace adit::test
