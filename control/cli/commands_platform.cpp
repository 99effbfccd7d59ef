// SPDX-License-Identifier: Apache-2.0
// EXEC mode: the commands around the tunnels that scripts and facts of automation tools begin with.
#include "control/cli/grammar.h"
#include "control/cli/session.h"
#include "control/cli/show_interfaces.h"
#include "control/cli/show_machine.h"
#include "control/cli/show_metrics.h"

namespace adit::cli {

namespace {

std::string inventory(Session& session, const Match&) {
    return show_inventory(session.host().snapshot());
}

std::string memory(Session& session, const Match&) {
    return show_memory(session.host().machine());
}

std::string metrics(Session& session, const Match&) {
    return show_metrics(session.host().snapshot(), session.host().history(std::nullopt));
}

std::string users(Session& session, const Match&) {
    return show_users(session.host().operators(), session.options().vty);
}

std::string history(Session& session, const Match&) {
    std::string text;
    for (const std::string& line : session.history())
        text += "  " + line + '\n';
    return text;
}

std::string terminal(Session& session, const Match&) {
    return "Line " + std::to_string(session.options().vty) +
           "\nLength: " + std::to_string(session.terminal_length()) +
           " lines, Width: " + std::to_string(session.terminal_width()) +
           " columns\nMonitoring is " + (session.monitoring() ? "on\n" : "off\n");
}

std::string hosts(Session& session, const Match&) {
    const std::string domain = session.host().running_config()->domain_name;
    return domain.empty() ? "Default domain is not set\n" : "Default domain is " + domain + '\n';
}

std::string debugging(Session& session, const Match&) {
    std::string text;
    if (session.host().debugging(DebugTopic::Isakmp))
        text += "  Crypto ISAKMP debugging is on\n";
    if (session.host().debugging(DebugTopic::Ipsec))
        text += "  Crypto IPSEC debugging is on\n";
    return text.empty() ? text : "Cryptographic Subsystem:\n" + text;
}

/// What whoever helps from afar asks for first.
constexpr const char* kTechSupport[] = {
    "show clock",
    "show version",
    "show inventory",
    "show running-config",
    "show configuration problems",
    "show interfaces",
    "show ip interface brief",
    "show ip route",
    "show ip arp",
    "show access-lists",
    "show crypto diagnose",
    "show crypto isakmp history",
    "show crypto isakmp sa detail",
    "show crypto isakmp failures",
    "show crypto ipsec sa detail",
    "show crypto session detail",
    "show crypto map",
    "show crypto pki certificates",
    "show dataplane drops",
    "show memory statistics",
    "show users",
    "show logging",
};

std::string tech_support(Session& session, const Match&) {
    std::string text;
    for (const char* command : kTechSupport) {
        const Parsed parsed = exec_grammar().parse(Mode::Exec, command, session.privilege());
        ENSURE(parsed.kind == Parsed::Kind::Matched);
        text += "\n------------------ " + std::string{command} + " ------------------\n\n" +
                std::get<ExecHandler>(parsed.row->action)(session, parsed.match);
    }
    return text;
}

std::string ip_interface(Session& session, const Match& match) {
    return show_ip_interface(session.host().snapshot(), match.interface());
}

/// There is nothing to list: these protocols are not spoken here.
std::string no_ipv6(Session&, const Match&) {
    return {};
}

std::string no_cdp(Session&, const Match&) {
    return "% CDP is not enabled\n";
}

std::string no_lldp(Session&, const Match&) {
    return "% LLDP is not enabled\n";
}

constexpr Row kRows[] = {
    privileged("show tech-support", "Everything that whoever helps asks for", tech_support),
    user("show inventory", "What the box is made of", inventory),
    user("show memory statistics", "Memory of the machine", memory),
    user("show metrics", "What Prometheus reads", metrics),
    user("show users", "Who is at the CLI", users),
    user("show history", "The last commands of this session", history),
    user("show terminal", "Settings of this session", terminal),
    user("show hosts", "The domain of this system", hosts),
    user("show debugging", "What is being debugged", debugging),
    user("show ip interface [INTERFACE]", "IP settings of interfaces", ip_interface),
    user("show ipv6 interface [brief]", "IPv6 is not spoken: none", no_ipv6),
    user("show cdp [neighbors [detail]]", "CDP is not spoken", no_cdp),
    user("show lldp [neighbors [detail]]", "LLDP is not spoken", no_lldp),
};

} // namespace

std::span<const Row> platform_rows() {
    return kRows;
}

} // namespace adit::cli
