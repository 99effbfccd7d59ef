// SPDX-License-Identifier: Apache-2.0
// Reading back what report.cpp writes: the cause that a VPNDIAG line names.
//
// Threading: pure function.
#pragma once

#include "common/log.h"

#include <optional>
#include <string>

namespace adit::ike {

struct Cause {
    std::string code; // of the diagnosis table: "p2-proxy"
    std::string evidence;
};

/// Nothing for any other line.
std::optional<Cause> cause_of(const LogRecord& record);

} // namespace adit::ike
