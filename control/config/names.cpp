// SPDX-License-Identifier: Apache-2.0
#include "control/config/names.h"

#include <array>
#include <charconv>

namespace adit::config {

namespace {

struct NamedNumber {
    const char* name;
    std::uint16_t number;
};

// Where a number has several names, the one that is printed stands first.
constexpr std::array kProtocols = {
    NamedNumber{"ip", 0},
    NamedNumber{"icmp", 1},
    NamedNumber{"igmp", 2},
    NamedNumber{"ipinip", 4},
    NamedNumber{"tcp", 6},
    NamedNumber{"udp", 17},
    NamedNumber{"gre", 47},
    NamedNumber{"esp", 50},
    NamedNumber{"ahp", 51},
    NamedNumber{"eigrp", 88},
    NamedNumber{"ospf", 89},
    NamedNumber{"nos", 94},
    NamedNumber{"pim", 103},
    NamedNumber{"pcp", 108},
    NamedNumber{"sctp", 132},
};

constexpr std::array kTcpPorts = {
    NamedNumber{"echo", 7},       NamedNumber{"discard", 9},   NamedNumber{"daytime", 13},
    NamedNumber{"chargen", 19},   NamedNumber{"ftp-data", 20}, NamedNumber{"ftp", 21},
    NamedNumber{"telnet", 23},    NamedNumber{"smtp", 25},     NamedNumber{"time", 37},
    NamedNumber{"whois", 43},     NamedNumber{"tacacs", 49},   NamedNumber{"domain", 53},
    NamedNumber{"gopher", 70},    NamedNumber{"finger", 79},   NamedNumber{"www", 80},
    NamedNumber{"hostname", 101}, NamedNumber{"pop2", 109},    NamedNumber{"pop3", 110},
    NamedNumber{"sunrpc", 111},   NamedNumber{"ident", 113},   NamedNumber{"nntp", 119},
    NamedNumber{"bgp", 179},      NamedNumber{"irc", 194},     NamedNumber{"pim-auto-rp", 496},
    NamedNumber{"exec", 512},     NamedNumber{"login", 513},   NamedNumber{"cmd", 514},
    NamedNumber{"lpd", 515},      NamedNumber{"talk", 517},    NamedNumber{"uucp", 540},
    NamedNumber{"klogin", 543},   NamedNumber{"kshell", 544},
};

constexpr std::array kUdpPorts = {
    NamedNumber{"echo", 7},
    NamedNumber{"discard", 9},
    NamedNumber{"time", 37},
    NamedNumber{"nameserver", 42},
    NamedNumber{"tacacs", 49},
    NamedNumber{"domain", 53},
    NamedNumber{"bootps", 67},
    NamedNumber{"bootpc", 68},
    NamedNumber{"tftp", 69},
    NamedNumber{"sunrpc", 111},
    NamedNumber{"ntp", 123},
    NamedNumber{"netbios-ns", 137},
    NamedNumber{"netbios-dgm", 138},
    NamedNumber{"netbios-ss", 139},
    NamedNumber{"snmp", 161},
    NamedNumber{"snmptrap", 162},
    NamedNumber{"xdmcp", 177},
    NamedNumber{"dnsix", 195},
    NamedNumber{"mobile-ip", 434},
    NamedNumber{"pim-auto-rp", 496},
    NamedNumber{"isakmp", 500},
    NamedNumber{"biff", 512},
    NamedNumber{"who", 513},
    NamedNumber{"syslog", 514},
    NamedNumber{"talk", 517},
    NamedNumber{"rip", 520},
    NamedNumber{"non500-isakmp", 4500},
};

template <std::size_t Size>
std::string name_of(const std::array<NamedNumber, Size>& table, std::uint16_t number) {
    for (const NamedNumber& entry : table)
        if (entry.number == number)
            return entry.name;
    return std::to_string(number);
}

template <class Int, std::size_t Size>
std::optional<Int> number_of(const std::array<NamedNumber, Size>& table, std::string_view text) {
    for (const NamedNumber& entry : table)
        if (text == entry.name)
            return static_cast<Int>(entry.number);
    Int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

} // namespace

std::string protocol_name(std::uint8_t protocol) {
    return name_of(kProtocols, protocol);
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    return number_of<std::uint8_t>(kProtocols, text);
}

std::string port_name(std::uint8_t protocol, std::uint16_t port) {
    return protocol == kTcp ? name_of(kTcpPorts, port) : name_of(kUdpPorts, port);
}

std::optional<std::uint16_t> parse_port(std::uint8_t protocol, std::string_view text) {
    return protocol == kTcp ? number_of<std::uint16_t>(kTcpPorts, text)
                            : number_of<std::uint16_t>(kUdpPorts, text);
}

const char* encryption_name(ike::CipherAlgorithm cipher) {
    switch (cipher) {
    case ike::CipherAlgorithm::TripleDesCbc:
        return "3des";
    case ike::CipherAlgorithm::AesCbc128:
        return "aes";
    case ike::CipherAlgorithm::AesCbc192:
        return "aes 192";
    case ike::CipherAlgorithm::AesCbc256:
        return "aes 256";
    }
    return "?";
}

const char* hash_name(ike::HashAlgorithm hash) {
    switch (hash) {
    case ike::HashAlgorithm::Md5:
        return "md5";
    case ike::HashAlgorithm::Sha1:
        return "sha";
    case ike::HashAlgorithm::Sha256:
        return "sha256";
    case ike::HashAlgorithm::Sha384:
        return "sha384";
    case ike::HashAlgorithm::Sha512:
        return "sha512";
    }
    return "?";
}

const char* authentication_name(AuthenticationMethod method) {
    switch (method) {
    case AuthenticationMethod::PreShare:
        return "pre-share";
    case AuthenticationMethod::RsaSig:
        return "rsa-sig";
    case AuthenticationMethod::EcdsaSig:
        return "ecdsa-sig";
    }
    return "?";
}

std::string group_number(ike::Group group) {
    return std::to_string(static_cast<unsigned>(group));
}

std::optional<ike::Group> parse_group(std::uint32_t number) {
    for (const ike::GroupInfo& info : ike::kGroups)
        if (static_cast<std::uint32_t>(info.group) == number)
            return info.group;
    return std::nullopt;
}

} // namespace adit::config
