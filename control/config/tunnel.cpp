// SPDX-License-Identifier: Apache-2.0
#include "control/config/tunnel.h"

#include <algorithm>

namespace adit::config {

bool is_tunnel(std::string_view interface) {
    return interface.starts_with("Tunnel");
}

bool is_loopback(std::string_view interface) {
    return interface.starts_with("Loopback");
}

std::string head_of(const std::string& tunnel) {
    return tunnel + "-head-0";
}

namespace {

using Interfaces = decltype(Config::interfaces);

Interfaces::const_iterator carrier_of(const Config& config, const TunnelSettings& settings) {
    if (!settings.source_interface.empty())
        return config.interfaces.find(settings.source_interface);
    return std::ranges::find_if(config.interfaces, [&](const auto& interface) {
        return !is_tunnel(interface.first) && interface.second.address == settings.source;
    });
}

} // namespace

Result<TunnelEnds> tunnel_ends(const Config& config, const Interface& tunnel) {
    const TunnelSettings& settings = tunnel.tunnel;
    const auto lacks = [](std::string text) { return fail(ErrorCode::NotFound, std::move(text)); };
    if (!settings.ipsec)
        return lacks("it has no tunnel mode; the default, GRE, is not supported");
    if (settings.source_interface.empty() && !settings.source)
        return lacks("it has no tunnel source");
    if (!settings.destination)
        return lacks("it has no tunnel destination");
    const auto carrier = carrier_of(config, settings);
    if (carrier == config.interfaces.end())
        return lacks(settings.source
                         ? "no interface has its source, " + to_string(*settings.source)
                         : "there is no interface " + settings.source_interface + ", its source");
    const auto& [name, interface] = *carrier;
    if (is_tunnel(name))
        return lacks("its source is a tunnel, too");
    if (!interface.address)
        return lacks("its source, " + name + ", has no address");
    if (interface.shutdown)
        return lacks("its source, " + name + ", is shut down");
    if (settings.profile.empty())
        return lacks("it has no tunnel protection: everything would leave in clear");
    if (!config.ipsec_profiles.contains(settings.profile))
        return lacks("there is no crypto ipsec profile " + settings.profile);
    return TunnelEnds{name, *interface.address, *settings.destination};
}

std::optional<Ipv4Address> address_of(const Config& config, const Interface& interface) {
    if (interface.unnumbered.empty())
        return interface.address;
    const auto lender = config.interfaces.find(interface.unnumbered);
    return lender == config.interfaces.end() ? std::nullopt : lender->second.address;
}

} // namespace adit::config
