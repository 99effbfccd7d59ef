// SPDX-License-Identifier: Apache-2.0
// interface ...: addresses, crypto map, shutdown, IP MTU; and what other boxes have below an
// interface.
#include "control/cli/grammar.h"
#include "control/config/editor.h"

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
    for (const std::string_view virtual_type : {"Tunnel", "Virtual-Template", "Dialer", "Null"})
        if (name.starts_with(virtual_type))
            return fail(ErrorCode::Unsupported,
                        std::string(virtual_type) + " interfaces are not supported");
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
    interface.address = address;
    interface.prefix_length = length;
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

Status crypto_map(Editor& editor, const Match& match, Sign sign) {
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

constexpr Row refused(const char* syntax, const char* reason) {
    return {Mode::Interface, syntax, nullptr, "Refused here", Refused{reason}};
}

constexpr const char* kPort = "the port's own settings are the data plane's";

constexpr Row kRows[] = {
    {Mode::Config, "interface INTERFACE", kSame, "Enter an interface", interface},
    {Mode::Config,
     "interface range LINE", nullptr,
     "Enter several interfaces", Refused{"Interface ranges are not supported", "enter one interface after the other"},
     Privilege::Privileged,
     true},
    {Mode::Interface,
     "description LINE", "description [LINE]",
     "Describe the interface", description},
    {Mode::Interface,
     "ip address A.B.C.D MASK", "ip address [A.B.C.D MASK]",
     "Set the address", ip_address},
    {Mode::Interface,
     "ip mtu <68-9216>", "ip mtu [<68-9216>]",
     "Set the largest IP packet that leaves unfragmented", ip_mtu},
    {Mode::Interface, "crypto map NAME", "crypto map [NAME]", "Apply a crypto map", crypto_map},
    {Mode::Interface, "shutdown", kSame, "Take the interface down", shutdown},

    refused("ip address A.B.C.D MASK secondary", "Secondary addresses are not supported"),
    refused("ip address {dhcp|negotiated} [LINE]", "The address must be written down"),
    refused("ip unnumbered LINE", "The interface needs an address of its own"),
    refused("ip access-group LINE",
            "Packet filters are not supported; what they keep out would come in"),
    refused("ip nat LINE", "NAT is not supported"),
    refused("ip verify unicast LINE", "Reverse-path checks are not supported"),
    refused("ip inspect LINE", "Inspection is not supported; what it keeps out would come in"),
    refused("ip policy route-map LINE", "Policy routing is not supported"),
    refused("{vrf|ip vrf} forwarding LINE", "VRFs are not supported"),
    refused("zone-member LINE", "Zones are not supported; what they keep out would come in"),
    refused("encapsulation LINE", "VLAN tags and other encapsulations are not supported"),
    refused("tunnel LINE", "Tunnel interfaces are not supported"),
    refused("{standby|vrrp|glbp} LINE", "First-hop redundancy is not supported"),
    refused("{switchport|channel-group} [LINE]", "Switching and port channels are not supported"),
    refused("{dialer|dialer-group|ppp|pppoe|pppoe-client|pvc} LINE",
            "Dialled lines are not supported"),
    refused("ipv6 LINE", "IPv6 is not supported"),
    ignored("mtu <64-9216>", kPort),
    ignored("{duplex|speed|negotiation|media-type|bandwidth|delay} LINE", kPort),
    ignored("{load-interval|keepalive|carrier-delay|hold-queue|mac-address} LINE", kPort),
    ignored("ip tcp adjust-mss <500-1460>",
            "segments are not changed; the MTU is signalled by ICMP"),
    ignored("ip virtual-reassembly [LINE]", "fragments are put together where it is needed"),
    ignored("{cdp|lldp|mop} LINE", "not spoken here"),
    ignored("ip {ospf|eigrp|rip|router|summary-address|pim|igmp|helper-address|nhrp} LINE",
            "not spoken here"),
    ignored("ip {nbar|route-cache|redirects|unreachables|proxy-arp|directed-broadcast|"
            "accounting|load-sharing|rtp|wccp} [LINE]",
            "not done per interface"),
    ignored("{ntp|snmp|service-policy|ip flow} LINE", "not done per interface"),
    {Mode::Interface,
     nullptr, "{ip LINE|LINE}",
     "Switch off what is not there", Ignored{"it is off here anyway"}},
};

} // namespace

std::span<const Row> config_interface_rows() {
    return kRows;
}

} // namespace adit::cli
