// SPDX-License-Identifier: Apache-2.0
// A person (or a program that plays one) at a terminal: joins keys, line editor, pager and server.
// The only loop of the client that waits for several things at once.
//
// Threading: one thread.
#pragma once

#include "control/client/connection.h"
#include "control/client/line_editor.h"
#include "control/client/pager.h"
#include "control/client/terminal.h"

#include <deque>
#include <string>

namespace adit::client {

class Interactive {
  public:
    explicit Interactive(Connection connection)
        : connection_(std::move(connection)), editor_(cli::kMaxLineBytes) {}

    /// Until exit, end of input or a signal. Standard input must be a terminal; it is given back
    /// as it was. Hello has been said.
    Status run();

  private:
    enum class Turn : std::uint8_t {
        Server, // an answer is on its way: keys wait
        Keys,
    };

    Status wait(int signals);
    Status read_keys();
    Status read_signal(int signals);
    Status use_keys();
    Status use_messages();
    Status act_on(EditorEvent event);
    Status show(const cli::ServerMessage& message);
    Status show_prompt(const cli::Prompt& prompt);
    Status show_async(const std::string& text);
    Status print(const std::string& bytes);

    Connection connection_;
    LineEditor editor_;
    Pager pager_;
    Turn turn_{Turn::Server};
    bool resumes_line_{false}; // the next prompt is followed by the line that stood there
    bool finished_{false};
    std::string farewell_;
    std::string keys_; // typed and not yet used
    std::deque<cli::ServerMessage> messages_;
};

} // namespace adit::client
