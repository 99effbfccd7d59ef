// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_session.h"

#include "control/cli/show_text.h"

#include <algorithm>
#include <vector>

namespace adit::cli {
namespace {

using ike::IsakmpSaView;

using Number = unsigned long long; // what %llu takes

/// Everything there is with one peer over one interface. Clients behind one NAT are told apart by
/// their users.
struct PeerSession {
    std::string interface;
    Endpoint peer;
    std::string user;
    Ipv4Address local;
    std::vector<const FlowStatus*> flows;
    std::vector<const IsakmpSaView*> isakmp; // established ones
    bool negotiating{false};
};

PeerSession& session_with(std::vector<PeerSession>& sessions,
                          const std::string& interface,
                          Endpoint peer,
                          const std::string& user,
                          Ipv4Address local) {
    const auto found = std::ranges::find_if(sessions, [&](const PeerSession& session) {
        return session.interface == interface && session.peer.address == peer.address &&
               session.user == user;
    });
    if (found != sessions.end())
        return *found;
    sessions.push_back({interface, peer, user, local, {}, {}, false});
    return sessions.back();
}

/// Who uses this flow now; empty for gateways.
std::string user_of(const FlowStatus& flow) {
    return flow.children.empty() ? std::string{} : flow.children.back().view.user;
}

std::string interface_of(const Snapshot& snapshot, Ipv4Address local) {
    for (const auto& [name, interface] : snapshot.config->interfaces)
        if (interface.address == local)
            return name;
    return "(none)";
}

void add_isakmp(std::vector<PeerSession>& sessions,
                const Snapshot& snapshot,
                const IsakmpSaView& sa) {
    if (sa.deleted)
        return;
    const auto known = std::ranges::find_if(sessions, [&](const PeerSession& session) {
        return session.peer.address == sa.remote.address && session.local == sa.local.address &&
               session.user == sa.user;
    });
    PeerSession& session = known != sessions.end()
                               ? *known
                               : session_with(sessions,
                                              interface_of(snapshot, sa.local.address),
                                              sa.remote,
                                              sa.user,
                                              sa.local.address);
    if (!sa.established) {
        session.negotiating = true;
        return;
    }
    session.isakmp.push_back(&sa);
    session.peer.port = sa.remote.port;
}

std::vector<PeerSession> collect(const Snapshot& snapshot, std::optional<Ipv4Address> peer) {
    std::vector<PeerSession> sessions;
    for (const FlowStatus& flow : snapshot.flows)
        session_with(sessions, flow.interface, flow.peer, user_of(flow), flow.local_endpoint)
            .flows.push_back(&flow);
    for (const IsakmpSaView& sa : snapshot.isakmp)
        add_isakmp(sessions, snapshot, sa);
    if (peer)
        std::erase_if(sessions, [&](const PeerSession& s) { return s.peer.address != *peer; });
    return sessions;
}

const ChildSa* current_child(const FlowStatus& flow) {
    const auto found = std::ranges::find_if(flow.children, [](const ChildSa& child) {
        return child.view.current && child.view.outbound_spi != Spi{};
    });
    return found == flow.children.end() ? nullptr : &*found;
}

unsigned active_sas(const FlowStatus& flow) {
    unsigned count = 0;
    for (const ChildSa& child : flow.children)
        count += child.view.outbound_spi != Spi{} ? 2U : 1U;
    return count;
}

struct Verdict {
    const char* words;
    const char* letters; // of the brief form
};

Verdict verdict(const PeerSession& session) {
    const bool ipsec = std::ranges::any_of(
        session.flows, [](const FlowStatus* flow) { return current_child(*flow) != nullptr; });
    if (ipsec)
        return session.isakmp.empty() ? Verdict{"UP-NO-IKE", "UK"} : Verdict{"UP-ACTIVE", "UA"};
    if (!session.isakmp.empty())
        return {"UP-IDLE", "UI"};
    return session.negotiating ? Verdict{"DOWN-NEGOTIATING", "DN"} : Verdict{"DOWN", "D"};
}

/// When the oldest SA that still lives came up; nothing while the session is down.
std::optional<Instant> up_since(const PeerSession& session) {
    std::optional<Instant> since;
    const auto consider = [&](Instant when) { since = since ? std::min(*since, when) : when; };
    for (const IsakmpSaView* sa : session.isakmp)
        consider(sa->established_at.value_or(sa->created));
    for (const FlowStatus* flow : session.flows)
        for (const ChildSa& child : flow->children)
            consider(child.view.established_at);
    return since;
}

std::string phase1_id(const PeerSession& session) {
    for (const IsakmpSaView* sa : session.isakmp)
        if (!sa->peer_identity.empty())
            return sa->peer_identity;
    return "(none)";
}

std::string group_or_id(const PeerSession& session) {
    for (const IsakmpSaView* sa : session.isakmp)
        if (!sa->group.empty())
            return sa->group;
    return session.isakmp.empty() ? std::string{} : phase1_id(session);
}

// --- plain and detail ----------------------------------------------------------------------------

void append_ike(std::string& out, const PeerSession& session, const IsakmpSaView& sa) {
    append(out,
           "  Session ID: 0  \n  IKEv1 SA: local %s/%u remote %s/%u Active \n",
           to_string(session.local).c_str(),
           sa.local.port,
           to_string(session.peer.address).c_str(),
           sa.remote.port);
}

void append_capabilities(std::string& out, const Snapshot& snapshot, const IsakmpSaView& sa) {
    std::string letters;
    if (sa.assigned)
        letters += 'C';
    if (sa.dpd)
        letters += 'D';
    if (sa.nat_traversal)
        letters += 'N';
    if (sa.fragmentation)
        letters += 'F';
    if (sa.login)
        letters += 'X';
    append(out,
           "          Capabilities:%s connid:%u lifetime:%s\n",
           letters.empty() ? "(none)" : letters.c_str(),
           sa.conn_id.value,
           sa.expires ? hms(seconds_between(snapshot.now, *sa.expires)).c_str() : "0");
}

void append_no_ike(std::string& out, const PeerSession& session, SessionForm form) {
    append(out,
           "  Session ID: 0  \n  IKEv1 SA: local %s/500 remote %s/500 Inactive \n",
           to_string(session.local).c_str(),
           to_string(session.peer.address).c_str());
    if (form == SessionForm::Detail)
        out += "          Capabilities:(none) connid:0 lifetime:0\n";
}

/// "10.1.0.0/255.255.0.0", "host 10.1.1.4", with the port when there is one.
std::string flow_end(const Ipv4Range& range, const PortRange& port) {
    const std::string ident = ident_string(range, 0, port);
    std::string words = range.first == range.last ? "host " + to_string(range.first)
                                                  : ident.substr(0, ident.find("/0/"));
    if (!port.is_any())
        words += " port" + ident.substr(ident.rfind('/')).replace(0, 1, " ");
    return words;
}

void append_life(std::string& out,
                 const Snapshot& snapshot,
                 const ChildSa* child,
                 const SaCounters& counters) {
    if (child == nullptr) {
        out += "life (KB/Sec) 0/0\n";
        return;
    }
    const Number seconds = seconds_between(snapshot.now, child->view.expires);
    if (child->view.lifetime_kilobytes == 0)
        append(out, "life (KB/Sec) KB Vol Rekey Disabled/%llu\n", seconds);
    else
        append(out,
               "life (KB/Sec) %llu/%llu\n",
               Number{kilobytes_left(child->view, counters)},
               seconds);
}

void append_flow(std::string& out,
                 const Snapshot& snapshot,
                 const FlowStatus& flow,
                 SessionForm form) {
    const TrafficSelector& selector = flow.flow.selector;
    append(out,
           "  IPSEC FLOW: permit %s %s %s \n"
           "        Active SAs: %u, origin: %scrypto map\n",
           selector.protocol == 0 ? "ip" : text("%u", selector.protocol).c_str(),
           flow_end(selector.local, selector.local_port).c_str(),
           flow_end(selector.remote, selector.remote_port).c_str(),
           active_sas(flow),
           flow.dynamic_map.empty() ? "" : "dynamic ");
    if (form != SessionForm::Detail)
        return;
    const ChildSa* child = current_child(flow);
    append(out,
           "        Inbound:  #pkts dec'ed %llu drop %llu ",
           Number{flow.counters.decaps},
           Number{flow.counters.receive_errors});
    append_life(out, snapshot, child, child != nullptr ? child->inbound : SaCounters{});
    append(out,
           "        Outbound: #pkts enc'ed %llu drop %llu ",
           Number{flow.counters.encaps},
           Number{flow.counters.send_errors});
    append_life(out, snapshot, child, child != nullptr ? child->outbound : SaCounters{});
}

void append_peer(std::string& out, const PeerSession& session, SessionForm form) {
    append(out,
           "Peer: %s port %u ",
           to_string(session.peer.address).c_str(),
           session.peer.port == 0 ? 500U : session.peer.port);
    if (form != SessionForm::Detail) {
        out += '\n';
        return;
    }
    out += "fvrf: (none) ivrf: (none)\n";
    if (session.isakmp.empty())
        out += "      Desc: (none)\n      Phase1_id: (none)\n";
    else
        append(out, "      Phase1_id: %s\n      Desc: (none)\n", phase1_id(session).c_str());
}

/// Lines that only sessions of remote-access clients have.
void append_client(std::string& out, const PeerSession& session) {
    for (const IsakmpSaView* sa : session.isakmp) {
        if (!sa->user.empty())
            append(out, "Username: %s\n", sa->user.c_str());
        if (!sa->group.empty())
            append(out, "Group: %s\n", sa->group.c_str());
        if (sa->assigned)
            append(out, "Assigned address: %s\n", to_string(*sa->assigned).c_str());
        if (!sa->user.empty() || sa->assigned)
            return;
    }
}

void append_session(std::string& out,
                    const Snapshot& snapshot,
                    const PeerSession& session,
                    SessionForm form) {
    append(out, "Interface: %s\n", session.interface.c_str());
    append_client(out, session);
    const auto since = up_since(session);
    if (form == SessionForm::Detail && since)
        append(out, "Uptime: %s\n", age(seconds_between(*since, snapshot.now)).c_str());
    append(out, "Session status: %-14s\n", verdict(session).words);
    append_peer(out, session, form);
    for (const IsakmpSaView* sa : session.isakmp) {
        append_ike(out, session, *sa);
        if (form == SessionForm::Detail)
            append_capabilities(out, snapshot, *sa);
    }
    if (session.isakmp.empty())
        append_no_ike(out, session, form);
    for (const FlowStatus* flow : session.flows)
        append_flow(out, snapshot, *flow, form);
    out += '\n';
}

// --- brief ---------------------------------------------------------------------------------------

std::string brief(const Snapshot& snapshot, const std::vector<PeerSession>& sessions) {
    std::string out =
        "Status: A- Active, U - Up, D - Down, I - Idle, S - Standby, N - Negotiating\n"
        "        K - No IKE\n"
        "ivrf = (none)\n"
        "Peer            I/F          Username        Group/Phase1_id          Uptime   Status\n";
    for (const PeerSession& session : sessions) {
        const auto since = up_since(session);
        append(out,
               "%-15s %-12s %-15s %-24s %-8s %s\n",
               to_string(session.peer.address).c_str(),
               short_interface(session.interface).c_str(),
               session.user.c_str(),
               group_or_id(session).c_str(),
               since ? age(seconds_between(*since, snapshot.now)).c_str() : "",
               verdict(session).letters);
    }
    return out;
}

} // namespace

std::string
show_crypto_session(const Snapshot& snapshot, SessionForm form, std::optional<Ipv4Address> peer) {
    const std::vector<PeerSession> sessions = collect(snapshot, peer);
    if (form == SessionForm::Brief)
        return brief(snapshot, sessions);
    std::string out = "Crypto session current status\n\n";
    if (form == SessionForm::Detail)
        out += "Code: C - IKE Configuration mode, D - Dead Peer Detection     \n"
               "K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     \n"
               "X - IKE Extended Authentication, F - IKE Fragmentation\n"
               "R - IKE Auto Reconnect\n\n";
    for (const PeerSession& session : sessions)
        append_session(out, snapshot, session, form);
    return out;
}

} // namespace adit::cli
