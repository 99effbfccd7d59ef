// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy_table.h"

#include <algorithm>
#include <tuple>

namespace adit::dataplane {

void put_in_order(std::vector<PolicyLine>& lines) {
    const auto place = [](const PolicyLine& line) {
        return std::tuple{line.order, line.breadth, line.policy};
    };
    // Control sends them in order: then there is nothing to do.
    const auto rest = std::ranges::is_sorted_until(lines, {}, place);
    // Edits stand behind what was in order already, and are few.
    std::ranges::sort(rest, lines.end(), {}, place);
    std::ranges::inplace_merge(lines.begin(), rest, lines.end(), {}, place);
}

bool lines_stand_together(std::span<const PolicyLine> lines) {
    std::vector<std::uint32_t> begun; // entries, each time that their lines begin
    for (const PolicyLine& line : lines)
        if (begun.empty() || begun.back() != line.entry)
            begun.push_back(line.entry);
    std::ranges::sort(begun);
    return std::ranges::adjacent_find(begun) == begun.end();
}

namespace {

// What a taker's exceptions say: a place in few_, or with this bit one in many_.
constexpr std::uint32_t kMany = 1U << 31;

SelectorLine compiled(const PolicyLine& line, std::uint32_t number) {
    const TrafficSelector& s = line.selector;
    const auto width16 = [](const PortRange& range) {
        return static_cast<std::uint16_t>(range.last - range.first);
    };
    const bool names_ports = !s.local_port.is_any() || !s.remote_port.is_any();
    return {
        .local_first = s.local.first.value,
        .local_width = s.local.last.value - s.local.first.value,
        .remote_first = s.remote.first.value,
        .remote_width = s.remote.last.value - s.remote.first.value,
        .local_port_first = s.local_port.first,
        .local_port_width = width16(s.local_port),
        .remote_port_first = s.remote_port.first,
        .remote_port_width = width16(s.remote_port),
        .protocol = s.protocol,
        .is_address_only = s.protocol == 0 && !names_ports,
        // RFC 4301 7, and in doubt protected.
        .takes_fragments = !names_ports || line.action != ipc::PolicyAction::Bypass,
        .ends_run = false,
        .number = number,
        .value = value_of(line),
        .exceptions = kNoExceptions,
    };
}

} // namespace

/// Deals the lines out, entry by entry.
class PolicyTable::Builder {
  public:
    explicit Builder(PolicyTable& to) : to_(to) {}

    void add_entry(std::span<const PolicyLine> lines) {
        const std::size_t first_taker = takers_.size();
        const auto first_bypass = static_cast<std::uint32_t>(to_.few_.size());
        for (const PolicyLine& line : lines) {
            SelectorLine next = compiled(line, number_++);
            if (line.action == ipc::PolicyAction::Bypass) {
                to_.few_.push_back(next);
            } else {
                if (to_.few_.size() > first_bypass)
                    next.exceptions = first_bypass;
                takers_.push_back(next);
            }
        }
        if (to_.few_.size() > first_bypass + kFewBypasses)
            move_bypasses(first_bypass, first_taker);
        else if (to_.few_.size() > first_bypass)
            to_.few_.back().ends_run = true;
    }

    void finish() { to_.takers_ = TupleSpace{takers_}; }

  private:
    /// As many as are compared in the time of a look-up.
    static constexpr std::size_t kFewBypasses = 8;

    /// The entry begun last has many: they get a table of their own.
    void move_bypasses(std::size_t first_bypass, std::size_t first_taker) {
        const auto place = static_cast<std::uint32_t>(to_.many_.size());
        to_.many_.emplace_back(std::span{to_.few_}.subspan(first_bypass));
        to_.few_.resize(first_bypass);
        for (SelectorLine& taker : std::span{takers_}.subspan(first_taker))
            if (taker.exceptions != kNoExceptions)
                taker.exceptions = kMany | place;
    }

    PolicyTable& to_;
    std::vector<SelectorLine> takers_;
    std::uint32_t number_{0};
};

PolicyTable::PolicyTable(std::vector<PolicyLine> lines) {
    ENSURE(lines.size() < kNoLine);
    put_in_order(lines);
    Builder builder{*this};
    for (std::size_t first = 0, end = 0; first < lines.size(); first = end) {
        while (end < lines.size() && lines[end].entry == lines[first].entry)
            ++end;
        builder.add_entry(std::span{lines}.subspan(first, end - first));
    }
    builder.finish();
}

bool PolicyTable::bypassed(const SelectorLine& line, Flow flow) const {
    if ((line.exceptions & kMany) != 0) {
        const TupleSpace& bypasses = many_[line.exceptions & ~kMany];
        return bypasses.first(flow, [](const SelectorLine&) { return false; }).number < line.number;
    }
    for (const SelectorLine* bypass = &few_[line.exceptions]; bypass->number < line.number;
         ++bypass) {
        if (bypass->matches(flow))
            return true;
        if (bypass->ends_run)
            return false;
    }
    return false;
}

std::size_t PolicyTable::memory() const {
    std::size_t sum = takers_.memory() + few_.size() * sizeof(SelectorLine);
    for (const TupleSpace& bypasses : many_)
        sum += sizeof bypasses + bypasses.memory();
    return sum;
}

} // namespace adit::dataplane
