// SPDX-License-Identifier: Apache-2.0
// The policies of one interface in the order in which they are tried (RFC 4301 4.4.1, a
// decorrelated SPD is not needed: the first match decides). A `deny` line of a crypto map entry is
// a Bypass: it skips the other lines of its entry and the search goes on behind them.
//
// Fragments: a non-first fragment shows no ports (RFC 4301 7). Against a line that names ports it
// matches Protect and Drop on addresses and protocol alone and never matches Bypass, so that a
// doubt ends in protection and not in clear text. Routers read their access lists the same way.
//
// Threading: built by the housekeeper, then read-only; any worker may match.
#pragma once

#include "common/address.h"
#include "common/ipc/records.h"
#include "common/types.h"

#include <cstdint>
#include <span>
#include <vector>

namespace adit::dataplane {

struct Flow {
    std::uint32_t source{}, destination{};
    std::uint16_t source_port{}, destination_port{};
    std::uint8_t protocol{};
    bool ports_known{true}; // false for non-first fragments

    /// The same packet seen from the other end.
    [[nodiscard]] Flow mirrored() const {
        return {destination, source, destination_port, source_port, protocol, ports_known};
    }
};

struct PolicyLine {
    std::uint32_t order{};
    PolicyId policy;
    ipc::PolicyAction action{};
    std::uint32_t entry{};
    TrafficSelector selector;
};

struct PolicyMatch {
    ipc::PolicyAction action{ipc::PolicyAction::Bypass}; // Bypass: nothing matched, in clear
    PolicyId policy{kNoPolicy};
};

class PolicyTable {
  public:
    PolicyTable() = default;

    /// Sorts by order. The lines of one entry must then stand together (see
    /// `lines_stand_together`).
    explicit PolicyTable(std::vector<PolicyLine> lines);

    /// What becomes of traffic leaving the interface: source is compared with `local`.
    [[nodiscard]] PolicyMatch match(const Flow& flow) const;

    [[nodiscard]] bool empty() const { return lines_.empty(); }

  private:
    // Ranges as offset and width: one subtraction and one comparison each.
    struct Line {
        std::uint32_t local_first, local_width;
        std::uint32_t remote_first, remote_width;
        std::uint16_t local_port_first, local_port_width;
        std::uint16_t remote_port_first, remote_port_width;
        std::uint8_t protocol;
        bool names_ports;
        ipc::PolicyAction action;
        std::uint32_t policy;
        std::uint32_t next_entry; // index of the first line behind this entry
    };

    static bool matches(const Line& line, const Flow& flow);

    std::vector<Line> lines_;
};

/// True when no entry's lines are interrupted by another entry's, in the order in which they are
/// tried.
bool lines_stand_together(std::span<const PolicyLine> lines);

} // namespace adit::dataplane
