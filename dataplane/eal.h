// SPDX-License-Identifier: Apache-2.0
// DPDK's environment as an owning type. Errors name the thing that is missing and the remedy.
//
// Threading: made and destroyed on the main thread.
#pragma once

#include "common/error.h"
#include "dataplane/idle.h"

#include <cstdint>
#include <string>
#include <utility>
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

/// The text of a code that DPDK returned, of either sign.
std::string dpdk_error(int code);

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

} // namespace adit::dataplane
