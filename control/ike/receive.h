// SPDX-License-Identifier: Apache-2.0
// A message on its way to its handler: duplicates, decryption, the row, the shape of its payloads.
//
// Threading: as step(). Source: RFC 2408 5.1 to 5.3, RFC 2409 5.
#pragma once

#include "control/ike/step.h"

namespace adit::ike {

void receive(Turn& turn, Arrival& arrival);

} // namespace adit::ike
