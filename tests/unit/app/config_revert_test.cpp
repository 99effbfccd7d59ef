// SPDX-License-Identifier: Apache-2.0
#include "control/config_revert.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class ConfigRevertTest : public ::testing::Test {
  protected:
    static std::shared_ptr<const config::Config> named(const char* hostname) {
        config::Config config;
        config.hostname = hostname;
        return std::make_shared<const config::Config>(std::move(config));
    }

    EventLoop loop{std::move(EventLoop::open().value())};
    Logger log;
    std::string running{"changed"};
    ConfigRevert revert{loop, log, [this](std::shared_ptr<const config::Config> config) {
                            running = config->hostname;
                            loop.stop();
                        }};
};

TEST_F(ConfigRevertTest, WithoutConfirmationTheFormerConfigurationComesBack) {
    revert.arm(named("former"), milliseconds{5});
    EXPECT_TRUE(revert.due().has_value());
    ASSERT_TRUE(loop.run().has_value());
    EXPECT_EQ(running, "former");
    EXPECT_FALSE(revert.due().has_value());
    EXPECT_FALSE(revert.confirm().has_value());
}

TEST_F(ConfigRevertTest, ConfirmedItStays) {
    revert.arm(named("former"), milliseconds{5});
    EXPECT_TRUE(revert.confirm().has_value());
    loop.call_at(MonotonicClock::now() + milliseconds{20}, [this] { loop.stop(); });
    ASSERT_TRUE(loop.run().has_value());
    EXPECT_EQ(running, "changed");
}

TEST_F(ConfigRevertTest, ArmedTwiceItGoesBackToTheFirst) {
    revert.arm(named("first"), minutes{1});
    revert.arm(named("second"), minutes{2});
    EXPECT_GT(revert.due().value(), minutes{1});
    EXPECT_TRUE(revert.revert().has_value());
    EXPECT_EQ(running, "first");
    EXPECT_FALSE(revert.revert().has_value());
}

} // namespace
} // namespace adit
