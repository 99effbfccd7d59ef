// SPDX-License-Identifier: Apache-2.0
// Measures work without a clock: how often and how much was allocated, and how much is kept. A loop
// that runs away, or a copy for every copy before it, shows here on any machine. The program that
// uses it links work_meter.cpp, which counts in operators new and delete.
//
// Threading: counts what all threads do.
#pragma once

#include <cstddef>

namespace adit::test {

struct Work {
    std::size_t allocations{0};
    std::size_t bytes{0};
    std::size_t held{0}; // out of the heap, with what the heap itself adds to each block
};

Work work_so_far();

/// What was done since it was made.
class WorkMeter {
  public:
    WorkMeter() : start_(work_so_far()) {}

    [[nodiscard]] Work done() const {
        const Work now = work_so_far();
        return {now.allocations - start_.allocations,
                now.bytes - start_.bytes,
                now.held - start_.held}; // may have become less: then it is huge
    }

  private:
    Work start_;
};

} // namespace adit::test
