// SPDX-License-Identifier: Apache-2.0
#include "control/client/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::client {
namespace {

using ::testing::ElementsAre;

TEST(ClientOptions, ALoginShellsTextIsNeverAnOption) {
    for (const char* text : {"--socket=/tmp/x", "--help", "-c", "--", "-s /tmp/x show version"}) {
        const auto options = parse_options({"-c", text});
        ASSERT_TRUE(options.has_value()) << text;
        EXPECT_THAT(options->commands, ElementsAre(text));
        EXPECT_EQ(options->socket, cli::kControlSocketPath);
        EXPECT_FALSE(options->help);
    }
}

TEST(ClientOptions, LinesOfATextAreCommands) {
    const auto options = parse_options({"-c", "show clock\r\nshow version\n"});
    ASSERT_TRUE(options.has_value());
    EXPECT_THAT(options->commands, ElementsAre("show clock", "show version"));
}

TEST(ClientOptions, SeveralCommandsWithOptions) {
    const auto options = parse_options({"--socket", "/tmp/x", "-c", "conf t", "-c", "hostname a"});
    ASSERT_TRUE(options.has_value());
    EXPECT_THAT(options->commands, ElementsAre("conf t", "hostname a"));
    EXPECT_EQ(options->socket, "/tmp/x");
}

} // namespace
} // namespace adit::client
