// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_diagnose.h"

#include "control/cli/show_text.h"

#include <algorithm>

namespace adit::cli {

namespace {

using Number = unsigned long long; // what %llu takes

WallTime wall_of(const Snapshot& snapshot, Instant at) {
    return snapshot.wall - std::chrono::duration_cast<WallTime::duration>(snapshot.now - at);
}

/// "10:02:11", with the day when that is another one.
std::string time_words(const Snapshot& snapshot, Instant at) {
    const std::tm then = utc(wall_of(snapshot, at));
    const std::tm now = utc(snapshot.wall);
    const std::string clock = text("%02d:%02d:%02d", then.tm_hour, then.tm_min, then.tm_sec);
    return then.tm_yday == now.tm_yday && then.tm_year == now.tm_year
               ? clock
               : date_words(then) + ' ' + clock;
}

Json json_time(const Snapshot& snapshot, const std::optional<Instant>& at) {
    return at ? Json{std::chrono::system_clock::to_time_t(wall_of(snapshot, *at))} : Json::null();
}

bool is_problem(const Diagnosis& one) {
    return one.condition == Condition::Down || one.condition == Condition::Degraded;
}

bool is_shown(const Diagnosis& one, DiagnosesShown shown) {
    return shown == DiagnosesShown::All || is_problem(one);
}

void append_facts(std::string& out, const Snapshot& snapshot, const Diagnosis& one) {
    if (one.evidence.empty())
        return;
    out += "  Evidence:\n";
    unsigned number = 0;
    for (const Fact& fact : one.evidence)
        append(out,
               "   %2u. %s%s%s\n",
               ++number,
               fact.at ? time_words(snapshot, *fact.at).c_str() : "now",
               "  ",
               fact.text.c_str());
}

void append_diagnosis(std::string& out, const Snapshot& snapshot, const Diagnosis& one) {
    append(out, "%s, peer %s\n", one.connection.c_str(), to_string(one.peer.address).c_str());
    append(out, "  %s  %s", to_string(one.condition), one.code.c_str());
    if (one.since)
        append(out, "  since %s", time_words(snapshot, *one.since).c_str());
    if (one.tries > 0)
        append(out, " (%u %s)", one.tries, one.tries == 1 ? "try" : "tries");
    out += '\n';
    append_facts(out, snapshot, one);
    if (!is_problem(one) && one.condition != Condition::Idle)
        return;
    append(out, "  Cause (%s): %s\n", to_string(one.confidence), one.cause.c_str());
    if (!one.alternatives.empty())
        append(out, "  Not ruled out: %s\n", one.alternatives.c_str());
    if (!one.here.empty())
        append(out, "  Here:  %s\n", one.here.c_str());
    for (std::size_t i = 0; i < one.there.size(); ++i)
        append(out, "  %s %s\n", i == 0 ? "There:" : "      ", one.there[i].c_str());
    append(out, "  Next:  %s\n", one.next.c_str());
}

Json json_of(const Snapshot& snapshot, const Diagnosis& one) {
    JsonList evidence;
    for (const Fact& fact : one.evidence)
        evidence.add(JsonObject{{"time", json_time(snapshot, fact.at)}, {"text", fact.text}});
    JsonList there;
    for (const std::string& line : one.there)
        there.add(line);
    return JsonObject{{"connection", one.connection},
                      {"local", to_string(one.local)},
                      {"peer", to_string(one.peer.address)},
                      {"condition", to_string(one.condition)},
                      {"code", one.code},
                      {"confidence", to_string(one.confidence)},
                      {"cause", one.cause},
                      {"alternatives", one.alternatives},
                      {"since", json_time(snapshot, one.since)},
                      {"tries", one.tries},
                      {"evidence", evidence},
                      {"here", one.here},
                      {"there", there},
                      {"next", one.next}};
}

void append_traffic(std::string& out, const char* port, const PortTraffic& traffic) {
    append(out,
           "  UDP %-4s  sent %llu, received %llu, unanswered %llu\n",
           port,
           Number{traffic.sent},
           Number{traffic.received},
           Number{traffic.unanswered});
}

Json json_of(const Snapshot& snapshot, const PortTraffic& traffic) {
    return JsonObject{{"sent", traffic.sent},
                      {"received", traffic.received},
                      {"unanswered", traffic.unanswered},
                      {"last_received", json_time(snapshot, traffic.last_received)}};
}

} // namespace

std::string show_diagnose(const Snapshot& snapshot,
                          const std::vector<Diagnosis>& diagnoses,
                          DiagnosesShown shown) {
    std::string out;
    for (const Diagnosis& one : diagnoses)
        if (is_shown(one, shown)) {
            out += out.empty() ? "" : "\n";
            append_diagnosis(out, snapshot, one);
        }
    if (!out.empty())
        return out;
    return diagnoses.empty() ? "No tunnel is configured with this peer\n"
                             : "No tunnel has a problem\n";
}

std::string show_diagnose_json(const Snapshot& snapshot,
                               const std::vector<Diagnosis>& diagnoses,
                               DiagnosesShown shown) {
    JsonList tunnels;
    for (const Diagnosis& one : diagnoses)
        if (is_shown(one, shown))
            tunnels.add(json_of(snapshot, one));
    return json_answer("crypto.diagnose", "tunnels", tunnels);
}

std::string show_history(const Snapshot& snapshot, const std::vector<PeerRecord>& records) {
    std::string out;
    for (const PeerRecord& record : records) {
        append(out, "%sPeer %s\n", out.empty() ? "" : "\n", to_string(record.peer).c_str());
        append_traffic(out, "500", record.plain);
        append_traffic(out, "4500", record.floated);
        for (const PeerEvent& event : record.events)
            append(out,
                   "  %s  %-16s %s%s\n",
                   time_words(snapshot, event.last).c_str(),
                   event.code.c_str(),
                   event.text.c_str(),
                   event.count == 1 ? ""
                                    : text(" (%u times since %s)",
                                           event.count,
                                           time_words(snapshot, event.first).c_str())
                                          .c_str());
    }
    return out;
}

std::string show_history_json(const Snapshot& snapshot, const std::vector<PeerRecord>& records) {
    JsonList peers;
    for (const PeerRecord& record : records) {
        JsonList events;
        for (const PeerEvent& event : record.events)
            events.add(JsonObject{{"first", json_time(snapshot, event.first)},
                                  {"last", json_time(snapshot, event.last)},
                                  {"count", event.count},
                                  {"code", event.code},
                                  {"text", event.text}});
        peers.add(JsonObject{{"peer", to_string(record.peer)},
                             {"udp_500", json_of(snapshot, record.plain)},
                             {"udp_4500", json_of(snapshot, record.floated)},
                             {"repeats", record.repeats},
                             {"events", events}});
    }
    return json_answer("crypto.isakmp.history", "peers", peers);
}

} // namespace adit::cli
