// SPDX-License-Identifier: Apache-2.0
// show version, show clock, show dataplane drops: the box itself.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

/// show version
std::string show_version(const Snapshot& snapshot);
/// show clock
std::string show_clock(const Snapshot& snapshot);

enum class DropsShown : std::uint8_t {
    NonZero,
    All,
};

/// show dataplane drops [all]: every reason a packet can end for, summed over the cores.
std::string show_dataplane_drops(const Snapshot& snapshot, DropsShown shown = DropsShown::NonZero);

} // namespace adit::cli
