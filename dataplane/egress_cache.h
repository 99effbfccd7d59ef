// SPDX-License-Identifier: Apache-2.0
// The ways that a worker's own packets lately left by, by destination: port, MTU and the Ethernet
// header. What is remembered holds until tables or neighbours change, of which `version` tells.
//
// Threading: one worker.
#pragma once

#include "common/wire/ethernet.h"

#include <array>
#include <cstdint>

namespace adit::dataplane {

struct Egress {
    std::uint32_t destination{0}; // 0: nothing is remembered here
    std::uint32_t ip_mtu{0};
    std::uint16_t interface{0};
    std::uint8_t ethernet[wire::kEthernetBytes]{};
};

class EgressCache {
  public:
    /// Peers of an edge box; further ones share places and are looked up more often.
    static constexpr std::size_t kPlaces = 1024;

    /// Forgets everything when `version` is a new one. Once a turn.
    void keep_to(std::uint64_t version) {
        if (version == version_) [[likely]]
            return;
        version_ = version;
        places_.fill({});
    }

    /// nullptr: not remembered.
    [[nodiscard]] const Egress* find(std::uint32_t destination) const {
        const Egress& place = places_[place_of(destination)];
        return place.destination == destination ? &place : nullptr;
    }

    void remember(const Egress& way) { places_[place_of(way.destination)] = way; }

  private:
    static std::size_t place_of(std::uint32_t destination) {
        return destination * 0x9e3779b1U >> 22;
    }

    static_assert(kPlaces == 1U << (32 - 22));

    std::uint64_t version_{0};
    alignas(64) std::array<Egress, kPlaces> places_{};
};

} // namespace adit::dataplane
