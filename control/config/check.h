// SPDX-License-Identifier: Apache-2.0
// Whether a configuration holds together: names that point nowhere, policies nobody can negotiate,
// access lists that cannot be proxy identities, addresses that overlap.
//
// Threading: pure function.
#pragma once

#include "control/config/model.h"
#include "control/config/problem.h"

#include <vector>

namespace adit::config {

std::vector<Problem> check(const Config& config, const Origins& origins);

/// Whether the bits of a wildcard that matter are in front: only then the term is a subnet, and
/// only a subnet can be a proxy identity (RFC 2407 4.6.2).
bool is_subnet(const AclAddress& term);

} // namespace adit::config
