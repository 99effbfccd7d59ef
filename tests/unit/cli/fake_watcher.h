// SPDX-License-Identifier: Apache-2.0
// An event loop that is turned by hand: it remembers what it was told and polls without waiting.
#pragma once

#include "control/cli/server.h"

#include <gtest/gtest.h>
#include <map>
#include <poll.h>
#include <vector>

namespace adit::cli {

class FakeWatcher final : public FdWatcher {
  public:
    void add(int fd, Callback callback) override { watched[fd] = {std::move(callback), {}}; }

    void set_interest(int fd, Interest interest) override { watched.at(fd).interest = interest; }

    void remove(int fd) override { EXPECT_EQ(watched.erase(fd), 1U); }

    /// Calls back whatever is ready; false when nothing was.
    bool turn() {
        std::vector<pollfd> polled;
        for (const auto& [fd, entry] : watched)
            polled.push_back({fd,
                              static_cast<short>((entry.interest.read ? POLLIN : 0) |
                                                 (entry.interest.write ? POLLOUT : 0)),
                              0});
        if (poll(polled.data(), polled.size(), 0) <= 0)
            return false;
        for (const pollfd& ready : polled)
            if (ready.revents != 0 && watched.contains(ready.fd)) {
                const Callback callback = watched.at(ready.fd).callback;
                callback((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0,
                         (ready.revents & POLLOUT) != 0);
            }
        return true;
    }

    void settle() {
        for (int turns = 0; turns < 1'000 && turn(); ++turns) {
        }
    }

    struct Entry {
        Callback callback;
        Interest interest;
    };

    std::map<int, Entry> watched;
};

} // namespace adit::cli
