// SPDX-License-Identifier: Apache-2.0
// The appliance in topology.h: whole workers with tables, and SAs installed through the rings as
// control does it.
//
// Threading: one thread makes it and turns worker 0.
#pragma once

#include "dataplane/worker.h"
#include "perf/frames.h"

#include <array>
#include <memory>
#include <vector>

namespace adit::perf {

struct GatewaySpec {
    Suite suite;
    Encapsulation form;
    std::uint32_t tunnels;
    std::uint16_t lan_port, wan_port;
    wire::MacAddress lan_mac, wan_mac;
    rte_mempool* pool;
};

class Gateway {
  public:
    /// Aborts with a message when it cannot be made.
    explicit Gateway(const GatewaySpec& spec);
    ~Gateway();

    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    void turn() { worker_->turn(now_ns()); }

    /// Without policies everything is forwarded in clear.
    enum class Policies : std::uint8_t { Off, On };
    void apply(Policies policies);

    [[nodiscard]] const char* crypto_arch() const { return worker_->crypto_arch(); }

    /// Time-stamp counter ticks a packet that went by each part since the last call; 0: none did.
    [[nodiscard]] std::array<double, ipc::kWorkerParts> take_part_ticks();

    /// Packets dropped so far, for any reason.
    [[nodiscard]] std::uint64_t dropped();

  private:
    static std::uint64_t now_ns() {
        return static_cast<std::uint64_t>(MonotonicClock::now().time_since_epoch().count());
    }

    static ipc::DataplaneStats make_stats(const GatewaySpec& spec);
    [[nodiscard]] std::unique_ptr<dataplane::Tables> make_tables(Policies policies) const;
    void attach_control();
    void install_sas();
    void install(const ipc::InstallSa& sa);
    void take_acks();

    GatewaySpec spec_;
    ipc::DataplaneStats stats_;
    dataplane::Shared shared_;
    std::unique_ptr<dataplane::Worker> worker_;
    std::unique_ptr<ipc::ControlChannel> control_;
    std::uint32_t commands_{0};
    std::uint32_t acks_{0};
};

} // namespace adit::perf
