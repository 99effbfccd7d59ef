// SPDX-License-Identifier: Apache-2.0
// Answers GET /metrics over HTTP, on a Unix socket or a port of the loopback: for a Prometheus or
// an agent on this machine. Whoever asks from afar comes through something that authenticates him.
//
// Bounds: kMaxClients at once, kMaxRequestBytes each, and kPatience for the whole exchange, after
// which a new client may take the place.
//
// Threading: control's event loop. Nothing here waits. Errors: open() names the remedy.
#pragma once

#include "common/clock.h"
#include "common/error.h"
#include "common/unique_fd.h"
#include "control/cli/server.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace adit {

class MetricsServer {
  public:
    static constexpr std::size_t kMaxClients = 8;
    static constexpr std::size_t kMaxRequestBytes = 4096;
    static constexpr Duration kPatience = std::chrono::seconds{10};

    using Text = std::function<std::string()>;

    /// `where`: "9740", "127.0.0.1:9740" or "/run/adit/metrics.sock". `watcher` outlives the
    /// server.
    static Result<std::unique_ptr<MetricsServer>>
    open(const std::string& where, cli::FdWatcher& watcher, Text text);

    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;
    ~MetricsServer();

    /// What was chosen where port 0 was asked for.
    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Client {
        UniqueFd fd;
        std::string request;
        std::string response; // empty: the request is not complete
        std::size_t sent{0};  // of the response
        Instant since;
    };

    MetricsServer(UniqueFd listener, std::string path, cli::FdWatcher& watcher, Text text);

    void accept_one();
    void make_room();
    void on_ready(int fd, bool readable, bool writable);
    /// False: the client is done for.
    bool read(Client& client);
    bool write(Client& client);
    void answer(Client& client) const;
    void drop(int fd);

    UniqueFd listener_;
    std::string path_; // of a Unix socket, to be removed
    cli::FdWatcher& watcher_;
    Text text_;
    std::map<int, Client> clients_;
};

} // namespace adit
