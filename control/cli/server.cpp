// SPDX-License-Identifier: Apache-2.0
#include "control/cli/server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace adit::cli {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 16;

template <class... Ts> struct Overloaded : Ts... {
    using Ts::operator()...;
};

// --- opening -----------------------------------------------------------------------------------

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail(ErrorCode::Invalid,
                    "control socket path '" + path + "' must have 1 to " +
                        std::to_string(sizeof address.sun_path - 1) + " characters");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// Removes what a killed server left behind; refuses what is alive or not ours.
Status clear_stale(const std::string& path, const sockaddr_un& address) {
    struct stat there{};
    if (lstat(path.c_str(), &there) != 0)
        return {};
    if (!S_ISSOCK(there.st_mode))
        return fail(ErrorCode::Conflict,
                    path + " exists and is no socket. Remove it, or give another path with "
                           "--cli");
    const UniqueFd probe{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!probe.valid())
        return fail_errno("socket");
    if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
        return fail(ErrorCode::Conflict,
                    "another adit-control serves " + path +
                        ". Stop it (systemctl stop adit-control), or give another path with "
                        "--cli");
    if (errno != ECONNREFUSED)
        return fail_errno("control socket " + path);
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail_errno("remove the stale socket " + path);
    return {};
}

std::unexpected<Error> bind_failed(const std::string& path) {
    const int reason = errno;
    std::string remedy;
    if (reason == ENOENT)
        remedy = ". Create its folder first: install -d -m 0755 -o adit -g adit " +
                 path.substr(0, path.rfind('/'));
    else if (reason == EACCES)
        remedy = ". The folder must be writable for the user that runs adit-control";
    return fail(ErrorCode::System,
                "cannot make the control socket " + path + ": " + std::strerror(reason) + remedy);
}

Result<UniqueFd> listen_on(const std::string& path, gid_t group) {
    const sockaddr_un address = TRY(unix_address(path));
    TRY_VOID(clear_stale(path, address));
    UniqueFd listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!listener.valid())
        return fail_errno("socket");
    // bind() makes the file with the socket's own mode less the umask: at no moment wider than
    // this.
    if (fchmod(listener.get(), kSocketMode) != 0 ||
        bind(listener.get(), generic(address), sizeof address) != 0)
        return bind_failed(path);
    // An ordinary user may not give files away; the socket then stays with its own group.
    if (group != getegid() && chown(path.c_str(), static_cast<uid_t>(-1), group) != 0 &&
        errno != EPERM)
        return bind_failed(path);
    if (chmod(path.c_str(), kSocketMode) != 0 || listen(listener.get(), kBacklog) != 0)
        return bind_failed(path);
    return listener;
}

gid_t group_id(const std::string& name) {
    const group* found = getgrnam(name.c_str());
    return found != nullptr ? found->gr_gid : getegid();
}

// --- who is there ------------------------------------------------------------------------------

std::string user_name(uid_t uid) {
    const passwd* found = getpwuid(uid);
    return found != nullptr ? found->pw_name : "uid-" + std::to_string(uid);
}

Result<PeerCredentials> credentials_of(int fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return fail_errno("SO_PEERCRED");
    PeerCredentials credentials{peer.uid, peer.gid, user_name(peer.uid), {}};
    std::array<gid_t, 256> groups{};
    length = sizeof groups;
    // More groups than that: those are not counted, which can only take rights away.
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) == 0)
        credentials.groups.assign(groups.begin(), groups.begin() + length / sizeof(gid_t));
    return credentials;
}

} // namespace

unsigned privilege_of(const PeerCredentials& peer, uid_t own_uid, gid_t cli_group) {
    const bool trusted = peer.uid == 0 || peer.uid == own_uid || peer.gid == cli_group ||
                         std::ranges::find(peer.groups, cli_group) != peer.groups.end();
    return trusted ? 15 : 1;
}

struct CliServer::Connection {
    UniqueFd fd;
    Caller caller;
    FrameReader reader;
    Bytes unsent;
    std::size_t sent{0}; // of unsent
    Interest interest;
    bool closing{false}; // goodbye is said: close once it is sent
    bool broken{false};  // close at once
    // Last: it may use its sink, and with it the above, until it is gone.
    std::unique_ptr<LineHandler> handler;

    [[nodiscard]] std::size_t backlog() const { return unsent.size() - sent; }

    /// Async text may go on for ever: what is sent makes room in time.
    void forget_sent() {
        if (sent < kBackPressureBytes)
            return;
        unsent.erase(unsent.begin(), unsent.begin() + static_cast<std::ptrdiff_t>(sent));
        sent = 0;
    }

    void queue(const ServerMessage& message) {
        const Bytes frame = encode(message);
        unsent.insert(unsent.end(), frame.begin(), frame.end());
    }
};

Result<std::unique_ptr<CliServer>>
CliServer::open(const CliServerConfig& config, FdWatcher& watcher, HandlerFactory factory) {
    const gid_t group = group_id(config.group);
    UniqueFd listener = TRY(listen_on(config.path, group));
    return std::unique_ptr<CliServer>{
        new CliServer{config.path, std::move(listener), group, watcher, std::move(factory)}};
}

CliServer::CliServer(
    std::string path, UniqueFd listener, gid_t group, FdWatcher& watcher, HandlerFactory factory)
    : path_(std::move(path)), listener_(std::move(listener)), group_(group), watcher_(watcher),
      factory_(std::move(factory)) {
    struct stat made{};
    if (stat(path_.c_str(), &made) == 0) {
        device_ = made.st_dev;
        inode_ = made.st_ino;
    }
    watcher_.add(listener_.get(), [this](bool readable, bool) {
        if (readable)
            accept_all();
    });
}

CliServer::~CliServer() {
    watcher_.remove(listener_.get());
    for (auto& [fd, connection] : connections_) {
        connection->queue(Bye{"adit-control stops"});
        connection->closing = true;
        flush(*connection);
        watcher_.remove(fd);
    }
    connections_.clear();
    // Only our own: a successor may have taken the path.
    struct stat there{};
    if (lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_)
        unlink(path_.c_str());
}

std::vector<Caller> CliServer::sessions() const {
    std::vector<Caller> callers;
    for (const auto& [fd, connection] : connections_)
        if (connection->handler && !connection->closing)
            callers.push_back(connection->caller);
    std::ranges::sort(callers, {}, &Caller::line);
    return callers;
}

std::optional<unsigned> CliServer::free_line() const {
    std::array<bool, kMaxLines> used{};
    for (const auto& [fd, connection] : connections_)
        used[connection->caller.line] = true;
    const auto* free = std::ranges::find(used, false);
    if (free == used.end())
        return std::nullopt;
    return static_cast<unsigned>(free - used.begin());
}

void CliServer::accept_all() {
    for (;;) {
        UniqueFd fd{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!fd.valid() && errno != EINTR && errno != ECONNABORTED)
            return;
        if (fd.valid())
            admit(std::move(fd));
    }
}

void CliServer::admit(UniqueFd fd) {
    const auto peer = credentials_of(fd.get());
    const auto line = free_line();
    if (!peer || !line) {
        const Bytes bye = encode(ServerMessage{Bye{
            line ? peer.error().text : "all " + std::to_string(kMaxLines) + " lines are in use"}});
        // A courtesy: nothing is lost when the fresh socket does not take it.
        [[maybe_unused]] const ssize_t sent =
            ::send(fd.get(), bye.data(), bye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    auto connection = std::make_unique<Connection>();
    connection->caller.user = peer->user;
    connection->caller.uid = peer->uid;
    connection->caller.privilege = privilege_of(*peer, geteuid(), group_);
    connection->caller.line = *line;
    const int number = fd.get();
    connection->fd = std::move(fd);
    connections_[number] = std::move(connection);
    watcher_.add(number, [this, number](bool readable, bool writable) {
        on_ready(number, readable, writable);
    });
}

void CliServer::on_ready(int fd, bool readable, bool writable) {
    const auto found = connections_.find(fd);
    if (found == connections_.end())
        return;
    Connection& connection = *found->second;
    if (readable)
        read_from(connection);
    if (writable)
        flush(connection);
    handle_frames(connection);
    flush(connection);
    settle(fd);
}

void CliServer::read_from(Connection& connection) {
    std::array<std::uint8_t, 65'536> chunk;
    const ssize_t got = recv(connection.fd.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) {
        if (!connection.closing)
            connection.reader.append(ByteView{chunk}.first(static_cast<std::size_t>(got)));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection.broken = true;
    }
}

void CliServer::handle_frames(Connection& connection) {
    while (!connection.closing && !connection.broken && connection.backlog() < kBackPressureBytes) {
        auto frame = connection.reader.next();
        if (!frame)
            return break_off(connection, frame.error().text);
        if (!*frame)
            return;
        const auto message = decode_client(**frame);
        if (!message)
            return break_off(connection, message.error().text);
        handle(connection, *message);
    }
}

void CliServer::break_off(Connection& connection, const std::string& why) {
    ++dropped_;
    say_goodbye(connection, "protocol error: " + why);
}

void CliServer::handle(Connection& connection, const ClientMessage& message) {
    if (const auto* hello = std::get_if<Hello>(&message))
        return greet(connection, *hello);
    if (!connection.handler)
        return break_off(connection, "the first frame must be Hello");
    std::visit(Overloaded{
                   [](const Hello&) {},
                   [&](const Line& line) { run_line(connection, line); },
                   [&](const Question& question) { answer(connection, question); },
                   [&](const Complete& complete) {
                       connection.queue(Completion{connection.handler->complete(complete.partial)});
                   },
                   [&](const Interrupt&) { interrupt(connection); },
                   [&](const WindowSize& window) {
                       connection.handler->resize(window.columns, window.rows);
                   },
               },
               message);
}

void CliServer::greet(Connection& connection, const Hello& hello) {
    if (connection.handler)
        return break_off(connection, "Hello twice");
    if (hello.version != kProtocolVersion)
        return say_goodbye(connection,
                           "adit speaks protocol " + std::to_string(hello.version) +
                               ", adit-control " + std::to_string(kProtocolVersion) +
                               ": both must be of one release");
    Caller& caller = connection.caller;
    caller.terminal = hello.terminal;
    caller.columns = hello.columns;
    caller.rows = hello.rows;
    if (caller.uid == 0 && !hello.user.empty())
        caller.user = hello.user;
    connection.handler = factory_(
        caller, [this, &connection](const std::string& text) { send_async(connection, text); });
    connection.handler->resize(hello.columns, hello.rows);
    send_prompt(connection);
}

void CliServer::run_line(Connection& connection, const Line& line) {
    LineHandler& handler = *connection.handler;
    Reply reply;
    if (line.end == LineEnd::Enter || !line.text.empty())
        reply = handler.line(line.text);
    if (line.end == LineEnd::LeaveConfiguration && handler.prompt().ends_with(")#"))
        reply.output += handler.line("end").output;
    finish(connection, std::move(reply.output), reply.failed);
    if (reply.close)
        say_goodbye(connection, "");
    else
        send_prompt(connection);
}

void CliServer::interrupt(Connection& connection) {
    connection.handler->interrupt();
    finish(connection, "", false);
    send_prompt(connection);
}

void CliServer::answer(Connection& connection, const Question& question) {
    finish(connection, connection.handler->question(question.partial), false);
    send_prompt(connection);
}

void CliServer::finish(Connection& connection, std::string output, bool failed) {
    if (output.size() > kMaxOutputBytes) {
        output = "% Output of " + std::to_string(output.size() >> 20) +
                 " MB is too long to print; ask for less, for example for one peer.\n";
        failed = true;
    }
    if (!output.empty() && output.back() != '\n')
        output += '\n';
    append_text(connection.unsent, FrameType::Output, output);
    connection.queue(Done{failed});
}

void CliServer::send_prompt(Connection& connection) {
    const TerminalSettings settings = connection.handler->terminal();
    connection.queue(Prompt{connection.handler->echo(),
                            settings.page_lines,
                            settings.columns,
                            connection.handler->prompt()});
}

void CliServer::say_goodbye(Connection& connection, const std::string& text) {
    connection.queue(Bye{text});
    connection.closing = true;
}

void CliServer::send_async(Connection& connection, const std::string& text) {
    if (connection.closing || connection.backlog() + text.size() > kBackPressureBytes)
        return;
    append_text(connection.unsent, FrameType::Async, text);
    // The event loop sends it: the caller may be deep inside a handler.
    update_interest(connection);
}

void CliServer::flush(Connection& connection) {
    while (!connection.broken && connection.backlog() > 0) {
        const ssize_t sent = ::send(connection.fd.get(),
                                    connection.unsent.data() + connection.sent,
                                    connection.backlog(),
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            connection.sent += static_cast<std::size_t>(sent);
        else if (errno == EAGAIN)
            return connection.forget_sent();
        else if (errno != EINTR)
            connection.broken = true;
    }
    connection.unsent = {}; // gives the memory of a long output back
    connection.sent = 0;
}

void CliServer::update_interest(Connection& connection) {
    const Interest wanted{
        .read = connection.closing || connection.backlog() < kBackPressureBytes,
        .write = connection.backlog() > 0,
    };
    if (wanted == connection.interest)
        return;
    connection.interest = wanted;
    watcher_.set_interest(connection.fd.get(), wanted);
}

void CliServer::settle(int fd) {
    const auto found = connections_.find(fd);
    Connection& connection = *found->second;
    const bool finished = connection.closing && connection.backlog() == 0;
    if (!finished && !connection.broken)
        return update_interest(connection);
    connection.closing = true; // a handler that says something while it goes is not heard
    watcher_.remove(fd);
    connections_.erase(found);
}

} // namespace adit::cli
