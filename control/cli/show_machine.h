// SPDX-License-Identifier: Apache-2.0
// show inventory, dir, show memory statistics, show users: the machine around the gateway, in the
// forms that facts of automation tools are read from.
//
// Threading: pure functions.
#pragma once

#include "control/cli/machine.h"
#include "control/cli/snapshot.h"

#include <string>
#include <vector>

namespace adit::cli {

std::string show_inventory(const Snapshot& snapshot);
std::string show_directory(const Machine& machine);
std::string show_memory(const Machine& machine);
/// `own`: the line that asks, marked by a star.
std::string show_users(const std::vector<OperatorLine>& lines, unsigned own);

} // namespace adit::cli
