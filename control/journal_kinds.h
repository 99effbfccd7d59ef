// SPDX-License-Identifier: Apache-2.0
// What stands in the journal beside the engine's memory (ike/memory.h).
//
// Threading: pure functions.
#pragma once

#include "control/ike/journal_entry.h"

namespace adit {

/// JournalKey.kind; below 16 they are the engine's.
enum class JournalKind : std::uint32_t {
    Configuration = 16, // the running text, and which startup text it came from
    PolicyNumber = 17,  // number: the policy's; octets: what it was given to
    InstalledSa = 18,   // number: the SA's
    PolicyTotals = 19,  // number: the policy's
};

inline ike::JournalKey journal_key(JournalKind kind, std::uint64_t number) {
    return {static_cast<std::uint32_t>(kind), 0, number};
}

inline bool is_kind(const ike::JournalKey& key, JournalKind kind) {
    return key.kind == static_cast<std::uint32_t>(kind);
}

} // namespace adit
