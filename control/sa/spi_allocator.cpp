// SPDX-License-Identifier: Apache-2.0
#include "control/sa/spi_allocator.h"

namespace adit::sa {

std::optional<std::uint32_t> SlotPool::take() {
    if (fresh_ < size_)
        return static_cast<std::uint32_t>((std::uint64_t{first_} + fresh_++) % size_);
    if (free_.empty())
        return std::nullopt;
    const std::uint32_t slot = free_.front();
    free_.pop_front();
    return slot;
}

std::optional<Spi> InboundSpis::allocate() {
    const std::optional<std::uint32_t> slot = slots_.take();
    if (!slot)
        return std::nullopt;
    const auto check = static_cast<std::uint8_t>(1 + rng_.below(255));
    const Spi spi = make_spi(WorkerId{0}, *slot, check);
    held_.emplace(spi, Holders{});
    return spi;
}

void InboundSpis::release(Spi spi) {
    if (const auto found = held_.find(spi); found != held_.end()) {
        found->second.engine = false;
        free_if_unheld(spi);
    }
}

void InboundSpis::installed(Spi spi) {
    if (const auto found = held_.find(spi); found != held_.end())
        found->second.dataplane = true;
}

void InboundSpis::uninstalled(Spi spi) {
    if (const auto found = held_.find(spi); found != held_.end()) {
        found->second.dataplane = false;
        free_if_unheld(spi);
    }
}

void InboundSpis::free_if_unheld(Spi spi) {
    const auto found = held_.find(spi);
    if (found->second.engine || found->second.dataplane)
        return;
    held_.erase(found);
    slots_.give_back(spi_slot(spi));
}

} // namespace adit::sa
