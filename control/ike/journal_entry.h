// SPDX-License-Identifier: Apache-2.0
// What goes into the journal: whoever has to go on after a crash of this process says of each thing
// it must not forget what it is now, or that it is gone.
//
// Threading: values.
#pragma once

#include "common/secret.h"

#include <compare>
#include <cstdint>

namespace adit::ike {

/// Names a thing. The numbers of `kind` are their owners': below 16 the engine's.
struct JournalKey {
    std::uint32_t kind{};
    std::uint32_t part{};
    std::uint64_t number{};

    friend auto operator<=>(const JournalKey&, const JournalKey&) = default;
};

struct JournalEntry {
    JournalKey key;
    SecretBuffer octets; // empty: it is gone
};

} // namespace adit::ike
