// SPDX-License-Identifier: Apache-2.0
#include "control/cli/diagnosis_entries.h"
#include "control/cli/diagnosis_rules.h"
#include "control/cli/remedy.h"
#include "control/cli/show_text.h"
#include "control/config/check.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>

namespace adit::cli {

Diagnosis finding(Condition condition, const char* code, Confidence confidence, std::string cause) {
    Diagnosis found;
    found.condition = condition;
    found.code = code;
    found.confidence = confidence;
    found.cause = std::move(cause);
    return found;
}

void add_event(Diagnosis& to, const PeerEvent& event) {
    to.evidence.push_back(
        {event.last,
         event.text + (event.count > 1 ? text(" (%u times)", event.count) : std::string{})});
    to.since = to.since ? std::min(*to.since, event.first) : event.first;
    to.latest = std::max(to.latest, std::optional{event.last});
    to.tries += event.count;
}

const PeerEvent* newest(const Case& of, std::initializer_list<std::string_view> codes) {
    return newest(of, std::span{codes.begin(), codes.size()});
}

const PeerEvent* newest(const Case& of, std::span<const std::string_view> codes) {
    if (of.record == nullptr)
        return nullptr;
    for (auto event = of.record->events.rbegin(); event != of.record->events.rend(); ++event) {
        if (event->code == "up")
            return nullptr; // what was before is over
        if (of.is_recent(event->last) && std::ranges::find(codes, event->code) != codes.end())
            return &*event;
    }
    return nullptr;
}

namespace {

// --- what needs no peer --------------------------------------------------------------------------

Finding no_dataplane(const Case& of) {
    if (of.snapshot.dataplane_attached)
        return std::nullopt;
    Diagnosis found = finding(Condition::Down,
                              "dataplane",
                              Confidence::Certain,
                              "no dataplane is attached: no packet passes");
    found.evidence.push_back({{}, of.snapshot.dataplane_note});
    found.next = "show version, and the log of adit-dataplane";
    return found;
}

const InterfaceStatus* carrier(const Case& of) {
    const FlowStatus& flow = of.flow();
    const std::string& name = flow.mtu_interface.empty() ? flow.interface : flow.mtu_interface;
    const auto found = std::ranges::find(of.snapshot.interfaces, name, &InterfaceStatus::name);
    return found == of.snapshot.interfaces.end() ? nullptr : &*found;
}

Finding interface_down(const Case& of) {
    const InterfaceStatus* port = carrier(of);
    if (port == nullptr || port->protocol_up())
        return std::nullopt;
    Diagnosis found = finding(Condition::Down,
                              "interface",
                              Confidence::Certain,
                              "the interface that leads to the peer is down");
    found.evidence.push_back(
        {{}, port->name + (port->admin_up ? " has no link" : " is shut down")});
    found.next = "show interfaces " + port->name;
    return found;
}

/// Not "VPNMAP 1" where "VPNMAP 10" stands.
bool names(const std::string& message, const std::string& words) {
    const std::size_t at = message.find(words);
    if (at == std::string::npos)
        return false;
    const std::size_t behind = at + words.size();
    return behind == message.size() || message[behind] == ' ' || message[behind] == ':' ||
           message[behind] == ',';
}

Finding local_config(const Case& of) {
    const FlowStatus& flow = of.flow();
    const std::string peer = to_string(flow.peer.address);
    const std::string entry =
        flow.map_name.empty() ? flow.interface : flow.map_name + ' ' + std::to_string(flow.map_sequence);
    for (const config::Problem& problem : of.problems)
        if (problem.severity == config::ProblemSeverity::Error &&
            (names(problem.message, "peer " + peer) || names(problem.message, entry))) {
            Diagnosis found = finding(Condition::Down,
                                      "local-config",
                                      Confidence::Certain,
                                      "our own configuration is not complete");
            found.evidence.push_back({{}, problem.message});
            found.next = problem.remedy.empty() ? "show configuration problems" : problem.remedy;
            return found;
        }
    if (const PeerEvent* event = newest(of, {"local-config"})) {
        Diagnosis found = finding(Condition::Down,
                                  "local-config",
                                  Confidence::Certain,
                                  "our own configuration has nothing for this peer");
        add_event(found, *event);
        found.next = "show configuration problems";
        return found;
    }
    return std::nullopt;
}

Finding no_route(const Case& of) {
    const Ipv4Address peer = of.flow().peer.address;
    const bool reachable = std::ranges::any_of(of.snapshot.routes, [&](const RouteStatus& route) {
        return route.active && route.prefix.contains(peer);
    });
    if (reachable || peer == Ipv4Address{})
        return std::nullopt;
    Diagnosis found =
        finding(Condition::Down, "no-route", Confidence::Certain, "no route leads to the peer");
    found.evidence.push_back({{}, "the routing table has nothing for " + to_string(peer)});
    found.next = "add one: ip route " + to_string(peer) + " 255.255.255.255 NEXT-HOP";
    return found;
}

// --- one after the other -------------------------------------------------------------------------

using Rule = Finding (*)(const Case&);

// The order is the meaning: what is certain and near before what is far and likely.
constexpr Rule kHere[] = {no_dataplane, interface_down};
constexpr Rule kWithSas[] = {nothing_comes_back, packet_trouble, nothing_goes_out, well};
constexpr Rule kBefore[] = {local_config, no_route};
// Of these, the one with the latest evidence: what was seen before may be mended.
constexpr Rule kAttempts[] = {one_way_4500,
                              refusal,
                              one_way_500,
                              no_answer_to_quick_mode,
                              clear_text_instead,
                              no_reply,
                              stale_sa};
constexpr Rule kNoAttempt[] = {nothing_asked, in_progress};

Finding first_of(std::span<const Rule> rules, const Case& of) {
    for (const Rule rule : rules)
        if (Finding found = rule(of))
            return found;
    return std::nullopt;
}

Finding latest_of(std::span<const Rule> rules, const Case& of) {
    Finding latest;
    for (const Rule rule : rules)
        if (Finding found = rule(of); found && (!latest || found->latest > latest->latest))
            latest = std::move(found);
    return latest;
}

Diagnosis judge(const Case& of) {
    Finding found = first_of(kHere, of);
    if (!found && of.has_sas())
        found = first_of(kWithSas, of);
    if (!found)
        found = first_of(kBefore, of);
    if (!found)
        found = latest_of(kAttempts, of);
    if (!found)
        found = first_of(kNoAttempt, of);
    found->connection = of.flow().connection;
    found->local = of.flow().local_endpoint;
    found->peer = of.flow().peer;
    add_remedy(*found, of.snapshot, of.flow());
    return *found;
}

using SasByPeer = std::unordered_map<Ipv4Address, const ike::IsakmpSaView*>;

SasByPeer newest_sas(const Snapshot& snapshot) {
    SasByPeer newest;
    for (const ike::IsakmpSaView& sa : snapshot.isakmp) {
        if (sa.deleted)
            continue;
        const ike::IsakmpSaView*& known = newest[sa.remote.address];
        if (known == nullptr || sa.created > known->created)
            known = &sa;
    }
    return newest;
}

} // namespace

const char* to_string(Condition condition) {
    switch (condition) {
    case Condition::Up:
        return "UP";
    case Condition::Degraded:
        return "DEGRADED";
    case Condition::Idle:
        return "IDLE";
    case Condition::Down:
        break;
    }
    return "DOWN";
}

const char* to_string(Confidence confidence) {
    switch (confidence) {
    case Confidence::Certain:
        return "certain";
    case Confidence::Likely:
        return "likely";
    case Confidence::Possible:
        break;
    }
    return "possible";
}

std::vector<Diagnosis> diagnose(const Snapshot& snapshot,
                                const std::vector<PeerRecord>& records,
                                std::optional<Ipv4Address> peer) {
    std::vector<Diagnosis> found;
    const std::vector<config::Problem> problems = config::check(*snapshot.config, {});
    const SasByPeer isakmp = newest_sas(snapshot);
    for (auto first = snapshot.flows.begin(); first != snapshot.flows.end();) {
        Case of{snapshot, problems, {}, nullptr, nullptr};
        const std::string& connection = first->connection;
        for (; first != snapshot.flows.end() && first->connection == connection; ++first)
            of.flows.push_back(&*first);
        const Ipv4Address address = of.flow().peer.address;
        if (peer && *peer != address)
            continue;
        const auto record = std::ranges::lower_bound(records, address, {}, &PeerRecord::peer);
        if (record != records.end() && record->peer == address)
            of.record = &*record;
        if (const auto sa = isakmp.find(address); sa != isakmp.end())
            of.isakmp = sa->second;
        found.push_back(judge(of));
    }
    for (Diagnosis& one : entries_without_flows(snapshot))
        if (!peer || *peer == one.peer.address)
            found.push_back(std::move(one));
    return found;
}

} // namespace adit::cli
