// SPDX-License-Identifier: Apache-2.0
// What a peer of a dynamic crypto map entry may have. With an access list: what lies inside a
// permit line (and inside no deny line before it). Without: anything but our own addresses and what
// a static entry protects. And in either case nothing that another peer has.
//
// Threading: as step(). Errors: a Refusal that names the claim and what stands against it.
// Source: RFC 4301 4.4.1.2, "populate from packet" and names as selectors; RFC 2409 5.5.
#pragma once

#include "control/ike/step.h"

#include <expected>
#include <string>

namespace adit::ike {

/// Why this entry gives it to nobody; empty when it does not stand against it.
std::string
objection(const EngineConfig& config, const Connection& dynamic, const TrafficSelector& selector);

/// Whether the entry is for this peer at all.
bool is_open_to(const Connection& dynamic,
                Ipv4Address local,
                Ipv4Address peer,
                const std::string& profile);

/// Whom claims of this session belong to: the identity it proved. Wherever others could say the
/// same, it counts together with the address that packets come from: an address, which behind NATs
/// many hosts have; a group; a name under a key that is not that name's alone. A remote-access
/// client is its user, or else the identity it proved, together with the address it was given.
Claimant claimant_of(const Turn& turn);

/// Claims `wanted` by the first dynamic entry that gives it and fills in the quick mode's flow.
/// `connection` stays null when no dynamic entry is open to the peer.
Verdict claim_flow(Turn& turn, const TrafficSelector& wanted, const Connection*& connection);

} // namespace adit::ike
