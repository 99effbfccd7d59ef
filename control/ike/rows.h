// SPDX-License-Identifier: Apache-2.0
// Carrying out a row of the table: handler, next state, timer; and what a refusal leads to.
//
// Threading: as step(). Source: RFC 2408 5.1.
#pragma once

#include "control/ike/step.h"

namespace adit::ike {

void run(Turn& turn, const Row& row);
/// The row for something that is no message; nothing happens when there is none.
void run(Turn& turn, ExchangeType exchange, Role role, Happening event);

/// Next state and timer of a row whose handler has succeeded.
void enter(Turn& turn, const Row& row);

/// Reported, told to the peer, and followed, as the refusal says.
void refused(Turn& turn, const Refusal& refusal);

/// A copy of a message that hastened the end need not be judged again.
void remember_refused(Leg& leg, const Refusal& refusal, Digest digest);

} // namespace adit::ike
