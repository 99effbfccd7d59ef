// SPDX-License-Identifier: Apache-2.0
// All child SAs of an engine. They outlive the ISAKMP SA that made them: a replaced phase 1 leaves
// them as they are.
//
// Threading: belongs to its engine.
#pragma once

#include "control/ike/state.h"

#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace adit::ike {

struct Child {
    ChildSa sa;
    Instant established_at;
    Instant rekey_at;
    Instant expires;
    std::optional<Instant> retire_at; // replaced: kept this long for packets in flight
    bool established{false};          // both directions agreed
    bool current{false};              // new packets leave by it
    bool outbound_installed{false};
    bool recalled{false};     // current again, but no packet leaves by it: its successor is gone
    bool astray{false};       // it leads to where the peer was before it moved
    bool volume_spent{false}; // nearly: the dataplane reached a soft limit
};

/// Replaced SAs stay this long for packets in flight. The two ends never let go at the same moment,
/// so that deletes of SAs each preferred cannot cross.
inline constexpr Duration kOverlapFirst = std::chrono::seconds{10};
inline constexpr Duration kOverlapSecond = std::chrono::seconds{25};
/// As responder: a peer that begins this soon after we made an SA did not know of it yet.
inline constexpr Duration kCollisionSlack = std::chrono::seconds{5};
/// A rekey that came to nothing is tried again.
inline constexpr Duration kRekeyRetry = std::chrono::seconds{30};

class ChildTable {
  public:
    Child& insert(Child child);
    /// By either direction's number.
    [[nodiscard]] Child* find(SaId sa);
    /// Of this very peer: another one behind the same NAT may have chosen the same SPI.
    [[nodiscard]] Child* find_outbound(const Session& peer, Spi outbound_spi);
    [[nodiscard]] std::vector<Child*> with_peer(Ipv4Address peer);
    [[nodiscard]] std::vector<Child*> with_policy(PolicyId policy);
    [[nodiscard]] bool any_established(Ipv4Address peer);
    /// The one that new packets of this flow leave by.
    [[nodiscard]] Child* current(Ipv4Address peer, const std::string& connection, PolicyId policy);

    Child take(SaId inbound);
    /// After its times changed.
    void reschedule(Child& child);
    /// After anything else changed.
    void touch(const Child& child);

    /// From now on take_changed() tells which changed, came or went since the last call.
    void watch_changes() { watched_ = true; }

    [[nodiscard]] std::set<SaId> take_changed() { return std::exchange(changed_, {}); }

    [[nodiscard]] std::vector<SaId> due(Instant now) const;
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] std::vector<SaId> ids() const;

    template <class Visit> void for_each(const Visit& visit) {
        for (auto& [id, entry] : children_)
            visit(entry.child);
    }

    template <class Visit> void for_each(const Visit& visit) const {
        for (const auto& [id, entry] : children_)
            visit(entry.child);
    }

  private:
    struct Entry {
        Child child;
        Instant deadline; // as indexed
    };

    std::map<SaId, Entry> children_; // by inbound number; the outbound one is the next
    std::unordered_multimap<Ipv4Address, SaId> by_peer_;
    std::unordered_multimap<PolicyId, SaId> by_policy_;
    std::set<std::pair<Instant, SaId>> by_deadline_;
    bool watched_{false};
    std::set<SaId> changed_; // by inbound number
};

} // namespace adit::ike
