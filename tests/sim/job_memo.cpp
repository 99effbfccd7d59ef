// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/job_memo.h"

#include "tests/support/seeded_rng.h"

namespace adit::sim {

namespace {

constexpr std::uint32_t kPairsPerGroup = 8;
/// Damaged public values of MODP groups are sound numbers too: those secrets come once.
constexpr std::size_t kMaxSecrets = 4096;

} // namespace

const ike::DhKeyPair& JobMemo::pair(ike::Group group, Rng& rng) {
    std::vector<ike::DhKeyPair>& pairs = pairs_[group];
    if (pairs.empty()) {
        test::SeededRng own{static_cast<std::uint64_t>(group)};
        for (std::uint32_t i = 0; i < kPairsPerGroup; ++i)
            pairs.push_back(*ike::dh_generate(group, own));
    }
    return pairs[rng.below(kPairsPerGroup)];
}

Result<SecretBuffer>
JobMemo::agree(ike::Group group, ByteView private_key, const Bytes& peer_public) {
    if (shared_.size() >= kMaxSecrets)
        shared_.clear();
    const std::tuple key{group, to_bytes(private_key), peer_public};
    if (const auto known = shared_.find(key); known != shared_.end())
        return SecretBuffer{known->second};
    Result<SecretBuffer> shared = ike::dh_agree(group, private_key, peer_public);
    if (shared)
        shared_.emplace(key, to_bytes(shared->view()));
    return shared;
}

std::optional<SecretBuffer>
JobMemo::secret_of(ike::Group group, const Bytes& one, const Bytes& other) {
    for (const ike::DhKeyPair& pair : pairs_[group])
        if (pair.public_value == one)
            if (Result<SecretBuffer> shared = agree(group, pair.private_key.view(), other))
                return std::move(*shared);
    return std::nullopt;
}

Result<ike::JobOutput> JobMemo::perform(const ike::DhJob& job, Rng& rng) {
    ike::DhOutput output;
    ByteView private_key = job.private_key.view();
    if (job.kind != ike::DhJobKind::Agree) {
        const ike::DhKeyPair& chosen = pair(job.group, rng);
        output.pair = {chosen.group, chosen.private_key.clone(), chosen.public_value};
        private_key = output.pair.private_key.view();
    }
    if (job.kind != ike::DhJobKind::Generate)
        output.shared = TRY(agree(job.group, private_key, job.peer_public));
    return output;
}

Result<ike::JobOutput> JobMemo::perform(const ike::PasswordJob& job) {
    const auto [known, fresh] =
        passwords_.try_emplace({to_string(job.hash), to_bytes(job.password.view())}, false);
    if (fresh)
        known->second = ike::is_password(job.hash, job.password.view());
    return ike::PasswordOutput{known->second};
}

ike::JobResult JobMemo::run(const ike::Job& job, Rng& rng) {
    if (const auto* dh = std::get_if<ike::DhJob>(&job.work))
        return {job.job_id, perform(*dh, rng)};
    if (const auto* password = std::get_if<ike::PasswordJob>(&job.work))
        return {job.job_id, perform(*password)};
    return ike::run(job, rng);
}

} // namespace adit::sim
