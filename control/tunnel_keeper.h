// SPDX-License-Identifier: Apache-2.0
// Tunnel interfaces are kept up whether or not anybody uses them. A tunnel's line protocol is up
// while the dataplane has an SA to send by; while it has none, the next attempt falls due after a
// wait that doubles, and starts from the shortest again when the tunnel has lasted.
//
// Threading: control's loop.
#pragma once

#include "common/clock.h"
#include "common/types.h"
#include "control/provision.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace adit {

class TunnelKeeper {
  public:
    static constexpr Duration kShortestWait = std::chrono::seconds{1};
    static constexpr Duration kLongestWait = std::chrono::seconds{30};
    /// A tunnel that went down sooner is not tried sooner.
    static constexpr Duration kLasting = std::chrono::seconds{10};
    /// Attempts that begin together: a start with thousands of tunnels leaves room for answers.
    static constexpr std::size_t kMaxAtOnce = 50;

    struct Change {
        std::string interface;
        PolicyId policy;
        bool up{false};

        friend bool operator==(const Change&, const Change&) = default;
    };

    /// These are the tunnels from now on. One that stays what it was keeps its state; a change of
    /// its ends makes it fall due. Gives those that were up and are there no more.
    std::vector<Change> configure(const std::map<std::string, TunnelPlan>& plans, Instant now);

    /// The dataplane is another one: no SA is left.
    std::vector<Change> start_over(Instant now);

    // What becomes of outbound SAs, of tunnels and of others. A change is given when the line
    // protocol of a tunnel changed.
    void expect(SaId sa, PolicyId policy);
    std::optional<Change> installed(SaId sa, Instant now);
    std::optional<Change> removed(SaId sa, Instant now);

    /// Tunnels to be tried now, at most kMaxAtOnce; each falls due again if nothing comes of it.
    std::vector<std::pair<std::string, PolicyId>> due(Instant now);
    [[nodiscard]] std::optional<Instant> next_due() const;

    [[nodiscard]] bool is_up(PolicyId policy) const;
    /// Since it was up last, or configured.
    [[nodiscard]] std::uint32_t attempts(PolicyId policy) const;

  private:
    struct Tunnel {
        std::string interface;
        Ipv4Address local, remote;
        std::set<SaId> sas; // that the dataplane has
        std::optional<Instant> due;
        Duration wait{kShortestWait};
        Instant up_since{};
        std::uint32_t attempts{0};
    };

    void fall_due(PolicyId policy, Tunnel& tunnel, Instant when);
    void rest(PolicyId policy, Tunnel& tunnel);
    Change go_down(PolicyId policy, Tunnel& tunnel, Instant now);

    std::map<PolicyId, Tunnel> tunnels_;
    std::unordered_map<std::uint32_t, PolicyId> policy_of_; // by outbound SA
    std::set<std::pair<Instant, PolicyId>> waiting_;
};

} // namespace adit
