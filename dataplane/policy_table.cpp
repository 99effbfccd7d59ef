// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy_table.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace adit::dataplane {

namespace {

std::vector<PolicyLine> in_order(std::span<const PolicyLine> lines) {
    std::vector<PolicyLine> sorted(lines.begin(), lines.end());
    std::ranges::sort(
        sorted, {}, [](const PolicyLine& line) { return std::pair{line.order, line.policy}; });
    return sorted;
}

} // namespace

bool lines_stand_together(std::span<const PolicyLine> lines) {
    std::unordered_set<std::uint32_t> finished;
    const std::vector<PolicyLine> sorted = in_order(lines);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (finished.contains(sorted[i].entry))
            return false;
        if (i + 1 < sorted.size() && sorted[i + 1].entry != sorted[i].entry)
            finished.insert(sorted[i].entry);
    }
    return true;
}

PolicyTable::PolicyTable(std::vector<PolicyLine> lines) {
    const std::vector<PolicyLine> sorted = in_order(lines);
    lines_.resize(sorted.size());
    for (std::size_t i = sorted.size(); i-- > 0;) {
        const PolicyLine& from = sorted[i];
        const TrafficSelector& s = from.selector;
        const auto width16 = [](const PortRange& range) {
            return static_cast<std::uint16_t>(range.last - range.first);
        };
        const bool last_of_entry = i + 1 == sorted.size() || sorted[i + 1].entry != from.entry;
        lines_[i] = Line{
            .local_first = s.local.first.value,
            .local_width = s.local.last.value - s.local.first.value,
            .remote_first = s.remote.first.value,
            .remote_width = s.remote.last.value - s.remote.first.value,
            .local_port_first = s.local_port.first,
            .local_port_width = width16(s.local_port),
            .remote_port_first = s.remote_port.first,
            .remote_port_width = width16(s.remote_port),
            .protocol = s.protocol,
            .names_ports = !s.local_port.is_any() || !s.remote_port.is_any(),
            .action = from.action,
            .policy = from.policy.value,
            .next_entry =
                last_of_entry ? static_cast<std::uint32_t>(i + 1) : lines_[i + 1].next_entry,
        };
    }
}

bool PolicyTable::matches(const Line& line, const Flow& flow) {
    if (flow.source - line.local_first > line.local_width ||
        flow.destination - line.remote_first > line.remote_width ||
        (line.protocol != 0 && line.protocol != flow.protocol))
        return false;
    if (!line.names_ports)
        return true;
    if (!flow.ports_known)
        return line.action != ipc::PolicyAction::Bypass;
    return static_cast<std::uint16_t>(flow.source_port - line.local_port_first) <=
               line.local_port_width &&
           static_cast<std::uint16_t>(flow.destination_port - line.remote_port_first) <=
               line.remote_port_width;
}

PolicyMatch PolicyTable::match(const Flow& flow) const {
    const auto count = static_cast<std::uint32_t>(lines_.size());
    for (std::uint32_t i = 0; i < count;) {
        const Line& line = lines_[i];
        if (!matches(line, flow)) {
            ++i;
        } else if (line.action == ipc::PolicyAction::Bypass) {
            i = line.next_entry;
        } else {
            return {line.action, PolicyId{line.policy}};
        }
    }
    return {};
}

} // namespace adit::dataplane
