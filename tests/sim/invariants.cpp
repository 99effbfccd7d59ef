// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/invariants.h"

#include "tests/sim/plan.h"

#include <algorithm>

namespace adit::sim {

using test::Gateway;
using test::InstalledSa;

namespace {

std::string words(const std::string& gateway, Spi spi) {
    return gateway + " SPI " + std::to_string(spi.value);
}

/// Cipher and MAC keys together: with AES-GCM there is only the first, with NULL only the second.
Bytes key_of(const ike::InstallSaAction& install) {
    Bytes key = to_bytes(install.key.view());
    std::ranges::copy(install.mac_key.view(), std::back_inserter(key));
    return key;
}

/// In transport mode the ends are the gateways themselves, which a NAT lets see each other under
/// other addresses.
bool are_opposite(const TrafficSelector& one, const TrafficSelector& other, bool transport) {
    const bool same_addresses =
        transport || (one.local == other.remote && one.remote == other.local);
    return same_addresses && one.protocol == other.protocol &&
           one.local_port == other.remote_port && one.remote_port == other.local_port;
}

bool has_inbound(const Gateway& gateway, const InstalledSa& out) {
    return std::ranges::any_of(gateway.installed, [&](const auto& entry) {
        const InstalledSa& in = entry.second;
        return in.inbound && in.spi == out.spi && in.key == out.key && in.mac_key == out.mac_key &&
               in.cipher == out.cipher && in.mac == out.mac && in.esn == out.esn &&
               in.transport == out.transport &&
               are_opposite(in.selector, out.selector, in.transport);
    });
}

} // namespace

void KeyLedger::refused(const ike::InstallSaAction& install) {
    (install.inbound ? inbound_ : outbound_).at(key_of(install)).refused = true;
}

void KeyLedger::note(const Gateway& gateway, const ike::InstallSaAction& install) {
    auto& same_role = install.inbound ? inbound_ : outbound_;
    const auto& other_role = install.inbound ? outbound_ : inbound_;
    const Bytes key = key_of(install);
    const std::string here = words(gateway.name, install.spi);
    const auto [entry, fresh] = same_role.try_emplace(
        key, End{gateway.name, install.spi, install.policy, install.selector});
    const bool again = !fresh && entry->second.refused && entry->second.gateway == gateway.name &&
                       entry->second.spi == install.spi;
    entry->second.refused = false;
    if (!fresh && !again)
        misused_.push_back(here + " has the key of " +
                           words(entry->second.gateway, entry->second.spi));
    const auto other = other_role.find(key);
    if (other == other_role.end()) {
        if (!install.inbound)
            early_.push_back(here + " is sent by, and nobody receives on it");
        return;
    }
    const End& far = other->second;
    if (far.gateway == gateway.name || far.spi != install.spi ||
        !are_opposite(far.selector, install.selector, install.transport))
        misused_.push_back(here + " and " + words(far.gateway, far.spi) +
                           " share a key and are not two ends of one SA");
}

void PairWatch::look(const test::Network& network) {
    network.for_each_gateway([&](const Gateway& gateway) {
        std::map<PolicyId, std::size_t> pairs;
        for (const ike::ChildSaView& child : gateway.engine.child_sas())
            pairs[child.policy] += gateway.installed.count(child.outbound_sa);
        for (const auto& [policy, count] : pairs) {
            const std::pair place{gateway.name, policy};
            if (count <= kMaxPairs) {
                crowded_since_.erase(place);
                continue;
            }
            const Instant since = crowded_since_.try_emplace(place, network.now()).first->second;
            if (network.now() - since > kMaxTime)
                complaints_.push_back(gateway.name + " holds " + std::to_string(count) +
                                      " pairs of policy " + std::to_string(policy.value));
        }
    });
}

Complaints sas_match(const test::Network& network) {
    Complaints complaints;
    network.for_each_gateway([&](const Gateway& gateway) {
        const std::vector<SaId> held = gateway.engine.awaited();
        for (const ike::ChildSaView& child : gateway.engine.child_sas()) {
            const auto out = gateway.installed.find(child.outbound_sa);
            // One that waits for its turn leads nowhere yet: its predecessor does.
            const bool waits = std::ranges::find(held, child.inbound_sa) != held.end();
            if (!child.current || child.dying || waits || child.remote.address == kClientAddress)
                continue;
            bool known = false;
            network.for_each_gateway([&](const Gateway& other) {
                known = known || (&other != &gateway && out != gateway.installed.end() &&
                                  has_inbound(other, out->second));
            });
            if (!known)
                complaints.push_back(words(gateway.name, child.outbound_spi) +
                                     " is in use and leads to nobody");
        }
    });
    return complaints;
}

Complaints traffic_flows(const FlowCounts& counts) {
    Complaints complaints;
    for (const auto& [flow, count] : counts)
        if (count.arrived < count.sent)
            complaints.push_back(flow.first + " policy " + std::to_string(flow.second.value) +
                                 ": " + std::to_string(count.arrived) + " of " +
                                 std::to_string(count.sent) + " packets arrived");
    return complaints;
}

Complaints nothing_is_left(const test::Network& network) {
    Complaints complaints;
    network.for_each_gateway([&](const Gateway& gateway) {
        const auto check = [&](bool good, const char* what) {
            if (!good)
                complaints.push_back(gateway.name + " keeps " + what);
        };
        check(gateway.engine.isakmp_sas().empty(), "an ISAKMP SA");
        check(gateway.engine.child_sas().empty(), "a pair of SAs");
        check(gateway.installed.empty(), "an SA in its dataplane");
        check(gateway.installed_policies.empty(), "a policy in its dataplane");
        check(gateway.policies.in_use() == 0, "the number of a policy");
        check(!gateway.engine.next_deadline(), "a timer");
    });
    return complaints;
}

Complaints spis_are_released(const test::Network& network) {
    Complaints complaints;
    network.for_each_gateway([&](const Gateway& gateway) {
        if (gateway.spis.in_use() != 0)
            complaints.push_back(gateway.name + " keeps " + std::to_string(gateway.spis.in_use()) +
                                 " SPIs");
        if (gateway.spis.released_twice != 0)
            complaints.push_back(gateway.name + " releases SPIs it does not hold");
    });
    return complaints;
}

} // namespace adit::sim
