// SPDX-License-Identifier: Apache-2.0
// A translator of addresses and ports, of the kind most homes and offices have: a mapping for each
// endpoint inside, whatever it speaks to; nothing comes in without one.
//
// Threading: one thread.
#pragma once

#include "common/address.h"

#include <map>
#include <optional>
#include <vector>

namespace adit::test {

class Nat {
  public:
    explicit Nat(Ipv4Address outside) : outside_(outside) {}

    void hide(Ipv4Address inside) { inside_.push_back(inside); }

    [[nodiscard]] bool hides(Ipv4Address address) const {
        for (const Ipv4Address each : inside_)
            if (each == address)
                return true;
        return false;
    }

    [[nodiscard]] Ipv4Address outside() const { return outside_; }

    /// As the world sees a sender inside. Native ESP has no port that could be told apart.
    Endpoint outwards(Endpoint source) {
        const auto known = ports_.find(source);
        if (known != ports_.end())
            return {outside_, known->second};
        const std::uint16_t port = source.port == 0 ? std::uint16_t{0} : next_port_++;
        ports_.emplace(source, port);
        owners_.insert_or_assign(port, source);
        return {outside_, port};
    }

    [[nodiscard]] std::optional<Endpoint> inwards(Endpoint target) const {
        const auto owner = owners_.find(target.port);
        if (owner == owners_.end())
            return std::nullopt;
        return owner->second;
    }

    /// Loses its table, as after a power cut: every mapping is made anew, with other ports.
    void rebind() {
        ports_.clear();
        owners_.clear();
    }

  private:
    Ipv4Address outside_;
    std::vector<Ipv4Address> inside_;
    std::map<Endpoint, std::uint16_t> ports_;
    std::map<std::uint16_t, Endpoint> owners_;
    std::uint16_t next_port_{20'000};
};

} // namespace adit::test
