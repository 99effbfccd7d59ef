// SPDX-License-Identifier: Apache-2.0
// Control's memory beyond its own death: records in a region of memory that another process keeps.
// Changes are gathered and take effect together with commit(); a process killed between any two
// instructions leaves either all of them or none.
//
//   header | record | record | ...       each record an extent of whole units, of a few sizes
//
// A changed record is written to another extent before the old one is given up. Extents given up
// are wiped: keys live no longer here than in the process.
//
// Threading: one thread of one process; the next process opens it when this one is dead. Errors:
// when the region is full, a record is not kept (and counted): what it is about does not survive a
// crash.
#pragma once

#include "common/bytes.h"
#include "common/error.h"
#include "control/ike/journal_entry.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace adit {

using ike::JournalEntry;
using ike::JournalKey;

class Journal {
  public:
    /// `region` outlives the journal; its size never changes. One of zeros becomes an empty
    /// journal. Unsupported when another version of this program wrote it; Malformed when what is
    /// there is no journal.
    static Result<Journal> open(MutableBytes region);
    /// Makes an empty one of whatever is there.
    static Journal start_over(MutableBytes region);

    Journal(Journal&&) noexcept = default;
    Journal& operator=(Journal&&) noexcept = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() = default;

    /// As committed last.
    [[nodiscard]] std::vector<JournalEntry> entries() const;

    [[nodiscard]] bool empty() const { return places_.empty(); }

    /// Part of the next commit. Without octets the record goes, if there is one.
    void write(const JournalKey& key, ByteView octets);

    void write(const JournalEntry& entry) { write(entry.key, entry.octets.view()); }

    void commit();

    /// Likewise, and nothing else is left.
    void keep_only(const std::vector<JournalEntry>& entries);

    /// Processes that have begun to read it since one of them said settled(): when several died of
    /// it, the next had better not.
    std::uint32_t begin_reading();
    void settled();

    [[nodiscard]] std::uint64_t not_kept() const { return not_kept_; }

    /// Octets in use, from the start of the region.
    [[nodiscard]] std::size_t extent_bytes() const;

  private:
    using Offset = std::uint64_t;

    explicit Journal(MutableBytes region) : region_(region) {}

    Status read();
    Offset take_extent(std::size_t bytes);
    void give_up(Offset at);

    MutableBytes region_;
    std::map<JournalKey, Offset> places_;               // what the next commit makes true
    std::map<std::uint32_t, std::vector<Offset>> free_; // by units
    std::vector<Offset> outdated_;                      // given up with the next commit
    std::uint64_t next_serial_{1};
    std::uint64_t not_kept_{0};
};

} // namespace adit
