// SPDX-License-Identifier: Apache-2.0
// What the operator wrote after --port, and what follows from it before any device is touched.
//
// Threading: any; plain values.
#pragma once

#include "common/error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace adit::dataplane {

inline constexpr std::uint16_t kDefaultPortMtu = 1500;
/// RFC 791 3.1: what every link must carry.
inline constexpr std::uint16_t kMinPortMtu = 68;
/// What switches call jumbo; `ip mtu` ends there too.
inline constexpr std::uint16_t kMaxPortMtu = 9216;

/// "GigabitEthernet0/0=net_af_packet0,iface=wan" or "...=0000:03:00.0,mtu=9000".
struct PortSpec {
    std::string name;
    std::string devargs; // what DPDK is told: without "mtu="
    std::optional<std::uint16_t> mtu{};

    static Result<PortSpec> parse(const std::string& text);

    [[nodiscard]] bool is_pci() const;
    /// "net_af_packet0", or the PCI address.
    [[nodiscard]] std::string device() const;
    /// Value of "iface=", empty without one.
    [[nodiscard]] std::string kernel_interface() const;
    /// What the device is created with. af_packet makes its queues and frames when it is created:
    /// it gets one pair of queues a worker, and frames for `port_mtu`, unless the operator wrote
    /// others.
    [[nodiscard]] std::string devargs_for(std::uint16_t workers, std::uint16_t port_mtu) const;

    /// Octets of a receive buffer that holds a whole frame. Drivers refuse a smaller one, or would
    /// chain a second.
    [[nodiscard]] std::uint16_t frame_room_bytes(std::uint16_t port_mtu) const;

  private:
    [[nodiscard]] bool is_af_packet() const;
    [[nodiscard]] bool has_option(const std::string& key) const;
};

} // namespace adit::dataplane
