// SPDX-License-Identifier: Apache-2.0
#include "common/service_manager.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace adit {
namespace {

using namespace std::chrono_literals;

/// A manager that listens at an abstract name of its own.
class Listener {
  public:
    Listener() : fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name_.data(), name_.size());
        address.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        EXPECT_EQ(::bind(fd_.get(),
                         static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                         length),
                  0);
    }

    /// The next thing told; empty when there is none.
    std::string heard() {
        std::array<char, 64> text{};
        const ssize_t length = ::recv(fd_.get(), text.data(), text.size(), 0);
        return length < 0 ? std::string{}
                          : std::string(text.data(), static_cast<std::size_t>(length));
    }

    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    std::string name_{"@adit-test-" + std::to_string(::getpid())};
    UniqueFd fd_;
};

TEST(ServiceManager, TellsOfBeginningAndEnd) {
    Listener listener;
    ServiceManager manager{listener.name(), std::nullopt};
    manager.ready();
    manager.stopping();
    EXPECT_EQ(listener.heard(), "READY=1");
    EXPECT_EQ(listener.heard(), "STOPPING=1");
    manager.alive(Instant{1h});
    EXPECT_EQ(listener.heard(), "");
    EXPECT_FALSE(manager.interval());
}

TEST(ServiceManager, TellsOfLifeAsOftenAsTheWatchdogNeeds) {
    Listener listener;
    ServiceManager manager{listener.name(), 4s};
    EXPECT_EQ(manager.interval(), 1s);
    Instant now{1h};
    for (int i = 0; i < 30; ++i) // three seconds
        manager.alive(now + i * 100ms);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(listener.heard(), "WATCHDOG=1");
    EXPECT_EQ(listener.heard(), "");
}

TEST(ServiceManager, SaysNothingWhenNobodyListens) {
    ServiceManager nobody{"", 4s};
    nobody.ready();
    EXPECT_FALSE(nobody.interval());
    ServiceManager gone{"/nowhere/notify", 4s};
    gone.ready();
    gone.alive(Instant{1h});
    ServiceManager endless{std::string(500, 'x'), 4s};
    endless.ready();
}

TEST(ServiceManager, ReadsTheEnvironment) {
    Listener listener;
    ::setenv("NOTIFY_SOCKET", listener.name().c_str(), 1);
    ::setenv("WATCHDOG_USEC", "5000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(ServiceManager::from_environment().interval(), 1250ms);
    ::setenv("WATCHDOG_PID", "1", 1); // another process is meant
    EXPECT_FALSE(ServiceManager::from_environment().interval());
    ::unsetenv("WATCHDOG_PID");
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_FALSE(ServiceManager::from_environment().interval());
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    EXPECT_FALSE(ServiceManager::from_environment().interval());
}

} // namespace
} // namespace adit
