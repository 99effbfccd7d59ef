// SPDX-License-Identifier: Apache-2.0
// Pre-shared keys as configuration lines write them: [0|6] KEY, for an address or for a name; and
// what we call ourselves.
//
// Threading: pure functions. Errors: say what is wrong with the line.
#pragma once

#include "control/cli/grammar.h"
#include "control/config/editor.h"

#include <memory>
#include <vector>

namespace adit::cli {

/// The key that is the nth NAME of the line.
Result<std::shared_ptr<const SecretBuffer>> key_of(const Match& match, std::size_t nth);

/// A.B.C.D [MASK]; without a mask one host.
Result<Ipv4Prefix> key_prefix(const Match& match);

/// {address | hostname | fqdn [NAME] | user-fqdn NAME | key-id NAME | dn}; without a word of these
/// our address.
ike::SelfIdentity self_identity_of(const Match& match);

/// Replaces the key for the same address or name, or adds it; with Sign::No takes it away.
Status set_key(config::Editor& editor,
               std::vector<config::IsakmpKey>& keys,
               config::IsakmpKey key,
               Sign sign);

} // namespace adit::cli
