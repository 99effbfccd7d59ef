// SPDX-License-Identifier: Apache-2.0
// What a session may know of the machine and of other sessions, as plain values.
#pragma once

#include "common/clock.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adit::cli {

/// A file beside the startup configuration: what routers call flash:.
struct StoredFile {
    std::string name;
    std::uint64_t bytes{};
    WallTime changed;
};

struct Machine {
    std::vector<StoredFile> files; // by name
    std::uint64_t disk_bytes{}, disk_free_bytes{};
    std::uint64_t memory_bytes{}, memory_free_bytes{}, memory_available_bytes{};
    std::uint64_t control_bytes{}; // resident, of this process
};

/// A session, as others see it.
struct OperatorLine {
    unsigned vty{};
    std::string user;
    std::uint64_t idle_seconds{};
};

} // namespace adit::cli
