// SPDX-License-Identifier: Apache-2.0
// show interfaces, show ip interface brief.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

/// show interfaces [I]; empty name: all
std::string show_interfaces(const Snapshot& snapshot, const std::string& name = {});
/// show ip interface [I]
std::string show_ip_interface(const Snapshot& snapshot, const std::string& name = {});
/// show ip interface brief
std::string show_ip_interface_brief(const Snapshot& snapshot);

} // namespace adit::cli
