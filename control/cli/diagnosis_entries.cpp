// SPDX-License-Identifier: Apache-2.0
// Entries of the configuration that came to no flow: nothing is ever tried for them, so what is
// wrong with them is said from the configuration alone.
#include "control/cli/diagnosis_entries.h"

#include "control/config/tunnel.h"

#include <algorithm>
#include <set>
#include <utility>

namespace adit::cli {

namespace {

class Entries {
  public:
    explicit Entries(const Snapshot& snapshot) : snapshot_(snapshot), config_(*snapshot.config) {
        for (const FlowStatus& flow : snapshot.flows) {
            entries_.emplace(flow.map_name, flow.map_sequence);
            interfaces_.insert(flow.interface);
        }
    }

    std::vector<Diagnosis> without_flows() {
        for (const auto& [name, map] : config_.crypto_maps)
            for (const auto& [sequence, entry] : map)
                if (entry.dynamic_map.empty() && !has_flow(name, sequence))
                    add_map_entry(name, sequence, entry);
        for (const InterfaceStatus& port : snapshot_.interfaces)
            if (port.tunnel && !has_flow(port.name))
                add_tunnel(port);
        return std::move(found_);
    }

  private:
    [[nodiscard]] bool has_flow(const std::string& map, std::uint32_t sequence) const {
        return entries_.contains({map, sequence});
    }

    [[nodiscard]] bool has_flow(const std::string& interface) const {
        return interfaces_.contains(interface);
    }

    [[nodiscard]] const std::pair<const std::string, config::Interface>*
    carrier(const std::string& map) const {
        const auto on = std::ranges::find_if(
            config_.interfaces, [&](const auto& one) { return one.second.crypto_map == map; });
        return on == config_.interfaces.end() ? nullptr : &*on;
    }

    Diagnosis& add(std::string connection, const char* code, std::string fact, std::string next) {
        Diagnosis found;
        found.connection = std::move(connection);
        found.condition = Condition::Down;
        found.code = code;
        found.cause = code == std::string_view{"interface"}
                          ? "the interface that leads to the peer is down"
                          : "our own configuration is not complete";
        found.evidence.push_back({{}, std::move(fact)});
        found.next = std::move(next);
        found_.push_back(std::move(found));
        return found_.back();
    }

    void add_map_entry(const std::string& name,
                       std::uint32_t sequence,
                       const config::CryptoMapEntry& entry) {
        const std::string connection = name + ' ' + std::to_string(sequence);
        const auto* on = carrier(name);
        Diagnosis& found = on == nullptr ? add(connection,
                                               "local-config",
                                               "the crypto map is on no interface",
                                               "interface NAME / crypto map " + name)
                           : on->second.shutdown
                               ? add(connection,
                                     "interface",
                                     on->first + " is shut down",
                                     "interface " + on->first + " / no shutdown")
                               : add(connection,
                                     "local-config",
                                     "the entry lacks " + missing(entry, on->second),
                                     "show configuration problems");
        if (!entry.peers.empty())
            found.peer = {entry.peers.front(), 500};
        if (on != nullptr && on->second.address)
            found.local = *on->second.address;
    }

    [[nodiscard]] std::string missing(const config::CryptoMapEntry& entry,
                                      const config::Interface& on) const {
        if (entry.peers.empty())
            return "a peer (set peer)";
        if (entry.transform_sets.empty())
            return "a transform set (set transform-set)";
        if (!config_.access_lists.contains(entry.match_address))
            return "an access list (match address)";
        return on.address ? "a permit line in its access list" : "an address of its interface";
    }

    void add_tunnel(const InterfaceStatus& port) {
        Diagnosis& found = add(port.name,
                               port.admin_up ? "local-config" : "interface",
                               port.tunnel->fault,
                               "show interfaces " + port.name);
        found.peer = {port.tunnel->remote.value_or(Ipv4Address{}), 500};
        found.local = port.tunnel->local.value_or(Ipv4Address{});
    }

    const Snapshot& snapshot_;
    const config::Config& config_;
    std::set<std::pair<std::string, std::uint32_t>> entries_; // that have flows
    std::set<std::string> interfaces_;
    std::vector<Diagnosis> found_;
};

} // namespace

std::vector<Diagnosis> entries_without_flows(const Snapshot& snapshot) {
    return Entries(snapshot).without_flows();
}

} // namespace adit::cli
