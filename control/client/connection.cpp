// SPDX-License-Identifier: Apache-2.0
#include "control/client/connection.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace adit::client {
namespace {

std::string remedy(int reason) {
    switch (reason) {
    case ENOENT:
    case ECONNREFUSED:
        return ". Is adit-control running? Try: systemctl start adit-control";
    case EACCES:
        return ". Only root and the group adit may. Try: sudo adit, or: usermod -aG adit $USER "
               "and log in again";
    default:
        return "";
    }
}

std::unexpected<Error> unreachable(const std::string& path, int reason) {
    return fail(ErrorCode::System,
                "cannot reach adit-control at " + path + ": " + std::strerror(reason) +
                    remedy(reason));
}

} // namespace

Result<Connection> Connection::open(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return unreachable(path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!fd.valid() ||
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return unreachable(path, errno);
    return Connection{std::move(fd)};
}

Status Connection::send(const cli::ClientMessage& message) {
    const Bytes frame = encode(message);
    std::size_t sent = 0;
    while (sent < frame.size()) {
        const ssize_t now =
            ::send(fd_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
        if (now < 0 && errno != EINTR)
            return fail_errno("adit-control has gone");
        sent += now > 0 ? static_cast<std::size_t>(now) : 0;
    }
    return {};
}

Status Connection::read_some() {
    std::array<std::uint8_t, 65'536> chunk;
    const ssize_t got = recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got == 0)
        return fail(ErrorCode::System, "adit-control closed the connection");
    if (got < 0 && errno != EINTR)
        return fail_errno("adit-control has gone");
    if (got > 0)
        reader_.append(ByteView{chunk}.first(static_cast<std::size_t>(got)));
    return {};
}

Result<std::optional<cli::ServerMessage>> Connection::next() {
    const auto frame = TRY(reader_.next());
    if (!frame)
        return std::nullopt;
    return TRY(cli::decode_server(*frame));
}

Result<cli::ServerMessage> Connection::receive() {
    for (;;) {
        if (auto message = TRY(next()))
            return std::move(*message);
        TRY_VOID(read_some());
    }
}

Result<std::vector<cli::ServerMessage>> Connection::receive_ready() {
    TRY_VOID(read_some());
    std::vector<cli::ServerMessage> messages;
    while (auto message = TRY(next()))
        messages.push_back(std::move(*message));
    return messages;
}

} // namespace adit::client
