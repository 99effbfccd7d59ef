// SPDX-License-Identifier: Apache-2.0
#include "control/ike/job.h"

namespace adit::ike {

namespace {

class FreshPairs final : public PairSource {
  public:
    explicit FreshPairs(Rng& rng) : rng_(rng) {}

    Result<DhKeyPair> take(Group group) override { return dh_generate(group, rng_); }

  private:
    Rng& rng_;
};

Result<JobOutput> perform(const DhJob& job, PairSource& pairs) {
    DhOutput output;
    if (job.kind == DhJobKind::Agree) {
        output.shared = TRY(dh_agree(job.group, job.private_key.view(), job.peer_public));
        return output;
    }
    // A bad public value is refused before it costs a pair.
    if (job.kind == DhJobKind::GenerateAndAgree)
        TRY_VOID(check_public_value(job.group, job.peer_public));
    output.pair = TRY(pairs.take(job.group));
    if (job.kind == DhJobKind::GenerateAndAgree)
        output.shared = TRY(dh_agree(job.group, output.pair.private_key.view(), job.peer_public));
    return output;
}

Result<JobOutput> perform(const PasswordJob& job, PairSource&) {
    return PasswordOutput{is_password(job.hash, job.password.view())};
}

Result<JobOutput> perform(const SignJob& job, PairSource&) {
    return SignOutput{TRY(job.key->sign(job.hash))};
}

Result<JobOutput> perform(const JudgeJob& job, PairSource&) {
    return job.judge->judge(job.proof);
}

} // namespace

JobResult run(const Job& job, PairSource& pairs) {
    return {job.job_id,
            std::visit([&](const auto& work) { return perform(work, pairs); }, job.work)};
}

JobResult run(const Job& job, Rng& rng) {
    FreshPairs pairs{rng};
    return run(job, pairs);
}

} // namespace adit::ike
