// SPDX-License-Identifier: Apache-2.0
// Counters and states for Prometheus, in its text format. Base units; counters end in _total; times
// are Unix seconds, not ages. Labels are bounded by the configuration: what peers of a dynamic map
// bring is counted together. No user names, no keys.
//
// Threading: pure function.
#pragma once

#include "control/cli/peer_record.h"
#include "control/cli/snapshot.h"

#include <string>
#include <vector>

namespace adit::cli {

std::string show_metrics(const Snapshot& snapshot, const std::vector<PeerRecord>& records);

} // namespace adit::cli
