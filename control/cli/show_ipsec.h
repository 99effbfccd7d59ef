// SPDX-License-Identifier: Apache-2.0
// show crypto ipsec ... and show crypto engine ...: phase 2. A block per identity (ACL line); its
// counters survive rekeys.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <optional>
#include <string>

namespace adit::cli {

struct IpsecSaFilter {
    std::optional<Ipv4Address> peer;
    std::string interface; // canonical name; empty: all
    bool detail{false};
};

/// show crypto ipsec sa [peer A] [interface I] [detail]
std::string show_ipsec_sa(const Snapshot& snapshot, const IpsecSaFilter& filter);
/// show crypto ipsec sa count
std::string show_ipsec_sa_count(const Snapshot& snapshot);
/// show crypto ipsec transform-set [NAME]; empty: all
std::string show_transform_sets(const Snapshot& snapshot, const std::string& name);
/// show crypto ipsec security-association lifetime
std::string show_sa_lifetime(const Snapshot& snapshot);
/// show crypto engine connections active
std::string show_engine_connections(const Snapshot& snapshot);

} // namespace adit::cli
