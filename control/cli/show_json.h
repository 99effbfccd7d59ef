// SPDX-License-Identifier: Apache-2.0
// The tables that programs ask for most, as values rather than lines. Times are Unix seconds, all
// other durations seconds; counters are since the start unless an operator cleared them.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <optional>
#include <string>
#include <string_view>

namespace adit::cli {

/// "crypto.isakmp.sa/1"
std::string json_isakmp_sa(const Snapshot& snapshot);
/// "crypto.isakmp.failures/1"
std::string json_isakmp_failures(const Snapshot& snapshot);
/// "crypto.ipsec.sa/1": one flow for each line of an access list, with its SAs.
std::string json_ipsec_sa(const Snapshot& snapshot,
                          std::optional<Ipv4Address> peer,
                          const std::string& interface);
/// "interfaces/1"
std::string json_interfaces(const Snapshot& snapshot, const std::string& name);
/// "ip.route/1"
std::string json_routes(const Snapshot& snapshot);
/// "ip.arp/1"
std::string json_arp(const Snapshot& snapshot);
/// "version/1"
std::string json_version(const Snapshot& snapshot);
/// "dataplane.drops/1"
std::string json_drops(const Snapshot& snapshot);

/// "text/1": the lines of any other command, for programs that read everything one way.
std::string json_lines(std::string_view command, std::string_view output);

} // namespace adit::cli
