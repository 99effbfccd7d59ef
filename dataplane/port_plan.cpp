// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_plan.h"

#include <algorithm>

namespace adit::dataplane {

QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers) {
    const auto at_most = [&](std::uint16_t limit) {
        return std::max<std::uint16_t>(std::min(workers, limit), 1);
    };
    return {spread == RxSpread::OverAll ? most.rx : at_most(most.rx), at_most(most.tx)};
}

} // namespace adit::dataplane
