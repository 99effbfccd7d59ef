// SPDX-License-Identifier: Apache-2.0
#include "control/ike/job.h"
#include "tests/support/seeded_rng.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::SeededRng;

TEST(DhJob, GenerateFillsThePair) {
    SeededRng rng{5};
    const JobResult result = run({JobId{7}, DhJob{.group = Group::Modp1024}}, rng);
    EXPECT_EQ(result.job_id, JobId{7});
    ASSERT_TRUE(result.output);
    const auto& output = std::get<DhOutput>(*result.output);
    EXPECT_EQ(output.pair.public_value.size(), 128U);
    EXPECT_TRUE(output.shared.empty());
}

TEST(DhJob, AgreeAndGenerateAndAgreeMeet) {
    SeededRng rng{6};
    const auto ours = dh_generate(Group::Ecp256, rng);
    ASSERT_TRUE(ours);
    const JobResult responder = run({JobId{1},
                                     DhJob{.kind = DhJobKind::GenerateAndAgree,
                                           .group = Group::Ecp256,
                                           .peer_public = ours->public_value}},
                                    rng);
    ASSERT_TRUE(responder.output);
    const auto& theirs = std::get<DhOutput>(*responder.output);
    const JobResult initiator = run(
        {JobId{2},
         DhJob{
             DhJobKind::Agree, Group::Ecp256, ours->private_key.clone(), theirs.pair.public_value}},
        rng);
    ASSERT_TRUE(initiator.output);
    const auto& agreed = std::get<DhOutput>(*initiator.output);
    EXPECT_TRUE(agreed.shared == theirs.shared);
    EXPECT_EQ(agreed.shared.size(), 32U);
}

TEST(DhJob, ABadPublicValueIsRefused) {
    SeededRng rng{8};
    for (const DhJobKind kind : {DhJobKind::Agree, DhJobKind::GenerateAndAgree}) {
        const JobResult result = run(
            {JobId{3}, DhJob{kind, Group::Modp2048, SecretBuffer{Bytes(32, 1)}, Bytes(256)}}, rng);
        EXPECT_FALSE(result.output);
        EXPECT_EQ(result.job_id, JobId{3});
    }
}

} // namespace
} // namespace adit::ike
