// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/traffic.h"

#include "tests/sim/plan.h"

#include <algorithm>

namespace adit::sim {

using test::Gateway;
using namespace std::chrono_literals;

void Traffic::start() {
    if (std::exchange(running_, true))
        return;
    network_.after(period_, [this] { round(); });
}

void Traffic::round() {
    if (!running_)
        return;
    network_.for_each_gateway([&](Gateway& gateway) {
        // The engine's answer may change what is iterated over: a copy.
        const auto connections = gateway.config.connections;
        for (const ike::Connection& connection : connections)
            for (const ike::Flow& flow : connection.flows)
                if (!connection.dynamic)
                    send(gateway, connection.name, flow);
        const auto made_at_run_time = gateway.installed_policies;
        for (const auto& [policy, selector] : made_at_run_time)
            if (const auto* sa = outbound(gateway, policy); sa != nullptr && has_far_end(*sa))
                send(gateway, {}, {policy, selector, 0});
        look_for_silence(gateway);
    });
    network_.after(period_, [this] { round(); });
}

Traffic::Record& Traffic::record(const Gateway& gateway, SaId sa) {
    return records_[{&gateway, gateway.crashes, sa}];
}

void Traffic::note_install(const Gateway& gateway, const ike::InstallSaAction& install) {
    record(gateway, install.sa) = {network_.now(gateway), {}, {}, install.remote};
    if (!install.inbound)
        newest_[{&gateway, install.policy}] = install.sa;
}

const std::pair<const SaId, test::InstalledSa>* Traffic::outbound(const Gateway& gateway,
                                                                  PolicyId policy) const {
    const auto newest = newest_.find({&gateway, policy});
    if (newest == newest_.end())
        return nullptr;
    const auto sa = gateway.installed.find(newest->second);
    const bool stands =
        sa != gateway.installed.end() && !sa->second.inbound && sa->second.policy == policy;
    return stands ? &*sa : nullptr;
}

/// Clients are no gateways: nobody counts what reaches them.
bool Traffic::has_far_end(const std::pair<const SaId, test::InstalledSa>& sa) {
    return sa.second.remote.address != kClientAddress;
}

void Traffic::send(Gateway& gateway, const std::string& connection, const ike::Flow& flow) {
    const auto* sa = outbound(gateway, flow.policy);
    if (counting_)
        ++counts_[{gateway.name, flow.policy}].sent;
    if (sa == nullptr) {
        if (network_.trace)
            network_.trace(gateway.name + " has no outbound SA");
        return network_.give(gateway, ike::Initiate{connection, flow.policy});
    }
    record(gateway, sa->first).sent = network_.now(gateway);
    network_.carry(gateway,
                   sa->second.local,
                   sa->second.remote,
                   [this,
                    packet = Packet{gateway.name,
                                    flow.policy,
                                    sa->second.spi,
                                    sa->second.key,
                                    sa->second.mac_key,
                                    counting_}](Gateway& to, Endpoint local, Endpoint remote) {
                       arrive(to, local, remote, packet);
                   });
}

void Traffic::arrive(Gateway& to, Endpoint local, Endpoint remote, const Packet& packet) {
    const auto found = std::ranges::find_if(to.installed, [&](const auto& entry) {
        return entry.second.inbound && entry.second.spi == packet.spi;
    });
    if (found == to.installed.end()) {
        ++unknown_spis_;
        if (network_.trace)
            network_.trace(to.name + " does not know SPI " + std::to_string(packet.spi.value));
        return network_.give(to, ike::UnknownSpi{local.address, remote.address, packet.spi});
    }
    if (found->second.key != packet.key || found->second.mac_key != packet.mac_key) {
        ++unopened_;
        return;
    }
    const SaId sa = found->first;
    Record& seen = record(to, sa);
    const bool first = seen.received == Instant{};
    seen.received = network_.now(to);
    if (packet.counts)
        ++counts_[{packet.sender, packet.policy}].arrived;
    if (first)
        network_.give(to, ike::PeerUses{sa});
    // RFC 3948 4.1: told once for each new address.
    if (found->second.remote.port != 0 && seen.peer != remote) {
        seen.peer = remote;
        network_.give(to, ike::PeerMovedTo{sa, remote});
    }
}

/// RFC 3706 5.5: worth asking only while we send and hear nothing.
void Traffic::look_for_silence(Gateway& gateway) {
    if (!gateway.config.dpd)
        return;
    const Duration interval = gateway.config.dpd->interval;
    const Instant now = network_.now(gateway);
    for (const ike::ChildSaView& child : gateway.engine.child_sas()) {
        const Record& out = record(gateway, child.outbound_sa);
        const Record& in = record(gateway, child.inbound_sa);
        const Instant heard = std::max(in.received, out.installed);
        if (out.sent != Instant{} && out.sent + interval > now && heard + interval < out.sent)
            network_.give(gateway, ike::PeerSilent{child.outbound_sa});
    }
}

} // namespace adit::sim
