// SPDX-License-Identifier: Apache-2.0
// The operator's terminal in raw mode, given back as it was on every way out.
//
// Threading: one thread; one object at a time.
#pragma once

#include "common/error.h"

#include <cstdint>
#include <string_view>
#include <termios.h>

namespace adit::client {

struct WindowSize {
    std::uint16_t columns{}, rows{}; // 0: unknown
};

/// Of standard output.
WindowSize window_size();

/// All of it, however long the reader takes; System when there is no reader any more.
Status write_all(int fd, std::string_view text);

class RawMode {
  public:
    /// Standard input must be a terminal.
    static Result<RawMode> enter();

    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;
    RawMode(RawMode&& other) noexcept;
    RawMode& operator=(RawMode&&) = delete;
    ~RawMode();

  private:
    explicit RawMode(const termios& before) : before_(before) {}

    termios before_;
    bool active_{true};
};

} // namespace adit::client
