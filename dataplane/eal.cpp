// SPDX-License-Identifier: Apache-2.0
#include "dataplane/eal.h"

#include "dataplane/burst.h"
#include "dataplane/packet.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fstream>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <sched.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace adit::dataplane {

namespace {

constexpr std::uint16_t kFrameRoomBytes = 2048;
constexpr std::uint16_t kDescriptors = 1024;

std::vector<int> allowed_cpus() {
    std::vector<int> cpus;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(static_cast<unsigned>(cpu), &set))
                cpus.push_back(cpu);
    return cpus;
}

std::string lcores(const EalConfig& config, const std::vector<int>& cpus) {
    std::string all;
    for (const int cpu : cpus)
        all += (all.empty() ? "" : ",") + std::to_string(cpu);
    std::string text;
    for (std::uint32_t lcore = 0; lcore <= config.workers; ++lcore) {
        text += (lcore == 0 ? "" : ",") + std::to_string(lcore) + "@";
        const bool pinned = config.idle == IdleMode::Poll && cpus.size() > config.workers;
        text += pinned ? std::to_string(cpus[lcore]) : "(" + all + ")";
    }
    return text;
}

std::string dpdk_error(int code) {
    return rte_strerror(code < 0 ? -code : code);
}

} // namespace

bool hugepages_reserved(std::uint32_t memory_mb) {
    std::ifstream file{"/proc/meminfo"};
    std::uint64_t free_pages = 0, page_kb = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words{line};
        std::string key;
        words >> key;
        if (key == "HugePages_Free:")
            words >> free_pages;
        else if (key == "Hugepagesize:")
            words >> page_kb;
    }
    return free_pages * page_kb >= std::uint64_t{memory_mb} * 1024;
}

std::vector<std::string> eal_arguments(const EalConfig& config, const std::vector<int>& cpus) {
    std::vector<std::string> arguments{"adit-dataplane",
                                       "--no-telemetry",
                                       "--no-shconf",
                                       "--file-prefix=" + config.file_prefix,
                                       "--lcores=" + lcores(config, cpus),
                                       "--log-level=error",
                                       "-m",
                                       std::to_string(config.memory_mb)};
    if (config.hugepages == Hugepages::Off)
        arguments.push_back("--no-huge");
    else
        arguments.push_back("--huge-unlink");
    if (config.pci_addresses.empty())
        arguments.push_back("--no-pci");
    for (const std::string& address : config.pci_addresses) {
        arguments.push_back("-a");
        arguments.push_back(address);
    }
    return arguments;
}

Result<Eal> Eal::start(const EalConfig& config) {
    std::vector<std::string> arguments = eal_arguments(config, allowed_cpus());
    std::vector<char*> argv;
    for (std::string& argument : arguments)
        argv.push_back(argument.data());
    rte_log_set_global_level(RTE_LOG_ERR);
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0)
        return Eal{};
    const std::string remedy =
        config.hugepages == Hugepages::On
            ? "; reserve hugepages (sysctl vm.nr_hugepages=256) or use --hugepages off"
            : "; a larger or smaller --memory may help";
    return fail(ErrorCode::System, "DPDK does not start: " + dpdk_error(rte_errno) + remedy);
}

Eal::~Eal() {
    if (running_)
        rte_eal_cleanup();
}

std::uint32_t MbufPool::buffers_for(std::uint32_t memory_mb) {
    constexpr std::uint32_t kBytesPerBuffer = 2944; // with all headers
    const std::uint64_t buffers = std::uint64_t{memory_mb} * 1024 * 1024 * 2 / 3 / kBytesPerBuffer;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(buffers, 65'535));
}

Result<MbufPool> MbufPool::create(const char* name, std::uint32_t buffers) {
    static_assert(kHeadroomBytes == RTE_PKTMBUF_HEADROOM);
    constexpr unsigned kCache = 256;
    rte_mempool* pool = rte_pktmbuf_pool_create(name,
                                                buffers,
                                                kCache,
                                                kPacketMetaBytes,
                                                kHeadroomBytes + kFrameRoomBytes + kTailroomBytes,
                                                SOCKET_ID_ANY);
    if (pool == nullptr)
        return fail(ErrorCode::Exhausted,
                    "no memory for " + std::to_string(buffers) +
                        " packet buffers: " + dpdk_error(rte_errno) + "; raise --memory");
    return MbufPool{pool};
}

void MbufPool::Free::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

Result<PortSpec> PortSpec::parse(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        return fail(ErrorCode::Invalid,
                    "--port '" + text +
                        "' is not NAME=DEVICE; for example "
                        "--port GigabitEthernet0/0=net_af_packet0,iface=wan");
    PortSpec spec{text.substr(0, equals), text.substr(equals + 1)};
    if (spec.name.size() >= ipc::kPortNameBytes)
        return fail(ErrorCode::Invalid,
                    "--port name '" + spec.name + "' is longer than " +
                        std::to_string(ipc::kPortNameBytes - 1) + " characters");
    return spec;
}

bool PortSpec::is_pci() const {
    const std::string address = device();
    return address.find(':') != std::string::npos &&
           std::isxdigit(static_cast<unsigned char>(address.front())) != 0;
}

std::string PortSpec::device() const {
    return devargs.substr(0, devargs.find(','));
}

std::string PortSpec::kernel_interface() const {
    const std::string key = ",iface=";
    const std::size_t at = devargs.find(key);
    if (at == std::string::npos)
        return {};
    const std::size_t from = at + key.size();
    return devargs.substr(from, devargs.find(',', from) - from);
}

std::string PortSpec::devargs_for(std::uint16_t workers) const {
    const bool af_packet = device().find("_af_packet") != std::string::npos;
    if (!af_packet || workers < 2 || devargs.find(",qpairs=") != std::string::npos)
        return devargs;
    return devargs + ",qpairs=" + std::to_string(workers);
}

QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers) {
    const auto at_most = [&](std::uint16_t limit) {
        return std::max<std::uint16_t>(std::min(workers, limit), 1);
    };
    return {spread == RxSpread::OverAll ? most.rx : at_most(most.rx), at_most(most.tx)};
}

namespace {

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
    mtu_ = std::min(mtu_, kFrameRoomBytes);
    const std::string interface = spec_.kernel_interface();
    if (interface.empty())
        return {};
    // DPDK says 1500 and "up" for every af_packet port: the kernel knows better.
    kernel_socket_ = UniqueFd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    if (ioctl(kernel_socket_.get(), SIOCGIFMTU, &request) == 0)
        mtu_ = static_cast<std::uint16_t>(std::clamp(request.ifr_mtu, 68, int{kFrameRoomBytes}));
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
