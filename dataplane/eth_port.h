// SPDX-License-Identifier: Apache-2.0
// A DPDK port as an owning type. Errors name the thing that is missing and the remedy.
//
// Threading: made and destroyed on the main thread; read_stats and link: the housekeeper.
#pragma once

#include "common/error.h"
#include "common/ipc/stats.h"
#include "common/wire/ethernet.h"
#include "dataplane/kernel_interface.h"
#include "dataplane/mbuf_pool.h"
#include "dataplane/port_plan.h"
#include "dataplane/port_spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace adit::dataplane {

struct LinkState {
    bool up{false};
    std::uint32_t speed_mbps{0}; // 0: unknown

    friend bool operator==(const LinkState&, const LinkState&) = default;
};

class EthPort {
  public:
    /// The MTU that open() is going to set: "mtu=", or what the kernel's interface has, or 1500.
    static Result<std::uint16_t> planned_mtu(const PortSpec& spec);

    /// Finds or creates the device, configures one receive and one transmit queue a worker as far
    /// as the driver has them, with what its NIC can take off the workers, and starts it. The
    /// pool's frames must have room for the planned MTU.
    static Result<EthPort> open(const PortSpec& spec, const MbufPool& pool, std::uint16_t workers);

    EthPort(EthPort&& other) noexcept;
    EthPort& operator=(EthPort&&) = delete;
    EthPort(const EthPort&) = delete;
    EthPort& operator=(const EthPort&) = delete;
    ~EthPort();

    [[nodiscard]] const std::string& name() const { return spec_.name; }

    [[nodiscard]] std::uint16_t id() const { return id_; }

    [[nodiscard]] const wire::MacAddress& mac() const { return mac_; }

    [[nodiscard]] std::uint16_t mtu() const { return mtu_; }

    /// Queues 0 .. n-1; all receive queues must be polled. May be fewer than workers, or, where the
    /// device decides, more.
    [[nodiscard]] std::uint16_t rx_queues() const { return queues_.rx; }

    /// Queues 0 .. n-1; fewer than workers means that workers must share, one at a time.
    [[nodiscard]] std::uint16_t tx_queues() const { return queues_.tx; }

    [[nodiscard]] const PortOffloads& offloads() const { return offloads_; }

    /// Negative: unknown, or none in particular.
    [[nodiscard]] int numa_socket() const;
    /// The same, of a NIC that is not open yet.
    static int numa_socket_of(const PortSpec& spec);

    /// For the log: what was asked of the NIC and achieved.
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] LinkState link() const;
    void read_stats(ipc::PortStats& stats) const;

  private:
    EthPort(PortSpec spec,
            std::uint16_t id,
            std::uint16_t mtu,
            std::optional<KernelInterface> kernel_interface)
        : spec_(std::move(spec)), id_(id), mtu_(mtu),
          kernel_interface_(std::move(kernel_interface)) {}

    Status configure(const MbufPool& pool, std::uint16_t workers);
    Status plan_mtu(const rte_eth_dev_info& info, rte_eth_conf& conf);
    Status set_mtu() const;
    Status set_up_queues(const MbufPool& pool);
    [[nodiscard]] std::unexpected<Error> failed(const char* what, int code) const;
    Status read_identity();

    PortSpec spec_;
    std::uint16_t id_;
    bool owned_{true};
    wire::MacAddress mac_;
    std::uint16_t mtu_;
    QueueCounts queues_{1, 1};
    PortOffloads offloads_;
    std::uint64_t rss_types_{0};
    SpiRss spi_rss_;
    std::optional<KernelInterface> kernel_interface_;
};

} // namespace adit::dataplane
