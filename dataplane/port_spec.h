// SPDX-License-Identifier: Apache-2.0
// What the operator wrote after --port.
//
// Threading: any; plain values.
#pragma once

#include "common/error.h"

#include <cstdint>
#include <string>

namespace adit::dataplane {

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

} // namespace adit::dataplane
