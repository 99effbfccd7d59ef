// SPDX-License-Identifier: Apache-2.0
#include "control/pair_activity.h"

#include <algorithm>

namespace adit {

namespace {

Instant last_packet(const sa::SaDb& db, SaId sa) {
    return Instant{Duration{static_cast<std::int64_t>(db.last_packet_ns(sa))}};
}

/// Worth asking only while we send and hear nothing.
bool is_silent(const ike::ChildSaView& pair, const sa::SaDb& db, Duration interval, Instant now) {
    const Instant sent = last_packet(db, pair.outbound_sa);
    const Instant heard = std::max(last_packet(db, pair.inbound_sa), pair.established_at);
    return sent != Instant{} && sent + interval > now && heard + interval < sent;
}

bool is_idle(const ike::ChildSaView& pair, const sa::SaDb& db, Duration limit, Instant now) {
    const Instant last = std::max(
        {last_packet(db, pair.outbound_sa), last_packet(db, pair.inbound_sa), pair.established_at});
    return limit != Duration::zero() && last + limit <= now;
}

} // namespace

std::vector<ike::Event> judge_activity(const ike::EngineConfig& config,
                                       const std::vector<ike::ChildSaView>& pairs,
                                       const sa::SaDb& db,
                                       Instant now) {
    std::vector<ike::Event> events;
    for (const ike::ChildSaView& pair : pairs) {
        if (pair.outbound_sa == SaId{}) // quick mode still runs
            continue;
        const ike::Connection* connection = find_connection(config, pair.connection);
        if (connection != nullptr && is_idle(pair, db, connection->idle_time, now))
            events.emplace_back(ike::PairIdle{pair.outbound_sa});
        else if (config.dpd && is_silent(pair, db, config.dpd->interval, now))
            events.emplace_back(ike::PeerSilent{pair.outbound_sa});
    }
    return events;
}

bool activity_matters(const ike::EngineConfig& config) {
    return config.dpd || std::ranges::any_of(config.connections, [](const ike::Connection& each) {
               return each.idle_time != Duration::zero();
           });
}

} // namespace adit
