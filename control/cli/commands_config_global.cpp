// SPDX-License-Identifier: Apache-2.0
// Global configuration: hostname, routes, logging, and the words that leave a mode.
#include "control/cli/grammar.h"
#include "control/config/editor.h"

#include <algorithm>

namespace adit::cli {

namespace {

using config::Editor;

Status leave(Editor& editor, const Match&, Sign) {
    editor.leave();
    return {};
}

Status end(Editor& editor, const Match&, Sign) {
    editor.end();
    return {};
}

/// The line says what is so anyway.
Status nothing(Editor&, const Match&, Sign) {
    return {};
}

Status hostname(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No) {
        editor.edit().hostname = config::Config{}.hostname;
        return {};
    }
    constexpr std::size_t kMaxLength = 63; // RFC 1035 2.3.4
    const std::string name = match.text(ArgKind::Name);
    const auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    };
    if (name.size() > kMaxLength || !std::all_of(name.begin(), name.end(), allowed))
        return fail(ErrorCode::Invalid,
                    "A hostname has up to 63 letters, digits, dots, hyphens and underscores");
    editor.edit().hostname = name;
    return {};
}

Status domain_name(Editor& editor, const Match& match, Sign sign) {
    editor.edit().domain_name = sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    return {};
}

Status logging_session(Editor& editor, const Match&, Sign sign) {
    editor.edit().logging_session = sign == Sign::Set;
    return {};
}

bool same_way(const config::StaticRoute& a, const config::StaticRoute& b) {
    return a.prefix == b.prefix && a.interface == b.interface && a.next_hop == b.next_hop;
}

Result<Ipv4Prefix> prefix_of(const Match& match) {
    const Ipv4Address address = match.address(ArgKind::Ipv4);
    const Ipv4Address mask = match.address(ArgKind::Mask);
    if ((address.value & ~mask.value) != 0)
        return fail(ErrorCode::Invalid,
                    "Inconsistent address and mask: " + to_string(address) + " is no network of " +
                        to_string(mask));
    return Ipv4Prefix{address, TRY(mask_length(mask))};
}

Status route(Editor& editor, const Match& match, Sign sign) {
    config::StaticRoute route{.prefix = TRY(prefix_of(match)), .interface = match.interface()};
    if (match.argument(ArgKind::Ipv4, 1) != nullptr)
        route.next_hop = match.address(ArgKind::Ipv4, 1);
    if (match.argument(ArgKind::Number) != nullptr)
        route.distance = static_cast<std::uint8_t>(match.number());
    auto& routes = editor.edit().routes;
    if (sign == Sign::No) {
        const bool all_ways = route.interface.empty() && !route.next_hop;
        if (std::erase_if(routes, [&](const config::StaticRoute& other) {
                return all_ways ? other.prefix == route.prefix : same_way(other, route);
            }) == 0)
            return fail(ErrorCode::NotFound, "No matching route to delete");
        return {};
    }
    if (route.interface.starts_with("Null") && route.interface != config::kNowhere)
        return fail(ErrorCode::Invalid, "There is one null interface, Null0");
    if (route.interface == config::kNowhere && route.next_hop)
        return fail(ErrorCode::Invalid, "Null0 leads to no next hop");
    editor.define("route " + to_string(route.prefix));
    if (match.has("name") || match.has("tag") || match.has("permanent"))
        editor.ignore("name, tag and permanent of a route have no effect; the route itself counts");
    const auto known = std::find_if(
        routes.begin(), routes.end(), [&](const auto& other) { return same_way(other, route); });
    if (known != routes.end())
        known->distance = route.distance;
    else
        routes.push_back(std::move(route));
    return {};
}

constexpr Row exit_of(Mode mode) {
    return {mode, "exit", nullptr, "Go one level up", leave};
}

constexpr Row end_of(Mode mode) {
    return {mode, "end", nullptr, "Leave configuration", end};
}

/// A session takes `do` itself and never gets here.
Status do_exec(Editor&, const Match&, Sign) {
    return fail(ErrorCode::Invalid, "EXEC commands have no place in a configuration");
}

constexpr Row do_in(Mode mode) {
    return {mode, "do LINE", nullptr, "Run an EXEC command", do_exec};
}

constexpr Row kRows[] = {
    do_in(Mode::Config),
    do_in(Mode::Isakmp),
    do_in(Mode::TransformSet),
    do_in(Mode::CryptoMap),
    do_in(Mode::AccessList),
    do_in(Mode::Interface),
    do_in(Mode::Keyring),
    do_in(Mode::IsakmpProfile),
    do_in(Mode::IsakmpPeer),
    do_in(Mode::ClientGroup),
    do_in(Mode::IpsecProfile),
    exit_of(Mode::Config),
    end_of(Mode::Config),
    exit_of(Mode::Isakmp),
    end_of(Mode::Isakmp),
    exit_of(Mode::TransformSet),
    end_of(Mode::TransformSet),
    exit_of(Mode::CryptoMap),
    end_of(Mode::CryptoMap),
    exit_of(Mode::AccessList),
    end_of(Mode::AccessList),
    exit_of(Mode::Interface),
    end_of(Mode::Interface),
    exit_of(Mode::Keyring),
    end_of(Mode::Keyring),
    exit_of(Mode::IsakmpProfile),
    end_of(Mode::IsakmpProfile),
    exit_of(Mode::IsakmpPeer),
    end_of(Mode::IsakmpPeer),
    exit_of(Mode::ClientGroup),
    end_of(Mode::ClientGroup),
    exit_of(Mode::IpsecProfile),
    end_of(Mode::IpsecProfile),
    exit_of(Mode::Skipped),
    end_of(Mode::Skipped),
    {Mode::Config, "hostname NAME", "hostname [NAME]", "Set the name of this system", hostname},
    {Mode::Config,
     "crypto logging session",
     kSame,
     "Log tunnels going up and down",
     logging_session},
    {Mode::Config,
     "ip route A.B.C.D MASK {A.B.C.D|INTERFACE [A.B.C.D]} [<1-255>] [name NAME] [tag "
     "<1-4294967295>] [permanent]",
     "ip route A.B.C.D MASK [{A.B.C.D|INTERFACE [A.B.C.D]} [<1-255>] [name NAME] [permanent]]",
     "Establish a static route",
     route},
    {Mode::Config,
     "{ip domain name|ip domain-name} NAME",
     "{ip domain name|ip domain-name} [NAME]",
     "Set the domain of this system",
     domain_name},
    {Mode::Config, "version LINE", nullptr, "Dialect of the text", nothing},
    {Mode::Config, "ip {routing|classless|subnet-zero}", nullptr, "Forward IPv4", nothing},
    {Mode::Config, "ip cef [distributed]", nullptr, "Fast forwarding", nothing},
};

} // namespace

std::span<const Row> config_global_rows() {
    return kRows;
}

} // namespace adit::cli
