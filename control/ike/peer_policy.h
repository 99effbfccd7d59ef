// SPDX-License-Identifier: Apache-2.0
// Which pre-shared key, which ISAKMP profile and which name of ours go with a peer. Main mode picks
// the key by address alone, because the peer's name is encrypted under it; aggressive mode sees the
// name first. What a peer says chooses between things configured for it, never whether it is
// checked.
//
// Threading: pure functions of the configuration. Source: RFC 2409 5.4; RFC 2407 4.6.2.
#pragma once

#include "control/ike/interface.h"
#include "control/ike/payload_id.h"

#include <expected>
#include <memory>
#include <string>

namespace adit::ike {

using SharedKey = std::shared_ptr<const SecretBuffer>;

/// Null when there is none of that name, or the name is empty.
const IsakmpProfile* find_profile(const EngineConfig& config, const std::string& name);

/// The key of the longest prefix that holds the peer: of the profile's keyrings, or without one of
/// all there are, the global ones first among equals. Null when nothing covers the address.
SharedKey
key_for_address(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer);

/// As key_for_address, but a key under the peer's own name comes first.
SharedKey key_for_identity(const EngineConfig& config, const Identity& peer, Ipv4Address address);

/// A key configured under this name: it proves the name, where a key for addresses proves only that
/// its bearer is one of those who have it.
bool is_key_of_name(const EngineConfig& config, const Identity& peer, const SecretBuffer& key);

/// Those of our policies under which we can prove ourselves to this peer, and it can to us.
std::vector<Phase1Policy>
provable_policies(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer);

bool is_by_key(const Phase1Policy& policy);

bool matches(const IdentityMatch& wanted, const Identity& peer);

/// The profile an authenticated peer falls under, null for none: the first that matches its name
/// and holds `key` for it (null: it has proved itself by signature). The error says why nobody may
/// call itself so with this key.
std::expected<const IsakmpProfile*, std::string> choose_profile(const EngineConfig& config,
                                                                const Identity& peer,
                                                                Ipv4Address address,
                                                                const SecretBuffer* key);

/// Does the administrator want aggressive mode towards this peer?
bool initiates_aggressive(const EngineConfig& config,
                          const IsakmpProfile* profile,
                          Ipv4Address peer);

/// What we offer to this peer in aggressive mode. RFC 2409 5.4: the group cannot be negotiated, as
/// the public value travels with the offer, and neither can the method, as our name does. So it is
/// those policies that share both with the first one that we can prove.
std::vector<Phase1Policy>
aggressive_offer(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer);

/// Those of our policies that a first message of aggressive mode may agree to. None: the mode is
/// off.
std::vector<Phase1Policy> aggressive_policies(const EngineConfig& config);
/// May a peer of this name and address prove itself by pre-shared key in aggressive mode?
bool may_be_aggressive(const EngineConfig& config, const Identity& peer, Ipv4Address address);

/// What the administrator wants us to be called by this peer.
const SelfIdentity&
own_self(const EngineConfig& config, const IsakmpProfile* profile, Ipv4Address peer);
/// The same as it goes out without a certificate. `local` is the address we talk from.
Identity own_identity(const EngineConfig& config,
                      const IsakmpProfile* profile,
                      Ipv4Address local,
                      Ipv4Address peer);

} // namespace adit::ike
