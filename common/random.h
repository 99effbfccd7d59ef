// SPDX-License-Identifier: Apache-2.0
// Random numbers, always passed in: tests and simulations give a seeded one.
#pragma once

#include "common/bytes.h"

#include <cstdint>

namespace adit {

class Rng {
  public:
    virtual ~Rng() = default;
    /// Fills all of `to`. Production: getrandom(2), which does not fail once the system has booted.
    virtual void fill(MutableBytes to) = 0;

    std::uint32_t u32() {
        std::uint8_t raw[4];
        fill(raw);
        return load_be<std::uint32_t>(raw);
    }

    std::uint64_t u64() {
        std::uint8_t raw[8];
        fill(raw);
        return load_be<std::uint64_t>(raw);
    }

    /// Uniform in [0, bound); bound > 0.
    std::uint32_t below(std::uint32_t bound);
};

/// getrandom(2). Threading: any thread.
class SystemRng final : public Rng {
  public:
    void fill(MutableBytes to) override;
};

} // namespace adit
