// SPDX-License-Identifier: Apache-2.0
// A gateway made of a real engine and tables that stand for its dataplane: SAs are "installed" into
// a map that can be compared with the other side's.
//
// Threading: one thread; values. Every run is a function of its seed.
#pragma once

#include "common/error.h"
#include "control/ike/engine.h"
#include "control/ike/transitions.h"
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
          engine(std::make_shared<const ike::EngineConfig>(config), rng, spis, policies) {}

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
    Duration ahead{};         // its clock, before the network's
    std::uint32_t crashes{0}; // what was under way before one comes back to nobody
    bool debugging{false};    // the engine's debug lines are wanted; for crash()

    /// Told of each row of the transition table that has run, across crashes.
    void observe(ike::RowObserver observer) {
        observer_ = std::move(observer);
        engine.set_row_observer(observer_);
    }

    /// Process and dataplane end at once and come back with the same configuration.
    void crash() {
        engine =
            ike::Engine{std::make_shared<const ike::EngineConfig>(config), rng, spis, policies};
        engine.set_row_observer(observer_);
        engine.set_debug(debugging, false);
        installed.clear();
        installed_policies.clear();
        spis.forget();
        policies.forget();
        ++crashes;
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
    [[nodiscard]] const InstalledSa& first_of(bool inbound) const {
        const auto found = std::ranges::find_if(
            installed, [&](const auto& entry) { return entry.second.inbound == inbound; });
        ENSURE(found != installed.end());
        return found->second;
    }

    ike::RowObserver observer_;
};

} // namespace adit::test
