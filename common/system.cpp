// SPDX-License-Identifier: Apache-2.0
// The two places where common touches the operating system: the clock and the random source.
#include "common/clock.h"
#include "common/random.h"

#include <cerrno>
#include <ctime>
#include <sys/random.h>

namespace adit {

Instant MonotonicClock::now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return Instant{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

std::uint32_t Rng::below(std::uint32_t bound) {
    ENSURE(bound > 0);
    // Values under `biased` would favour small results; draw again.
    const std::uint32_t biased = (0U - bound) % bound;
    for (;;) {
        const std::uint32_t drawn = u32();
        if (drawn >= biased)
            return drawn % bound;
    }
}

void SystemRng::fill(MutableBytes to) {
    while (!to.empty()) {
        const ssize_t got = getrandom(to.data(), to.size(), 0);
        if (got < 0) {
            ENSURE(errno == EINTR);
            continue;
        }
        to = to.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace adit
