// SPDX-License-Identifier: Apache-2.0
#include "common/service_manager.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace adit {

namespace {

/// sd_watchdog_enabled(3): half of the time after which the manager loses patience, or less.
constexpr int kShare = 4;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : value;
}

std::optional<Duration> watchdog_of_environment() {
    const std::string pid = variable("WATCHDOG_PID");
    if (!pid.empty() && pid != std::to_string(::getpid()))
        return std::nullopt; // meant for another process
    const auto microseconds = std::strtoll(variable("WATCHDOG_USEC").c_str(), nullptr, 10);
    if (microseconds <= 0)
        return std::nullopt;
    return std::chrono::microseconds{microseconds};
}

} // namespace

ServiceManager ServiceManager::from_environment() {
    return {variable("NOTIFY_SOCKET"), watchdog_of_environment()};
}

ServiceManager::ServiceManager(std::string socket, std::optional<Duration> watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
    if (!socket_.empty())
        fd_ = UniqueFd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

std::optional<Duration> ServiceManager::interval() const {
    if (socket_.empty() || !watchdog_)
        return std::nullopt;
    return *watchdog_ / kShare;
}

void ServiceManager::alive(Instant now) {
    const auto every = interval();
    if (!every || now < next_)
        return;
    next_ = now + *every;
    tell("WATCHDOG=1");
}

void ServiceManager::tell(const char* state) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path)
        return;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_.front() == '@')
        address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    // A full queue means that the manager knows already.
    static_cast<void>(::sendto(fd_.get(),
                               state,
                               std::strlen(state),
                               MSG_NOSIGNAL,
                               static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                               length));
}

} // namespace adit
