// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/handshake.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

namespace adit::ipc {

namespace {

constexpr std::uint64_t kHandshakeMagic = 0x41444954'48454c4f; // "ADITHELO"
constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 8;
constexpr std::size_t kRefusalTextBytes = 240;
constexpr std::size_t kFdCount = 5; // stats, up, down, doorbell, journal

enum class Verdict : std::uint32_t {
    Welcome = 0,
    Busy = 1,
    NotAllowed = 2,
    Failed = 3,
};

/// The one message of the handshake. Magic, layout version, verdict and text keep their places in
/// all versions, so that two releases can tell each other why they do not fit.
struct Greeting {
    std::uint64_t magic;
    std::uint32_t layout_version;
    std::uint32_t verdict;
    char text[kRefusalTextBytes]; // why not; NUL-terminated
};

Greeting make_greeting(Verdict verdict, const std::string& text) {
    Greeting greeting{.magic = kHandshakeMagic,
                      .layout_version = kLayoutVersion,
                      .verdict = static_cast<std::uint32_t>(verdict),
                      .text = {}};
    std::memcpy(greeting.text, text.data(), std::min(text.size(), sizeof greeting.text - 1));
    return greeting;
}

Result<sockaddr_un> socket_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail(ErrorCode::Invalid,
                    "socket path \"" + path + "\" is empty or longer than " +
                        std::to_string(sizeof address.sun_path - 1) + " octets");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

Result<UniqueFd> make_socket() {
    UniqueFd fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (!fd.valid())
        return fail_errno("socket");
    return fd;
}

Status set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return fail_errno("fcntl O_NONBLOCK");
    return {};
}

// ---------------------------------------------------------------------------------------------------
// server

/// Held while the socket file is looked at, removed and made: of two dataplanes that start at once,
/// one comes second and sees the other listen. A lock on the folder leaves no file behind.
Result<UniqueFd> lock_folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    UniqueFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd.valid())
        return fail_errno("folder " + folder + " of the control socket (create it first)");
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return fail_errno("lock " + folder + " (is another dataplane starting?)");
    return fd;
}

Status remove_stale_socket(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? Status{} : Status{fail_errno("stat " + path)};
    if (!S_ISSOCK(status.st_mode))
        return fail(ErrorCode::Conflict, path + " exists and is not a socket; choose another path");
    UniqueFd probe = TRY(make_socket());
    TRY_VOID(set_nonblocking(probe.get()));
    const int connected = ::connect(probe.get(), generic(address), sizeof address);
    // EAGAIN: someone listens and its queue is full. EPROTOTYPE: another kind of socket, alive.
    if (connected == 0 || errno != ECONNREFUSED)
        return fail(ErrorCode::Conflict,
                    "another process listens on " + path + "; stop it or choose another path");
    if (::unlink(path.c_str()) != 0)
        return fail_errno("remove stale " + path);
    return {};
}

Status set_file_access(const ServerConfig& config) {
    if (config.group && ::chown(config.path.c_str(), static_cast<uid_t>(-1), *config.group) != 0)
        return fail_errno("chown " + config.path);
    if (::chmod(config.path.c_str(), kSocketMode) != 0)
        return fail_errno("chmod " + config.path);
    return {};
}

Result<Peer> peer_of(int connection) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return fail_errno("SO_PEERCRED");
    return Peer{.pid = credentials.pid, .uid = credentials.uid};
}

std::string describe(const Peer& peer) {
    return "process " + std::to_string(peer.pid) + " of user " + std::to_string(peer.uid);
}

/// Best effort: a peer that does not listen learns of it by the end of the connection.
void send_refusal(int connection, Verdict verdict, const std::string& text) {
    const Greeting greeting = make_greeting(verdict, text);
    (void)::send(connection, &greeting, sizeof greeting, MSG_DONTWAIT | MSG_NOSIGNAL);
}

Status send_welcome(int connection, const std::array<int, kFdCount>& fds) {
    Greeting greeting = make_greeting(Verdict::Welcome, {});
    iovec content{.iov_base = &greeting, .iov_len = sizeof greeting};
    alignas(cmsghdr) std::uint8_t control[CMSG_SPACE(sizeof fds)] = {};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fds);
    std::memcpy(CMSG_DATA(rights), fds.data(), sizeof fds);
    if (::sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL) !=
        static_cast<ssize_t>(sizeof greeting))
        return fail_errno("pass the channel to control");
    return {};
}

} // namespace

Result<HandshakeServer> HandshakeServer::listen(const ServerConfig& config) {
    const sockaddr_un address = TRY(socket_address(config.path));
    const UniqueFd lock = TRY(lock_folder_of(config.path));
    TRY_VOID(remove_stale_socket(config.path, address));
    HandshakeServer server;
    server.listener_ = TRY(make_socket());
    TRY_VOID(set_nonblocking(server.listener_.get()));
    // Before bind: the file appears with this mode at most, never with a wider one.
    if (::fchmod(server.listener_.get(), kSocketMode) != 0)
        return fail_errno("fchmod of the control socket");
    if (::bind(server.listener_.get(), generic(address), sizeof address) != 0)
        return fail_errno("bind " + config.path);
    server.config_ = config; // from here on the destructor removes the file
    struct stat status{};
    if (::lstat(config.path.c_str(), &status) != 0)
        return fail_errno("stat " + config.path);
    server.device_ = status.st_dev;
    server.inode_ = status.st_ino;
    TRY_VOID(set_file_access(config));
    if (::listen(server.listener_.get(), kBacklog) != 0)
        return fail_errno("listen on " + config.path);
    return server;
}

HandshakeServer::~HandshakeServer() {
    if (!listener_.valid())
        return;
    struct stat status{};
    // Not ours any more when someone replaced it.
    if (::lstat(config_.path.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_)
        ::unlink(config_.path.c_str());
}

Result<std::optional<Peer>> HandshakeServer::accept_control() {
    UniqueFd arrival{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!arrival.valid()) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
            return std::nullopt;
        return fail_errno("accept on " + config_.path);
    }
    const Peer peer = TRY(peer_of(arrival.get()));
    if (!may_connect(peer)) {
        send_refusal(arrival.get(), Verdict::NotAllowed, "user " + std::to_string(peer.uid));
        return fail(ErrorCode::Denied, "refused control from " + describe(peer));
    }
    if (attached()) {
        send_refusal(arrival.get(), Verdict::Busy, describe(peer_));
        return fail(ErrorCode::Conflict,
                    "refused a second control from " + describe(peer) + ": " + describe(peer_) +
                        " is attached");
    }
    connection_ = std::move(arrival);
    peer_ = peer;
    return peer;
}

bool HandshakeServer::may_connect(const Peer& peer) const {
    return peer.uid == 0 || peer.uid == ::geteuid() || peer.uid == config_.control_uid;
}

Status HandshakeServer::welcome(const DataplaneStats& stats, DataplaneChannel& channel) {
    ENSURE(attached());
    Status sent = send_welcome(connection_.get(),
                               {stats.fd(),
                                channel.up_fd(),
                                channel.down_fd(),
                                channel.control_doorbell_fd(),
                                stats.journal_fd()});
    if (!sent)
        disconnect();
    channel.close_control_doorbell();
    return sent;
}

void HandshakeServer::refuse(const Error& reason) {
    ENSURE(attached());
    send_refusal(connection_.get(), Verdict::Failed, reason.text);
    disconnect();
}

bool HandshakeServer::control_gone() {
    if (!attached() || !connection_closed(connection_.get()))
        return false;
    disconnect();
    return true;
}

// ---------------------------------------------------------------------------------------------------
// client

namespace {

/// Applies to connect(2) (a full queue of the listener) as well as to reading.
Status set_timeout(int fd, Duration timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(timeout - seconds);
    const timeval limit{.tv_sec = seconds.count(), .tv_usec = rest.count()};
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
        return fail_errno("setsockopt SO_RCVTIMEO");
    return {};
}

std::unexpected<Error> connect_error(const std::string& path, int error) {
    switch (error) {
    case ENOENT:
        return fail(ErrorCode::NotFound, "no socket " + path + "; start adit-dataplane");
    case ECONNREFUSED:
        return fail(ErrorCode::NotFound,
                    "nobody listens on " + path + " (left by a dead one); start adit-dataplane");
    case EACCES:
    case EPERM:
        return fail(ErrorCode::Denied,
                    "no permission for " + path +
                        "; run adit-control as the user or group the dataplane was told");
    case EAGAIN:
        return fail(ErrorCode::Exhausted,
                    "adit-dataplane does not accept on " + path + "; is it stopped?");
    default:
        errno = error;
        return fail_errno("connect to " + path);
    }
}

struct Received {
    Greeting greeting{};
    std::array<UniqueFd, kFdCount> fds;
    std::size_t fd_count{0};
};

/// Takes ownership of whatever descriptors came, wanted or not.
void collect_fds(msghdr& message, Received& received) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < count; ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
            UniqueFd owned{fd};
            if (received.fd_count < kFdCount)
                received.fds[received.fd_count++] = std::move(owned);
        }
    }
}

Result<Received> receive_greeting(int connection) {
    Received received;
    iovec content{.iov_base = &received.greeting, .iov_len = sizeof received.greeting};
    alignas(cmsghdr) std::uint8_t control[CMSG_SPACE(kFdCount * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t length = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return fail(ErrorCode::Exhausted, "adit-dataplane does not answer; is it stopped?");
    if (length < 0)
        return fail_errno("receive from adit-dataplane");
    collect_fds(message, received);
    if (length == 0)
        return fail(ErrorCode::NotFound, "adit-dataplane closed the connection; is it ending?");
    if (static_cast<std::size_t>(length) < offsetof(Greeting, text) ||
        received.greeting.magic != kHandshakeMagic)
        return fail(ErrorCode::Malformed, "whoever listens there is not adit-dataplane");
    return received;
}

Status check_greeting(const Greeting& greeting) {
    const std::string text{greeting.text, ::strnlen(greeting.text, sizeof greeting.text)};
    if (greeting.layout_version != kLayoutVersion)
        return std::unexpected(version_error(greeting.layout_version));
    switch (static_cast<Verdict>(greeting.verdict)) {
    case Verdict::Welcome:
        return {};
    case Verdict::Busy:
        return fail(ErrorCode::Conflict,
                    "the dataplane serves another control already (" + text + "); stop that one");
    case Verdict::NotAllowed:
        return fail(ErrorCode::Denied,
                    "the dataplane refuses " + text +
                        "; run adit-control as the user the dataplane was told");
    case Verdict::Failed:
        break;
    }
    return fail(ErrorCode::System, "the dataplane could not make a channel: " + text);
}

} // namespace

Result<DataplaneLink> connect_to_dataplane(const std::string& path, Duration timeout) {
    const sockaddr_un address = TRY(socket_address(path));
    UniqueFd connection = TRY(make_socket());
    TRY_VOID(set_timeout(connection.get(), timeout));
    if (::connect(connection.get(), generic(address), sizeof address) != 0)
        return connect_error(path, errno);
    Received received = TRY(receive_greeting(connection.get()));
    TRY_VOID(check_greeting(received.greeting));
    if (received.fd_count != kFdCount)
        return fail(ErrorCode::Malformed,
                    "the dataplane passed " + std::to_string(received.fd_count) +
                        " descriptors; more open files may be needed (ulimit -n)");
    ChannelFds fds{.stats = std::move(received.fds[0]),
                   .up = std::move(received.fds[1]),
                   .down = std::move(received.fds[2]),
                   .doorbell = std::move(received.fds[3]),
                   .journal = std::move(received.fds[4])};
    DataplaneLink link;
    link.channel = TRY(ControlChannel::attach(std::move(fds)));
    TRY_VOID(set_nonblocking(connection.get()));
    link.connection = std::move(connection);
    return link;
}

bool connection_closed(int connection_fd) {
    char ignored[64];
    const ssize_t length = ::recv(connection_fd, ignored, sizeof ignored, MSG_DONTWAIT);
    if (length > 0)
        return false;
    return length == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

} // namespace adit::ipc
