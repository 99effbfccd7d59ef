// SPDX-License-Identifier: Apache-2.0
// What becomes of SPIs: both allocators of these networks start at the same number.
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

const test::InstalledSa& sa_of(const Gateway& gateway, bool inbound) {
    return std::ranges::find_if(gateway.installed,
                                [&](const auto& entry) { return entry.second.inbound == inbound; })
        ->second;
}

class Spis : public ::testing::Test {
  protected:
    void up() {
        network.give(a, test::initiate());
        network.run_for(1s);
        ASSERT_EQ(a.installed.size(), 2U);
        ASSERT_EQ(b.installed.size(), 2U);
    }

    Network network{11};
    Gateway& a{network.add("left", test::kLeft, test::left_config(), 1)};
    Gateway& b{network.add("right", test::kRight, test::right_config(), 2)};
};

/// RFC 2409 5.5: KEYMAT of a direction depends on nothing but its SPI.
TEST_F(Spis, DirectionsOfAPairNeverShareOne) {
    up();
    EXPECT_NE(sa_of(a, true).spi, sa_of(a, false).spi);
    EXPECT_NE(sa_of(a, true).key, sa_of(a, false).key);
    EXPECT_EQ(sa_of(a, true).key, sa_of(b, false).key);
    EXPECT_EQ(b.spis.in_use(), 1U);
}

TEST_F(Spis, ClearDuringQuickModeReleasesOnce) {
    up();
    network.give(a, ClearPhase2{});
    network.run_for(1s);
    // Message 3 of the next one does not arrive: right waits for it with its inbound SA installed.
    network.tap = [&](const SendDatagram& send) {
        return send.local.address != test::kLeft || a.installed.empty() ||
               parse_header(send.payload)->exchange != ExchangeType::QuickMode;
    };
    network.give(a, test::initiate());
    network.run_for(1s);
    ASSERT_EQ(b.installed.size(), 1U);
    network.give(b, ClearPhase2{});
    network.give(b, ClearPhase1{});
    network.run_for(1s);
    EXPECT_EQ(b.spis.in_use(), 0U);
}

} // namespace
} // namespace adit::ike
