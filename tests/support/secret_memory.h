// SPDX-License-Identifier: Apache-2.0
// Looks for what is left in the memory that SA tables keep their keys in. The kernel tells which
// that is: nothing else here is wiped on fork (flag "wf" in /proc/self/smaps, Linux 4.14).
//
// Threading: while nobody writes there.
#pragma once

#include "common/error.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>

namespace adit::test {

/// 64-bit words that are not zero, in all SA tables of this process.
inline std::size_t words_in_secret_memory() {
    std::ifstream mappings{"/proc/self/smaps"};
    ENSURE(mappings.is_open());
    std::size_t words = 0;
    std::uintptr_t begin = 0, end = 0;
    for (std::string line; std::getline(mappings, line);) {
        // "7f3000000000-7f3000021000 rw-p ..." heads a mapping, "VmFlags: rd wr dd wf" ends it.
        const char* const last = line.data() + line.size();
        if (const std::size_t dash = line.find('-'); dash != std::string::npos && dash < 17) {
            std::from_chars(line.data(), last, begin, 16);
            std::from_chars(line.data() + dash + 1, last, end, 16);
        } else if (line.starts_with("VmFlags:") && line.find(" wf") != std::string::npos) {
            // The table's own pointers are out of reach.
            const auto* at = reinterpret_cast<const std::uint64_t*>(begin);
            for (; at < reinterpret_cast<const std::uint64_t*>(end); ++at)
                words += *at != 0 ? 1 : 0;
        }
    }
    return words;
}

} // namespace adit::test
