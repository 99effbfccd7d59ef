// SPDX-License-Identifier: Apache-2.0
// The client's end of the control socket. Errors name the remedy.
//
// Threading: a value; one thread. receive() waits, receive_ready() does not.
#pragma once

#include "common/error.h"
#include "common/unique_fd.h"
#include "control/cli/protocol.h"

#include <optional>
#include <string>
#include <vector>

namespace adit::client {

class Connection {
  public:
    /// Connects; says nothing yet.
    static Result<Connection> open(const std::string& path);

    [[nodiscard]] int fd() const { return fd_.get(); }

    Status send(const cli::ClientMessage& message);

    /// The next message; System when the server has gone.
    Result<cli::ServerMessage> receive();

    /// After fd() became readable: what has arrived whole, perhaps nothing.
    Result<std::vector<cli::ServerMessage>> receive_ready();

  private:
    explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}

    Status read_some();
    Result<std::optional<cli::ServerMessage>> next();

    UniqueFd fd_;
    cli::FrameReader reader_;
};

} // namespace adit::client
