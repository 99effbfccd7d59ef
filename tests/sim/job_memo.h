// SPDX-License-Identifier: Apache-2.0
// Slow crypto at the price of a look-up: few Diffie-Hellman pairs for each group, each shared
// secret and each password computed once in the life of the program. What an engine gets is true
// arithmetic of true keys, so nothing in it can tell the difference; only the private keys come
// again.
//
// Which pair a job gets is drawn from the caller's generator: a seed gets the same ones whatever
// ran before it.
//
// Threading: one thread.
#pragma once

#include "control/ike/job.h"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace adit::sim {

class JobMemo {
  public:
    ike::JobResult run(const ike::Job& job, Rng& rng);

    /// g^xy of two public values, when one of them is of ours.
    [[nodiscard]] std::optional<SecretBuffer>
    secret_of(ike::Group group, const Bytes& one, const Bytes& other);

  private:
    [[nodiscard]] const ike::DhKeyPair& pair(ike::Group group, Rng& rng);
    [[nodiscard]] Result<SecretBuffer>
    agree(ike::Group group, ByteView private_key, const Bytes& peer_public);
    Result<ike::JobOutput> perform(const ike::DhJob& job, Rng& rng);
    Result<ike::JobOutput> perform(const ike::PasswordJob& job);

    std::map<ike::Group, std::vector<ike::DhKeyPair>> pairs_;
    std::map<std::tuple<ike::Group, Bytes, Bytes>, Bytes> shared_;
    std::map<std::pair<std::string, Bytes>, bool> passwords_; // by hash as printed
};

} // namespace adit::sim
