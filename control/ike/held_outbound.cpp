// SPDX-License-Identifier: Apache-2.0
#include "control/ike/held_outbound.h"

namespace adit::ike {

void HeldOutbound::hold(SaId inbound, InstallSaAction install, Instant until) {
    held_.insert_or_assign(inbound, Held{std::move(install), until});
    note_change(inbound);
}

const HeldOutbound::Held* HeldOutbound::find(SaId inbound) const {
    const auto held = held_.find(inbound);
    return held == held_.end() ? nullptr : &held->second;
}

std::optional<InstallSaAction> HeldOutbound::take(SaId inbound) {
    auto held = held_.extract(inbound);
    if (held.empty())
        return std::nullopt;
    note_change(inbound);
    return std::move(held.mapped().install);
}

std::vector<SaId> HeldOutbound::due(Instant now) const {
    std::vector<SaId> ids;
    for (const auto& [inbound, held] : held_)
        if (held.until <= now)
            ids.push_back(inbound);
    return ids;
}

std::optional<Instant> HeldOutbound::next_deadline() const {
    std::optional<Instant> earliest;
    for (const auto& [inbound, held] : held_)
        if (!earliest || held.until < *earliest)
            earliest = held.until;
    return earliest;
}

std::vector<SaId> HeldOutbound::inbound() const {
    std::vector<SaId> ids;
    for (const auto& [inbound, held] : held_)
        ids.push_back(inbound);
    return ids;
}

} // namespace adit::ike
