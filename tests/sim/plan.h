// SPDX-License-Identifier: Apache-2.0
// Draws from a seed what a life is made of: who stands where, with which configuration, in which
// weather.
//
// Threading: one thread.
#pragma once

#include "control/ike/interface.h"
#include "tests/support/ike_network.h"

#include <string>
#include <vector>

namespace adit::sim {

enum class Topology : std::uint8_t {
    Pair,
    PairBehindNat,   // the second one
    HubAndSpokes,    // two spokes with addresses of their own
    SpokesBehindNat, // both behind one translator
    Count_,
};

inline constexpr Ipv4Address kNatOutside{198, 51, 100, 7};
/// Remote access, where there is some.
inline constexpr Ipv4Address kClientAddress{198, 51, 100, 99};
inline constexpr const char* kClientKey = "key of the clients";
inline constexpr const char* kClientUser = "ann";
inline constexpr const char* kClientPassword = "anns secret";

struct Place {
    std::string name;
    Ipv4Address address;
    bool behind_nat{false};
    ike::EngineConfig config;
};

struct Plan {
    Topology topology{};
    std::vector<Place> places; // the hub first
    test::Weather weather;
    bool true_arithmetic{false}; // Diffie-Hellman without the memo
};

Plan draw_plan(Rng& rng);

/// Another configuration that does not fit the other side's.
ike::EngineConfig with_other_transforms(ike::EngineConfig config);
ike::EngineConfig with_other_policy(ike::EngineConfig config);
ike::EngineConfig with_other_key(ike::EngineConfig config);
ike::EngineConfig with_other_pfs(ike::EngineConfig config);
ike::EngineConfig without_last_flows(ike::EngineConfig config);

} // namespace adit::sim
