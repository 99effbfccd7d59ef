// SPDX-License-Identifier: Apache-2.0
// Why is this tunnel down? A verdict for each entry and peer, from what is remembered of the peer
// and what counters say now. Never more is claimed than the evidence gives: what else it could be
// is part of the verdict.
//
// Threading: pure functions.
#pragma once

#include "control/cli/peer_record.h"
#include "control/cli/snapshot.h"

#include <optional>
#include <string>
#include <vector>

namespace adit::cli {

enum class Confidence : std::uint8_t { Certain, Likely, Possible };
enum class Condition : std::uint8_t {
    Up,       // packets pass, as far as can be seen
    Degraded, // there are SAs, and something is wrong
    Idle,     // nothing asked for the tunnel
    Down,
};

struct Fact {
    std::optional<Instant> at;
    std::string text;
};

struct Diagnosis {
    std::string connection; // "VPNMAP 10", "Tunnel10"
    Ipv4Address local;
    Endpoint peer;
    Condition condition{};
    std::string code{"none"}; // stable: for scripts and metrics
    Confidence confidence{Confidence::Certain};
    std::string cause;        // one sentence
    std::string alternatives; // what is not ruled out; may be empty
    std::vector<Fact> evidence;
    std::optional<Instant> since;
    std::optional<Instant> latest; // evidence
    std::uint32_t tries{};
    std::string here;               // our configuration line; may be empty
    std::vector<std::string> there; // what the other end needs, by its dialect; may be empty
    std::string next;               // the step that settles it
};

const char* to_string(Condition condition);
const char* to_string(Confidence confidence);

/// Of every configured entry, or those with this peer; `records` by address.
std::vector<Diagnosis> diagnose(const Snapshot& snapshot,
                                const std::vector<PeerRecord>& records,
                                std::optional<Ipv4Address> peer = std::nullopt);

} // namespace adit::cli
