// SPDX-License-Identifier: Apache-2.0
// The server over real local sockets, turned by hand: a fake watcher remembers what it was told and
// the test polls without waiting.
#include "control/cli/server.h"
#include "tests/unit/cli/fake_watcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace adit::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Answers each line with itself.
class EchoHandler final : public LineHandler {
  public:
    EchoHandler(Caller caller_, AsyncSink sink_)
        : caller(std::move(caller_)), sink(std::move(sink_)) {}

    ~EchoHandler() override { sink("too late\n"); }

    std::string prompt() const override { return mode + "#"; }

    TerminalSettings terminal() const override { return {.page_lines = 24, .columns = columns}; }

    Reply line(const std::string& text) override {
        if (text == "exit")
            return {.output = "", .failed = false, .close = true};
        if (text == "conf")
            mode = "gw(config)";
        if (text == "end")
            mode = "gw";
        if (text == "log")
            sink("log line\n");
        if (text.starts_with("long "))
            return {.output = std::string(std::stoul(text.substr(5)), 'x')};
        const bool failed = text == "wrong";
        return {.output = (failed ? "% wrong\n" : text + "\n"), .failed = failed};
    }

    std::string question(const std::string& partial) override { return "help for " + partial; }

    std::string complete(const std::string& partial) override { return partial + "ow"; }

    void interrupt() override { mode = "gw"; }

    void resize(std::uint16_t to, std::uint16_t) override { columns = to; }

    Caller caller;
    AsyncSink sink;
    std::string mode{"gw"};
    std::uint16_t columns{};
};

class Client {
  public:
    explicit Client(const std::string& path)
        : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        connected = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    void say(const ClientMessage& message) { say_raw(encode(message)); }

    void say_raw(ByteView bytes) {
        EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }

    /// What has arrived, as words.
    std::vector<std::string> heard() {
        read_all();
        std::vector<std::string> words;
        for (auto frame = reader_.next(); frame && *frame; frame = reader_.next()) {
            const auto message = decode_server(**frame).value();
            if (const auto* prompt = std::get_if<Prompt>(&message))
                words.push_back("prompt " + prompt->text);
            else if (const auto* output = std::get_if<Output>(&message))
                words.push_back("output " + output->text);
            else if (const auto* completion = std::get_if<Completion>(&message))
                words.push_back("completion " + completion->line);
            else if (const auto* done = std::get_if<Done>(&message))
                words.push_back(done->failed ? "failed" : "done");
            else if (const auto* async = std::get_if<Async>(&message))
                words.push_back("async " + async->text);
            else if (const auto* bye = std::get_if<Bye>(&message))
                words.push_back("bye " + bye->text);
        }
        return words;
    }

    std::size_t read_all() {
        std::vector<std::uint8_t> chunk(1 << 20);
        std::size_t total = 0;
        for (;;) {
            const ssize_t got = recv(fd_.get(), chunk.data(), chunk.size(), 0);
            closed = got == 0;
            if (got <= 0)
                return total;
            total += static_cast<std::size_t>(got);
            reader_.append(ByteView{chunk}.first(static_cast<std::size_t>(got)));
        }
    }

    void hang_up() { fd_.reset(); }

    bool connected{false};
    bool closed{false};

  private:
    UniqueFd fd_;
    FrameReader reader_;
};

class CliServerTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string folder = testing::TempDir() + "adit-cli-XXXXXX";
        ASSERT_NE(mkdtemp(folder.data()), nullptr);
        folder_ = folder;
        path_ = folder + "/control.sock";
    }

    void TearDown() override {
        server_.reset();
        unlink(path_.c_str());
        rmdir(folder_.c_str());
    }

    Result<std::unique_ptr<CliServer>> open() {
        return CliServer::open({.path = path_, .group = "no-such-group"},
                               watcher_,
                               [this](const Caller& caller, AsyncSink sink) {
                                   auto handler =
                                       std::make_unique<EchoHandler>(caller, std::move(sink));
                                   handlers_.push_back(handler.get());
                                   return handler;
                               });
    }

    void serve() {
        auto server = open();
        ASSERT_TRUE(server) << server.error().text;
        server_ = std::move(*server);
    }

    Client greeted() {
        Client client{path_};
        EXPECT_TRUE(client.connected);
        client.say(Hello{kProtocolVersion, true, 80, 24, "alice"});
        watcher_.settle();
        EXPECT_THAT(client.heard(), ElementsAre("prompt gw#"));
        return client;
    }

    std::string folder_, path_;
    FakeWatcher watcher_;
    std::vector<EchoHandler*> handlers_; // some may be gone
    std::unique_ptr<CliServer> server_;
};

TEST_F(CliServerTest, AnswersLinesInOrder) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "one"});
    client.say(Line{LineEnd::Enter, "wrong"});
    watcher_.settle();
    EXPECT_THAT(
        client.heard(),
        ElementsAre(
            "output one\n", "done", "prompt gw#", "output % wrong\n", "failed", "prompt gw#"));
}

TEST_F(CliServerTest, AnswersQuestionsAndCompletions) {
    serve();
    Client client = greeted();
    client.say(Question{"sh"});
    client.say(Complete{"sh"});
    watcher_.settle();
    EXPECT_THAT(client.heard(),
                ElementsAre("output help for sh\n", "done", "prompt gw#", "completion show"));
}

TEST_F(CliServerTest, CtrlZRunsTheLineThenEndsConfiguration) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "conf"});
    client.say(Line{LineEnd::LeaveConfiguration, "hostname x"});
    watcher_.settle();
    EXPECT_THAT(client.heard(),
                ElementsAre("output conf\n",
                            "done",
                            "prompt gw(config)#",
                            "output hostname x\nend\n",
                            "done",
                            "prompt gw#"));
    client.say(Line{LineEnd::LeaveConfiguration, ""});
    watcher_.settle();
    EXPECT_THAT(client.heard(), ElementsAre("done", "prompt gw#"));
}

TEST_F(CliServerTest, CtrlCLeavesConfiguration) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "conf"});
    client.say(Interrupt{});
    watcher_.settle();
    EXPECT_THAT(client.heard(),
                ElementsAre("output conf\n", "done", "prompt gw(config)#", "done", "prompt gw#"));
}

TEST_F(CliServerTest, TellsTheHandlerOfItsWindow) {
    serve();
    Client client = greeted();
    EXPECT_EQ(handlers_.back()->columns, 80);
    client.say(WindowSize{511, 24});
    watcher_.settle();
    EXPECT_EQ(handlers_.back()->columns, 511);
}

TEST_F(CliServerTest, ClosesAfterExit) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "exit"});
    watcher_.settle();
    EXPECT_THAT(client.heard(), ElementsAre("done", "bye "));
    EXPECT_TRUE(client.closed);
    EXPECT_TRUE(server_->sessions().empty());
    EXPECT_EQ(watcher_.watched.size(), 1U);
}

TEST_F(CliServerTest, BringsAsyncTextBetweenAnswers) {
    serve();
    Client client = greeted();
    handlers_.back()->sink("debug\n");
    client.say(Line{LineEnd::Enter, "log"});
    watcher_.settle();
    EXPECT_THAT(
        client.heard(),
        ElementsAre("async debug\n", "async log line\n", "output log\n", "done", "prompt gw#"));
}

TEST_F(CliServerTest, KnowsItsCallersFromTheKernel) {
    serve();
    Client client = greeted();
    const auto sessions = server_->sessions();
    ASSERT_EQ(sessions.size(), 1U);
    EXPECT_EQ(sessions[0].uid, getuid());
    EXPECT_EQ(sessions[0].privilege, 15U);
    EXPECT_TRUE(sessions[0].terminal);
    if (getuid() == 0) {
        EXPECT_EQ(sessions[0].user, "alice"); // root may act for others
    } else {
        EXPECT_NE(sessions[0].user, "alice");
    }
}

TEST(Privilege, IsForRootTheServiceAndItsGroup) {
    EXPECT_EQ(privilege_of({.uid = 0, .gid = 0, .user = {}, .groups = {}}, 990, 991), 15U);
    EXPECT_EQ(privilege_of({.uid = 990, .gid = 5, .user = {}, .groups = {}}, 990, 991), 15U);
    EXPECT_EQ(privilege_of({.uid = 1000, .gid = 991, .user = {}, .groups = {}}, 990, 991), 15U);
    EXPECT_EQ(privilege_of({.uid = 1000, .gid = 5, .user = {}, .groups = {4, 991}}, 990, 991), 15U);
    EXPECT_EQ(privilege_of({.uid = 1000, .gid = 5, .user = {}, .groups = {4}}, 990, 991), 1U);
}

TEST_F(CliServerTest, GivesLowestFreeLinesAndNoMoreThanThereAre) {
    serve();
    std::vector<Client> clients;
    for (unsigned i = 0; i < CliServer::kMaxLines; ++i)
        clients.push_back(greeted());
    Client late{path_};
    watcher_.settle();
    EXPECT_THAT(late.heard(), ElementsAre("bye all 16 lines are in use"));
    EXPECT_TRUE(late.closed);
    clients[3].hang_up();
    watcher_.settle();
    Client next = greeted();
    EXPECT_EQ(handlers_.back()->caller.line, 3U);
}

TEST_F(CliServerTest, RefusesFramesBeforeHello) {
    serve();
    Client client{path_};
    client.say(Line{LineEnd::Enter, "show"});
    watcher_.settle();
    EXPECT_THAT(client.heard(), ElementsAre("bye protocol error: the first frame must be Hello"));
    EXPECT_TRUE(client.closed);
    EXPECT_EQ(server_->dropped(), 1U);
}

TEST_F(CliServerTest, RefusesASecondHello) {
    serve();
    Client client = greeted();
    client.say(Hello{});
    watcher_.settle();
    EXPECT_THAT(client.heard(), ElementsAre("bye protocol error: Hello twice"));
}

TEST_F(CliServerTest, RefusesAnotherProtocolVersion) {
    serve();
    Client client{path_};
    client.say(Hello{kProtocolVersion + 1, true, 80, 24, ""});
    watcher_.settle();
    EXPECT_THAT(client.heard(), ElementsAre(HasSubstr("both must be of one release")));
    EXPECT_TRUE(client.closed);
}

TEST_F(CliServerTest, DropsWhoBreaksTheProtocolAndServesTheOthers) {
    serve();
    Client good = greeted();
    Client bad = greeted();
    bad.say_raw(Bytes(100, 0xff));
    watcher_.settle();
    EXPECT_THAT(bad.heard(), ElementsAre(HasSubstr("bye protocol error")));
    EXPECT_TRUE(bad.closed);
    good.say(Line{LineEnd::Enter, "still here"});
    watcher_.settle();
    EXPECT_THAT(good.heard(), ElementsAre("output still here\n", "done", "prompt gw#"));
}

TEST_F(CliServerTest, SendsALongOutputWholeToAClientThatReads) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "long 5000000"});
    std::size_t octets = 0;
    for (int turns = 0; turns < 10'000 && octets < 5'000'000; ++turns) {
        watcher_.turn();
        octets += client.read_all();
    }
    EXPECT_GE(octets, 5'000'000U);
}

TEST_F(CliServerTest, DoesNotReadFromAClientThatDoesNotRead) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "long 5000000"});
    client.say(Line{LineEnd::Enter, "after"});
    for (int turns = 0; turns < 10; ++turns)
        watcher_.turn();
    std::size_t reading = 0;
    for (const auto& [fd, entry] : watcher_.watched)
        reading += entry.interest.read ? 1U : 0U;
    EXPECT_EQ(reading, 1U) << "only the listener is read from";
    handlers_.back()->sink(std::string(1000, 'a')); // is lost, and holds nothing up
    std::vector<std::string> words;
    for (int turns = 0;
         turns < 10'000 && (words.empty() || words.back() != "prompt gw#" || words.size() < 300);
         ++turns) {
        watcher_.turn();
        for (std::string& word : client.heard())
            words.push_back(std::move(word));
    }
    ASSERT_GE(words.size(), 3U);
    EXPECT_EQ(words[words.size() - 3], "output after\n");
    for (const std::string& word : words)
        EXPECT_FALSE(word.starts_with("async"));
}

TEST_F(CliServerTest, RefusesToPrintMoreThanItsBound) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "long " + std::to_string(CliServer::kMaxOutputBytes + 1)});
    watcher_.settle();
    EXPECT_THAT(client.heard(),
                ElementsAre(HasSubstr("is too long to print"), "failed", "prompt gw#"));
}

TEST_F(CliServerTest, ForgetsAClientThatHangsUp) {
    serve();
    Client client = greeted();
    client.say(Line{LineEnd::Enter, "long 5000000"});
    client.hang_up();
    watcher_.settle();
    EXPECT_TRUE(server_->sessions().empty());
    EXPECT_EQ(watcher_.watched.size(), 1U);
}

TEST_F(CliServerTest, SaysGoodbyeAndRemovesTheSocketAtTheEnd) {
    serve();
    Client client = greeted();
    server_.reset();
    EXPECT_THAT(client.heard(), ElementsAre("bye adit-control stops"));
    EXPECT_TRUE(client.closed);
    EXPECT_NE(access(path_.c_str(), F_OK), 0);
    EXPECT_TRUE(watcher_.watched.empty());
}

TEST_F(CliServerTest, MakesASocketForOwnerAndGroupOnly) {
    serve();
    struct stat made{};
    ASSERT_EQ(stat(path_.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777U, 0660U);
}

TEST_F(CliServerTest, RefusesAPathThatAnotherServes) {
    serve();
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_THAT(second.error().text, HasSubstr("another adit-control serves " + path_));
    EXPECT_THAT(second.error().text, HasSubstr("systemctl stop adit-control"));
    EXPECT_TRUE(Client{path_}.connected);
}

TEST_F(CliServerTest, ReplacesAStaleSocket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    {
        const UniqueFd dead{socket(AF_UNIX, SOCK_STREAM, 0)};
        ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    serve();
    greeted();
}

TEST_F(CliServerTest, LeavesAFileThatIsNoSocketAlone) {
    const UniqueFd file{::open(path_.c_str(), O_CREAT | O_WRONLY, 0600)};
    const auto server = open();
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().text, HasSubstr("is no socket"));
    EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(CliServerTest, LeavesTheSocketOfASuccessorAlone) {
    serve();
    unlink(path_.c_str());
    auto successor = open();
    ASSERT_TRUE(successor);
    server_.reset();
    EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(CliServerTest, NamesTheRemedyForAMissingFolder) {
    path_ = folder_ + "/missing/control.sock";
    const auto server = open();
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().text, HasSubstr("install -d"));
    path_ = std::string(200, 'x');
    EXPECT_EQ(open().error().code, ErrorCode::Invalid);
}

} // namespace
} // namespace adit::cli
