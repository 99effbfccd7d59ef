// SPDX-License-Identifier: Apache-2.0
#include "dataplane/handover.h"

#include <algorithm>
#include <string>

namespace adit::dataplane {

Result<HandoverRings> HandoverRings::create(unsigned workers) {
    HandoverRings made;
    made.workers_ = workers;
    for (unsigned from = 0; from < workers; ++from)
        for (unsigned to = 0; to < workers; ++to)
            if (from != to)
                made.rings_.push_back(TRY(MbufRing::create(
                    "w" + std::to_string(from) + "_to_w" + std::to_string(to), kSlots)));
    return made;
}

Result<Crossing> Crossing::create(unsigned workers, std::uint32_t max_policies) {
    return Crossing{TRY(HandoverRings::create(workers)), PolicyOwners{max_policies}};
}

HandoverDesk::HandoverDesk(Crossing& crossing, WorkerId self)
    : crossing_(&crossing), self_(self), workers_(crossing.rings.workers()), batches_(workers_) {}

bool HandoverDesk::add(rte_mbuf* packet, WorkerId to, Handover want) {
    meta(packet).handover = want;
    Batch& batch = batches_[to.value];
    batch.packets[batch.count++] = packet;
    return batch.count == kBatch;
}

std::span<rte_mbuf* const> HandoverDesk::flush(WorkerId to) {
    Batch& batch = batches_[to.value];
    const std::span<rte_mbuf* const> all{batch.packets.data(), batch.count};
    const unsigned moved = crossing_->rings.between(self_, to).push(all);
    batch.count = 0;
    return all.subspan(moved);
}

unsigned HandoverDesk::receive(Burst& taken) {
    first_ = first_ + 1 < workers_ ? first_ + 1 : 0;
    for (unsigned i = 0; i < workers_ && !taken.full(); ++i) {
        const WorkerId from{static_cast<std::uint8_t>((first_ + i) % workers_)};
        if (from == self_)
            continue;
        const unsigned room = std::min(kTakeFromRing, kMaxBurst - taken.count);
        taken.count +=
            crossing_->rings.between(from, self_).pop({taken.packets + taken.count, room});
    }
    return taken.count;
}

} // namespace adit::dataplane
