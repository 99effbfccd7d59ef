// SPDX-License-Identifier: Apache-2.0
// What `debug crypto condition` lets through. Asked before a line is worded, so that ten thousand
// peers that nobody watches cost nothing.
//
// Threading: a value.
#pragma once

#include "common/address.h"
#include "common/types.h"

#include <set>

namespace adit::ike {

/// One that fits is enough; none at all: everything is let through.
struct DebugCondition {
    std::set<Ipv4Address> peers;
    std::set<Cookie> cookies; // of either side
    std::set<Spi> spis;       // of either direction

    [[nodiscard]] bool empty() const { return peers.empty() && cookies.empty() && spis.empty(); }

    [[nodiscard]] bool names(Ipv4Address peer) const { return peers.contains(peer); }

    [[nodiscard]] bool names(Cookie cookie) const { return cookies.contains(cookie); }

    [[nodiscard]] bool names(Spi spi) const { return spis.contains(spi); }

    friend bool operator==(const DebugCondition&, const DebugCondition&) = default;
};

} // namespace adit::ike
