// SPDX-License-Identifier: Apache-2.0
// Memory of this process that really lies in RAM, by what it is for. Packets in hugepages do not
// count: the kernel accounts for them elsewhere.
//
// Errors: zeroes when the kernel does not tell.
#pragma once

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace adit::perf {

struct Resident {
    double stats_bytes{0};  // the region of counters that control reads
    double others_bytes{0}; // SAs, tables, heap, code

    [[nodiscard]] double bytes() const { return stats_bytes + others_bytes; }

    friend Resident operator-(const Resident& after, const Resident& before) {
        return {after.stats_bytes - before.stats_bytes, after.others_bytes - before.others_bytes};
    }
};

/// From /proc/self/smaps: a line with the name of each mapping, then lines such as "Rss: 4 kB". A
/// page of the region is counted in each of its two mappings (dataplane's and control's) that
/// touched it.
inline Resident resident() {
    std::ifstream mappings{"/proc/self/smaps"};
    Resident sum;
    bool of_stats = false;
    for (std::string line; std::getline(mappings, line);) {
        std::istringstream words{line};
        std::string first;
        double kilobytes = 0;
        words >> first;
        if (first.back() != ':')
            of_stats = line.find("memfd:adit-stats") != std::string::npos;
        else if (first == "Rss:" && words >> kilobytes)
            (of_stats ? sum.stats_bytes : sum.others_bytes) += kilobytes * 1024;
    }
    return sum;
}

} // namespace adit::perf
