// SPDX-License-Identifier: Apache-2.0
// What becomes of SPIs: both allocators of these networks start at the same number.
#include "tests/support/two_gateways.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

class Spis : public test::TwoGateways {};

/// RFC 2409 5.5: KEYMAT of a direction depends on nothing but its SPI.
TEST_F(Spis, DirectionsOfAPairNeverShareOne) {
    up();
    EXPECT_NE(a.inbound().spi, a.outbound().spi);
    EXPECT_NE(a.inbound().key, a.outbound().key);
    EXPECT_EQ(a.inbound().key, b.outbound().key);
    EXPECT_EQ(b.spis.in_use(), 1U);
}

TEST_F(Spis, PeerThatChoosesOursIsRefused) {
    a.spis.always = Spi{0x20000000};
    b.spis.always = Spi{0x20000000};
    network.give(a, test::initiate());
    network.run_for(5s);
    EXPECT_TRUE(a.installed.empty());
    EXPECT_EQ(a.spis.in_use(), 0U);
    EXPECT_EQ(a.failures(Failure::BadKeyExchange), 1U);
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
    EXPECT_EQ(b.spis.released_twice, 0U);
}

} // namespace
} // namespace adit::ike
