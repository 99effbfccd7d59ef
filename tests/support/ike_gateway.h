// SPDX-License-Identifier: Apache-2.0
// A gateway made of a real engine and tables that stand for its dataplane: SAs are "installed" into
// a map that can be compared with the other side's.
//
// Threading: one thread; values. Every run is a function of its seed.
#pragma once

#include "common/error.h"
#include "control/ike/engine.h"
#include "control/ike/transitions.h"
#include "tests/support/journal_map.h"
#include "tests/support/seeded_rng.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace adit::test {

class CountingSpis final : public ike::SpiAllocator {
  public:
    std::optional<Spi> allocate(PolicyId) override {
        if (in_use_.size() >= limit)
            return std::nullopt;
        if (always)
            return *in_use_.insert(*always).first;
        return *in_use_.insert(Spi{next_++}).first;
    }

    /// As after a restart: these are held, and no others.
    void keep_only(const std::vector<std::pair<Spi, PolicyId>>& held) {
        in_use_.clear();
        for (const auto& [spi, policy] : held)
            in_use_.insert(spi);
    }

    void release(Spi spi) override { released_twice += 1 - in_use_.erase(spi); }

    /// Numbers of its own: two engines that choose alike cannot tell apart the pairs that both make
    /// at once.
    void begin_at(Spi first) { next_ = first.value; }

    /// As after a crash: nobody holds any, and those handed out before do not come again.
    void forget() { in_use_.clear(); }

    [[nodiscard]] std::size_t in_use() const { return in_use_.size(); }

    std::size_t limit{1'000'000};
    std::optional<Spi> always; // the same one again and again
    std::size_t released_twice{0};

  private:
    std::uint32_t next_{0x10000001};
    std::set<Spi> in_use_;
};

/// Numbers of policies made at run time, from 1000 up.
class CountingPolicies final : public ike::PolicyAllocator {
  public:
    std::optional<PolicyId> allocate() override {
        if (in_use_.size() == limit)
            return std::nullopt;
        in_use_.insert(next_);
        return PolicyId{next_++};
    }

    /// As after a restart.
    void keep_only(const std::set<PolicyId>& held) {
        in_use_.clear();
        for (const PolicyId policy : held)
            in_use_.insert(policy.value);
    }

    void release(PolicyId policy) override { ENSURE(in_use_.erase(policy.value) == 1); }

    /// As after a crash.
    void forget() { in_use_.clear(); }

    [[nodiscard]] std::size_t in_use() const { return in_use_.size(); }

    std::size_t limit{1'000'000};

  private:
    std::uint32_t next_{1000};
    std::set<std::uint32_t> in_use_;
};

/// One direction as the dataplane would hold it.
struct InstalledSa {
    Spi spi;
    bool inbound{};
    PolicyId policy;
    EspCipher cipher{};
    EspMac mac{};
    TrafficSelector selector;
    Endpoint local, remote;
    Bytes key;
    Bytes mac_key;
    bool esn{};
    bool transport{};
    Ipv4Address original_local, original_remote;
};

struct Gateway {
    Gateway(std::string its_name,
            Ipv4Address its_address,
            ike::EngineConfig its_config,
            std::uint64_t seed)
        : name(std::move(its_name)), address(its_address), config(std::move(its_config)), rng(seed),
          engine(std::make_shared<const ike::EngineConfig>(config), rng, spis, policies) {
        engine.keep_memory();
    }

    std::string name;
    Ipv4Address address;
    ike::EngineConfig config;
    SeededRng rng;
    CountingSpis spis;
    CountingPolicies policies;
    ike::Engine engine;
    std::map<SaId, InstalledSa> installed;
    std::map<PolicyId, TrafficSelector> installed_policies; // made at run time
    std::vector<std::string> log;
    std::vector<std::string> debug;
    std::vector<std::string> exported;
    Duration ahead{};           // its clock, before the network's
    std::uint32_t crashes{0};   // with its dataplane
    std::uint32_t processes{1}; // what was under way in one comes back to nobody in the next
    JournalMap journal;
    bool debugging{false}; // the engine's debug lines are wanted; for crash()

    /// Told of each row of the transition table that has run, across crashes.
    void observe(ike::RowObserver observer) {
        observer_ = std::move(observer);
        engine.set_row_observer(observer_);
    }

    /// Process and dataplane end at once and come back with the same configuration.
    void crash() {
        begin_process();
        journal = {};
        installed.clear();
        installed_policies.clear();
        spis.forget();
        policies.forget();
        ++crashes;
    }

    /// What it would be dangerous to forget when the process dies in the next moment.
    void write_down(const ike::Actions& actions) { journal.write(engine.take_memory(actions)); }

    /// What the engine believes to be in its dataplane and is not; and how it gets there, as far as
    /// the journal says.
    struct Missing {
        std::vector<SaId> sas;
        std::map<SaId, ike::InstallSaAction> unanswered;
    };

    /// The process ends, and another one goes on from its journal; the dataplane notices nothing.
    Missing resume(Instant now) {
        const CountingPolicies held = policies; // the killed one gives nothing back
        begin_process();
        policies = held;
        auto resumed = engine.resume(journal.entries(), now);
        ENSURE(resumed.has_value());
        spis.keep_only(resumed->spis);
        policies.keep_only(resumed->policy_numbers);
        std::set<PolicyId> known;
        for (const ike::AddPolicyAction& policy : resumed->policies)
            known.insert(installed_policies.emplace(policy.policy, policy.selector).first->first);
        std::erase_if(installed, [&](const auto& entry) { return !engine.knows(entry.first); });
        std::erase_if(installed_policies,
                      [&](const auto& entry) { return !known.contains(entry.first); });
        journal.keep_only(engine.whole_memory());
        Missing missing{{}, std::move(resumed->unanswered)};
        for (const SaId sa : resumed->installed)
            if (!installed.contains(sa))
                missing.sas.push_back(sa);
        return missing;
    }

    [[nodiscard]] std::uint64_t failures(ike::Failure failure) const {
        return engine.counters().failures.at(static_cast<std::size_t>(failure));
    }

    /// Any log line that holds all these words.
    [[nodiscard]] bool logged(std::initializer_list<const char*> words) const {
        return std::ranges::any_of(log, [&](const std::string& line) {
            return std::ranges::all_of(
                words, [&](const char* word) { return line.find(word) != std::string::npos; });
        });
    }

    /// The oldest SA of a direction; there must be one.
    [[nodiscard]] const InstalledSa& inbound() const { return first_of(true); }

    [[nodiscard]] const InstalledSa& outbound() const { return first_of(false); }

    [[nodiscard]] bool is_empty() const {
        return engine.isakmp_sas().empty() && engine.child_sas().empty() && installed.empty() &&
               spis.in_use() == 0 && installed_policies.empty() && policies.in_use() == 0 &&
               !engine.next_deadline();
    }

  private:
    void begin_process() {
        engine =
            ike::Engine{std::make_shared<const ike::EngineConfig>(config), rng, spis, policies};
        engine.set_row_observer(observer_);
        engine.set_debug(debugging, false);
        engine.keep_memory();
        ++processes;
    }

    [[nodiscard]] const InstalledSa& first_of(bool inbound) const {
        const auto found = std::ranges::find_if(
            installed, [&](const auto& entry) { return entry.second.inbound == inbound; });
        ENSURE(found != installed.end());
        return found->second;
    }

    ike::RowObserver observer_;
};

} // namespace adit::test
