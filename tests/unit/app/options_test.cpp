// SPDX-License-Identifier: Apache-2.0
#include "control/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace adit {
namespace {

using ::testing::HasSubstr;

std::variant<Options, ExitWith> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "adit-control");
    return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(ControlOptions, ConfigIsAllThatIsNeeded) {
    const auto options = std::get<Options>(parse({"--config", "/etc/adit/startup-config"}));
    EXPECT_EQ(options.config_path, "/etc/adit/startup-config");
    EXPECT_EQ(options.dataplane_socket, "/run/adit/dataplane.sock");
    EXPECT_EQ(options.cli_socket, "/run/adit/control.sock");
    EXPECT_FALSE(options.check_only);
}

TEST(ControlOptions, CheckNamesTheFileToCheck) {
    const auto options = std::get<Options>(parse({"--check", "new"}));
    EXPECT_TRUE(options.check_only);
    EXPECT_EQ(options.config_path, "new");
}

TEST(ControlOptions, MistakesEndWithStatusTwoAndAHint) {
    for (const std::vector<const char*>& words :
         {std::vector<const char*>{}, {"--confg", "x"}, {"--config"}, {"stray"}}) {
        const auto exit = std::get<ExitWith>(parse(words));
        EXPECT_EQ(exit.status, 2);
        EXPECT_THAT(exit.text, HasSubstr("adit-control --help"));
    }
}

TEST(ControlOptions, HelpShowsAnExampleForEachOption) {
    const auto exit = std::get<ExitWith>(parse({"--help"}));
    EXPECT_EQ(exit.status, 0);
    for (const char* example : {"--config /etc",
                                "--check new",
                                "--dataplane /run",
                                "--cli /run",
                                "--metrics /run",
                                "--quiet"})
        EXPECT_THAT(exit.text, HasSubstr(example));
}

} // namespace
} // namespace adit
