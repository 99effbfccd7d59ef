// SPDX-License-Identifier: Apache-2.0
// The appliance in topology.h: whole workers with tables, and SAs installed through the rings as
// control does it. Tunnel n is worker n % workers'; worker w polls receive queue w of both ports
// and has transmit queue w.
//
// Threading: made and destroyed by one thread. In between each worker is turned by one thread, and
// its commands are given by one, which may be another; apply() is for the thread that turns a lone
// worker.
#pragma once

#include "dataplane/worker.h"
#include "perf/command_stream.h"
#include "perf/frames.h"

#include <array>
#include <memory>
#include <vector>

namespace adit::perf {

struct GatewaySpec {
    Suite suite;
    Encapsulation form;
    std::uint32_t tunnels; // installed and protected from the start
    std::uint16_t lan_port, wan_port;
    wire::MacAddress lan_mac, wan_mac;
    rte_mempool* pool;
    std::uint8_t workers{1};
    std::uint32_t max_sas{0}; // room for SAs a worker and direction, and for policies; 0: tunnels
};

class Gateway {
  public:
    /// Aborts with a message when it cannot be made.
    explicit Gateway(const GatewaySpec& spec);
    ~Gateway();

    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    void turn(unsigned worker = 0) { workers_[worker]->turn(now_ns()); }

    /// Without policies everything is forwarded in clear.
    enum class Policies : std::uint8_t { Off, On };

    void apply(Policies policies) { protect(policies == Policies::On ? spec_.tunnels : 0); }

    /// Policies for the first so many tunnels, whether they have SAs or not.
    void protect(std::uint32_t tunnels);

    [[nodiscard]] CommandStream& commands(unsigned worker = 0) { return commands_[worker]; }

    [[nodiscard]] const char* crypto_arch() const { return workers_[0]->crypto_arch(); }

    /// Time-stamp counter ticks a packet of worker 0 that went by each part since the last call; 0:
    /// none did.
    [[nodiscard]] std::array<double, ipc::kWorkerParts> take_part_ticks();

    /// Packets dropped so far, for any reason, by any worker.
    [[nodiscard]] std::uint64_t dropped();

  private:
    static std::uint64_t now_ns() {
        return static_cast<std::uint64_t>(MonotonicClock::now().time_since_epoch().count());
    }

    static ipc::DataplaneStats make_stats(const GatewaySpec& spec);
    static dataplane::Crossing make_crossing(const GatewaySpec& spec);
    [[nodiscard]] std::unique_ptr<dataplane::Tables> make_tables(std::uint32_t tunnels) const;
    [[nodiscard]] std::unique_ptr<dataplane::Worker> make_worker(std::uint8_t id);
    void attach_control();
    void install_sas();

    GatewaySpec spec_;
    ipc::DataplaneStats stats_;
    dataplane::Shared shared_;
    std::vector<std::unique_ptr<dataplane::Worker>> workers_;
    std::unique_ptr<ipc::ControlChannel> control_;
    std::vector<CommandStream> commands_; // by worker
};

} // namespace adit::perf
