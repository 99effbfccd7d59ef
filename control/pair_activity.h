// SPDX-License-Identifier: Apache-2.0
// What the packets of SA pairs tell, and what their absence does: a peer that says nothing while we
// send (RFC 3706 5.5), a pair that nobody uses.
//
// Threading: control's loop. Pure but for the counters that SaDb reads.
#pragma once

#include "control/ike/interface.h"
#include "control/sa/sa_db.h"

#include <vector>

namespace adit {

/// Events for the engine.
[[nodiscard]] std::vector<ike::Event> judge_activity(const ike::EngineConfig& config,
                                                     const std::vector<ike::ChildSaView>& pairs,
                                                     const sa::SaDb& db,
                                                     Instant now);

/// Nothing in the configuration asks: the pairs need not be looked at.
[[nodiscard]] bool activity_matters(const ike::EngineConfig& config);

} // namespace adit
