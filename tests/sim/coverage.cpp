// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/coverage.h"

#include <algorithm>
#include <functional>
#include <set>

namespace adit::sim {

namespace {

using ike::Row;

std::string words(const Row& row) {
    return ike::name(row.exchange) + ", " +
           (row.role == ike::Role::Initiator ? "initiator" : "responder") + ", " +
           ike::name(row.state) + ": " + row.handler_name;
}

/// States that a table leads to: all of it, or what has been run.
template <class Counts> std::size_t states_of(const Counts& counts) {
    std::set<ike::State> entered;
    for (const Row& row : ike::transitions())
        if (counts(row)) {
            entered.insert(row.state);
            entered.insert(row.next);
        }
    return entered.size();
}

} // namespace

Coverage& Coverage::operator+=(const Coverage& other) {
    std::ranges::transform(runs_, other.runs_, runs_.begin(), std::plus{});
    return *this;
}

std::size_t Coverage::rows_run() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(runs_, [](std::uint64_t runs) { return runs > 0; }));
}

std::size_t Coverage::states() const {
    return states_of([](const Row&) { return true; });
}

std::size_t Coverage::states_entered() const {
    return states_of([&](const Row& row) {
        return runs_[static_cast<std::size_t>(&row - ike::transitions().data())] > 0;
    });
}

std::vector<std::string> Coverage::missing() const {
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < runs_.size(); ++i)
        if (runs_[i] == 0)
            rows.push_back(words(ike::transitions()[i]));
    return rows;
}

} // namespace adit::sim
