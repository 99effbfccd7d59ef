// SPDX-License-Identifier: Apache-2.0
#include "control/ike/job.h"

namespace adit::ike {

namespace {

Result<JobOutput> perform(const DhJob& job, Rng& rng) {
    DhOutput output;
    if (job.kind == DhJobKind::Agree) {
        output.shared = TRY(dh_agree(job.group, job.private_key.view(), job.peer_public));
        return output;
    }
    // A bad public value is refused before the exponentiation that a fresh pair costs.
    if (job.kind == DhJobKind::GenerateAndAgree)
        TRY_VOID(check_public_value(job.group, job.peer_public));
    output.pair = TRY(dh_generate(job.group, rng));
    if (job.kind == DhJobKind::GenerateAndAgree)
        output.shared = TRY(dh_agree(job.group, output.pair.private_key.view(), job.peer_public));
    return output;
}

Result<JobOutput> perform(const PasswordJob& job, Rng&) {
    return PasswordOutput{is_password(job.hash, job.password.view())};
}

Result<JobOutput> perform(const SignJob& job, Rng&) {
    return SignOutput{TRY(job.key->sign(job.hash))};
}

Result<JobOutput> perform(const JudgeJob& job, Rng&) {
    return job.judge->judge(job.proof);
}

} // namespace

JobResult run(const Job& job, Rng& rng) {
    return {job.job_id, std::visit([&](const auto& work) { return perform(work, rng); }, job.work)};
}

} // namespace adit::ike
