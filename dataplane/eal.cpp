// SPDX-License-Identifier: Apache-2.0
#include "dataplane/eal.h"

#include <fstream>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <sstream>

namespace adit::dataplane {

namespace {

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

} // namespace

std::string dpdk_error(int code) {
    return rte_strerror(code < 0 ? -code : code);
}

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

} // namespace adit::dataplane
