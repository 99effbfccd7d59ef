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

/// Our certificate for a policy of signatures, under a CA that the message at hand, if there is
/// one, asks for if we have one. Null: there is none.
SharedCertificate own_certificate(const Turn& turn, const Phase1Policy& policy);

/// What we shall prove ourselves with under the exchange's policy, looked up when arithmetic is
/// about to begin. Refused when it is gone: it was there when the policy was chosen.
Verdict take_credentials(const Turn& turn, Exchanging& exchange);

/// Body of the identification payload that names us as our certificate does.
Bytes own_signed_identity(Turn& turn, const OwnCertificate& own);

/// Our HASH goes to be signed; ends in a Signed row.
void start_signing(Turn& turn);
/// CERT ..., SIG_x, once it is signed.
void add_signature(Turn& turn, MessageBuilder& message);

/// Certificates and signature of the message at hand, beside the name that `id_body` says.
std::expected<Claim, Refusal> take_claim(Turn& turn, const Phase1Policy& policy, ByteView id_body);
/// The claim in Keyed goes to be judged; ends in a Judged row.
Verdict start_judging(Turn& turn);

/// The claim has been proved: what came with it counts now.
Verdict heed_claim(Turn& turn);
/// RFC 3947 4: the answer goes to where the claim came from, now that it is proved whose it is.
void follow_claim(Turn& turn);

} // namespace adit::ike
