// SPDX-License-Identifier: Apache-2.0
// show crypto diagnose, show crypto isakmp history: what is wrong, and what happened.
//
// Threading: pure functions.
#pragma once

#include "control/cli/diagnosis.h"
#include "control/cli/json.h"

#include <string>
#include <vector>

namespace adit::cli {

enum class DiagnosesShown : std::uint8_t { All, Problems };

std::string show_diagnose(const Snapshot& snapshot,
                          const std::vector<Diagnosis>& diagnoses,
                          DiagnosesShown shown);
/// Schema "crypto.diagnose/1".
std::string show_diagnose_json(const Snapshot& snapshot,
                               const std::vector<Diagnosis>& diagnoses,
                               DiagnosesShown shown);

std::string show_history(const Snapshot& snapshot, const std::vector<PeerRecord>& records);
/// Schema "crypto.isakmp.history/1".
std::string show_history_json(const Snapshot& snapshot, const std::vector<PeerRecord>& records);

} // namespace adit::cli
