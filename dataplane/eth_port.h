// SPDX-License-Identifier: Apache-2.0
// A DPDK port as an owning type. Errors name the thing that is missing and the remedy.
//
// Threading: made and destroyed on the main thread; read_stats and link: the housekeeper.
#pragma once

#include "common/error.h"
#include "common/ipc/stats.h"
#include "common/unique_fd.h"
#include "common/wire/ethernet.h"
#include "dataplane/mbuf_pool.h"
#include "dataplane/port_plan.h"
#include "dataplane/port_spec.h"

#include <cstdint>
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
    /// Finds or creates the device, configures one receive and one transmit queue a worker as far
    /// as the driver has them, without offloads, and starts it.
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

    [[nodiscard]] LinkState link() const;
    void read_stats(ipc::PortStats& stats) const;

  private:
    EthPort(PortSpec spec, std::uint16_t id) : spec_(std::move(spec)), id_(id) {}

    Status configure(const MbufPool& pool, std::uint16_t workers);
    Status set_up_queues(const MbufPool& pool);
    [[nodiscard]] std::unexpected<Error> failed(const char* what, int code) const;
    Status read_identity();

    PortSpec spec_;
    std::uint16_t id_;
    bool owned_{true};
    wire::MacAddress mac_;
    std::uint16_t mtu_{0};
    QueueCounts queues_{1, 1};
    UniqueFd kernel_socket_; // for the state of a kernel interface behind the port
};

} // namespace adit::dataplane
