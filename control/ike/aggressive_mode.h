// SPDX-License-Identifier: Apache-2.0
// What aggressive mode does alike with pre-shared keys and with signatures.
//
// Threading: as step(). Source: RFC 2409 5.1, 5.4; RFC 3947 3.2.
#pragma once

#include "control/ike/message.h"
#include "control/ike/step.h"

namespace adit::ike {

/// SA, KE, Nr and NAT-T vendor id of message 2. Our key pair and nonce are in Exchanging
/// afterwards.
MessageBuilder begin_am2(Turn& turn);

/// Sends message 3, behind the proof that is all `message` holds so far, and ends phase 1.
void finish_am3(Turn& turn, MessageBuilder message, const Identity& peer);

} // namespace adit::ike
