// SPDX-License-Identifier: Apache-2.0
#include "control/first_packets.h"

namespace adit {

void FirstPackets::watch() {
    if (timer_ == 0 && !hooks_.awaited().empty())
        timer_ = loop_.call_at(MonotonicClock::now() + kLookEvery, [this] { look(); });
}

void FirstPackets::look() {
    timer_ = 0;
    for (const SaId sa : hooks_.awaited())
        if (db_.last_packet_ns(sa) != 0)
            hooks_.came(sa);
    watch();
}

} // namespace adit
