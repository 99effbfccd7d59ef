// SPDX-License-Identifier: Apache-2.0
// Signatures over HASH_I and HASH_R, as IKEv1 wants them: RSA over the bare hash, and ECDSA as two
// numbers side by side.
//
// An RSA signature is never parsed: we build the only block that is right and compare it, whole and
// in constant time, with what the public key makes of the signature (SECURITY U14).
//
// Threading: pure functions. Errors: Invalid for a hash that does not fit; a wrong signature is
// false, whatever is wrong with it.
// Source: RFC 2409 5.1; RFC 8017 8.2 and 9.2 (block type 1); RFC 4754 3 and 7.
#pragma once

#include "common/bytes.h"
#include "common/error.h"
#include "control/ike/credentials.h"
#include "control/pki/openssl.h"

#include <memory>
#include <optional>

namespace adit::pki {

/// 2048 bits are 112 bits of strength (NIST SP 800-57), the least that is still to be used.
inline constexpr int kMinRsaBits = 2048;
/// More only costs time: a verification of 8192 bits takes 0.3 ms, a signature 60 ms.
inline constexpr int kMaxRsaBits = 8192;

/// Nothing for keys IKEv1 cannot use: DSA, Ed25519, other curves, RSA outside the bounds above.
std::optional<ike::SignatureScheme> scheme_of(const EVP_PKEY* key);

Result<Bytes> sign(EVP_PKEY* key, ike::SignatureScheme scheme, ByteView hash);

/// The key is of that scheme.
bool verifies(EVP_PKEY* key, ike::SignatureScheme scheme, ByteView hash, ByteView signature);

/// 00 01 FF .. FF 00 HASH, `length_bytes` long in all. Invalid when HASH leaves no room for eight
/// octets FF (RFC 8017 9.2).
Result<Bytes> rsa_block(ByteView hash, std::size_t length_bytes);

/// A key as the engine holds it. Invalid for keys without a scheme.
Result<std::shared_ptr<const ike::SigningKey>> signing_key(Key key);

} // namespace adit::pki
