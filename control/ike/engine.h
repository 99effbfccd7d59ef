// SPDX-License-Identifier: Apache-2.0
// The IKE engine: all ISAKMP SAs and child SAs of one gateway. It finds the session an event
// belongs to, lets step() judge it, keeps the results and the timers, and turns strangers away
// cheaply: nothing but a bounded half-open entry before a peer has shown that it owns its address,
// duplicates answered from store, never a second run.
//
// Threading: one thread drives an engine; nothing in it blocks. Time is only what handle() and
// advance() are told. Errors: what a peer does wrong ends in counters, log actions and notifies,
// never in a return value. Sources: RFC 2407, 2408, 2409, 3706, 3947.
#pragma once

#include "common/clock.h"
#include "common/random.h"
#include "control/ike/debug_condition.h"
#include "control/ike/interface.h"
#include "control/ike/journal_entry.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace adit::ike {

struct Row; // transitions.h

class Engine {
  public:
    /// Bounds on what strangers can make us keep (SECURITY: fixed table of half-open exchanges).
    static constexpr std::size_t kMaxHalfOpen = 65'536;
    /// Of these, exchanges in which nothing but a first message has come: from addresses that a
    /// crypto map names, and from all others. The rest is left to those who answered.
    static constexpr std::size_t kMaxUnanswered = kMaxHalfOpen / 8 * 3;

    /// `rng` and `spis` outlive the engine.
    Engine(std::shared_ptr<const EngineConfig> config,
           Rng& rng,
           SpiAllocator& spis,
           PolicyAllocator& policies);
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    ~Engine();

    /// What to do about an event, in this order.
    [[nodiscard]] Actions handle(Event event, Instant now);

    /// Does what has fallen due at `now`: retransmissions, expiries, rekeys, DPD, keepalives.
    [[nodiscard]] Actions advance(Instant now);

    /// When to call advance() next; nothing while no timer runs.
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    /// Sorted by conn id, those still without one first.
    [[nodiscard]] std::vector<IsakmpSaView> isakmp_sas() const;
    /// Sorted by inbound SA id.
    [[nodiscard]] std::vector<ChildSaView> child_sas() const;
    /// Inbound SAs whose first packet is to be told as PeerUses, soon after it came.
    [[nodiscard]] std::vector<SaId> awaited() const;
    [[nodiscard]] std::vector<PoolView> pools() const;
    [[nodiscard]] const EngineCounters& counters() const;

    // --- to go on after a crash of the process: what it must not forget, for a journal

    /// From now on take_memory() tells what has changed since the last call. The journal has to
    /// have it before these actions, which came of the change, are carried out.
    void keep_memory();
    [[nodiscard]] std::vector<JournalEntry> take_memory(const Actions& actions);
    /// Everything, for an empty journal.
    [[nodiscard]] std::vector<JournalEntry> whole_memory();

    struct Resumed {
        std::size_t sessions{0};
        /// Given to the dataplane, or about to be; and how, of those it may not have got.
        std::vector<SaId> installed;
        std::map<SaId, InstallSaAction> unanswered;
        /// SPIs of ours that are in use, with the policies of their SAs.
        std::vector<std::pair<Spi, PolicyId>> spis;
        /// Policies made at run time: those that the dataplane had been given, and all numbers.
        std::vector<AddPolicyAction> policies;
        std::set<PolicyId> policy_numbers;
    };

    /// Whether a child SA of ours has this number, in either direction.
    [[nodiscard]] bool knows(SaId sa);

    /// For an engine that has done nothing yet: goes on where the one that wrote these entries
    /// stopped. SAs count as installed; on whichever turns out not to be, InstallFinished says so.
    /// Malformed, and nothing taken, when an entry cannot be read.
    Result<Resumed> resume(const std::vector<JournalEntry>& entries, Instant now);

    /// `debug crypto isakmp` and its key export. Off at start; costs nothing while off.
    void set_debug(bool isakmp, bool keys);

    /// Whose lines of `debug crypto isakmp` are made.
    void set_debug_condition(DebugCondition condition);

    /// Who is told of each row of the transition table that has run to its end: simulations count
    /// them. Nobody at start.
    void set_row_observer(std::function<void(const Row&)> observer);

  private:
    class Core;

    std::unique_ptr<Core> core_;
};

} // namespace adit::ike
