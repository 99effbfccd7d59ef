// SPDX-License-Identifier: Apache-2.0
// How control finds the dataplane: a Unix SOCK_SEQPACKET socket. The dataplane speaks first and
// says all there is to say in one message: welcome with the channel's descriptors, or why not. It
// reads nothing from the socket, so there is nothing for a hostile control to say.
//
// The connection then stays open as proof of life: its end means that the other process is gone.
//
// Threading: server: the dataplane's housekeeper; client: control's loop. Descriptors are
// non-blocking and close-on-exec. No call of the server waits; connect_to_dataplane waits a bounded
// time.
#pragma once

#include "common/clock.h"
#include "common/error.h"
#include "common/ipc/channel.h"
#include "common/unique_fd.h"

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

namespace adit::ipc {

inline constexpr const char* kDefaultSocketPath = "/run/adit/dataplane.sock";

struct ServerConfig {
    std::string path{kDefaultSocketPath};
    /// The user control runs as; root and our own user may always connect.
    std::optional<uid_t> control_uid;
    /// Group of the socket file (mode 0660), so that control may reach it.
    std::optional<gid_t> group;
};

struct Peer {
    pid_t pid;
    uid_t uid;
};

class HandshakeServer {
  public:
    /// Conflict when another process listens there; a socket file left by a dead one is replaced.
    static Result<HandshakeServer> listen(const ServerConfig& config);

    HandshakeServer(HandshakeServer&&) noexcept = default;
    HandshakeServer& operator=(HandshakeServer&&) = delete;
    /// Removes the socket file if it is still ours.
    ~HandshakeServer();

    /// Readable when someone wants to connect.
    [[nodiscard]] int listen_fd() const { return listener_.get(); }

    /// A control that may attach now: answer with welcome(). Nothing when nobody came. Error:
    /// someone came and was told why not (Conflict: one control is attached already; Denied:
    /// another user); worth a log line.
    Result<std::optional<Peer>> accept_control();

    /// Passes the channel to the accepted control. After an error it is disconnected.
    Status welcome(const DataplaneStats& stats, DataplaneChannel& channel);

    /// Tells the accepted control why it cannot be served, and disconnects it.
    void refuse(const Error& reason);

    [[nodiscard]] bool attached() const { return connection_.valid(); }

    /// The attached control, for logs.
    [[nodiscard]] Peer peer() const { return peer_; }

    /// Readable when control_gone() may have become true; -1 when none is attached.
    [[nodiscard]] int connection_fd() const { return connection_.get(); }

    /// True once, when the attached control has closed or died.
    [[nodiscard]] bool control_gone();

    /// Ends the attachment: the peer is broken.
    void disconnect() { connection_.reset(); }

  private:
    HandshakeServer() = default;
    [[nodiscard]] bool may_connect(const Peer& peer) const;

    ServerConfig config_;
    UniqueFd listener_;
    dev_t device_{0}; // of the socket file
    ino_t inode_{0};
    UniqueFd connection_;
    Peer peer_{};
};

/// What control holds of a dataplane.
struct DataplaneLink {
    std::unique_ptr<ControlChannel> channel;
    UniqueFd connection; // for epoll; see connection_closed()
};

inline constexpr Duration kHandshakeTimeout = std::chrono::seconds{1};

/// NotFound: no dataplane listens there. Denied: no permission, or refused for our user. Conflict:
/// another control is attached. Unsupported: other layout version (names both). Each text ends with
/// the remedy.
Result<DataplaneLink> connect_to_dataplane(const std::string& path,
                                           Duration timeout = kHandshakeTimeout);

/// True when the process at the other end closed or died. Never blocks.
[[nodiscard]] bool connection_closed(int connection_fd);

} // namespace adit::ipc
