// SPDX-License-Identifier: Apache-2.0
#include "control/config/interface_name.h"

#include "control/config/model.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace adit::config {

namespace {

TEST(InterfaceName, IsOneNameInEverySpelling) {
    for (const char* text : {"GigabitEthernet0/0", "gigabitethernet0/0", "gi0/0", "Gi 0/0", "g0/0"})
        EXPECT_EQ(canonical_interface(text).value_or("refused"), "GigabitEthernet0/0") << text;
    EXPECT_EQ(canonical_interface("te0/0/0.70").value_or(""), "TenGigabitEthernet0/0/0.70");
    EXPECT_EQ(canonical_interface("Tu10").value_or(""), "Tunnel10");
}

TEST(InterfaceName, RefusesWhatIsNone) {
    for (const char* text : {"",
                             "0/0",
                             "gi",
                             "gi0/",
                             "gi/0",
                             "t0",
                             "xyz0/0",
                             "gi0/0x",
                             "gi0//1",
                             "gi00/0",
                             "gi0/01",
                             "gi9999999999"})
        EXPECT_FALSE(canonical_interface(text).has_value()) << text;
}

TEST(InterfaceName, SortsNumbersAsNumbers) {
    const std::vector<std::string> sorted = {"GigabitEthernet0/2",
                                             "GigabitEthernet0/2.5",
                                             "GigabitEthernet0/2.10",
                                             "GigabitEthernet0/10",
                                             "GigabitEthernet1/0",
                                             "Loopback0",
                                             "TenGigabitEthernet0/0"};
    auto shuffled = sorted;
    std::reverse(shuffled.begin(), shuffled.end());
    std::sort(shuffled.begin(), shuffled.end(), InterfaceNameLess{});
    EXPECT_EQ(shuffled, sorted);
}

} // namespace

} // namespace adit::config
