// SPDX-License-Identifier: Apache-2.0
// DPDK's environment, packet pool and ports as owning types. Errors name the thing that is missing
// and the remedy.
//
// Threading: made and destroyed on the main thread; EthPort::read_stats and link: the housekeeper.
#pragma once

#include "common/error.h"
#include "common/ipc/stats.h"
#include "common/unique_fd.h"
#include "common/wire/ethernet.h"
#include "dataplane/idle.h"

#include <cstdint>
#include <memory>
#include <rte_mbuf.h>
#include <string>
#include <vector>

namespace adit::dataplane {

enum class Hugepages : std::uint8_t {
    Off, // ordinary memory: slower, needs no preparation
    On,
};

/// Whether the machine has this much reserved and free.
bool hugepages_reserved(std::uint32_t memory_mb);

struct EalConfig {
    std::string file_prefix{"adit"};
    Hugepages hugepages{Hugepages::Off};
    std::uint32_t memory_mb{128};
    std::uint32_t workers{1};
    IdleMode idle{IdleMode::Poll};
    std::vector<std::string> pci_addresses; // empty: PCI is left alone
};

/// The arguments that `config` means to rte_eal_init. Lcore 0 is the housekeeper, 1.. are workers:
/// pinned to a CPU each when they poll, floating over all allowed CPUs when they sleep.
std::vector<std::string> eal_arguments(const EalConfig& config, const std::vector<int>& cpus);

class Eal {
  public:
    /// At most once in a process.
    static Result<Eal> start(const EalConfig& config);

    Eal(Eal&& other) noexcept : running_(std::exchange(other.running_, false)) {}

    Eal& operator=(Eal&&) = delete;
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;
    ~Eal();

  private:
    Eal() = default;

    bool running_{true};
};

class MbufPool {
  public:
    /// Buffers of kHeadroomBytes + 2048 + kTailroomBytes with packet.h's metadata in front.
    static Result<MbufPool> create(const char* name, std::uint32_t buffers);

    /// As many buffers as fit into about two thirds of the memory.
    static std::uint32_t buffers_for(std::uint32_t memory_mb);

    [[nodiscard]] rte_mempool* get() const { return pool_.get(); }

  private:
    struct Free {
        void operator()(rte_mempool* pool) const;
    };

    explicit MbufPool(rte_mempool* pool) : pool_(pool) {}

    std::unique_ptr<rte_mempool, Free> pool_;
};

/// "GigabitEthernet0/0=net_af_packet0,iface=wan" or "...=0000:03:00.0".
struct PortSpec {
    std::string name;
    std::string devargs;

    static Result<PortSpec> parse(const std::string& text);

    [[nodiscard]] bool is_pci() const;
    /// "net_af_packet0", or the PCI address.
    [[nodiscard]] std::string device() const;
    /// Value of "iface=", empty without one.
    [[nodiscard]] std::string kernel_interface() const;
    /// What the device is created with, for `workers` cores: af_packet makes its queues when it is
    /// created, so it gets "qpairs=" unless the operator wrote one.
    [[nodiscard]] std::string devargs_for(std::uint16_t workers) const;
};

struct LinkState {
    bool up{false};
    std::uint32_t speed_mbps{0}; // 0: unknown

    friend bool operator==(const LinkState&, const LinkState&) = default;
};

struct QueueCounts {
    std::uint16_t rx, tx;

    friend bool operator==(const QueueCounts&, const QueueCounts&) = default;
};

enum class RxSpread : std::uint8_t {
    OverConfigured, // RSS spreads over the queues we ask for
    OverAll,        // the device spreads over all it has: every one must be polled
};

/// One of each a worker, at most what the driver has; nothing less than one.
QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers);

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
