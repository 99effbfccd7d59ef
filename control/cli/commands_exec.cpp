// SPDX-License-Identifier: Apache-2.0
// EXEC mode: clear, test, the terminal, and the ways in and out. `show` is in commands_show.cpp,
// `debug` in commands_debug.cpp,
// the configuration as a whole in commands_files.cpp.
#include "control/cli/grammar.h"
#include "control/cli/session.h"

namespace adit::cli {

namespace {

// --- the session itself --------------------------------------------------------------------------

std::string enable(Session& session, const Match& match) {
    const bool raise = match.argument(ArgKind::Number) == nullptr || match.number() == 15;
    const Privilege wanted = raise ? Privilege::Privileged : Privilege::User;
    if (wanted > session.options().max_privilege)
        return session.refuse("Access denied: your account of this host may only look");
    session.set_privilege(wanted);
    return {};
}

std::string disable(Session& session, const Match&) {
    session.set_privilege(Privilege::User);
    return {};
}

std::string leave(Session& session, const Match&) {
    session.close();
    return {};
}

std::string terminal_length(Session& session, const Match& match) {
    session.set_terminal_length(match.number());
    return {};
}

std::string terminal_width(Session& session, const Match& match) {
    session.set_terminal_width(match.number());
    return {};
}

std::string terminal_monitor(Session& session, const Match& match) {
    session.set_monitoring(!match.has("no"));
    return {};
}

// --- clear and test ------------------------------------------------------------------------------

std::optional<Ipv4Address> peer_of(const Match& match) {
    if (match.argument(ArgKind::Ipv4) == nullptr)
        return std::nullopt;
    return match.address();
}

std::string clear_sa(Session& session, const Match& match) {
    if (match.has("counters"))
        return session.answer(session.host().clear_sa_counters(peer_of(match)));
    return session.answer(session.host().clear_sa(peer_of(match)));
}

std::string clear_isakmp(Session& session, const Match& match) {
    std::optional<ConnId> conn_id;
    if (match.argument(ArgKind::Number) != nullptr)
        conn_id = ConnId{match.number()};
    return session.answer(session.host().clear_isakmp(conn_id));
}

std::string clear_session(Session& session, const Match& match) {
    return session.answer(session.host().clear_session(peer_of(match)));
}

std::string clear_logging(Session& session, const Match&) {
    session.host().clear_log();
    return {};
}

std::string clear_counters(Session& session, const Match&) {
    return session.answer(session.host().clear_interface_counters());
}

std::string clear_arp(Session& session, const Match&) {
    return session.answer(session.host().clear_arp());
}

std::string test_peer(Session& session, const Match& match) {
    if (const Status started = session.host().initiate(match.address()); !started)
        return session.answer(started);
    return "Negotiation started with " + to_string(match.address()) + '\n';
}

constexpr Row kRows[] = {
    user("enable [<0-15>]", "Turn on privileged commands", enable),
    user("disable", "Turn off privileged commands", disable),
    user("exit", "Exit from the EXEC", leave),
    user("quit", "Exit from the EXEC", leave),
    user("logout", "Exit from the EXEC", leave),
    user("terminal length <0-512>", "Set the lines of a page; 0 for no pages", terminal_length),
    user("terminal width <0-512>", "Set the width of the display", terminal_width),
    user("terminal [no] monitor", "Copy log and debug output to this session", terminal_monitor),
    privileged(
        "clear crypto sa [peer A.B.C.D] [counters]", "Delete SAs or zero counters", clear_sa),
    privileged("clear crypto isakmp [<1-4294967295>]", "Delete ISAKMP SAs", clear_isakmp),
    privileged(
        "clear crypto session [remote A.B.C.D]", "Delete the SAs of both phases", clear_session),
    privileged("clear logging", "Empty the log buffer", clear_logging),
    privileged("clear counters", "Zero the counters of the interfaces", clear_counters),
    privileged("clear {ip arp|arp-cache}", "Delete learnt ARP entries", clear_arp),
    privileged("test crypto peer A.B.C.D initiate", "Bring the tunnels of a peer up", test_peer),
};

} // namespace

std::span<const Row> exec_rows() {
    return kRows;
}

const Grammar& exec_grammar() {
    static const Grammar grammar{
        exec_rows(), file_rows(), debug_rows(), show_rows(), platform_rows()};
    return grammar;
}

} // namespace adit::cli
