// SPDX-License-Identifier: Apache-2.0
// What the simulation has reached: rows of the transition table and states, summed over all lives.
//
// Threading: one thread.
#pragma once

#include "control/ike/transitions.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace adit::sim {

class Coverage {
  public:
    Coverage() : runs_(ike::transitions().size()) {}

    void note(const ike::Row& row) {
        ++runs_[static_cast<std::size_t>(&row - ike::transitions().data())];
    }

    Coverage& operator+=(const Coverage& other);

    [[nodiscard]] std::size_t rows() const { return runs_.size(); }

    [[nodiscard]] std::size_t rows_run() const;
    [[nodiscard]] std::size_t states() const;
    [[nodiscard]] std::size_t states_entered() const;
    /// Rows that never ran, in words.
    [[nodiscard]] std::vector<std::string> missing() const;

  private:
    std::vector<std::uint64_t> runs_;
};

} // namespace adit::sim
