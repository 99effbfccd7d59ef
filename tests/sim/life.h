// SPDX-License-Identifier: Apache-2.0
// One life drawn from a seed: gateways come up, fate and operators do what they like, then calm; in
// the end the invariants are asked.
//
// Threading: one thread.
#pragma once

#include "tests/sim/client_visit.h"
#include "tests/sim/coverage.h"
#include "tests/sim/insider.h"
#include "tests/sim/invariants.h"
#include "tests/sim/job_memo.h"
#include "tests/sim/plan.h"
#include "tests/sim/traffic.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>

namespace adit::sim {

enum class Fault : std::uint8_t {
    Initiate,
    InitiateBoth,
    SoftLimit,
    HardLimit,
    ClearPhase1,
    ClearPhase2,
    Crash,
    ClockJump,
    Rebinding,
    Blackout,
    OtherTransforms,
    OtherPolicy,
    OtherKey,
    OtherPfs,
    FlowsRemoved,
    ConfigurationBack,
    JobsLost,
    JobsSlow,
    JobsRefused,
    InstallsRefused,
    SpisExhausted,
    ForgedRefusals,
    ProtectedRefusals,
    CommitBits,
    Kill,
    KillHalfWay,
    Client,
    Count_,
};

const char* name(Fault fault);

/// What has happened.
struct Tally {
    Coverage coverage;
    std::array<std::uint64_t, static_cast<std::size_t>(Fault::Count_)> faults{};
    test::Damage damage;
    std::uint64_t phase1{0}, phase2{0}, packets{0}, unknown_spis{0};

    Tally& operator+=(const Tally& other);
};

/// What lives of one thread share.
struct Chronicle {
    JobMemo memo;
    Tally tally;
    std::function<void(const std::string&)> trace; // a line for each thing that happens
};

class Life {
  public:
    Life(std::uint64_t seed, Chronicle& chronicle);
    ~Life();
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    /// All of it; what the invariants complain of, from the first that does.
    Complaints live();

  private:
    friend const char* name(Fault fault);

    enum class Jobs : std::uint8_t { Sound, Lost, Slow, Refused };

    struct Trouble;
    static std::span<const Trouble> troubles();

    void place_gateways();
    void hook_network();
    std::optional<ike::JobResult> work(test::Gateway& gateway, const ike::Job& job);
    bool install(test::Gateway& gateway, const ike::InstallSaAction& action);
    void forge_refusal(const ike::SendDatagram& send);
    [[nodiscard]] std::optional<Secrets> secrets_of(const ike::SendDatagram& send,
                                                    const ike::Header& header);
    void refuse_under_keys(const ike::SendDatagram& send);
    void ask_for_patience(ike::SendDatagram& send);
    /// To whoever sent it, in the name of the one it was for.
    void answer(const ike::SendDatagram& question, Bytes payload);

    void trouble();
    void kill();
    void happen(const Trouble& trouble, test::Gateway& at);
    void calm_down();
    void clear_deaf_sas(test::Gateway& gateway);
    Complaints watch_calm();
    Complaints end();

    // --- troubles
    void initiate(test::Gateway& gateway);
    void initiate_both(test::Gateway& gateway);
    void reach_limit(test::Gateway& gateway, bool hard);
    void jump(test::Gateway& gateway);
    void black_out();
    void reconfigure(test::Gateway& gateway, ike::EngineConfig config);
    void let_jobs(Jobs jobs);
    void exhaust_spis(test::Gateway& gateway);
    void visit();

    [[nodiscard]] test::Gateway& any_gateway();
    [[nodiscard]] std::uint32_t index_of(const test::Gateway& gateway) const;
    void say(const std::string& line);

    Chronicle& chronicle_;
    test::SeededRng dice_;
    test::SeededRng kill_dice_;
    Plan plan_;
    test::Network network_;
    test::Nat* nat_{nullptr};
    std::vector<test::Gateway*> gateways_;
    Traffic traffic_{network_};
    KeyLedger ledger_;
    PairWatch pairs_;
    bool calm_{false};
    Jobs jobs_{Jobs::Sound};
    Instant last_slow_job_; // when it comes back
    std::uint32_t installs_to_refuse_{0};
    bool forging_{false};
    bool refusing_{false};
    bool committing_{false};
    test::Gateway* doomed_{nullptr}; // dies the next time it has anything to do
    Insider insider_;
    std::unique_ptr<ClientVisit> client_; // while one is here
};

} // namespace adit::sim
