// SPDX-License-Identifier: Apache-2.0
#include "control/sa/sa_db.h"

#include "control/journal_kinds.h"

namespace adit::sa {

template <class Codec, ike::As<InstalledSa> T> void fields(Codec& codec, T& sa) {
    codec(sa.sa, sa.spi, sa.worker, sa.slot, sa.inbound, sa.policy, sa.peer.value);
}

template <class Codec, ike::As<SaDb::Totals> T> void fields(Codec& codec, T& totals) {
    codec(totals.encaps,
          totals.encaps_bytes,
          totals.send_drops,
          totals.decaps,
          totals.decaps_bytes,
          totals.replay,
          totals.integrity,
          totals.other);
}

static ike::JournalEntry entry_of(const InstalledSa& sa) {
    ike::Saver saver;
    saver(sa);
    return {journal_key(JournalKind::InstalledSa, sa.sa.value), saver.take()};
}

ike::JournalEntry SaDb::totals_entry(PolicyId policy) const {
    const auto of = [&](const auto& totals) {
        const auto found = totals.find(policy);
        return found == totals.end() ? Totals{} : found->second;
    };
    ike::Saver saver;
    saver(of(folded_), of(baseline_));
    return {journal_key(JournalKind::PolicyTotals, policy.value), saver.take()};
}

Status SaDb::resume(const std::vector<ike::JournalEntry>& entries) {
    for (const ike::JournalEntry& entry : entries) {
        ike::Loader loader{entry.octets.view()};
        if (is_kind(entry.key, JournalKind::InstalledSa)) {
            InstalledSa sa;
            loader(sa);
            take_in(sa);
        } else if (is_kind(entry.key, JournalKind::PolicyTotals)) {
            const PolicyId policy{static_cast<std::uint32_t>(entry.key.number)};
            loader(folded_[policy], baseline_[policy]);
        } else {
            continue;
        }
        if (!loader.done())
            return fail(ErrorCode::Malformed, "an SA or its totals cannot be read");
    }
    return {};
}

std::vector<ike::JournalEntry> SaDb::whole_memory() const {
    std::vector<ike::JournalEntry> entries;
    for (const auto& [id, sa] : installed_)
        entries.push_back(entry_of(sa));
    for (const auto& [policy, totals] : folded_)
        entries.push_back(totals_entry(policy));
    return entries;
}

std::vector<InstalledSa> SaDb::all() const {
    std::vector<InstalledSa> sas;
    for (const auto& [id, sa] : installed_)
        sas.push_back(sa);
    return sas;
}

SaDb::Totals& SaDb::Totals::operator+=(const Totals& more) {
    encaps += more.encaps;
    encaps_bytes += more.encaps_bytes;
    send_drops += more.send_drops;
    decaps += more.decaps;
    decaps_bytes += more.decaps_bytes;
    replay += more.replay;
    integrity += more.integrity;
    other += more.other;
    return *this;
}

SaDb::Totals& SaDb::Totals::operator-=(const Totals& less) {
    encaps -= less.encaps;
    encaps_bytes -= less.encaps_bytes;
    send_drops -= less.send_drops;
    decaps -= less.decaps;
    decaps_bytes -= less.decaps_bytes;
    replay -= less.replay;
    integrity -= less.integrity;
    other -= less.other;
    return *this;
}

void SaDb::take_in(const InstalledSa& sa) {
    installed_[sa.sa] = sa;
    of_policy_[sa.policy].push_back(sa.sa);
}

void SaDb::add(const InstalledSa& sa) {
    take_in(sa);
    note(entry_of(sa));
}

void SaDb::forget_all() {
    installed_.clear();
    of_policy_.clear();
}

const InstalledSa* SaDb::find(SaId sa) const {
    const auto found = installed_.find(sa);
    return found == installed_.end() ? nullptr : &found->second;
}

bool SaDb::has_sas(PolicyId policy) const {
    const auto sas = of_policy_.find(policy);
    return sas != of_policy_.end() && !sas->second.empty();
}

void SaDb::forget_policy(PolicyId policy) {
    of_policy_.erase(policy);
    folded_.erase(policy);
    baseline_.erase(policy);
    note(ike::JournalEntry{journal_key(JournalKind::PolicyTotals, policy.value), {}});
}

/// Null when the slot counts for another SA by now.
static const ipc::SaStats* own_stats(const SaDb::StatsOf& stats_of, const InstalledSa& sa) {
    const ipc::SaStats* stats = stats_of(sa);
    return stats != nullptr && ipc::read(stats->sa_id) == sa.sa.value ? stats : nullptr;
}

SaDb::Totals SaDb::read(const InstalledSa& sa) const {
    Totals totals;
    const ipc::SaStats* stats = own_stats(stats_of_, sa);
    if (stats == nullptr)
        return totals;
    if (sa.inbound) {
        totals.decaps = ipc::read(stats->packets);
        totals.decaps_bytes = ipc::read(stats->bytes);
        totals.replay = ipc::read(stats->replay_drops);
        totals.integrity = ipc::read(stats->integrity_drops);
        totals.other = ipc::read(stats->other_drops);
    } else {
        totals.encaps = ipc::read(stats->packets);
        totals.encaps_bytes = ipc::read(stats->bytes);
        totals.send_drops = ipc::read(stats->other_drops);
    }
    return totals;
}

void SaDb::remove(SaId sa) {
    const auto found = installed_.find(sa);
    if (found == installed_.end())
        return;
    const PolicyId policy = found->second.policy;
    folded_[policy] += read(found->second);
    installed_.erase(found);
    std::erase(of_policy_[policy], sa);
    note(totals_entry(policy),
         ike::JournalEntry{journal_key(JournalKind::InstalledSa, sa.value), {}});
}

cli::SaCounters SaDb::counters(SaId sa) const {
    const InstalledSa* installed = find(sa);
    const ipc::SaStats* stats = installed == nullptr ? nullptr : own_stats(stats_of_, *installed);
    if (stats == nullptr)
        return {};
    cli::SaCounters counters{ipc::read(stats->packets),
                             ipc::read(stats->bytes),
                             ipc::read(stats->sequence),
                             ipc::read(stats->replay_drops) + ipc::read(stats->integrity_drops) +
                                 ipc::read(stats->other_drops)};
    if (const std::uint64_t last = ipc::read(stats->last_packet_ns); last != 0)
        counters.last_packet = Instant{Duration{static_cast<Duration::rep>(last)}};
    return counters;
}

std::uint64_t SaDb::last_packet_ns(SaId sa) const {
    const InstalledSa* installed = find(sa);
    const ipc::SaStats* stats = installed == nullptr ? nullptr : own_stats(stats_of_, *installed);
    return stats == nullptr ? 0 : ipc::read(stats->last_packet_ns);
}

SaDb::Totals SaDb::totals(PolicyId policy) const {
    Totals sum;
    if (const auto folded = folded_.find(policy); folded != folded_.end())
        sum = folded->second;
    if (const auto sas = of_policy_.find(policy); sas != of_policy_.end())
        for (const SaId sa : sas->second)
            sum += read(installed_.at(sa));
    return sum;
}

cli::FlowCounters SaDb::flow_counters(PolicyId policy) const {
    Totals sum = totals(policy);
    if (const auto base = baseline_.find(policy); base != baseline_.end())
        sum -= base->second;
    cli::FlowCounters counters;
    counters.encaps = sum.encaps;
    counters.encaps_bytes = sum.encaps_bytes;
    counters.decaps = sum.decaps;
    counters.decaps_bytes = sum.decaps_bytes;
    counters.send_errors = sum.send_drops;
    counters.receive_errors = sum.replay + sum.integrity + sum.other;
    counters.replay_failed = sum.replay;
    counters.verify_failed = sum.integrity;
    return counters;
}

void SaDb::reset_counters(PolicyId policy) {
    baseline_[policy] = totals(policy);
    note(totals_entry(policy));
}

} // namespace adit::sa
