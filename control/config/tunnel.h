// SPDX-License-Identifier: Apache-2.0
// What the lines of `interface TunnelN` come to: its two ends, or why it has none.
//
// Threading: pure functions.
#pragma once

#include "common/error.h"
#include "control/config/model.h"

#include <string>
#include <string_view>

namespace adit::config {

/// By its name.
bool is_tunnel(std::string_view interface);

/// An address that is on no link.
bool is_loopback(std::string_view interface);

/// The name that `show` gives the map of its SAs: "Tunnel10-head-0".
std::string head_of(const std::string& tunnel);

struct TunnelEnds {
    std::string carrier; // the interface that has the local address
    Ipv4Address local, remote;
};

/// The error says what the tunnel lacks: "it has no tunnel source". A carrier that is shut down is
/// one, too.
Result<TunnelEnds> tunnel_ends(const Config& config, const Interface& tunnel);

/// The address that it speaks by: its own or a lent one. Nothing: it has none.
std::optional<Ipv4Address> address_of(const Config& config, const Interface& interface);

} // namespace adit::config
