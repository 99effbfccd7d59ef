// SPDX-License-Identifier: Apache-2.0
// Part of diagnosis.h.
#pragma once

#include "control/cli/diagnosis.h"

#include <vector>

namespace adit::cli {

/// Verdicts on configured entries that the dataplane was given nothing for.
std::vector<Diagnosis> entries_without_flows(const Snapshot& snapshot);

} // namespace adit::cli
