// SPDX-License-Identifier: Apache-2.0
#include "control/config/check_parts.h"

namespace adit::config {

namespace {

class TunnelPart : EntryPart {
  public:
    using EntryPart::EntryPart;

    void run() {
        check_tunnels();
        for (const auto& [name, profile] : config_.ipsec_profiles)
            check_ipsec_profile(name, profile);
    }

  private:
    void check_tunnels() {
        std::map<std::pair<Ipv4Address, Ipv4Address>, std::string> known; // by both ends
        for (const auto& [name, tunnel] : config_.interfaces) {
            if (!is_tunnel(name))
                continue;
            what_ = name;
            // What is shut down may be in the making.
            severity_ = tunnel.shutdown ? Severity::Warning : Severity::Error;
            check_tunnel(name, tunnel);
            const Result<TunnelEnds> ends = tunnel_ends(config_, tunnel);
            if (tunnel.shutdown || !ends)
                continue;
            const auto [other, fresh] = known.try_emplace({ends->local, ends->remote}, name);
            if (!fresh)
                add(Severity::Error,
                    "interface " + name + " tunnel",
                    name + " has source and destination of " + other->second +
                        ": nothing tells their packets apart",
                    "give one of them another destination");
        }
    }

    void check_tunnel(const std::string& name, const Interface& tunnel) {
        const std::string origin = "interface " + name + " tunnel";
        if (const Result<TunnelEnds> ends = tunnel_ends(config_, tunnel); !ends)
            add(severity_,
                findings_.origin_of(origin, "interface " + name),
                name + " stays down: " + ends.error().text,
                tunnel_remedy(tunnel.tunnel));
        const auto profile = config_.ipsec_profiles.find(tunnel.tunnel.profile);
        if (profile != config_.ipsec_profiles.end() && tunnel.tunnel.destination)
            check_peer(profile->second, *tunnel.tunnel.destination, origin);
        if (tunnel.tunnel.destination && facts_.leads_into_tunnel(*tunnel.tunnel.destination))
            add(Severity::Warning,
                origin,
                name + ": the route to its peer " + to_string(*tunnel.tunnel.destination) +
                    " leads into a tunnel, where nothing that carries one is let in",
                "write ip route " + to_string(*tunnel.tunnel.destination) +
                    " 255.255.255.255 by the source interface");
        if (!tunnel.unnumbered.empty() && !address_of(config_, tunnel))
            add(severity_,
                "interface " + name + " address",
                name + ": " + tunnel.unnumbered + " has no address to lend",
                "write ip address below it");
    }

    /// What to write when a line is missing.
    [[nodiscard]] std::string tunnel_remedy(const TunnelSettings& tunnel) const {
        if (!tunnel.ipsec)
            return "write tunnel mode ipsec ipv4";
        if (tunnel.source_interface.empty() && !tunnel.source)
            return "write tunnel source";
        if (!tunnel.destination)
            return "write tunnel destination";
        if (tunnel.profile.empty())
            return "write tunnel protection ipsec profile";
        return config_.ipsec_profiles.contains(tunnel.profile)
                   ? ""
                   : "write crypto ipsec profile " + tunnel.profile;
    }

    void check_ipsec_profile(const std::string& name, const IpsecProfile& profile) {
        const bool used = std::ranges::any_of(config_.interfaces, [&](const auto& interface) {
            return !interface.second.shutdown && interface.second.tunnel.profile == name;
        });
        severity_ = used ? Severity::Error : Severity::Warning;
        what_ = "crypto ipsec profile " + name;
        check_terms(profile, true);
    }
};

} // namespace

void check_tunnels_and_profiles(const Facts& facts, Findings& findings) {
    TunnelPart{facts, findings}.run();
}

} // namespace adit::config
