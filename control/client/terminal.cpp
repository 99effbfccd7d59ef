// SPDX-License-Identifier: Apache-2.0
#include "control/client/terminal.h"

#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace adit::client {

WindowSize window_size() {
    winsize window{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0)
        return {};
    return {window.ws_col, window.ws_row};
}

Status write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR)
            return fail_errno("write");
        if (written > 0)
            text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<RawMode> RawMode::enter() {
    termios before{};
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return fail_errno("terminal settings");
    termios raw = before;
    raw.c_iflag &= ~static_cast<tcflag_t>(BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    // Not TCSAFLUSH: a program may have typed its first line already.
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
        return fail_errno("terminal settings");
    return RawMode{before};
}

RawMode::RawMode(RawMode&& other) noexcept
    : before_(other.before_), active_(std::exchange(other.active_, false)) {}

RawMode::~RawMode() {
    if (active_)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

} // namespace adit::client
