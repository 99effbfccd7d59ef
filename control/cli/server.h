// SPDX-License-Identifier: Apache-2.0
// The local socket that `adit` connects to: accepts, frames, buffers; understanding is the
// LineHandler's. Who is asked for by the kernel (SO_PEERCRED), never by the client.
//
// Bounds: kMaxLines connections; a client that does not read is not read from while
// kBackPressureBytes of its output wait, and loses Async text beyond that; one output is at most
// kMaxOutputBytes.
//
// Threading: control's event loop. Nothing here waits. Errors: open() names the remedy.
#pragma once

#include "common/error.h"
#include "common/unique_fd.h"
#include "control/cli/line_handler.h"
#include "control/cli/protocol.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace adit::cli {

/// What is wanted of a file descriptor. Level-triggered.
struct Interest {
    bool read{true};
    bool write{false};

    bool operator==(const Interest&) const = default;
};

/// The event loop as the server needs it.
class FdWatcher {
  public:
    /// An error or hang-up counts as readable: the read then says which.
    using Callback = std::function<void(bool readable, bool writable)>;

    virtual ~FdWatcher() = default;
    /// Watches for reading until told otherwise.
    virtual void add(int fd, Callback callback) = 0;
    virtual void set_interest(int fd, Interest interest) = 0;
    /// May be called from inside the callback of the same descriptor.
    virtual void remove(int fd) = 0;
};

struct PeerCredentials {
    uid_t uid{};
    gid_t gid{};
    std::string user;          // empty when the uid has no name
    std::vector<gid_t> groups; // supplementary groups included
};

/// 15 for root, for the user the service runs as and for members of its group; 1 for others.
[[nodiscard]] unsigned privilege_of(const PeerCredentials& peer, uid_t own_uid, gid_t cli_group);

struct CliServerConfig {
    std::string path{kControlSocketPath};
    std::string group{"adit"}; // owns the socket when it exists
};

class CliServer {
  public:
    static constexpr unsigned kMaxLines = 16; // vty 0..15
    static constexpr std::size_t kBackPressureBytes = 1U << 20;
    /// `show crypto ipsec sa` of 10,000 tunnels is 25 MB.
    static constexpr std::size_t kMaxOutputBytes = 64U << 20;

    /// Conflict when another server answers on the path; a stale socket is replaced. `watcher`
    /// outlives the server.
    static Result<std::unique_ptr<CliServer>>
    open(const CliServerConfig& config, FdWatcher& watcher, HandlerFactory factory);

    CliServer(const CliServer&) = delete;
    CliServer& operator=(const CliServer&) = delete;
    /// Says goodbye to every client and removes the socket.
    ~CliServer();

    /// Callers of the open sessions, by vty number.
    [[nodiscard]] std::vector<Caller> sessions() const;

    /// Connections dropped because they broke the protocol.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  private:
    struct Connection;

    CliServer(std::string path,
              UniqueFd listener,
              gid_t group,
              FdWatcher& watcher,
              HandlerFactory factory);

    void accept_all();
    void admit(UniqueFd fd);
    void on_ready(int fd, bool readable, bool writable);
    void read_from(Connection& connection);
    void handle_frames(Connection& connection);
    void break_off(Connection& connection, const std::string& why);
    void handle(Connection& connection, const ClientMessage& message);
    void greet(Connection& connection, const Hello& hello);
    void run_line(Connection& connection, const Line& line);
    void interrupt(Connection& connection);
    void answer(Connection& connection, const Question& question);
    void finish(Connection& connection, std::string output, bool failed);
    void send_prompt(Connection& connection);
    void say_goodbye(Connection& connection, const std::string& text);
    void send_async(Connection& connection, const std::string& text);
    void flush(Connection& connection);
    void update_interest(Connection& connection);
    void settle(int fd);
    [[nodiscard]] std::optional<unsigned> free_line() const;

    std::string path_;
    UniqueFd listener_;
    dev_t device_{};
    ino_t inode_{};
    gid_t group_;
    FdWatcher& watcher_;
    HandlerFactory factory_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    std::uint64_t dropped_{0};
};

} // namespace adit::cli
