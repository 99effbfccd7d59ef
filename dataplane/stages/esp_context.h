// SPDX-License-Identifier: Apache-2.0
// What the ESP stages need of the worker they run in.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/event_queue.h"
#include "dataplane/sa_table.h"

#include <cstdint>

struct rte_mempool;

namespace adit::dataplane {

class CryptoMb;

struct EspContext {
    SaTable& sas;
    CryptoMb& crypto;
    Drops& drops;
    EventQueue& events;
    NoticeLimiter& notices;
    rte_mempool* pool;       // single-segment copies of chained or shared packets (slow path)
    std::uint64_t now_ns{0}; // CLOCK_MONOTONIC, set by the worker before each turn
};

} // namespace adit::dataplane
