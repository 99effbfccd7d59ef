// SPDX-License-Identifier: Apache-2.0
// What logins and mode configuration have in common: the messages of the transaction exchange, and
// what our configuration says about the peer in front of us.
//
// Threading: as step(). Errors: Refusal.
// Source: draft-ietf-ipsec-isakmp-mode-cfg-05 2 and 3; draft-beaulieu-ike-xauth-02.
#pragma once

#include "control/ike/payload_attributes.h"
#include "control/ike/step.h"

#include <string>

namespace adit::ike {

/// HDR*, HASH(1), ATTR: sent and kept.
void send_config(Turn& turn, Bytes attributes);

/// The peer's attributes, once HASH(1) has proved whose they are.
std::expected<ConfigPayload, Refusal> take_config(Turn& turn);

/// What the configuration says about those under this profile, or else those who come to this
/// address; null: nothing.
const ClientAccess* access_of(const EngineConfig& config, const Session& session);

/// Phase 1 is over: is this a client, of which group, and does it have to log in? Our configuration
/// alone decides.
void admit_peer(Turn& turn);

/// Nothing stands between this peer and what it may ask for.
void open_session(Turn& turn);

void heed_initial_contact(Turn& turn);

/// The group a peer that has proved its identity belongs to; null: none.
const ClientGroup* group_of(const EngineConfig& config, const Session& session);

/// Whether the peer is to be given its address unasked.
bool wants_push(const Turn& turn);

/// A client's quick mode may speak for the address it was given and for no other.
Verdict check_claim(const Turn& turn, const TrafficSelector& wanted);

/// What a peer calls itself, fit for a log.
std::string printable(const std::string& name);

} // namespace adit::ike
