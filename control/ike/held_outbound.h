// SPDX-License-Identifier: Apache-2.0
// Outbound SAs that replace others and wait for their turn. A responder may take its own SA into
// use only when message 3 of quick mode reaches it, which can be late or lost: until it shows that
// it has the new pair, packets leave by the old one.
//
// Threading: belongs to its engine.
#pragma once

#include "control/ike/interface.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace adit::ike {

/// Peers repeat message 2 after a second or so when message 3 got lost. Whoever sends nothing by
/// itself is trusted to be ready after this.
inline constexpr Duration kLongestHold = std::chrono::seconds{5};

class HeldOutbound {
  public:
    struct Held {
        InstallSaAction install;
        Instant until;
    };

    /// Until then, or until take(). By the number of the pair's inbound SA.
    void hold(SaId inbound, InstallSaAction install, Instant until);

    /// Nothing when it is not held.
    [[nodiscard]] std::optional<InstallSaAction> take(SaId inbound);

    /// Null when it is not held.
    [[nodiscard]] const Held* find(SaId inbound) const;

    /// From now on take_changed() tells which came or went since the last call.
    void watch_changes() { watched_ = true; }

    [[nodiscard]] std::set<SaId> take_changed() { return std::exchange(changed_, {}); }

    [[nodiscard]] bool holds(SaId inbound) const { return held_.contains(inbound); }

    [[nodiscard]] std::vector<SaId> due(Instant now) const;
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    /// The inbound SAs whose first packet would end the wait.
    [[nodiscard]] std::vector<SaId> inbound() const;

  private:
    void note_change(SaId inbound) {
        if (watched_)
            changed_.insert(inbound);
    }

    std::map<SaId, Held> held_; // few: a pair is here for a round trip
    bool watched_{false};
    std::set<SaId> changed_;
};

} // namespace adit::ike
