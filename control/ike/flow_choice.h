// SPDX-License-Identifier: Apache-2.0
// Which permit line of which crypto map entry a peer's quick mode is about: the one whose mirror
// image its proxy identities are, exactly. A peer for whom no static entry has such a line may have
// part of a line (subset_flow.h), else claim what a dynamic entry gives (dynamic_flow.h).
//
// Threading: as step(). Errors: a Refusal that names theirs, our nearest, and what differs.
// Source: RFC 2409 5.5, RFC 2407 4.6.2.
#pragma once

#include "control/ike/step.h"

#include <string>

namespace adit::ike {

/// Fills in the quick mode's flow and gives its crypto map entry. `sa` is the peer's offer: through
/// a NAT, the host that transport mode protects is known by another address here.
Verdict choose_flow(Turn& turn, const SaView& sa, const Connection*& connection);

/// A flow made at run time is what the quick mode is about.
void take_flow(QuickMode& quick, const Connection& connection, FlowLease lease);

/// "local 10.1.0.0/255.255.0.0/0/0 remote ...".
std::string describe(const TrafficSelector& selector);

/// Everything refused in a message that proved authentic ends the exchange and is told.
Refusal ending(Failure failure, std::string text, NotifyType notify);

} // namespace adit::ike
