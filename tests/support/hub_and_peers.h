// SPDX-License-Identifier: Apache-2.0
// A fixture: a hub, and peers that come to it one by one.
#pragma once

#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::test {

inline constexpr Ipv4Address kHub = kLeft;
inline constexpr Ipv4Address kFirst{198, 51, 100, 7};
inline constexpr Ipv4Address kSecond{203, 0, 113, 9};

inline TrafficSelector selector(const char* local, const char* remote) {
    return {range(local), range(remote), 0, {}, {}};
}

class HubAndPeers : public ::testing::Test {
  protected:
    Gateway& hub_is(ike::EngineConfig config) {
        hub = &network.add("hub", kHub, std::move(config), 1);
        return *hub;
    }

    /// A peer that has been asked to bring its tunnel up.
    Gateway& peer(Ipv4Address own, const char* net, const char* far = "10.1.0.0/16") {
        Gateway& gateway = network.add("peer", own, gateway_config(own, kHub, net, far), own.value);
        network.give(gateway, initiate());
        network.run_for(std::chrono::seconds{2});
        return gateway;
    }

    static bool is_up(const Gateway& gateway) { return gateway.installed.size() == 2; }

    Network network{3};
    Gateway* hub{nullptr};
};

} // namespace adit::test
