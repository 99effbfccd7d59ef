// SPDX-License-Identifier: Apache-2.0
#include "control/peer_history.h"

#include "control/ike/cause.h"

#include <algorithm>
#include <string_view>

namespace adit {

static constexpr std::uint16_t kFloatedPort = 4500;

static cli::PortTraffic& traffic_of(cli::PeerRecord& record, std::uint16_t local_port) {
    return local_port == kFloatedPort ? record.floated : record.plain;
}

PeerHistory::Entry* PeerHistory::find(Ipv4Address peer) {
    const auto found = entries_.find(peer);
    if (found != entries_.end())
        return &found->second;
    return is_configured_(peer) ? &make(peer) : nullptr;
}

PeerHistory::Entry& PeerHistory::make(Ipv4Address peer) {
    const auto [at, fresh] = entries_.try_emplace(peer);
    Entry& entry = at->second;
    if (fresh) {
        entry.record.peer = peer;
        entry.stranger = !is_configured_(peer);
        if (entry.stranger)
            entry.place = strangers_.insert(strangers_.end(), peer);
        if (strangers_.size() > kMaxStrangers) {
            entries_.erase(strangers_.front());
            strangers_.pop_front();
        }
    } else if (entry.stranger) {
        strangers_.splice(strangers_.end(), strangers_, entry.place);
    }
    return entry;
}

void PeerHistory::sent(Endpoint local, Ipv4Address peer, Instant now) {
    Entry* entry = find(peer);
    if (entry == nullptr)
        return;
    cli::PortTraffic& traffic = traffic_of(entry->record, local.port);
    ++traffic.sent;
    if (traffic.unanswered++ == 0)
        traffic.first_unanswered = now;
}

void PeerHistory::received(Endpoint local, Ipv4Address peer, ByteView datagram, Instant now) {
    Entry* entry = find(peer);
    if (entry == nullptr)
        return;
    cli::PortTraffic& traffic = traffic_of(entry->record, local.port);
    ++traffic.received;
    traffic.last_received = now;
    const std::size_t hash = std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(datagram.data()), datagram.size()});
    if (hash == entry->last_datagram) {
        ++entry->record.repeats;
        entry->record.last_repeat = now;
        return;
    }
    entry->last_datagram = hash;
    entry->record.repeats = 0;
    for (cli::PortTraffic* port : {&entry->record.plain, &entry->record.floated}) {
        port->unanswered = 0;
        port->first_unanswered.reset();
    }
}

void PeerHistory::logged(const LogRecord& record, Instant now) {
    const auto peer = parse_ipv4(record.subject);
    if (!peer)
        return;
    if (const auto cause = ike::cause_of(record))
        note(*peer, cause->code, cause->evidence, now);
    else if (record.mnemonic == "SESSION_STATUS")
        note(*peer, record.text.contains(" UP") ? "up" : "down", record.text, now);
}

void PeerHistory::note(Ipv4Address peer,
                       const std::string& code,
                       const std::string& text,
                       Instant now) {
    auto& events = make(peer).record.events;
    const auto same = std::ranges::find_if(events, [&](const cli::PeerEvent& event) {
        return event.code == code && event.text == text;
    });
    cli::PeerEvent event{now, now, 1, code, text};
    if (same != events.end()) {
        event.first = same->first;
        event.count = same->count + 1;
        events.erase(same);
    }
    events.push_back(std::move(event));
    if (events.size() > kMaxEvents)
        events.pop_front();
}

std::vector<cli::PeerRecord> PeerHistory::records(std::optional<Ipv4Address> peer) const {
    std::vector<cli::PeerRecord> found;
    if (peer) {
        if (const auto one = entries_.find(*peer); one != entries_.end())
            found.push_back(one->second.record);
        return found;
    }
    for (const auto& [address, entry] : entries_)
        found.push_back(entry.record);
    std::ranges::sort(found, {}, &cli::PeerRecord::peer);
    return found;
}

} // namespace adit
