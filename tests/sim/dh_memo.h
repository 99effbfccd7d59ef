// SPDX-License-Identifier: Apache-2.0
// Diffie-Hellman at the price of a look-up: few key pairs for each group, each shared secret
// computed once in the life of the program. What an engine gets is true arithmetic of true keys, so
// nothing in it can tell the difference; only the private keys come again.
//
// Which pair a job gets is drawn from the caller's generator: a seed gets the same ones whatever
// ran before it.
//
// Threading: one thread.
#pragma once

#include "control/ike/crypto.h"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace adit::sim {

class DhMemo {
  public:
    ike::DhResult run(const ike::DhJob& job, Rng& rng);

    /// g^xy of two public values, when one of them is of ours.
    [[nodiscard]] std::optional<SecretBuffer>
    secret_of(ike::Group group, const Bytes& one, const Bytes& other);

  private:
    [[nodiscard]] const ike::DhKeyPair& pair(ike::Group group, Rng& rng);
    [[nodiscard]] Result<SecretBuffer>
    agree(ike::Group group, ByteView private_key, const Bytes& peer_public);

    std::map<ike::Group, std::vector<ike::DhKeyPair>> pairs_;
    std::map<std::tuple<ike::Group, Bytes, Bytes>, Bytes> shared_;
};

} // namespace adit::sim
