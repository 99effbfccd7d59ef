// SPDX-License-Identifier: Apache-2.0
// What both modes of phase 1 share: keys from the key exchange, each side's name, and its proof
// that it holds the shared key.
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

Bytes body_of(const Message& message, PayloadType type);

/// Vendor ids of the message at hand, remembered and, for debugging, named.
void note_vendors(Turn& turn);
void announce_policy(Turn& turn, const Phase1Policy& policy);
/// `ours`: what this peer could have had.
Refusal no_common_policy(Turn& turn, const SaView& theirs, const std::vector<Phase1Policy>& ours);

/// What we can do, in a first message.
void offer_vendors(const Turn& turn, MessageBuilder& message);
/// What we can do of it, in the answer, as far as that does not become longer than the question
/// (SECURITY U2).
void answer_vendors(const Turn& turn, std::size_t question_bytes, MessageBuilder& answer);
/// One id under the same condition; false when it does not fit.
bool add_vendor_if_it_fits(std::size_t question_bytes, MessageBuilder& answer, Vendor vendor);

/// The profile of the entry that asked, or of the peer once it is known. Null for none.
const IsakmpProfile* profile_of(const Turn& turn);
/// What our first message offers to the peer of this session.
std::vector<Phase1Policy> offered_policies(const EngineConfig& config, const Session& session);

/// The key exchange has shown everything: SKEYIDs, cipher key, first IV. A conn id from here on.
Verdict derive_keys(Turn& turn, ByteView g_xy);

/// Body of the identification payload that names us.
Bytes own_identity_body(Turn& turn);
/// HASH_I or HASH_R of ours over that body.
Bytes own_proof(Turn& turn, ByteView identity_body);
/// HASH_I or HASH_R of the peer over its identity, for its signature.
Bytes peer_proof(Turn& turn, ByteView identity_body);
/// RFC 2407 4.6.3.3, when it is the first contact.
void add_initial_contact(Turn& turn, MessageBuilder& message);

/// HDR*, IDxx, HASH_x [, INITIAL-CONTACT].
void send_identity(Turn& turn);

/// The only place that decides whether a peer is who it must be: its proof covers its name, and the
/// name is one that may come with this key. Nothing the peer sends chooses whether this runs or
/// what it compares.
std::expected<Identity, Refusal> authenticate(Turn& turn, ByteView id_body, ByteView claimed);

/// The same for a peer that has signed: by what became of the job that judged it.
std::expected<Identity, Refusal> authenticate_signed(Turn& turn);

void become_secured(Turn& turn, const Identity& identity);
void heed_identity_notifications(Turn& turn);

} // namespace adit::ike
