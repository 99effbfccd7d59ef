// SPDX-License-Identifier: Apache-2.0
// A random source that repeats itself: the same seed gives the same bytes on every machine. For
// tests and simulations only (splitmix64: well spread, and of course predictable).
//
// Threading: belongs to one thread.
#pragma once

#include "common/random.h"

#include <cstdint>

namespace adit::test {

class SeededRng final : public Rng {
  public:
    explicit SeededRng(std::uint64_t seed) : state_(seed) {}

    void fill(MutableBytes to) override {
        for (std::uint8_t& octet : to)
            octet = static_cast<std::uint8_t>(next() >> 56);
    }

  private:
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    std::uint64_t state_;
};

} // namespace adit::test
