// SPDX-License-Identifier: Apache-2.0
// A fixture: two gateways that have one tunnel between them as soon as a test says up().
#pragma once

#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::test {

class TwoGateways : public ::testing::Test {
  protected:
    void up() {
        network.give(a, initiate());
        network.run_for(std::chrono::seconds{1});
        ASSERT_EQ(a.installed.size(), 2U);
        ASSERT_EQ(b.installed.size(), 2U);
    }

    Network network{11};
    Gateway& a{network.add("left", kLeft, left_config(), 1)};
    Gateway& b{network.add("right", kRight, right_config(), 2)};
};

} // namespace adit::test
