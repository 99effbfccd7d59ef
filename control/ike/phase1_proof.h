// SPDX-License-Identifier: Apache-2.0
// The second half of main mode: keys from the key exchange, and each side's proof that it holds the
// shared key.
//
// Threading: as step(). Errors: Refusal; Denied from authenticate(). Source: RFC 2409 5, 5.4 and
// appendix B; RFC 2407 4.6.2.
#pragma once

#include "control/ike/step.h"

#include <memory>

namespace adit::ike {

/// The data of a state that a row of the table guarantees.
template <class Data> Data& state_data(Turn& turn) {
    auto* owner = std::get_if<std::unique_ptr<Data>>(&turn.session.data);
    ENSURE(owner != nullptr);
    return **owner;
}

/// The key exchange has shown everything: SKEYIDs, cipher key, first IV. A conn id from here on.
Verdict derive_keys(Turn& turn, ByteView g_xy);

/// HDR*, IDxx, HASH_x [, INITIAL-CONTACT].
void send_identity(Turn& turn);

/// The only place that decides whether a peer is who it must be. Nothing the peer sends chooses
/// whether this runs or what it compares.
Result<Identity> authenticate(Turn& turn);

/// An address must be the one we talk to. Behind a NAT the peer names an address we cannot see, and
/// other kinds of names prove nothing that the key, chosen by address, has not proved already.
bool identity_fits(const Session& session, const Identity& identity);
/// RFC 2407 4.6.2: protocol and port are UDP/500 or zero; with NAT traversal peers also say 4500.
bool id_ports_fit(const Identity& identity);

void become_secured(Turn& turn, const Identity& identity);
void heed_identity_notifications(Turn& turn);

Refusal identity_refusal(const Identity& identity, const Session& session);
/// HASH is wrong after a clean decryption, so the keys agree up to SKEYID_e and yet the proof does
/// not; or the ciphertext only looked clean.
Refusal hash_refusal(const Error& error);

} // namespace adit::ike
