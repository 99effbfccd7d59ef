// SPDX-License-Identifier: Apache-2.0
#include "control/metrics_server.h"

#include "common/address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace adit {
namespace {

constexpr std::uint32_t kLoopbackNetwork = 127;
constexpr int kBacklog = 16;

template <class Address>
Result<UniqueFd> listen_at(const Address& address, int family, const std::string& where) {
    UniqueFd fd{socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return fail_errno("socket");
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd.get(), kBacklog) != 0)
        return fail_errno("metrics at " + where);
    return fd;
}

/// The socket says who may read: as the CLI's, its owner and group.
Result<UniqueFd> listen_at_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return fail(ErrorCode::Invalid, "metrics socket path " + path + " is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    struct stat there{};
    if (lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode))
        unlink(path.c_str());
    UniqueFd fd = TRY(listen_at(address, AF_UNIX, path));
    if (chmod(path.c_str(), 0660) != 0)
        return fail_errno("chmod " + path);
    return fd;
}

Result<UniqueFd> listen_at_port(const std::string& where) {
    const std::size_t colon = where.find(':');
    const std::string host = colon == std::string::npos ? "127.0.0.1" : where.substr(0, colon);
    const std::string digits = colon == std::string::npos ? where : where.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const auto parsed = parse_ipv4(host);
    if (!parsed || error != std::errc{} || end != digits.data() + digits.size())
        return fail(ErrorCode::Invalid,
                    "'" + where + "' is no place for metrics: PORT, 127.0.0.1:PORT or a path");
    if (parsed->value >> 24U != kLoopbackNetwork)
        return fail(ErrorCode::Invalid,
                    "metrics are for this machine alone, not for " + host +
                        ": put a proxy that authenticates in front of 127.0.0.1");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(parsed->value);
    return listen_at(address, AF_INET, where);
}

std::string response(const char* status, const std::string& body) {
    return std::string{"HTTP/1.1 "} + status +
           "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

} // namespace

Result<std::unique_ptr<MetricsServer>>
MetricsServer::open(const std::string& where, cli::FdWatcher& watcher, Text text) {
    const bool is_path = where.starts_with('/');
    UniqueFd listener = TRY(is_path ? listen_at_path(where) : listen_at_port(where));
    return std::unique_ptr<MetricsServer>{new MetricsServer{
        std::move(listener), is_path ? where : std::string{}, watcher, std::move(text)}};
}

MetricsServer::MetricsServer(UniqueFd listener,
                             std::string path,
                             cli::FdWatcher& watcher,
                             Text text)
    : listener_(std::move(listener)), path_(std::move(path)), watcher_(watcher),
      text_(std::move(text)) {
    watcher_.add(listener_.get(), [this](bool readable, bool) {
        if (readable)
            accept_one();
    });
}

MetricsServer::~MetricsServer() {
    watcher_.remove(listener_.get());
    for (const auto& [fd, client] : clients_)
        watcher_.remove(fd);
    if (!path_.empty())
        unlink(path_.c_str());
}

std::uint16_t MetricsServer::port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

void MetricsServer::accept_one() {
    UniqueFd fd{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!fd.valid())
        return;
    make_room();
    if (clients_.size() >= kMaxClients)
        return; // closed at once
    const int number = fd.get();
    clients_[number] = {std::move(fd), {}, {}, 0, MonotonicClock::now()};
    watcher_.add(number, [this, number](bool readable, bool writable) {
        on_ready(number, readable, writable);
    });
}

void MetricsServer::make_room() {
    const Instant now = MonotonicClock::now();
    for (auto at = clients_.begin(); at != clients_.end();) {
        const int fd = at->first;
        const bool late = now - at->second.since > kPatience;
        ++at;
        if (late)
            drop(fd);
    }
}

void MetricsServer::drop(int fd) {
    watcher_.remove(fd);
    clients_.erase(fd);
}

void MetricsServer::on_ready(int fd, bool readable, bool writable) {
    const auto found = clients_.find(fd);
    if (found == clients_.end())
        return;
    Client& client = found->second;
    const bool alive = (!readable || read(client)) && (!writable || write(client));
    if (!alive)
        drop(fd);
    else
        watcher_.set_interest(fd, {client.response.empty(), !client.response.empty()});
}

bool MetricsServer::read(Client& client) {
    std::array<char, 1024> chunk;
    const ssize_t got = recv(client.fd.get(), chunk.data(), chunk.size(), 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    client.request.append(chunk.data(), static_cast<std::size_t>(got));
    if (client.request.size() > kMaxRequestBytes)
        return false;
    if (client.response.empty() && client.request.find("\r\n\r\n") != std::string::npos)
        answer(client);
    return client.response.empty() || write(client);
}

void MetricsServer::answer(Client& client) const {
    const std::string_view line =
        std::string_view{client.request}.substr(0, client.request.find("\r\n"));
    if (!line.starts_with("GET "))
        client.response = response("405 Method Not Allowed", "GET /metrics is all there is\n");
    else if (!line.starts_with("GET /metrics "))
        client.response = response("404 Not Found", "GET /metrics is all there is\n");
    else
        client.response = response("200 OK", text_());
}

bool MetricsServer::write(Client& client) {
    const std::string_view rest = std::string_view{client.response}.substr(client.sent);
    const ssize_t sent = send(client.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(sent);
    return client.sent < client.response.size(); // all is said: close
}

} // namespace adit
