// SPDX-License-Identifier: Apache-2.0
// The kernel's interface behind a port (af_packet). DPDK says MTU 1500 and "up" for each of them:
// the kernel knows better.
//
// Threading: one; the port's.
#pragma once

#include "common/error.h"
#include "common/unique_fd.h"

#include <cstdint>
#include <string>
#include <utility>

namespace adit::dataplane {

class KernelInterface {
  public:
    /// Errors say in an operator's words what the driver would only call "failed to probe".
    static Result<KernelInterface> find(const std::string& port, const std::string& name);

    /// Octets as the kernel has them now; 0 when it cannot say.
    [[nodiscard]] std::uint32_t mtu() const;
    [[nodiscard]] bool running() const;

  private:
    KernelInterface(std::string name, UniqueFd socket)
        : name_(std::move(name)), socket_(std::move(socket)) {}

    std::string name_;
    UniqueFd socket_;
};

} // namespace adit::dataplane
