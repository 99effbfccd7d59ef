// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_platform.h"
#include "tests/unit/cli/show_fixture.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ShowVersion, TellsVersionUptimeAndDataplane) {
    EXPECT_EQ(show_version(sample()),
              "Adit Software (adit), Version 0.1.0, userspace IPsec VPN appliance\n"
              "\n"
              "gw-a uptime is 1 day, 2 hours, 5 minutes\n"
              "System restarted at 07:00:22 UTC Sun Nov 22 2026\n"
              "\n"
              "Dataplane is attached, process 4711, 0 cores\n"
              "1 Ethernet interface\n"
              "\n"
              "Configuration register is 0x2102\n");
}

TEST(ShowVersion, SaysWhyTheDataplaneIsMissing) {
    Snapshot snapshot = sample();
    snapshot.dataplane_attached = false;
    snapshot.dataplane_note = "no answer at /run/adit/dataplane.sock";
    EXPECT_THAT(show_version(snapshot),
                HasSubstr("Dataplane is not attached: no answer at /run/adit/dataplane.sock\n"));
}

TEST(ShowClock, PrintsTheWallClock) {
    EXPECT_EQ(show_clock(sample()), "*09:05:22.117 UTC Mon Nov 23 2026\n");
}

TEST(ShowDataplaneDrops, SumsTheCoresAndLeavesOutZeros) {
    Snapshot snapshot = sample();
    snapshot.cores.resize(2);
    snapshot.cores[0].drops[static_cast<std::size_t>(DropReason::EspIcv)] = 3;
    snapshot.cores[1].drops[static_cast<std::size_t>(DropReason::EspIcv)] = 4;
    EXPECT_EQ(show_dataplane_drops(snapshot),
              "Reason                      Packets  Meaning\n"
              "esp-icv                           7  integrity check failed\n");
}

TEST(ShowDataplaneDrops, ListsEveryReasonOnRequest) {
    const std::string out = show_dataplane_drops(sample(), DropsShown::All);
    EXPECT_EQ(std::ranges::count(out, '\n'), 1 + static_cast<long>(kDropReasonCount));
    Snapshot detached = sample();
    detached.dataplane_attached = false;
    EXPECT_THAT(show_dataplane_drops(detached), StartsWith("Dataplane is not attached\n"));
}

} // namespace
} // namespace adit::cli
