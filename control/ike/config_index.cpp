// SPDX-License-Identifier: Apache-2.0
#include "control/ike/interface.h"

namespace adit::ike {

namespace {

Ipv4Address masked(Ipv4Address address, std::size_t length) {
    return Ipv4Address{address.value & mask_of_length(static_cast<std::uint8_t>(length))};
}

} // namespace

KeyIndex::KeyIndex(const std::vector<PresharedKey>& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i].name.empty())
            by_length_.at(keys[i].peer.length)
                .emplace(masked(keys[i].peer.address, keys[i].peer.length), i);
}

std::optional<std::size_t> KeyIndex::longest(Ipv4Address peer) const {
    for (std::size_t length = kLengths; length-- > 0;) {
        const auto& keys = by_length_[length];
        if (const auto found = keys.find(masked(peer, length)); found != keys.end())
            return found->second;
    }
    return std::nullopt;
}

ConnectionIndex::ConnectionIndex(const std::vector<Connection>& connections) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
        by_name_.emplace(connections[i].name, i);
        for (const Ipv4Address peer : connections[i].peers)
            if (auto& positions = by_peer_[peer]; positions.empty() || positions.back() != i)
                positions.push_back(i);
    }
}

std::optional<std::size_t> ConnectionIndex::named(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional{found->second};
}

std::span<const std::size_t> ConnectionIndex::with_peer(Ipv4Address peer) const {
    const auto found = by_peer_.find(peer);
    return found == by_peer_.end() ? std::span<const std::size_t>{} : std::span{found->second};
}

const Connection* find_connection(const EngineConfig& config, const std::string& name) {
    const auto position = config.connections.index().named(name);
    return position ? &config.connections[*position] : nullptr;
}

std::vector<const Connection*> connections_with(const EngineConfig& config, Ipv4Address peer) {
    std::vector<const Connection*> connections;
    for (const std::size_t position : config.connections.index().with_peer(peer))
        connections.push_back(&config.connections[position]);
    return connections;
}

} // namespace adit::ike
