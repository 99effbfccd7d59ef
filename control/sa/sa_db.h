// SPDX-License-Identifier: Apache-2.0
// The ESP SAs that this control has in the dataplane, and the counters of the identities they
// serve.
//
// Counters of a packet live in the dataplane's stats page by slot. An identity's counters (one ACL
// line, CLI.md 1.4) run on across rekeys: what a removed SA had counted is folded into its policy's
// totals once the dataplane has confirmed the removal, when nothing can change it any more.
//
// Threading: control's loop.
#pragma once

#include "common/address.h"
#include "common/ipc/stats.h"
#include "common/types.h"
#include "control/cli/snapshot.h"

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace adit::sa {

struct InstalledSa {
    SaId sa;
    Spi spi;
    WorkerId worker;
    std::uint32_t slot{}; // of that worker
    bool inbound{};
    PolicyId policy;
    Ipv4Address peer;
};

class SaDb {
  public:
    /// The counters of an SA's slot; null when no dataplane is attached.
    using StatsOf = std::function<const ipc::SaStats*(const InstalledSa&)>;

    explicit SaDb(StatsOf stats_of) : stats_of_(std::move(stats_of)) {}

    void add(const InstalledSa& sa);

    [[nodiscard]] const InstalledSa* find(SaId sa) const;

    [[nodiscard]] bool has_sas(PolicyId policy) const;

    /// A policy without SAs is gone: its number may be given to another.
    void forget_policy(PolicyId policy);

    /// Folds its counters and forgets it.
    void remove(SaId sa);

    /// The dataplane is another one: its counters started again and its SAs are gone.
    void forget_all();

    /// What one SA has counted so far.
    [[nodiscard]] cli::SaCounters counters(SaId sa) const;

    /// CLOCK_MONOTONIC of its last packet; 0: none yet.
    [[nodiscard]] std::uint64_t last_packet_ns(SaId sa) const;

    /// Since start or since the last reset_counters of that policy.
    [[nodiscard]] cli::FlowCounters flow_counters(PolicyId policy) const;

    /// `clear crypto sa counters`: what is shown starts at zero; lifetimes in kilobytes go on.
    void reset_counters(PolicyId policy);

  private:
    struct Totals {
        std::uint64_t encaps{}, encaps_bytes{}, send_drops{};
        std::uint64_t decaps{}, decaps_bytes{};
        std::uint64_t replay{}, integrity{}, other{};

        Totals& operator+=(const Totals& more);
        Totals& operator-=(const Totals& less);
    };

    [[nodiscard]] Totals read(const InstalledSa& sa) const;
    [[nodiscard]] Totals totals(PolicyId policy) const;

    StatsOf stats_of_;
    std::unordered_map<SaId, InstalledSa> installed_;
    std::unordered_map<PolicyId, std::vector<SaId>> of_policy_; // a handful each
    std::unordered_map<PolicyId, Totals> folded_;
    std::unordered_map<PolicyId, Totals> baseline_;
};

} // namespace adit::sa
