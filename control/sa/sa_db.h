// SPDX-License-Identifier: Apache-2.0
// The ESP SAs that this control has in the dataplane, and the counters of the identities they
// serve.
//
// Counters of a packet live in the dataplane's stats page by slot. An identity's counters (one ACL
// line, CLI.md 1.4) run on across rekeys: what a removed SA had counted is folded into its policy's
// totals once the dataplane has confirmed the removal, when nothing can change it any more.
//
// What changes here is told to the journal at once: of an SA before the dataplane hears of it.
//
// Threading: control's loop.
#pragma once

#include "common/address.h"
#include "common/ipc/stats.h"
#include "common/types.h"
#include "control/cli/snapshot.h"
#include "control/ike/codec.h"
#include "control/ike/journal_entry.h"

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

    /// Takes what a journal has to know, all or nothing.
    using Note = std::function<void(std::vector<ike::JournalEntry>)>;

    explicit SaDb(StatsOf stats_of, Note note = {})
        : stats_of_(std::move(stats_of)), note_(std::move(note)) {}

    void add(const InstalledSa& sa);

    /// Knows again what the entries of a control before say (SAs that it had and totals); others
    /// are passed over. Malformed when one cannot be read.
    Status resume(const std::vector<ike::JournalEntry>& entries);

    [[nodiscard]] std::vector<ike::JournalEntry> whole_memory() const;

    [[nodiscard]] std::vector<InstalledSa> all() const;

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

    template <class Codec, ike::As<Totals> T> friend void fields(Codec& codec, T& totals);

    template <class... Entries> void note(Entries... changed) const {
        if (!note_)
            return;
        std::vector<ike::JournalEntry> entries;
        (entries.push_back(std::move(changed)), ...);
        note_(std::move(entries));
    }

    void take_in(const InstalledSa& sa);
    [[nodiscard]] ike::JournalEntry totals_entry(PolicyId policy) const;

    [[nodiscard]] Totals read(const InstalledSa& sa) const;
    [[nodiscard]] Totals totals(PolicyId policy) const;

    StatsOf stats_of_;
    Note note_;
    std::unordered_map<SaId, InstalledSa> installed_;
    std::unordered_map<PolicyId, std::vector<SaId>> of_policy_; // a handful each
    std::unordered_map<PolicyId, Totals> folded_;
    std::unordered_map<PolicyId, Totals> baseline_;
};

} // namespace adit::sa
