// SPDX-License-Identifier: Apache-2.0
// From our configuration, what the other end must have: in the words of IOS, ASA and strongSwan.
//
// Threading: pure functions.
#pragma once

#include "control/cli/diagnosis.h"

namespace adit::cli {

/// Fills in `here` and `there` where the cause is a difference of two configurations.
void add_remedy(Diagnosis& diagnosis, const Snapshot& snapshot, const FlowStatus& flow);

} // namespace adit::cli
