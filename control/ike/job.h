// SPDX-License-Identifier: Apache-2.0
// Slow crypto as data: the engine describes it as a Job, somebody else (crypto_pool's threads, or a
// simulator at once) calls run() and returns the JobResult. What has become of the exchange in the
// meantime is no concern of the job.
//
// Threading: run() is a pure function of job and rng or pairs, callable from any thread.
//
// Errors: a JobResult without output says why; what a peer can cause is one of those.
#pragma once

#include "common/random.h"
#include "control/ike/credentials.h"
#include "control/ike/crypto.h"
#include "control/ike/password.h"

#include <cstdint>
#include <memory>
#include <variant>

namespace adit::ike {

using JobId = Strong<struct JobIdTag, std::uint64_t>;

enum class DhJobKind : std::uint8_t {
    Generate,         // fills pair
    Agree,            // fills shared, from private_key and peer_public
    GenerateAndAgree, // fills both: a responder's one wait instead of two
};

struct DhJob {
    DhJobKind kind{DhJobKind::Generate};
    Group group{Group::None};
    SecretBuffer private_key; // Agree only
    Bytes peer_public;        // not for Generate
};

struct DhOutput {
    DhKeyPair pair;
    SecretBuffer shared;
};

/// Is this the password? Slow by intent.
struct PasswordJob {
    PasswordHash hash;
    SecretBuffer password;
};

struct PasswordOutput {
    bool matches{false};
};

/// Our HASH, signed.
struct SignJob {
    std::shared_ptr<const SigningKey> key;
    Bytes hash;
};

struct SignOutput {
    Bytes octets;
};

/// Is the peer who it says it is? Makes a Judgement.
struct JudgeJob {
    std::shared_ptr<const PeerJudge> judge;
    PeerProof proof;
};

using JobWork = std::variant<DhJob, PasswordJob, SignJob, JudgeJob>;
/// In the order of JobWork: what each kind of work makes.
using JobOutput = std::variant<DhOutput, PasswordOutput, SignOutput, Judgement>;

struct Job {
    JobId job_id;
    JobWork work;
};

struct JobResult {
    JobId job_id;
    Result<JobOutput> output;
};

/// Where a job takes a pair of its own from: none is given twice.
class PairSource {
  public:
    virtual ~PairSource() = default;
    virtual Result<DhKeyPair> take(Group group) = 0;
};

JobResult run(const Job& job, PairSource& pairs);
/// Pairs are made on the spot.
JobResult run(const Job& job, Rng& rng);

} // namespace adit::ike
