// SPDX-License-Identifier: Apache-2.0
// A journal that is a map: takes what its owners have to say, and gives it back to the next
// process.
//
// Threading: a value.
#pragma once

#include "control/ike/journal_entry.h"

#include <map>
#include <vector>

namespace adit::test {

struct JournalMap {
    std::map<ike::JournalKey, Bytes> records;

    void write(const std::vector<ike::JournalEntry>& entries) {
        for (const ike::JournalEntry& entry : entries)
            if (entry.octets.empty())
                records.erase(entry.key);
            else
                records[entry.key] = to_bytes(entry.octets.view());
    }

    void keep_only(const std::vector<ike::JournalEntry>& entries) {
        records.clear();
        write(entries);
    }

    [[nodiscard]] std::vector<ike::JournalEntry> entries() const {
        std::vector<ike::JournalEntry> entries;
        for (const auto& [key, octets] : records)
            entries.push_back({key, SecretBuffer{ByteView{octets}}});
        return entries;
    }
};

} // namespace adit::test
