// SPDX-License-Identifier: Apache-2.0
// The inside of the engine; only engine*.cpp include it. engine.cpp takes datagrams and runs steps,
// engine_fragments.cpp puts those together that came in pieces,
// engine_children.cpp keeps child SAs, engine_handover.cpp lets one take over from another,
// engine_peers.cpp chooses between the peers of an entry, engine_memory.cpp goes on after a crash,
// engine_commands.cpp does what the operator and the dataplane ask, engine_views.cpp shows.
//
// Threading: belongs to its engine.
#pragma once

#include "control/ike/admission.h"
#include "control/ike/child_table.h"
#include "control/ike/engine.h"
#include "control/ike/held_outbound.h"
#include "control/ike/reassembly.h"
#include "control/ike/session_table.h"
#include "control/ike/step.h"

#include <deque>
#include <map>
#include <span>

namespace adit::ike {

/// A replaced ISAKMP SA lives on this long for what is under way in it.
inline constexpr Duration kReplacedLinger = std::chrono::seconds{10};

class Engine::Core {
  public:
    Core(std::shared_ptr<const EngineConfig> config,
         Rng& rng,
         SpiAllocator& spis,
         PolicyAllocator& policies);

    Actions handle(Event event, Instant now);
    Actions advance(Instant now);
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    [[nodiscard]] std::vector<IsakmpSaView> isakmp_sas() const;
    [[nodiscard]] std::vector<ChildSaView> child_sas() const;

    [[nodiscard]] std::vector<SaId> awaited() const { return held_.inbound(); }

    [[nodiscard]] const EngineCounters& counters() const { return counters_; }

    [[nodiscard]] std::vector<PoolView> pools() const { return pools_.view(); }

    void set_debug(bool isakmp, bool keys) {
        debug_ = isakmp;
        export_keys_ = keys;
    }

    void set_debug_condition(DebugCondition condition) { debug_condition_ = std::move(condition); }

    void keep_memory();
    std::vector<JournalEntry> take_memory(const Actions& actions);
    std::vector<JournalEntry> whole_memory();
    Result<Resumed> resume(const std::vector<JournalEntry>& entries, Instant now);

    [[nodiscard]] bool knows(SaId sa) { return children_.find(sa) != nullptr; }

    void set_row_observer(RowObserver observer) { row_observer_ = std::move(observer); }

  private:
    // --- engine.cpp: datagrams, steps, timers
    void on(DatagramReceived& event);
    void on(JobFinished& event);
    void receive(const Header& header, DatagramReceived& event);
    void admit_first_message(const Header& header, DatagramReceived& event);
    /// Nobody who answers within a round trip or two loses by it: at ten thousand first messages a
    /// second the oldest is more than two seconds old.
    void make_room(bool configured);
    void refuse_stranger(Failure failure, const DatagramReceived& event, const std::string& text);
    void refuse_aggressive(const DatagramReceived& event);
    [[nodiscard]] Cookie responder_cookie(const Header& header, const DatagramReceived& event);
    void queue(SessionId id, SessionEvent event);
    /// Runs queued steps until none is left, and gives back what they ask for.
    Actions finish();
    void run(SessionId id, SessionEvent event);
    void share_first_body(Session& session);
    void log_failure(Failure failure, Ipv4Address peer, const std::string& text);
    [[nodiscard]] Environment environment(const Session& session);
    [[nodiscard]] bool is_watched(const Session& session) const;
    [[nodiscard]] bool is_configured(Ipv4Address peer) const;

    /// What a step put out: actions go on, effects are carried out here, in order.
    void carry_out(const Session& from, Output& output);

    template <class Act>
        requires std::is_constructible_v<Action, Act&&>
    void effect(const Session&, Act& action) {
        actions_.emplace_back(std::move(action));
    }

    void effect(const Session& from, InboundReady& ready);
    void effect(const Session& from, OutboundReady& ready);
    void effect(const Session& from, ChildAbandoned& abandoned);
    void effect(const Session& from, PeerDeleted& deleted);
    void effect(const Session& from, PeerClosed& closed);
    void effect(const Session& from, InitialContactSeen& seen);
    void effect(const Session& from, HolderDoubted& doubted);
    void effect(const Session& from, PhaseOneUp& up);
    void take_over_flows(const Session& up);
    void effect(const Session& from, AddressAssigned& assigned);
    void effect(const Session& from, PhaseOneFailed& failed);
    void effect(const Session& from, RekeyDue& due);
    void effect(const Session& from, PeerDead& dead);

    // --- engine_memory.cpp
    void remember_session(SessionId id, std::vector<JournalEntry>& entries);
    void remember_quick_modes(const Session& session, std::vector<JournalEntry>& entries);
    void forget_session(SessionId id, std::vector<JournalEntry>& entries);
    void remember_child(SaId id, std::vector<JournalEntry>& entries);
    void remember_held(SaId inbound, std::vector<JournalEntry>& entries);
    void remember_numbers(std::vector<JournalEntry>& entries);
    void remember_installs(const Actions& actions, std::vector<JournalEntry>& entries);
    void take_in(Session session);
    static void note_policies(const FlowLease& lease, Resumed& resumed);

    // --- engine_fragments.cpp
    void collect_fragment(const Header& header, DatagramReceived& event);
    void expire_fragments();

    // --- engine_children.cpp
    enum class Tell : bool { No, Yes };
    /// A client is gone with its last ISAKMP SA: it makes no other one for children of old.
    void end_client(const Session& gone);

    // --- engine_children.cpp
    void remove_child(SaId inbound, Tell tell);
    /// Flows without SAs take their policies along.
    void remove_ended_policies();
    void replace_twin(Child& fresh);
    void replace_elsewhere(const Child& fresh);
    void retire(Child& child);
    void recall_twin(const Child& gone);
    void rekey(Child& child);
    void tick_child(SaId inbound);
    void log_session_status(Ipv4Address peer,
                            std::uint16_t port,
                            const char* status,
                            const std::string& id);

    // --- engine_handover.cpp
    void hand_over(Child& fresh, InstallSaAction install);
    void send_by(Child& child, InstallSaAction install);
    [[nodiscard]] Child* predecessor_of(const Child& fresh);
    void end_hold(SaId inbound);
    void end_holds_of(const ChildSa& gone);
    void on(PeerUses& event);

    // --- engine_peers.cpp
    [[nodiscard]] Ipv4Address peer_in_turn(const Connection& connection) const;
    [[nodiscard]] std::optional<Ipv4Address> pass_turn(const Connection& connection,
                                                       Ipv4Address failed);
    void pass_turns_of(Ipv4Address dead);
    void return_to_first(const Connection& connection);
    [[nodiscard]] bool has_pairs(const Connection& connection);
    void after_last_pair(const ChildSa& gone);
    void on(PairIdle& event);

    // --- engine_commands.cpp
    void on(Initiate& event);
    void on(InstallFinished& event);
    void on(PolicyRefused& event);
    void on(SaLimitReached& event);
    void on(PeerSilent& event);
    void on(PeerMovedTo& event);
    void on(UnknownSpi& event);
    void on(ClearPhase1& event);
    void on(ClearPhase2& event);
    void on(Reconfigure& event);
    void on(Shutdown& event);
    void initiate(const Connection& connection, const Flow& flow);
    void request(FlowRequest wanted, const std::string& profile, Endpoint local, Endpoint remote);
    /// Another pair for the flow of this one, with the same peer.
    void renew(const ChildSa& sa);
    [[nodiscard]] static bool is_pending(const FlowRequest& wanted, const Session& session);
    /// Begins phase 1 for its own sake with a peer that an entry names, within a budget.
    void make_contact(Ipv4Address local, Ipv4Address peer);
    [[nodiscard]] bool is_pending(const FlowRequest& wanted, std::span<const Ipv4Address> peers);
    /// The session new quick modes with this peer run under: the newest established, of one of
    /// those behind its address; else one that we are setting up. Null when there is none.
    [[nodiscard]] Session*
    session_for(Ipv4Address local, Ipv4Address peer, const std::string& profile);
    [[nodiscard]] static bool is_beginning(const Session& session);
    /// One that we are setting up.
    [[nodiscard]] Session*
    beginning_with(Ipv4Address local, Ipv4Address peer, const std::string& profile);
    /// The newest established session with the very peer of this SA: several may live behind one
    /// NAT.
    [[nodiscard]] Session* keeper_of(const ChildSa& sa);
    [[nodiscard]] bool is_established(const Session& session) const;
    /// `profile`: none but its sessions; empty: any.
    [[nodiscard]] Session*
    established_with(Ipv4Address local, Ipv4Address peer, const std::string& profile = {});
    SessionId begin_phase1(Endpoint local,
                           Endpoint remote,
                           const std::string& profile,
                           std::vector<FlowRequest> flows);
    void close(SessionId id);
    void close_with_children(const Session& session);
    [[nodiscard]] bool still_wanted(const Session& session, const EngineConfig& before) const;
    [[nodiscard]] bool still_wanted(const Child& child) const;
    [[nodiscard]] bool has_line_of_its_own(const ChildSa& sa) const;

    std::shared_ptr<const EngineConfig> config_;
    Rng& rng_;
    SpiAllocator& spis_;
    SecretBuffer cookie_secret_;
    std::uint64_t cookie_count_{0};
    std::uint64_t next_session_{1};
    IdSource ids_;
    EngineCounters counters_;
    Admission admission_;
    TokenBucket reminders_; // of deletes that got lost
    RuntimeFlows flows_;    // before all who hold leases
    Reassembly fragments_;
    AddressPools pools_;
    SessionTable sessions_;
    ChildTable children_;
    HeldOutbound held_;
    std::map<std::string, Ipv4Address> turns_; // by connection; where it is not the first peer's
    /// SA bodies of half-open exchanges: a flood of equal first messages keeps one copy.
    std::map<Digest, std::weak_ptr<const Bytes>> first_bodies_;
    std::size_t sweep_bodies_at_{0};
    std::deque<std::pair<SessionId, SessionEvent>> queue_;
    /// What the journal has been told: of each session its quick modes, as they stood.
    std::map<SessionId, std::map<MessageId, State>> remembered_;
    std::map<SaId, SecretBuffer> unanswered_; // installations, as the journal has them
    std::vector<SaId> answered_;              // whose records go
    std::uint32_t remembered_numbers_{0};     // the next SA's and the next ISAKMP SA's, added
    Actions actions_;
    Instant now_;
    bool debug_{false};
    DebugCondition debug_condition_;
    bool export_keys_{false};
    RowObserver row_observer_;
};

} // namespace adit::ike
