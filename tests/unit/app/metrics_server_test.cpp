// SPDX-License-Identifier: Apache-2.0
#include "control/metrics_server.h"
#include "tests/unit/cli/fake_watcher.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace adit {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MetricsServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        server = MetricsServer::open("127.0.0.1:0", watcher, [this] { return text; }).value();
    }

    UniqueFd dial() {
        UniqueFd fd{socket(AF_INET, SOCK_STREAM, 0)};
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server->port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        return fd;
    }

    void say(const UniqueFd& fd, std::string_view words) {
        ASSERT_EQ(send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(words.size()));
        watcher.settle();
    }

    /// Everything until the server closes.
    std::string hear(const UniqueFd& fd) {
        std::string heard;
        char chunk[65'536];
        for (int silent = 0; silent < 1000;) {
            const ssize_t got = recv(fd.get(), chunk, sizeof chunk, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno == ECONNRESET))
                return heard;
            if (got > 0)
                heard.append(chunk, static_cast<std::size_t>(got));
            else
                ++silent;
            watcher.settle();
        }
        return heard + "(still open)";
    }

    cli::FakeWatcher watcher;
    std::string text{"vpn_up 1\n"};
    std::unique_ptr<MetricsServer> server;
};

TEST_F(MetricsServerTest, AnswersAndCloses) {
    const UniqueFd fd = dial();
    say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = hear(fd);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nvpn_up 1\n"));
}

TEST_F(MetricsServerTest, ARequestMayComeInPieces) {
    const UniqueFd fd = dial();
    for (const char* piece : {"GET /met", "rics HTTP/1.0\r\n", "\r", "\n"})
        say(fd, piece);
    EXPECT_THAT(hear(fd), EndsWith("vpn_up 1\n"));
}

TEST_F(MetricsServerTest, LongAnswersArriveWhole) {
    text = std::string(8U << 20U, 'x');
    const UniqueFd fd = dial();
    say(fd, "GET /metrics HTTP/1.0\r\n\r\n");
    EXPECT_GT(hear(fd).size(), text.size());
}

TEST_F(MetricsServerTest, OtherRequestsAreRefused) {
    for (const auto& [request, status] : {std::pair{"GET / HTTP/1.0\r\n\r\n", "404"},
                                          std::pair{"GET /metrics/../x HTTP/1.0\r\n\r\n", "404"},
                                          std::pair{"POST /metrics HTTP/1.0\r\n\r\n", "405"},
                                          std::pair{"\r\n\r\n", "405"}}) {
        const UniqueFd fd = dial();
        say(fd, request);
        EXPECT_THAT(hear(fd), HasSubstr(status)) << request;
    }
}

TEST_F(MetricsServerTest, RequestsAreBounded) {
    const UniqueFd fd = dial();
    say(fd, std::string(MetricsServer::kMaxRequestBytes + 1, 'x'));
    EXPECT_EQ(hear(fd), "");
}

TEST_F(MetricsServerTest, ClientsAreBounded) {
    std::vector<UniqueFd> silent;
    for (std::size_t i = 0; i < MetricsServer::kMaxClients; ++i) {
        silent.push_back(dial());
        watcher.settle();
    }
    const UniqueFd late = dial();
    watcher.settle();
    EXPECT_EQ(hear(late), "");
    EXPECT_EQ(watcher.watched.size(), MetricsServer::kMaxClients + 1);
}

TEST(MetricsServer, IsForThisMachineAlone) {
    cli::FakeWatcher watcher;
    for (const char* where : {"0.0.0.0:9740", "192.0.2.1:9740", "70000", "x", "127.0.0.1:"}) {
        const auto server = MetricsServer::open(where, watcher, [] { return std::string{}; });
        EXPECT_FALSE(server.has_value()) << where;
    }
}

TEST(MetricsServer, ItsUnixSocketGoesWithIt) {
    cli::FakeWatcher watcher;
    const std::string path = ::testing::TempDir() + "metrics.sock";
    auto server = MetricsServer::open(path, watcher, [] { return std::string{}; });
    ASSERT_TRUE(server.has_value());
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
    server->reset();
    EXPECT_NE(access(path.c_str(), F_OK), 0);
}

} // namespace
} // namespace adit
