// SPDX-License-Identifier: Apache-2.0
// Signatures at no price: a certificate is its owner's name, a signature the HASH with that name
// behind it. What the engine does around signing and judging is all there, X.509 is not.
//
// Threading: values.
#pragma once

#include "control/ike/credentials.h"

namespace adit::sim {

/// Certificate of whoever calls itself by this address, and a judge of others like it.
ike::Credentials sealed_by(Ipv4Address owner);

} // namespace adit::sim
