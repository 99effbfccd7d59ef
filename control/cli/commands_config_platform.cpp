// SPDX-License-Identifier: Apache-2.0
// What a router's configuration holds besides the tunnels. Lines without effect here are taken and
// listed by `show configuration problems`; lines that keep something out, or that say where packets
// go, are refused: passing them over would change what is protected.
#include "control/cli/grammar.h"
#include "control/config/editor.h"

namespace adit::cli {

namespace {

constexpr Row ignored(const char* syntax, const char* reason) {
    return {Mode::Config, syntax, kSame, "Has no effect here", Ignored{reason}};
}

constexpr Row ignored_block(const char* syntax, const char* reason) {
    return {Mode::Config,
            syntax,
            kSame,
            "Has no effect here",
            Ignored{reason},
            Privilege::Privileged,
            true};
}

constexpr Row refused(const char* syntax, const char* reason, const char* remedy = "") {
    return {Mode::Config, syntax, nullptr, "Refused here", Refused{reason, remedy}};
}

constexpr Row refused_block(const char* syntax, const char* reason, const char* remedy = "") {
    return {Mode::Config,
            syntax,
            nullptr,
            "Refused here",
            Refused{reason, remedy},
            Privilege::Privileged,
            true};
}

constexpr const char* kHost = "the host system does this";
constexpr const char* kLogin = "operators log in to the host system";
constexpr const char* kNoService = "there is no such service here";
constexpr const char* kNoProtocol = "not spoken here";

constexpr Row kRows[] = {
    ignored("service LINE", kNoService),
    ignored("{boot-start-marker|boot-end-marker}", kHost),
    ignored("boot LINE", kHost),
    ignored("{platform|hw-module|card|license|memory-size|diagnostic} LINE", kHost),
    ignored("{config-register|upgrade|warm-reboot|exception|scheduler} LINE", kHost),
    ignored("{logging|ntp|clock|sntp} LINE", kHost),
    ignored("{snmp-server|netconf-yang|restconf|netconf} [LINE]", kNoService),
    ignored("banner LINE", kLogin),
    ignored("{radius-server|tacacs-server|privilege} LINE", kLogin),
    ignored(
        "aaa {accounting|session-id|group|attribute|server|max-sessions|common-criteria} [LINE]",
        kLogin),
    ignored("aaa authentication {enable|ppp|dot1x|attempts|banner|fail-message|password-prompt|"
            "username-prompt} [LINE]",
            kLogin),
    ignored("aaa authorization {exec|commands|console|config-commands|auth-proxy} [LINE]", kLogin),
    ignored("username NAME [privilege <0-15>] {nopassword|autocommand|access-class|one-time|view|"
            "algorithm-type} [LINE]",
            kLogin),
    ignored("username NAME privilege <0-15>", kLogin),
    ignored("enable {secret|password} LINE", kLogin),
    ignored("login LINE", kLogin),
    ignored("{cdp|lldp} LINE", kNoProtocol),
    ignored("{spanning-tree|vtp|vlan|errdisable|mls|switch|udld} LINE", kNoProtocol),
    ignored("{multilink|bba-group|mpls|call-home|ipv6 nd|subscriber} LINE", kNoProtocol),
    ignored("{dot11|voice|voice-card|mgcp|dial-peer|gatekeeper} [LINE]", kNoProtocol),
    ignored("{file|alias|parser|prompt|terminal} LINE", kHost),
    ignored("mmi LINE", kHost),
    ignored("crypto isakmp diagnose LINE", "every failure is explained anyway"),
    ignored("crypto {key|call|engine|mib} LINE", "keys come from files; see crypto pki trustpoint"),
    ignored("ip {domain lookup|domain list|name-server|host} LINE", kHost),
    ignored("ip {domain-lookup|domain lookup|source-route}", kHost),
    ignored("ip {http|ssh|scp|ftp|tftp|rcmd|telnet|finger|dns|bootp} LINE", kNoService),
    ignored("ip {forward-protocol|multicast|multicast-routing|dhcp|flow-export|flow-cache} [LINE]",
            kNoProtocol),
    ignored("ip {tcp|icmp|options|gratuitous-arps|arp|virtual-reassembly} [LINE]", kHost),
    ignored("ip {prefix-list|as-path|community-list|extcommunity-list} LINE",
            "there is no routing protocol to filter"),

    ignored_block("line {con|console|vty|aux|tty} LINE", kLogin),
    ignored_block("line <0-1000> [LINE]", kLogin),
    ignored_block("redundancy [LINE]", kHost),
    ignored_block("control-plane [LINE]", "the control plane protects itself"),
    ignored_block("archive [LINE]", kHost),
    ignored_block("{class-map|policy-map} LINE", "there is no QoS"),
    ignored_block("route-map LINE", "there is no policy routing"),
    ignored_block("track LINE", "nothing is tracked"),
    ignored_block("key chain LINE", "there is no routing protocol to authenticate"),
    ignored_block("event LINE", "there are no applets"),
    ignored_block("flow {exporter|monitor|record} LINE", kNoService),
    ignored_block("controller LINE", "ports are given to the data plane at its start"),
    ignored_block("{transport-map|telemetry|app-hosting} LINE", kNoService),
    ignored_block("ip {dhcp pool|sla} LINE", kNoService),
    ignored_block("router {ospf|bgp|eigrp|rip|isis} [LINE]",
                  "there are no routing protocols; write ip route lines"),
    ignored_block("crypto {pki|ca} {trustpoint|certificate|profile|identity|token} LINE",
                  "certificates come from files; see crypto pki trustpoint"),

    refused("ip nat LINE", "NAT is not supported"),
    refused(
        "ip default-gateway A.B.C.D", "This is for hosts", "write ip route 0.0.0.0 0.0.0.0 ..."),
    refused("ip local policy LINE", "Local policies are not supported"),
    refused("ip inspect LINE", "Inspection is not supported"),
    refused("ip access-list {resequence|log-update|logging} LINE", "Not supported"),
    refused("{zone|zone-pair} LINE", "Zone firewalls are not supported"),
    refused("parameter-map LINE", "Firewalls are not supported"),
    refused("ip route vrf LINE", "VRFs are not supported"),
    refused("crypto map NAME isakmp-profile NAME",
            "A profile is for one entry",
            "write set isakmp-profile below each entry"),
    refused("crypto map NAME gdoi LINE", "GDOI is not supported"),
    refused("crypto ipsec optional",
            "Traffic is either protected or not: there is no passive mode"),
    refused("ipv6 {unicast-routing|cef|route|access-list} [LINE]", "IPv6 is not supported"),
    refused_block("ip vrf LINE", "VRFs are not supported"),
    refused_block("vrf definition LINE", "VRFs are not supported"),
    refused_block("object-group LINE", "Object groups are not supported", "write the addresses"),
    refused_block("time-range LINE", "Time ranges are not supported"),

    {Mode::Config,
     nullptr,
     "ipv6 LINE",
     "Switch off what is not there",
     Ignored{"it is off here anyway"}},
    {Mode::Config,
     nullptr,
     "{ip LINE|LINE}",
     "Switch off what is not there",
     Ignored{"it is off here anyway"}},
};

} // namespace

std::span<const Row> config_platform_rows() {
    return kRows;
}

} // namespace adit::cli
