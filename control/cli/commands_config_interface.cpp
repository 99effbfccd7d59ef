// SPDX-License-Identifier: Apache-2.0
// interface ...: addresses, crypto map, shutdown, IP MTU; tunnels; and what other boxes have below
// an interface.
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/config/tunnel.h"

namespace adit::cli {

namespace {

using config::Editor;
using config::Interface;

Status interface(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.interface();
    if (sign == Sign::No) {
        editor.edit().interfaces.erase(name);
        return {};
    }
    for (const std::string_view virtual_type : {"Virtual-Template", "Dialer", "Null"})
        if (name.starts_with(virtual_type))
            return fail(ErrorCode::Unsupported,
                        std::string(virtual_type) + " interfaces are not supported");
    if (config::is_tunnel(name) && name.find_first_of("/.") != std::string::npos)
        return fail(ErrorCode::Invalid, "A tunnel has one number, such as Tunnel10");
    editor.edit().interfaces.try_emplace(name);
    editor.enter(Mode::Interface, name);
    editor.define("interface " + name);
    return {};
}

Interface& current(Editor& editor) {
    return editor.edit().interfaces[editor.object()];
}

/// The network itself and its broadcast address are no interface addresses (RFC 3021: but for /31).
Status check_address(Ipv4Address address, std::uint8_t length) {
    const std::uint32_t host_bits = ~mask_of_length(length);
    const bool small = length >= 31;
    const std::uint32_t host = address.value & host_bits;
    if (length == 0 || address.is_unspecified() || address.is_multicast() ||
        address.is_loopback() || (!small && (host == 0 || host == host_bits)))
        return fail(ErrorCode::Invalid,
                    "Bad mask /" + std::to_string(length) + " for address " + to_string(address));
    return {};
}

Status ip_address(Editor& editor, const Match& match, Sign sign) {
    Interface& interface = current(editor);
    if (sign == Sign::No) {
        interface.address.reset();
        interface.prefix_length = 0;
        return {};
    }
    const Ipv4Address address = match.address();
    const std::uint8_t length = TRY(mask_length(match.address(ArgKind::Mask)));
    TRY_VOID(check_address(address, length));
    interface.unnumbered.clear();
    interface.address = address;
    interface.prefix_length = length;
    editor.define("interface " + editor.object() + " address");
    return {};
}

Status ip_unnumbered(Editor& editor, const Match& match, Sign sign) {
    if (!config::is_tunnel(editor.object()))
        return fail(ErrorCode::Unsupported, "The interface needs an address of its own");
    Interface& interface = current(editor);
    interface.unnumbered.clear();
    if (sign == Sign::No)
        return {};
    if (config::is_tunnel(match.interface()))
        return fail(ErrorCode::Unsupported, "A tunnel lends no address");
    interface.address.reset();
    interface.prefix_length = 0;
    interface.unnumbered = match.interface();
    editor.define("interface " + editor.object() + " address");
    return {};
}

Status ip_mtu(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No)
        current(editor).ip_mtu.reset();
    else
        current(editor).ip_mtu = match.number();
    return {};
}

Status adjust_mss(Editor& editor, const Match& match, Sign sign) {
    if (!config::is_tunnel(editor.object()))
        editor.ignore("segments are changed on tunnels alone; the MTU is signalled by ICMP");
    else if (sign == Sign::No)
        current(editor).tcp_mss.reset();
    else
        current(editor).tcp_mss = match.number();
    return {};
}

// --- tunnels -------------------------------------------------------------------------------------

Status check_is_tunnel(const Editor& editor) {
    if (config::is_tunnel(editor.object()))
        return {};
    return fail(ErrorCode::Unsupported,
                "Tunnel settings are not supported on " + editor.object() +
                    "; write interface Tunnel0");
}

Status tunnel_source(Editor& editor, const Match& match, Sign sign) {
    TRY_VOID(check_is_tunnel(editor));
    config::TunnelSettings& tunnel = current(editor).tunnel;
    tunnel.source_interface.clear();
    tunnel.source.reset();
    if (sign == Sign::No)
        return {};
    if (match.argument(ArgKind::Ipv4) != nullptr)
        tunnel.source = match.address();
    else
        tunnel.source_interface = match.interface();
    editor.define("interface " + editor.object() + " tunnel");
    return {};
}

Status tunnel_destination(Editor& editor, const Match& match, Sign sign) {
    TRY_VOID(check_is_tunnel(editor));
    auto& destination = current(editor).tunnel.destination;
    destination.reset();
    if (sign == Sign::No)
        return {};
    const Ipv4Address peer = match.address();
    if (peer.is_unspecified() || peer.is_multicast() || peer.is_loopback() || peer.value == ~0U)
        return fail(ErrorCode::Invalid, to_string(peer) + " cannot be a peer");
    destination = peer;
    editor.define("interface " + editor.object() + " tunnel");
    return {};
}

Status tunnel_mode(Editor& editor, const Match&, Sign sign) {
    TRY_VOID(check_is_tunnel(editor));
    current(editor).tunnel.ipsec = sign == Sign::Set;
    return {};
}

Status tunnel_protection(Editor& editor, const Match& match, Sign sign) {
    TRY_VOID(check_is_tunnel(editor));
    current(editor).tunnel.profile = sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    if (match.has("shared"))
        editor.ignore("tunnels of one source are told apart by their destinations; 'shared' has no "
                      "effect");
    editor.define("interface " + editor.object() + " tunnel");
    return {};
}

Status crypto_map(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::Set && config::is_tunnel(editor.object()))
        return fail(ErrorCode::Unsupported,
                    "A crypto map on a tunnel is not supported; write tunnel protection ipsec "
                    "profile");
    current(editor).crypto_map = sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    editor.define("interface " + editor.object() + " crypto map");
    return {};
}

Status description(Editor& editor, const Match& match, Sign sign) {
    current(editor).description = sign == Sign::Set ? match.text(ArgKind::Line) : std::string{};
    return {};
}

Status shutdown(Editor& editor, const Match&, Sign sign) {
    current(editor).shutdown = sign == Sign::Set;
    return {};
}

constexpr Row ignored(const char* syntax, const char* reason) {
    return {Mode::Interface, syntax, kSame, "Has no effect here", Ignored{reason}};
}

constexpr Row refused(const char* syntax, const char* reason, const char* remedy = "") {
    return {Mode::Interface, syntax, nullptr, "Refused here", Refused{reason, remedy}};
}

constexpr const char* kPort = "the port's own settings are the data plane's";

constexpr Row kRows[] = {
    {Mode::Config, "interface INTERFACE", kSame, "Enter an interface", interface},
    {Mode::Config,
     "interface range LINE",
     nullptr,
     "Enter several interfaces",
     Refused{"Interface ranges are not supported", "enter one interface after the other"},
     Privilege::Privileged,
     true},
    {Mode::Interface,
     "description LINE",
     "description [LINE]",
     "Describe the interface",
     description},
    {Mode::Interface,
     "ip address A.B.C.D MASK",
     "ip address [A.B.C.D MASK]",
     "Set the address",
     ip_address},
    {Mode::Interface,
     "ip mtu <68-9216>",
     "ip mtu [<68-9216>]",
     "Set the largest IP packet that leaves unfragmented",
     ip_mtu},
    {Mode::Interface,
     "ip unnumbered INTERFACE",
     "ip unnumbered [INTERFACE]",
     "Speak by the address of another interface",
     ip_unnumbered},
    {Mode::Interface,
     "ip tcp adjust-mss <500-1460>",
     "ip tcp adjust-mss [<500-1460>]",
     "Tell TCP of segments no larger than this",
     adjust_mss},
    {Mode::Interface,
     "tunnel source {A.B.C.D|INTERFACE}",
     "tunnel source [A.B.C.D|INTERFACE]",
     "Set our end of the tunnel",
     tunnel_source},
    {Mode::Interface,
     "tunnel destination A.B.C.D",
     "tunnel destination [A.B.C.D]",
     "Set the other end of the tunnel",
     tunnel_destination},
    {Mode::Interface,
     "tunnel mode ipsec ipv4",
     "tunnel mode [ipsec ipv4]",
     "Carry IPv4 in ESP",
     tunnel_mode},
    {Mode::Interface,
     "tunnel protection ipsec profile NAME [shared]",
     "tunnel protection ipsec profile [NAME [shared]]",
     "Say how the tunnel is protected",
     tunnel_protection},
    {Mode::Interface, "crypto map NAME", "crypto map [NAME]", "Apply a crypto map", crypto_map},
    {Mode::Interface, "shutdown", kSame, "Take the interface down", shutdown},

    refused("ip address A.B.C.D MASK secondary", "Secondary addresses are not supported"),
    refused("ip address {dhcp|negotiated} [LINE]", "The address must be written down"),
    refused("ip access-group LINE",
            "Packet filters are not supported; what they keep out would come in"),
    refused("ip nat LINE", "NAT is not supported"),
    refused("ip verify unicast LINE", "Reverse-path checks are not supported"),
    refused("ip inspect LINE", "Inspection is not supported; what it keeps out would come in"),
    refused("ip policy route-map LINE", "Policy routing is not supported"),
    refused("{vrf|ip vrf} forwarding LINE", "VRFs are not supported"),
    refused("zone-member LINE", "Zones are not supported; what they keep out would come in"),
    refused("encapsulation LINE", "VLAN tags and other encapsulations are not supported"),
    refused("tunnel mode {gre|ipip|dvmrp|eon|iptalk|nos|cayman|aurp|ipv6ip|ipv6|mpls|rbscp} [LINE]",
            "Only tunnel mode ipsec ipv4 is supported: packets travel in ESP and nothing else"),
    refused("tunnel mode ipsec ipv6", "IPv6 is not supported"),
    refused("tunnel protection ipsec {policy|profile NAME ikev2-profile} LINE",
            "Only a crypto ipsec profile says how a tunnel is protected"),
    refused("tunnel destination {dynamic|NAME}",
            "The other end must be an address",
            "write tunnel destination A.B.C.D"),
    refused("tunnel source dynamic", "The source must be written down"),
    refused("tunnel {vrf|key} LINE", "VRFs and tunnel keys are not supported"),
    refused("tunnel {checksum|sequence-datagrams}", "Part of GRE, which is not supported"),
    ignored("tunnel {path-mtu-discovery|bandwidth|ttl|tos|udlr|flow|entropy|route-via} [LINE]",
            "the outer header is made as IPsec wants it"),
    refused("{standby|vrrp|glbp} LINE", "First-hop redundancy is not supported"),
    refused("{switchport|channel-group} [LINE]", "Switching and port channels are not supported"),
    refused("{dialer|dialer-group|ppp|pppoe|pppoe-client|pvc} LINE",
            "Dialled lines are not supported"),
    refused("ipv6 LINE", "IPv6 is not supported"),
    ignored("mtu <64-9216>", kPort),
    ignored("{duplex|speed|negotiation|media-type|bandwidth|delay} LINE", kPort),
    ignored("{load-interval|keepalive|carrier-delay|hold-queue|mac-address} LINE", kPort),
    ignored("ip virtual-reassembly [LINE]", "fragments are put together where it is needed"),
    ignored("{cdp|lldp|mop} LINE", "not spoken here"),
    ignored("ip {ospf|eigrp|rip|router|summary-address|pim|igmp|helper-address|nhrp} LINE",
            "not spoken here"),
    ignored("ip {nbar|route-cache|redirects|unreachables|proxy-arp|directed-broadcast|"
            "accounting|load-sharing|rtp|wccp} [LINE]",
            "not done per interface"),
    ignored("{ntp|snmp|service-policy|ip flow} LINE", "not done per interface"),
    {Mode::Interface,
     nullptr,
     "{ip LINE|LINE}",
     "Switch off what is not there",
     Ignored{"it is off here anyway"}},
};

} // namespace

std::span<const Row> config_interface_rows() {
    return kRows;
}

} // namespace adit::cli
