// SPDX-License-Identifier: Apache-2.0
// Server and client over a real socket in a folder of their own.
#include "common/ipc/handshake.h"
#include "tests/unit/ipc/heap_ring.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace adit::ipc {
namespace {

using testing::HasSubstr;

/// A user that is neither root nor us when the tests run as root: "nobody" on Debian.
constexpr uid_t kStranger = 65534;

class Handshake : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/adit-handshake-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder_ = name;
        ASSERT_EQ(::chmod(name, 0755), 0);
        config_.path = folder_ + "/dataplane.sock";
        auto stats = DataplaneStats::create(
            {.workers = 1, .max_sas = 4, .max_policies = 4, .port_names = {"GigabitEthernet0/0"}},
            rng_);
        ASSERT_TRUE(stats) << stats.error().text;
        stats_.emplace(std::move(*stats));
    }

    void TearDown() override {
        ::unlink(config_.path.c_str());
        ::rmdir(folder_.c_str());
    }

    HandshakeServer listen() {
        auto server = HandshakeServer::listen(config_);
        EXPECT_TRUE(server) << server.error().text;
        return std::move(*server);
    }

    std::future<Result<DataplaneLink>> connect_beside() {
        return std::async(std::launch::async,
                          [path = config_.path] { return connect_to_dataplane(path); });
    }

    static void wait_for(int fd) {
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&waiting, 1, 10'000), 1);
    }

    /// Accepts and welcomes whoever comes.
    void serve(HandshakeServer& server) {
        wait_for(server.listen_fd());
        const auto arrival = server.accept_control();
        ASSERT_TRUE(arrival) << arrival.error().text;
        ASSERT_TRUE(*arrival);
        auto channel = DataplaneChannel::create(*stats_, ++generation_);
        ASSERT_TRUE(channel) << channel.error().text;
        channel_ = std::move(*channel);
        const Status sent = server.welcome(*stats_, *channel_);
        ASSERT_TRUE(sent) << sent.error().text;
    }

    DataplaneLink attach(HandshakeServer& server) {
        auto connecting = connect_beside();
        serve(server);
        auto link = connecting.get();
        EXPECT_TRUE(link) << link.error().text;
        return std::move(*link);
    }

    SystemRng rng_;
    std::string folder_;
    ServerConfig config_;
    std::optional<DataplaneStats> stats_;
    std::uint64_t generation_{0};
    std::unique_ptr<DataplaneChannel> channel_;
};

TEST_F(Handshake, GivesControlAWorkingChannel) {
    HandshakeServer server = listen();
    const DataplaneLink link = attach(server);
    EXPECT_TRUE(server.attached());
    EXPECT_EQ(server.peer().pid, ::getpid());
    EXPECT_EQ(link.channel->generation(), 1U);
    EXPECT_EQ(link.channel->config().port_names.at(0), "GigabitEthernet0/0");
    ASSERT_TRUE(link.channel->commands(0).try_push(numbered_command(5)));
    CommandRecord command{};
    ASSERT_EQ(channel_->commands(0).try_pop(command), PopResult::Got);
    EXPECT_TRUE(same(command, numbered_command(5)));
}

TEST_F(Handshake, DescriptorsAreNonBlockingAndCloseOnExec) {
    HandshakeServer server = listen();
    const DataplaneLink link = attach(server);
    for (const int fd : {server.listen_fd(),
                         server.connection_fd(),
                         link.connection.get(),
                         link.channel->doorbell_fd()}) {
        EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    }
}

TEST_F(Handshake, NobodyThereIsNoEvent) {
    HandshakeServer server = listen();
    const auto arrival = server.accept_control();
    ASSERT_TRUE(arrival);
    EXPECT_FALSE(*arrival);
    EXPECT_FALSE(server.attached());
    EXPECT_FALSE(server.control_gone());
}

// ---------------------------------------------------------------------------------------------------
// the socket file

TEST_F(Handshake, TheSocketFileHasItsModeAndGoesWithTheServer) {
    struct stat status{};
    {
        const HandshakeServer server = listen();
        ASSERT_EQ(::lstat(config_.path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0660U);
    }

    EXPECT_EQ(::lstat(config_.path.c_str(), &status), -1);
}

TEST_F(Handshake, AStaleSocketIsReplaced) {
    const UniqueFd dead{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, config_.path.data(), config_.path.size());
    ASSERT_EQ(::bind(dead.get(),
                     static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                     sizeof address),
              0);
    auto refused = connect_to_dataplane(config_.path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NotFound);
    HandshakeServer server = listen();
    EXPECT_NE(attach(server).channel, nullptr);
}

TEST_F(Handshake, ALivingListenerIsNotReplaced) {
    HandshakeServer first = listen();
    const auto second = HandshakeServer::listen(config_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_THAT(second.error().text, HasSubstr("another process listens"));
    // The probe of the second is an arrival that has left again; the first goes on.
    wait_for(first.listen_fd());
    ASSERT_TRUE(first.accept_control());
    wait_for(first.connection_fd());
    EXPECT_TRUE(first.control_gone());
    EXPECT_NE(attach(first).channel, nullptr);
}

TEST_F(Handshake, AFileThatIsNoSocketIsLeftAlone) {
    const UniqueFd file{::open(config_.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
    const auto server = HandshakeServer::listen(config_);
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().text, HasSubstr("not a socket"));
    struct stat status{};
    EXPECT_EQ(::lstat(config_.path.c_str(), &status), 0);
}

TEST_F(Handshake, AMissingFolderAndALongPathAreNamed) {
    config_.path = folder_ + "/missing/dataplane.sock";
    const auto nowhere = HandshakeServer::listen(config_);
    ASSERT_FALSE(nowhere);
    EXPECT_THAT(nowhere.error().text, HasSubstr("/missing/"));
    config_.path = folder_ + "/" + std::string(120, 'x');
    const auto too_long = HandshakeServer::listen(config_);
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().code, ErrorCode::Invalid);
}

// ---------------------------------------------------------------------------------------------------
// refusals

TEST_F(Handshake, ASecondControlIsToldWhoIsAttached) {
    HandshakeServer server = listen();
    const DataplaneLink first = attach(server);
    auto second = connect_beside();
    wait_for(server.listen_fd());
    const auto arrival = server.accept_control();
    ASSERT_FALSE(arrival);
    EXPECT_EQ(arrival.error().code, ErrorCode::Conflict);
    const auto refused = second.get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_THAT(refused.error().text, HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_TRUE(server.attached());
    EXPECT_FALSE(server.control_gone());
    EXPECT_FALSE(connection_closed(first.connection.get()));
}

TEST_F(Handshake, ADataplaneWithoutMemorySaysSo) {
    HandshakeServer server = listen();
    auto connecting = connect_beside();
    wait_for(server.listen_fd());
    ASSERT_TRUE(server.accept_control());
    server.refuse({ErrorCode::System, "memfd_create: out of memory"});
    EXPECT_FALSE(server.attached());
    const auto refused = connecting.get();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("out of memory"));
}

TEST_F(Handshake, NoSocketSaysWhatToStart) {
    const auto link = connect_to_dataplane(config_.path);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::NotFound);
    EXPECT_THAT(link.error().text, HasSubstr("start adit-dataplane"));
}

/// Whoever listens, and what it says when connected to.
Result<DataplaneLink>
connect_to_speaker(const std::string& path, const void* message, size_t size) {
    const UniqueFd listener{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(listener.get(),
                     static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                     sizeof address),
              0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    auto connecting =
        std::async(std::launch::async, [&path] { return connect_to_dataplane(path); });
    const UniqueFd arrival{::accept(listener.get(), nullptr, nullptr)};
    if (size > 0)
        EXPECT_EQ(::send(arrival.get(), message, size, 0), static_cast<ssize_t>(size));
    else
        ::shutdown(arrival.get(), SHUT_RDWR);
    return connecting.get();
}

struct RawGreeting {
    std::uint64_t magic{0x41444954'48454c4f};
    std::uint32_t layout_version{kLayoutVersion};
    std::uint32_t verdict{0};
};

TEST_F(Handshake, AnotherVersionIsRefusedWithBothNumbers) {
    const RawGreeting greeting{.layout_version = 4242};
    const auto link = connect_to_speaker(config_.path, &greeting, sizeof greeting);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(link.error().text, HasSubstr("version 4242"));
    EXPECT_THAT(link.error().text, HasSubstr("version " + std::to_string(kLayoutVersion)));
}

TEST_F(Handshake, AStrangerOnTheSocketIsRecognised) {
    const RawGreeting greeting{.magic = 1};
    const auto link = connect_to_speaker(config_.path, &greeting, sizeof greeting);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::Malformed);
}

TEST_F(Handshake, AWelcomeWithoutDescriptorsIsRefused) {
    const RawGreeting greeting;
    const auto link = connect_to_speaker(config_.path, &greeting, sizeof greeting);
    ASSERT_FALSE(link);
    EXPECT_THAT(link.error().text, HasSubstr("0 descriptors"));
}

TEST_F(Handshake, ATruncatedGreetingIsRefused) {
    const RawGreeting greeting;
    const auto link = connect_to_speaker(config_.path, &greeting, sizeof greeting - 1);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::Malformed);
}

TEST_F(Handshake, AClosingDataplaneIsRecognised) {
    const auto link = connect_to_speaker(config_.path, nullptr, 0);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::NotFound);
}

TEST_F(Handshake, ASilentDataplaneDoesNotHoldControlForLong) {
    const HandshakeServer server = listen();
    const auto link = connect_to_dataplane(config_.path, std::chrono::milliseconds{20});
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, ErrorCode::Exhausted);
    EXPECT_THAT(link.error().text, HasSubstr("does not answer"));
}

// ---------------------------------------------------------------------------------------------------
// other users

/// Connects as another user in a process of its own; its exit status is the ErrorCode, or 100.
pid_t connect_as(uid_t user, const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)
            ::_exit(101);
        const auto link = connect_to_dataplane(path);
        ::_exit(link ? 100 : static_cast<int>(link.error().code));
    }
    return child;
}

int exit_status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Handshake, AnotherUserIsStoppedByTheFileMode) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root to become another user";
    const HandshakeServer server = listen();
    EXPECT_EQ(exit_status_of(connect_as(kStranger, config_.path)),
              static_cast<int>(ErrorCode::Denied));
}

TEST_F(Handshake, AnotherUserWhoReachesTheSocketIsRefused) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root to become another user";
    config_.group = kStranger;
    HandshakeServer server = listen();
    const pid_t child = connect_as(kStranger, config_.path);
    wait_for(server.listen_fd());
    const auto arrival = server.accept_control();
    ASSERT_FALSE(arrival);
    EXPECT_EQ(arrival.error().code, ErrorCode::Denied);
    EXPECT_THAT(arrival.error().text, HasSubstr("user 65534"));
    EXPECT_EQ(exit_status_of(child), static_cast<int>(ErrorCode::Denied));
}

TEST_F(Handshake, TheUserNamedForControlIsServed) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root to become another user";
    config_.group = kStranger;
    config_.control_uid = kStranger;
    HandshakeServer server = listen();
    const pid_t child = connect_as(kStranger, config_.path);
    serve(server);
    EXPECT_EQ(server.peer().uid, kStranger);
    EXPECT_EQ(exit_status_of(child), 100);
}

// ---------------------------------------------------------------------------------------------------
// the end of a peer

TEST_F(Handshake, TheDataplaneSeesControlGoAndServesTheNext) {
    HandshakeServer server = listen();
    {
        const DataplaneLink link = attach(server);
        EXPECT_FALSE(server.control_gone());
    }
    wait_for(server.connection_fd());
    EXPECT_TRUE(server.control_gone());
    EXPECT_FALSE(server.attached());
    EXPECT_EQ(attach(server).channel->generation(), 2U);
}

TEST_F(Handshake, TheDataplaneSeesAKilledControl) {
    HandshakeServer server = listen();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto link = connect_to_dataplane(config_.path);
        ::pause();
        ::_exit(0);
    }
    serve(server);
    EXPECT_FALSE(server.control_gone());
    ::kill(child, SIGKILL);
    exit_status_of(child);
    wait_for(server.connection_fd());
    EXPECT_TRUE(server.control_gone());
}

TEST_F(Handshake, ControlSeesTheDataplaneGo) {
    std::optional<HandshakeServer> server{listen()};
    const DataplaneLink link = attach(*server);
    EXPECT_FALSE(connection_closed(link.connection.get()));
    server.reset();
    wait_for(link.connection.get());
    EXPECT_TRUE(connection_closed(link.connection.get()));
}

TEST_F(Handshake, WordsFromControlAreIgnored) {
    HandshakeServer server = listen();
    const DataplaneLink link = attach(server);
    ASSERT_EQ(::send(link.connection.get(), "hello", 5, 0), 5);
    wait_for(server.connection_fd());
    EXPECT_FALSE(server.control_gone());
    EXPECT_TRUE(server.attached());
}

} // namespace
} // namespace adit::ipc
