// SPDX-License-Identifier: Apache-2.0
#include "dataplane/eth_port.h"

#include "dataplane/eal.h"

#include <algorithm>
#include <cerrno>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_flow.h>

namespace adit::dataplane {

namespace {

constexpr std::uint16_t kDescriptors = 1024;

Result<std::uint16_t> find_device(const PortSpec& spec, const std::string& devargs) {
    const std::string device = spec.device();
    std::uint16_t id = 0;
    if (!spec.is_pci()) {
        // DPDK calls it a success when the device is there already: it would be shared.
        if (rte_eth_dev_get_port_by_name(device.c_str(), &id) == 0)
            return fail(ErrorCode::Conflict,
                        "port " + spec.name + ": device '" + device +
                            "' is used by another --port; number it, for example net_af_packet1");
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
                        "'; bind it to vfio-pci first (scripts/bind-nic --status shows NICs)");
    return id;
}

/// Sets a queue up in memory of the NIC's socket, or of any when there is none there (without
/// hugepages all of it is on one socket).
template <class Setup> int near_the_nic(int socket, std::uint16_t queue, Setup&& setup) {
    const int code = setup(queue, static_cast<unsigned>(socket));
    return code == -ENOMEM ? setup(queue, static_cast<unsigned>(SOCKET_ID_ANY)) : code;
}

Result<std::optional<KernelInterface>> kernel_interface_of(const PortSpec& spec) {
    const std::string name = spec.kernel_interface();
    if (name.empty())
        return std::nullopt;
    return std::optional{TRY(KernelInterface::find(spec.name, name))};
}

Result<std::uint16_t> mtu_of(const PortSpec& spec, const std::optional<KernelInterface>& kernel) {
    if (!kernel)
        return spec.mtu.value_or(kDefaultPortMtu);
    const auto has = static_cast<std::uint16_t>(
        std::clamp<std::uint32_t>(kernel->mtu(), kMinPortMtu, kMaxPortMtu));
    // The interface stays the kernel's, and its MTU with it.
    if (spec.mtu.value_or(0) > has)
        return fail(ErrorCode::Invalid,
                    "port " + spec.name + ": interface '" + spec.kernel_interface() + "' has MTU " +
                        std::to_string(has) + "; raise it first: ip link set dev " +
                        spec.kernel_interface() + " mtu " + std::to_string(*spec.mtu));
    return spec.mtu.value_or(has);
}

} // namespace

Result<std::uint16_t> EthPort::planned_mtu(const PortSpec& spec) {
    return mtu_of(spec, TRY(kernel_interface_of(spec)));
}

Result<EthPort> EthPort::open(const PortSpec& spec, const MbufPool& pool, std::uint16_t workers) {
    auto kernel_interface = TRY(kernel_interface_of(spec));
    const std::uint16_t mtu = TRY(mtu_of(spec, kernel_interface));
    const std::uint16_t id = TRY(find_device(spec, spec.devargs_for(workers, mtu)));
    EthPort port{spec, id, mtu, std::move(kernel_interface)};
    TRY_VOID(port.configure(pool, workers));
    TRY_VOID(port.read_identity());
    return port;
}

std::unexpected<Error> EthPort::failed(const char* what, int code) const {
    return fail(ErrorCode::System,
                "port " + spec_.name + ": cannot " + what + ": " + dpdk_error(code) +
                    (code == -ENOMEM ? "; raise --memory" : ""));
}

Status EthPort::configure(const MbufPool& pool, std::uint16_t workers) {
    rte_eth_dev_info info{};
    if (const int code = rte_eth_dev_info_get(id_, &info); code != 0)
        return failed("read what its driver offers", code);
    // The kernel's fanout group has every queue that af_packet made.
    const RxSpread spread = kernel_interface_ ? RxSpread::OverAll : RxSpread::OverConfigured;
    queues_ = choose_queues({info.max_rx_queues, info.max_tx_queues}, spread, workers);
    offloads_ = choose_offloads(info);
    rss_types_ = choose_rss_types(info, queues_.rx);
    rte_eth_conf conf = port_config(offloads_, rss_types_);
    TRY_VOID(plan_mtu(info, conf));
    if (const int code = rte_eth_dev_configure(id_, queues_.rx, queues_.tx, &conf); code != 0)
        return failed("configure its queues", code);
    TRY_VOID(set_mtu());
    TRY_VOID(set_up_queues(pool));
    if (const int code = rte_eth_dev_start(id_); code != 0)
        return failed("start it", code);
    spi_rss_ = spread_by_spi(id_, queues_.rx, info.driver_name);
    return {};
}

Status EthPort::plan_mtu(const rte_eth_dev_info& info, rte_eth_conf& conf) {
    if (kernel_interface_)
        return {}; // the driver knows 1500 only, and does not need to know more
    const std::uint32_t most = largest_mtu(info);
    if (!spec_.mtu) // nobody asked for the usual 1500
        mtu_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(mtu_, most));
    if (mtu_ < info.min_mtu || mtu_ > most)
        return fail(ErrorCode::Invalid,
                    "port " + spec_.name + ": driver " + info.driver_name + " takes an MTU from " +
                        std::to_string(info.min_mtu) + " to " + std::to_string(most) + ", not " +
                        std::to_string(mtu_) + "; correct mtu=");
    conf.rxmode.mtu = mtu_;
    return {};
}

Status EthPort::set_mtu() const {
    if (kernel_interface_ || !spec_.mtu)
        return {};
    // A virtual device may carry frames of any length and have nothing to set.
    if (const int code = rte_eth_dev_set_mtu(id_, mtu_); code != 0 && code != -ENOTSUP)
        return failed("set its MTU", code);
    return {};
}

Status EthPort::set_up_queues(const MbufPool& pool) {
    std::uint16_t rx = kDescriptors, tx = kDescriptors;
    if (const int code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx); code != 0)
        return failed("size its queues", code);
    const auto rx_setup = [&](std::uint16_t queue, unsigned socket) {
        return rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, pool.get());
    };
    const auto tx_setup = [&](std::uint16_t queue, unsigned socket) {
        return rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr);
    };
    for (std::uint16_t queue = 0; queue < queues_.rx; ++queue)
        if (const int code = near_the_nic(numa_socket(), queue, rx_setup); code != 0)
            return failed("set up receiving", code);
    for (std::uint16_t queue = 0; queue < queues_.tx; ++queue)
        if (const int code = near_the_nic(numa_socket(), queue, tx_setup); code != 0)
            return failed("set up transmission", code);
    return {};
}

Status EthPort::read_identity() {
    rte_ether_addr mac{};
    if (const int code = rte_eth_macaddr_get(id_, &mac); code != 0)
        return failed("read its MAC address", code);
    mac_ = wire::MacAddress::load(mac.addr_bytes);
    return {};
}

EthPort::EthPort(EthPort&& other) noexcept
    : spec_(std::move(other.spec_)), id_(other.id_), owned_(std::exchange(other.owned_, false)),
      mac_(other.mac_), mtu_(other.mtu_), queues_(other.queues_), offloads_(other.offloads_),
      rss_types_(other.rss_types_), spi_rss_(other.spi_rss_),
      kernel_interface_(std::move(other.kernel_interface_)) {}

EthPort::~EthPort() {
    if (!owned_)
        return;
    rte_flow_error error{};
    if (spi_rss_.esp || spi_rss_.natt)
        rte_flow_flush(id_, &error);
    rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
}

int EthPort::numa_socket() const {
    return rte_eth_dev_socket_id(id_);
}

int EthPort::numa_socket_of(const PortSpec& spec) {
    std::uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(spec.device().c_str(), &id) != 0)
        return SOCKET_ID_ANY;
    return rte_eth_dev_socket_id(id);
}

std::string EthPort::describe() const {
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id_, &info);
    std::string text = spec_.name + ": " + spec_.device() + " ";
    text += info.driver_name != nullptr ? info.driver_name : "of no known driver";
    text += ", " + to_string(mac_);
    text += ", queues " + std::to_string(queues_.rx) + " rx " + std::to_string(queues_.tx) + " tx";
    text += ", rss " + (kernel_interface_ ? "by the kernel" : describe_rss(rss_types_, spi_rss_));
    text += ", offloads " + describe_offloads(offloads_);
    text += ", mtu " + std::to_string(mtu_);
    if (numa_socket() >= 0)
        text += ", numa " + std::to_string(numa_socket());
    if (const LinkState state = link(); state.up && state.speed_mbps != 0)
        text += ", " + std::to_string(state.speed_mbps) + " Mbit/s";
    return text;
}

LinkState EthPort::link() const {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id_, &link) != 0)
        return {};
    const bool speed_known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    LinkState state{link.link_status == RTE_ETH_LINK_UP, speed_known ? link.link_speed : 0};
    if (kernel_interface_)
        state.up = kernel_interface_->running();
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
