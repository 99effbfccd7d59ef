// SPDX-License-Identifier: Apache-2.0
#include "dataplane/eth_port.h"

#include "dataplane/eal.h"

#include <algorithm>
#include <cstring>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace adit::dataplane {

namespace {

constexpr std::uint16_t kDescriptors = 1024;

/// Says in an operator's words what the driver would only call "failed to probe".
Status check_kernel_interface(const PortSpec& spec) {
    const std::string interface = spec.kernel_interface();
    if (interface.empty())
        return {};
    if (if_nametoindex(interface.c_str()) == 0)
        return fail(ErrorCode::NotFound,
                    "port " + spec.name + ": there is no network interface '" + interface +
                        "' here; create it, or correct iface= (ip link shows those there are)");
    const UniqueFd raw{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    if (!raw.valid())
        return fail(ErrorCode::Denied,
                    "port " + spec.name + ": no permission to open interface '" + interface +
                        "'; run as root, or with the capability CAP_NET_RAW");
    return {};
}

Result<std::uint16_t> find_device(const PortSpec& spec, std::uint16_t workers) {
    const std::string device = spec.device();
    std::uint16_t id = 0;
    if (!spec.is_pci()) {
        // DPDK calls it a success when the device is there already: it would be shared.
        if (rte_eth_dev_get_port_by_name(device.c_str(), &id) == 0)
            return fail(ErrorCode::Conflict,
                        "port " + spec.name + ": device '" + device +
                            "' is used by another --port; number it, for example net_af_packet1");
        const std::string devargs = spec.devargs_for(workers);
        const std::size_t comma = devargs.find(',');
        const std::string options = comma == std::string::npos ? "" : devargs.substr(comma + 1);
        const int result = rte_eal_hotplug_add("vdev", device.c_str(), options.c_str());
        if (result != 0)
            return fail(ErrorCode::System,
                        "port " + spec.name + ": device '" + devargs +
                            "' does not start: " + dpdk_error(result) +
                            "; the part before the comma names a DPDK driver and a number "
                            "(net_af_packet0)");
    }
    if (rte_eth_dev_get_port_by_name(device.c_str(), &id) != 0)
        return fail(ErrorCode::NotFound,
                    "port " + spec.name + ": DPDK has no device '" + device +
                        "'; bind it to vfio-pci first (dpdk-devbind.py --status shows devices)");
    return id;
}

} // namespace

Result<EthPort> EthPort::open(const PortSpec& spec, const MbufPool& pool, std::uint16_t workers) {
    TRY_VOID(check_kernel_interface(spec));
    EthPort port{spec, TRY(find_device(spec, workers))};
    TRY_VOID(port.configure(pool, workers));
    TRY_VOID(port.read_identity());
    return port;
}

std::unexpected<Error> EthPort::failed(const char* what, int code) const {
    return fail(ErrorCode::System,
                "port " + spec_.name + ": cannot " + what + ": " + dpdk_error(code));
}

Status EthPort::configure(const MbufPool& pool, std::uint16_t workers) {
    rte_eth_dev_info info{};
    if (const int code = rte_eth_dev_info_get(id_, &info); code != 0)
        return failed("read what its driver offers", code);
    // The kernel's fanout group has every queue that af_packet made.
    const RxSpread spread =
        spec_.kernel_interface().empty() ? RxSpread::OverConfigured : RxSpread::OverAll;
    queues_ = choose_queues({info.max_rx_queues, info.max_tx_queues}, spread, workers);
    rte_eth_conf conf{};
    if (const int code = rte_eth_dev_configure(id_, queues_.rx, queues_.tx, &conf); code != 0)
        return failed("configure its queues", code);
    TRY_VOID(set_up_queues(pool));
    if (const int code = rte_eth_dev_start(id_); code != 0)
        return failed("start it", code);
    return {};
}

Status EthPort::set_up_queues(const MbufPool& pool) {
    std::uint16_t rx = kDescriptors, tx = kDescriptors;
    if (const int code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx); code != 0)
        return failed("size its queues", code);
    constexpr auto kSocket = static_cast<unsigned>(SOCKET_ID_ANY);
    for (std::uint16_t queue = 0; queue < queues_.rx; ++queue)
        if (const int code = rte_eth_rx_queue_setup(id_, queue, rx, kSocket, nullptr, pool.get());
            code != 0)
            return failed("set up receiving", code);
    for (std::uint16_t queue = 0; queue < queues_.tx; ++queue)
        if (const int code = rte_eth_tx_queue_setup(id_, queue, tx, kSocket, nullptr); code != 0)
            return failed("set up transmission", code);
    return {};
}

Status EthPort::read_identity() {
    rte_ether_addr mac{};
    if (rte_eth_macaddr_get(id_, &mac) != 0 || rte_eth_dev_get_mtu(id_, &mtu_) != 0)
        return fail(ErrorCode::System, "port " + spec_.name + ": has no MAC address or MTU");
    mac_ = wire::MacAddress::load(mac.addr_bytes);
    mtu_ = std::min(mtu_, MbufPool::kFrameRoomBytes);
    const std::string interface = spec_.kernel_interface();
    if (interface.empty())
        return {};
    // DPDK says 1500 and "up" for every af_packet port: the kernel knows better.
    kernel_socket_ = UniqueFd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    if (ioctl(kernel_socket_.get(), SIOCGIFMTU, &request) == 0)
        mtu_ = static_cast<std::uint16_t>(
            std::clamp(request.ifr_mtu, 68, int{MbufPool::kFrameRoomBytes}));
    return {};
}

EthPort::EthPort(EthPort&& other) noexcept
    : spec_(std::move(other.spec_)), id_(other.id_), owned_(std::exchange(other.owned_, false)),
      mac_(other.mac_), mtu_(other.mtu_), queues_(other.queues_),
      kernel_socket_(std::move(other.kernel_socket_)) {}

EthPort::~EthPort() {
    if (!owned_)
        return;
    rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
}

LinkState EthPort::link() const {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) != 0)
        return {};
    const bool speed_known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    LinkState state{link.link_status == RTE_ETH_LINK_UP, speed_known ? link.link_speed : 0};
    if (kernel_socket_.valid()) {
        ifreq request{};
        std::strncpy(request.ifr_name, spec_.kernel_interface().c_str(), IFNAMSIZ - 1);
        constexpr short kRunning = IFF_UP | IFF_RUNNING;
        state.up = ioctl(kernel_socket_.get(), SIOCGIFFLAGS, &request) == 0 &&
                   (request.ifr_flags & kRunning) == kRunning;
    }
    return state;
}

void EthPort::read_stats(ipc::PortStats& stats) const {
    rte_eth_stats now{};
    if (rte_eth_stats_get(id_, &now) != 0)
        return;
    const auto set = [](ipc::Counter& cell, std::uint64_t value) {
        cell.store(value, std::memory_order_relaxed);
    };
    set(stats.in_packets, now.ipackets);
    set(stats.in_bytes, now.ibytes);
    set(stats.in_errors, now.ierrors);
    set(stats.in_missed, now.imissed);
    set(stats.in_no_buffer, now.rx_nombuf);
    set(stats.out_packets, now.opackets);
    set(stats.out_bytes, now.obytes);
    set(stats.out_errors, now.oerrors);
}

} // namespace adit::dataplane
