// SPDX-License-Identifier: Apache-2.0
// show ip route, show ip arp, show access-lists.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

/// show ip route
std::string show_ip_route(const Snapshot& snapshot);
/// show ip arp
std::string show_ip_arp(const Snapshot& snapshot);
/// show access-lists [NAME], show ip access-lists [NAME]; empty: all
std::string show_access_lists(const Snapshot& snapshot, const std::string& name = {});

/// Pools of addresses for clients; an address in use is not free, also beyond its session.
std::string show_ip_local_pool(const Snapshot& snapshot);

} // namespace adit::cli
