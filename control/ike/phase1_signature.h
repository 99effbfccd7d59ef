// SPDX-License-Identifier: Apache-2.0
// What both modes of phase 1 share when signatures prove who is who: certificate requests, our
// certificate and signature, and the job that judges the peer's. Whether a peer is authenticated is
// decided in phase1_proof.
//
// Threading: as step(). Errors: Refusal. Source: RFC 2409 5.1; RFC 4945 3.2, 3.3.
#pragma once

#include "control/ike/phase1_proof.h"

namespace adit::ike {

/// CAs named in our requests: more would only make the message long.
inline constexpr std::size_t kMaxRequests = 16;

/// One request for each CA we trust; none for policies of keys.
void add_certificate_requests(Turn& turn, const Phase1Policy& policy, MessageBuilder& message);

/// Our certificate for a policy of signatures, under a CA that the message at hand asks for if we
/// have one. Null: there is none.
SharedCertificate own_certificate(const Turn& turn, const Phase1Policy& policy);

/// Our HASH goes to be signed; ends in a Signed row.
void start_signing(Turn& turn);
/// IDxx, CERT ..., SIG_x [, INITIAL-CONTACT], once it is signed.
MessageBuilder signed_identity(Turn& turn);

/// The peer's name, certificates and signature go to be judged; ends in a Judged row. `id_body` is
/// that of its identification payload.
Verdict start_judging(Turn& turn, ByteView id_body);

/// The claim has been proved: what came with it counts now.
Verdict heed_claim(Turn& turn);

} // namespace adit::ike
