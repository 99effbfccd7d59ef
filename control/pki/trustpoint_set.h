// SPDX-License-Identifier: Apache-2.0
// All trustpoints of the configuration, as their files stand now. A file that was replaced, as a
// CRL is every day, is read again with the next update(); one that cannot be read leaves what was
// loaded before in use, and is named.
//
// Threading: control's own thread; what it hands out is immutable.
#pragma once

#include "control/pki/trustpoint.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace adit::pki {

struct TrustpointStatus {
    TrustpointFiles files;
    std::shared_ptr<const Trustpoint> loaded; // null: never could be
    std::string problem;                      // of the last attempt; empty: none
};

class TrustpointSet {
  public:
    /// Reads what is new here or on disk. True when anything changed, problems included.
    bool update(const std::vector<TrustpointFiles>& wanted);

    /// In the order of their names.
    [[nodiscard]] std::vector<TrustpointStatus> status() const;

    [[nodiscard]] ike::Credentials credentials(std::function<WallTime()> clock) const;

  private:
    /// What tells a replaced file from the one that was read.
    struct Stamp {
        std::int64_t modified_ns{};
        std::int64_t size{};
        std::uint64_t inode{};

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    using Stamps = std::array<Stamp, 4>;

    struct Entry {
        TrustpointStatus status;
        Stamps stamps{};
    };

    static Stamp stamp_of(const std::string& path);
    static Stamps stamps_of(const TrustpointFiles& files);

    std::map<std::string, Entry> entries_;
};

} // namespace adit::pki
