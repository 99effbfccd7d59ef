// SPDX-License-Identifier: Apache-2.0
// What a peer of a static crypto map entry may have besides the permit lines themselves: what lies
// inside one of them, as routers give it when they answer. Its traffic then leaves by SAs of its
// own, under a policy made at run time just before its line; the rest of the line waits for a
// negotiation of its own.
//
// Threading: as step(). Errors: in words, what stands against it.
// Source: RFC 2409 5.5 (identities are matched against local policy), RFC 4301 4.4.1.
#pragma once

#include "control/ike/step.h"

#include <expected>
#include <string>
#include <vector>

namespace adit::ike {

/// The permit line inside which `selector` lies, of several the narrowest; null when there is none.
/// A deny line hides those behind it: in a static entry from whatever it overlaps, for the peer may
/// name the whole line instead; in a dynamic one from what lies inside it.
const Flow* permitting_line(const Connection& entry, const TrafficSelector& selector);

/// Whether a static entry, or a tunnel, is for this peer: by address, and by profile if it names
/// one.
bool is_for(const Connection& entry, Ipv4Address peer, const std::string& profile);

/// The line inside which this peer may have `selector`; it must not touch what an entry of another
/// peer protects that stands before `entry`, which is one of `config`. Errors: what stands against
/// it; empty when no line is wide enough.
std::expected<const Flow*, std::string> subset_line(const EngineConfig& config,
                                                    const Connection& entry,
                                                    Ipv4Address peer,
                                                    const std::string& profile,
                                                    const TrafficSelector& selector);

/// Gives `wanted` by the one of `entries` that has the narrowest line for it and fills in the quick
/// mode's flow; otherwise `connection` stays null and `objections` says why each gives nothing.
Verdict claim_subset(Turn& turn,
                     const std::vector<const Connection*>& entries,
                     const TrafficSelector& wanted,
                     const Connection*& connection,
                     std::string& objections);

} // namespace adit::ike
