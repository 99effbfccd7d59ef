// SPDX-License-Identifier: Apache-2.0
#include "control/config/check_parts.h"

namespace adit::config {

namespace {

class InterfacePart : Part {
  public:
    using Part::Part;

    void run() {
        check_interfaces();
        check_routes();
    }

  private:
    using NamedInterface = std::pair<const std::string, Interface>;

    void check_interfaces() {
        std::vector<const NamedInterface*> by_network;
        for (const auto& one : config_.interfaces) {
            check_crypto_map_of(one.first, one.second);
            if (one.second.address && !one.second.shutdown)
                by_network.push_back(&one);
        }
        // Tunnels are many: side by side in order of address, only neighbours are compared.
        const auto first = [](const NamedInterface* i) { return network(i->second).first(); };
        std::ranges::stable_sort(by_network, {}, first);
        const NamedInterface* widest = nullptr; // reaches furthest of those before
        for (const NamedInterface* one : by_network) {
            if (widest != nullptr && first(one) <= network(widest->second).last())
                report_overlap(*widest, *one);
            if (widest == nullptr || network(widest->second).last() < network(one->second).last())
                widest = one;
        }
    }

    void report_overlap(const NamedInterface& one, const NamedInterface& other) {
        const bool in_order = InterfaceNameLess{}(one.first, other.first);
        const NamedInterface& later = in_order ? other : one;
        const NamedInterface& earlier = in_order ? one : other;
        add(Severity::Error,
            "interface " + later.first + " address",
            "network " + to_string(network(later.second)) + " of " + later.first +
                " overlaps that of " + earlier.first,
            "give each interface a network of its own");
    }

    void check_crypto_map_of(const std::string& name, const Interface& interface) {
        if (interface.crypto_map.empty())
            return;
        const std::string origin = "interface " + name + " crypto map";
        if (!config_.crypto_maps.contains(interface.crypto_map))
            add(Severity::Error,
                origin,
                name + ": there is no crypto map " + interface.crypto_map,
                "write crypto map " + interface.crypto_map + " 10 ipsec-isakmp");
        if (!interface.address)
            add(Severity::Error,
                origin,
                name + " carries a crypto map and has no address",
                "write ip address below the interface");
    }

    void check_routes() {
        std::set<std::pair<Ipv4Prefix, std::uint8_t>> known;
        for (const StaticRoute& route : config_.routes) {
            check_route(route);
            if (!known.emplace(route.prefix, route.distance).second)
                add(Severity::Warning,
                    "route " + to_string(route.prefix),
                    "several routes to " + to_string(route.prefix) + " of one distance",
                    "only the first is used; give the others a greater distance");
        }
    }

    void check_route(const StaticRoute& route) {
        const std::string origin = "route " + to_string(route.prefix);
        const std::string what = "route to " + to_string(route.prefix) + ": ";
        if (!route.interface.empty() && route.interface != kNowhere &&
            !config_.interfaces.contains(route.interface))
            add(Severity::Error,
                origin,
                what + "there is no interface " + route.interface,
                "write interface " + route.interface);
        if (!route.next_hop)
            return;
        if (facts_.is_own(*route.next_hop))
            add(Severity::Error, origin, what + "the next hop is our own address");
        else if (route.interface.empty() && !facts_.is_connected(*route.next_hop))
            add(Severity::Warning,
                origin,
                what + "the next hop " + to_string(*route.next_hop) + " is on no connected network",
                "the route is used once an interface has such a network");
    }
};

} // namespace

void check_interfaces_and_routes(const Facts& facts, Findings& findings) {
    InterfacePart{facts, findings}.run();
}

} // namespace adit::config
