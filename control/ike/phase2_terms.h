// SPDX-License-Identifier: Apache-2.0
// What one quick mode may agree to: the transform sets of its crypto map entry, as they apply to
// its flow and to the way to this peer.
//
// Threading: pure functions. Source: RFC 4301 4.1; RFC 3947 5.1.
#pragma once

#include "control/ike/proposal.h"
#include "control/ike/state.h"

namespace adit::ike {

/// Transport mode is for what the gateways say to each other; any other flow gets tunnel mode from
/// the same set, as on IOS, unless the set requires transport. As responder we also take tunnel
/// mode where transport is not required.
Phase2Terms terms_of(const Session& session, const Connection& connection, const QuickMode& quick);

/// Whether the flow is between the two gateways themselves.
bool is_between_endpoints(const Session& session, const TrafficSelector& selector);

} // namespace adit::ike
