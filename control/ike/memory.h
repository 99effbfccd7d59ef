// SPDX-License-Identifier: Apache-2.0
// What an engine must not forget when its process dies, as records of a journal: established ISAKMP
// SAs, quick modes between two messages, child SAs, and the numbers given out so far. An unfinished
// phase 1 is no loss, and neither is a login: their peers begin again.
//
// A quick mode that waits for arithmetic keeps the record it had before: the next engine repeats
// the message it sent last, the peer repeats its answer, and the arithmetic is done again.
//
// Threading: pure functions; a Remembered belongs to its engine. Errors: Malformed for a record
// that does not hold what its kind should.
#pragma once

#include "control/ike/address_pool.h"
#include "control/ike/child_table.h"
#include "control/ike/held_outbound.h"
#include "control/ike/journal_entry.h"
#include "control/ike/runtime_flows.h"
#include "control/ike/session_table.h"
#include "control/ike/step.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace adit::ike {

/// JournalKey.kind.
enum class MemoryKind : std::uint32_t {
    Numbers = 1,
    Session = 2,   // number: its id
    QuickMode = 3, // number: of its session, part: message id
    Child = 4,     // number: of its inbound SA
    Install = 5,   // number: of the SA: asked of the dataplane, not yet answered
    Held = 6,      // number: of the pair's inbound SA: its outbound one waits for its turn
};

JournalKey memory_key(MemoryKind kind, std::uint64_t number, std::uint32_t part = 0);

/// Numbers that must not come again.
struct Numbers {
    std::uint64_t next_session{1};
    std::uint32_t next_conn_id{};
    std::uint32_t next_sa_id{};
    SecretBuffer cookie_secret;
};

/// Whether a session or quick mode is one to be kept, as it stands.
[[nodiscard]] bool is_lasting(const Session& session);
[[nodiscard]] bool is_lasting(const QuickMode& quick);

JournalEntry remember(const Numbers& numbers);
/// Without its quick modes. `now`: an answer so old that no peer repeats its question is left out.
JournalEntry remember(const Session& session, Instant now);
JournalEntry remember(SessionId session, const QuickMode& quick);
JournalEntry remember(const Child& child);
JournalEntry remember(const InstallSaAction& install);
JournalEntry remember(SaId inbound, const HeldOutbound::Held& held);

/// What all records of an engine say together.
struct Recollection {
    std::optional<Numbers> numbers;
    std::map<SessionId, Session> sessions; // with their quick modes
    std::vector<Child> children;
    std::vector<InstallSaAction> installs;
    std::vector<HeldOutbound::Held> held;
};

/// Records of other kinds are passed over. Leases are shared as they were. Whatever does not fit
/// together (a quick mode without its session, half an SA pair without its quick mode) is left out.
Result<Recollection>
recollect(const std::vector<JournalEntry>& entries, AddressPools& pools, RuntimeFlows& flows);

} // namespace adit::ike
