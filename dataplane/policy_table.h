// SPDX-License-Identifier: Apache-2.0
// The policies of one interface in the order in which they are tried (RFC 4301 4.4.1, a
// decorrelated SPD is not needed: the first match decides). A `deny` line of a crypto map entry is
// a Bypass: it skips the other lines of its entry and the search goes on behind them.
//
// Fragments: a non-first fragment shows no ports (RFC 4301 7). Against a line that names ports it
// matches Protect and Drop on addresses and protocol alone and never matches Bypass, so that a
// doubt ends in protection and not in clear text. Routers read their access lists the same way.
//
// The lines that protect or drop lie in a TupleSpace; a bypass line takes nothing by itself, so it
// is asked only when a later line of its entry matches. perf/README.md has figures. Memory: 32
// octets for a policy that compares addresses only, 72 for one that names protocol or ports or
// stands behind a bypass, 40 for a bypass. Duplicates cost nothing: the second of two equal lines
// is never reached.
//
// Threading: built by the housekeeper, then read-only; any worker may match.
#pragma once

#include "common/address.h"
#include "common/error.h"
#include "common/ipc/records.h"
#include "common/types.h"
#include "dataplane/flow.h"
#include "dataplane/tuple_space.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace adit::dataplane {

struct PolicyLine {
    std::uint32_t order{};
    PolicyId policy;
    ipc::PolicyAction action{};
    std::uint32_t entry{};
    TrafficSelector selector;
    std::uint8_t breadth{}; // of equal order, the lower first
};

struct PolicyMatch {
    ipc::PolicyAction action{ipc::PolicyAction::Bypass}; // Bypass: nothing matched, in clear
    PolicyId policy{kNoPolicy};

    friend bool operator==(const PolicyMatch&, const PolicyMatch&) = default;
};

// What the value of a line in TupleSpace says: policy in the upper bits, action in the lower.
inline constexpr unsigned kActionBits = 2;

inline std::uint32_t value_of(const PolicyLine& line) {
    ENSURE(line.policy.value < std::uint32_t{1} << (32 - kActionBits));
    return line.policy.value << kActionBits | static_cast<std::uint32_t>(line.action);
}

inline PolicyMatch match_of(std::uint32_t value) {
    return {static_cast<ipc::PolicyAction>(value & ((1U << kActionBits) - 1)),
            PolicyId{value >> kActionBits}};
}

class PolicyTable {
  public:
    PolicyTable() = default;

    /// Sorts by order. The lines of one entry must then stand together (see
    /// `lines_stand_together`).
    explicit PolicyTable(std::vector<PolicyLine> lines);

    /// What becomes of traffic leaving the interface: source is compared with `local`.
    [[nodiscard, gnu::always_inline]] PolicyMatch match(Flow flow) const {
        const TupleSpace::Found found = takers_.first(
            flow, [this, flow](const SelectorLine& line) { return bypassed(line, flow); });
        return found.number == kNoLine ? PolicyMatch{} : match_of(found.value);
    }

    /// Fetches what match() will read first: a pass over a burst hides the misses of a cold table.
    void prefetch(const Flow& flow) const { takers_.prefetch(flow); }

    /// Nothing is protected or dropped.
    [[nodiscard]] bool empty() const { return takers_.empty(); }

    /// Of the look-up structures, octets.
    [[nodiscard]] std::size_t memory() const;

  private:
    class Builder;

    /// Whether a bypass line of the same entry stands before `line` and matches.
    [[nodiscard]] bool bypassed(const SelectorLine& line, Flow flow) const;

    TupleSpace takers_; // Protect and Drop
    // The bypass lines of each entry, in order: side by side if they are few.
    std::vector<SelectorLine> few_;
    std::vector<TupleSpace> many_;
};

/// The order in which lines are tried.
void put_in_order(std::vector<PolicyLine>& lines);

/// True when no entry's lines are interrupted by another entry's. `lines` in order.
bool lines_stand_together(std::span<const PolicyLine> lines);

} // namespace adit::dataplane
