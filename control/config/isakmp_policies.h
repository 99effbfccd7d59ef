// SPDX-License-Identifier: Apache-2.0
// Which phase-1 policies are in force: those that were written, or else built-in ones, unless
// `no crypto isakmp default policy` switches these off.
//
// Threading: any. Errors: none.
#pragma once

#include "control/config/model.h"

namespace adit::config {

using IsakmpPolicies = std::map<std::uint32_t, IsakmpPolicy>; // by priority

/// What is offered and accepted as long as no `crypto isakmp policy` is written, under the numbers
/// that routers give theirs. Signatures come first: an appliance without a certificate offers none
/// of them. Nothing here is weaker than 112 bits.
const IsakmpPolicies& default_isakmp_policies();

const IsakmpPolicies& isakmp_policies_in_force(const Config& config);

/// As against policies that somebody wrote.
bool has_default_isakmp_policies(const Config& config);

} // namespace adit::config
