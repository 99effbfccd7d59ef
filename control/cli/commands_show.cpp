// SPDX-License-Identifier: Apache-2.0
// show ...: rows that hand a snapshot to the pure functions of show_*.cpp.
#include "control/cli/grammar.h"
#include "control/cli/session.h"
#include "control/cli/show_crypto_map.h"
#include "control/cli/show_diagnose.h"
#include "control/cli/show_interfaces.h"
#include "control/cli/show_ip.h"
#include "control/cli/show_ipsec.h"
#include "control/cli/show_isakmp.h"
#include "control/cli/show_json.h"
#include "control/cli/show_pki.h"
#include "control/cli/show_platform.h"
#include "control/cli/show_session.h"
#include "control/config/render.h"

namespace adit::cli {

namespace {

using config::Secrets;

/// A command whose whole answer is one function of the snapshot.
template <auto Show> std::string plain(Session& session, const Match&) {
    return Show(session.host().snapshot());
}

/// The same, with a form of its own for programs. Without one they get the lines (session.cpp).
template <auto Show, auto ShowJson> std::string either(Session& session, const Match& match) {
    const Snapshot snapshot = session.host().snapshot();
    return match.has("json") ? ShowJson(snapshot) : Show(snapshot);
}

std::optional<Ipv4Address> peer_of(const Match& match) {
    if (match.argument(ArgKind::Ipv4) == nullptr)
        return std::nullopt;
    return match.address();
}

std::string ipsec_sa(Session& session, const Match& match) {
    if (match.has("json"))
        return json_ipsec_sa(session.host().snapshot(), peer_of(match), match.interface());
    return show_ipsec_sa(
        session.host().snapshot(),
        {.peer = peer_of(match), .interface = match.interface(), .detail = match.has("detail")});
}

std::string crypto_session(Session& session, const Match& match) {
    const SessionForm form = match.has("detail")  ? SessionForm::Detail
                             : match.has("brief") ? SessionForm::Brief
                                                  : SessionForm::Plain;
    return show_crypto_session(session.host().snapshot(), form, peer_of(match));
}

std::string crypto_diagnose(Session& session, const Match& match) {
    const Snapshot snapshot = session.host().snapshot();
    const auto found = diagnose(snapshot, session.host().history(peer_of(match)), peer_of(match));
    const DiagnosesShown shown =
        match.has("problems") ? DiagnosesShown::Problems : DiagnosesShown::All;
    return match.has("json") ? show_diagnose_json(snapshot, found, shown)
                             : show_diagnose(snapshot, found, shown);
}

std::string isakmp_history(Session& session, const Match& match) {
    const Snapshot snapshot = session.host().snapshot();
    const auto records = session.host().history(peer_of(match));
    return match.has("json") ? show_history_json(snapshot, records)
                             : show_history(snapshot, records);
}

std::string crypto_map(Session& session, const Match& match) {
    return show_crypto_map(session.host().snapshot(),
                           {.name = match.text(ArgKind::Name), .interface = match.interface()});
}

std::string crypto_dynamic_map(Session& session, const Match& match) {
    return show_crypto_dynamic_map(session.host().snapshot(), match.text(ArgKind::Name));
}

std::string transform_set(Session& session, const Match& match) {
    return show_transform_sets(session.host().snapshot(), match.text(ArgKind::Name));
}

std::string pki_certificates(Session& session, const Match& match) {
    return show_pki_certificates(session.host().snapshot(),
                                 match.text(ArgKind::Name),
                                 match.has("verbose") ? CertificateForm::Verbose
                                                      : CertificateForm::Plain);
}

std::string interfaces(Session& session, const Match& match) {
    if (match.has("json"))
        return json_interfaces(session.host().snapshot(), match.interface());
    return show_interfaces(session.host().snapshot(), match.interface());
}

std::string access_lists(Session& session, const Match& match) {
    return show_access_lists(session.host().snapshot(), match.text(ArgKind::Name));
}

std::string ipsec_profile(Session& session, const Match& match) {
    return show_ipsec_profile(session.host().snapshot(), match.text(ArgKind::Name));
}

std::string dataplane_drops(Session& session, const Match& match) {
    if (match.has("json"))
        return json_drops(session.host().snapshot());
    return show_dataplane_drops(session.host().snapshot(),
                                match.has("all") ? DropsShown::All : DropsShown::NonZero);
}

std::string running_config(Session& session, const Match& match) {
    const auto config = session.host().running_config();
    if (const std::string name = match.interface(); !name.empty()) {
        const std::string block = config::render_interface(*config, name);
        return "Building configuration...\n\nCurrent configuration : " +
               std::to_string(block.size()) + " bytes\n!\n" + block + "end\n";
    }
    if (!match.has("secrets"))
        return config::render_running_config(*config, Secrets::Hidden);
    session.host().log({.severity = Severity::Warning,
                        .facility = "VPNDIAG",
                        .mnemonic = "SECRETS_SHOWN",
                        .text = session.options().user + " had the pre-shared keys shown"});
    return config::render_running_config(*config, Secrets::Clear);
}

std::string problems(Session& session, const Match&) {
    std::string text;
    for (const config::Problem& problem : session.host().problems())
        text += config::to_string(problem) + '\n';
    return text.empty() ? "The configuration has no problems\n" : text;
}

std::string logging(Session& session, const Match&) {
    const auto lines = session.host().log_buffer();
    std::size_t bytes = 0;
    std::string text;
    for (const std::string& line : lines) {
        bytes += line.size() + 1;
        text += line + '\n';
    }
    return "Syslog logging: enabled\n    Buffer logging: level debugging, " +
           std::to_string(lines.size()) + " messages logged\n\nLog Buffer (" +
           std::to_string(bytes) + " bytes):\n\n" + text;
}

std::string privilege(Session& session, const Match&) {
    return "Current privilege level is " +
           std::to_string(static_cast<unsigned>(session.privilege())) + '\n';
}

/// Every command there is, from the same rows that parse it.
std::string parser_dump(Session& session, const Match&) {
    std::string text = "EXEC:\n";
    const auto dump = [&](const Grammar& grammar) {
        for (const Grammar::Entry& entry : grammar.entries())
            if (entry.sign == Sign::Set && entry.row->privilege <= session.privilege())
                text += std::string("  ") + entry.row->syntax + '\n';
    };
    dump(exec_grammar());
    if (session.privilege() == Privilege::Privileged) {
        text += "Configuration:\n";
        dump(config_grammar());
    }
    return text;
}

constexpr Row kRows[] = {
    user("show crypto isakmp sa", "ISAKMP SAs", either<show_isakmp_sa, json_isakmp_sa>),
    user("show crypto isakmp sa detail",
         "ISAKMP SAs in detail",
         either<show_isakmp_sa_detail, json_isakmp_sa>),
    user("show crypto isakmp sa active",
         "ISAKMP SAs with their slot",
         either<show_isakmp_sa_active, json_isakmp_sa>),
    user("show crypto isakmp sa standby",
         "ISAKMP SAs that another box holds ready",
         plain<show_isakmp_sa_standby>),
    user("show crypto isakmp sa count", "Number of ISAKMP SAs", plain<show_isakmp_sa_count>),
    user("show crypto isakmp policy", "Phase-1 policies", plain<show_isakmp_policy>),
    user("show crypto isakmp default policy", "Defaults", plain<show_isakmp_default_policy>),
    user("show crypto isakmp key", "Peers that have a pre-shared key", plain<show_isakmp_key>),
    user("show crypto isakmp peers", "ISAKMP peers", plain<show_isakmp_peers>),
    user("show crypto isakmp profile", "ISAKMP profiles", plain<show_isakmp_profile>),
    user("show crypto isakmp failures",
         "Counters of everything that can go wrong in a negotiation",
         either<show_isakmp_failures, json_isakmp_failures>),
    user("show crypto isakmp history [peer A.B.C.D]",
         "What happened with the peers, also long after",
         isakmp_history),
    user("show crypto diagnose [problems|all] [peer A.B.C.D]",
         "Why a tunnel is down, with evidence and remedy",
         crypto_diagnose),
    user("show crypto ipsec sa [peer A.B.C.D] [interface INTERFACE] [detail]",
         "IPsec SAs",
         ipsec_sa),
    user("show crypto ipsec sa count", "Number of IPsec SAs", plain<show_ipsec_sa_count>),
    user("show crypto ipsec transform-set [NAME]", "Transform sets", transform_set),
    user("show crypto ipsec profile [NAME]", "How tunnel interfaces are protected", ipsec_profile),
    user("show crypto ipsec security-association lifetime", "Lifetimes", plain<show_sa_lifetime>),
    user("show crypto session [remote A.B.C.D] [brief|detail]",
         "Both phases, by peer",
         crypto_session),
    user("show crypto dynamic-map [tag NAME]", "Entries for unknown peers", crypto_dynamic_map),
    user("show crypto map [tag NAME|interface INTERFACE]", "Crypto maps", crypto_map),
    user("show crypto engine connections active",
         "SAs with their algorithms",
         plain<show_engine_connections>),
    user("show crypto {pki|ca} certificates [verbose] [NAME]",
         "Certificates of the trustpoints",
         pki_certificates),
    user("show crypto {pki|ca} trustpoints", "Trustpoints", plain<show_pki_trustpoints>),
    user("show crypto {pki|ca} crls", "Revocation lists", plain<show_pki_crls>),
    user("show interfaces [INTERFACE]", "State and counters of interfaces", interfaces),
    user("show ip interface brief", "Interfaces, one line each", plain<show_ip_interface_brief>),
    user("show ip local pool", "Addresses lent to clients", plain<show_ip_local_pool>),
    user("show ip route", "Routing table", either<show_ip_route, json_routes>),
    user("show {ip arp|arp}", "ARP table", either<show_ip_arp, json_arp>),
    user("show {access-lists|ip access-lists|ip access-list} [NAME]",
         "Access lists with hits",
         access_lists),
    user("show version", "Version and uptime", either<show_version, json_version>),
    user("show clock", "Time of day", plain<show_clock>),
    user("show privilege", "Current privilege level", privilege),
    user("show dataplane drops [all]", "Why packets were dropped", dataplane_drops),
    user("show parser dump", "Every command there is", parser_dump),
    privileged("show logging", "The log buffer", logging),
    privileged("show running-config [all]", "Current configuration, keys hidden", running_config),
    privileged(
        "show running-config secrets", "Current configuration with keys; logged", running_config),
    privileged(
        "show running-config interface INTERFACE", "One interface's configuration", running_config),
    privileged("write terminal", "Current configuration, keys hidden", running_config),
    privileged(
        "show configuration problems", "Lines that were refused, ignored or do not fit", problems),
};

} // namespace

std::span<const Row> show_rows() {
    return kRows;
}

} // namespace adit::cli
