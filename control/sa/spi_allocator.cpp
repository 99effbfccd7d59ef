// SPDX-License-Identifier: Apache-2.0
#include "control/sa/spi_allocator.h"

#include <algorithm>

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

void SlotPool::resume(const std::vector<bool>& taken) {
    ENSURE(taken.size() == size_ && in_use() == 0);
    fresh_ = size_;
    free_.clear();
    for (std::uint32_t step = 0; step < size_; ++step) {
        const auto slot = static_cast<std::uint32_t>((std::uint64_t{first_} + step) % size_);
        if (!taken[slot])
            free_.push_back(slot);
    }
}

InboundSpis::InboundSpis(std::uint32_t workers, std::uint32_t slots, Rng& rng) : rng_(rng) {
    for (std::uint32_t worker = 0; worker < workers; ++worker)
        slots_.emplace_back(slots, rng.below(slots));
}

WorkerId InboundSpis::choose_worker(PolicyId policy) const {
    const auto home = homes_.find(policy);
    if (home != homes_.end() && !slots_[home->second.worker.value].full())
        return home->second.worker;
    const auto fewest = std::ranges::min_element(slots_, {}, &SlotPool::in_use);
    return WorkerId{static_cast<std::uint8_t>(fewest - slots_.begin())};
}

std::optional<Spi> InboundSpis::allocate(PolicyId policy) {
    const WorkerId worker = choose_worker(policy);
    const std::optional<std::uint32_t> slot = slots_[worker.value].take();
    if (!slot)
        return std::nullopt;
    const auto check = static_cast<std::uint8_t>(1 + rng_.below(255));
    const Spi spi = make_spi(worker, *slot, check);
    held_.emplace(spi, Holders{.policy = policy});
    Home& home = homes_[policy];
    home.worker = worker;
    ++home.spis;
    return spi;
}

void InboundSpis::release(Spi spi) {
    if (const auto found = held_.find(spi); found != held_.end()) {
        found->second.engine = false;
        free_if_unheld(spi);
    }
}

void InboundSpis::resume(const std::vector<Resumed>& spis) {
    std::vector<std::vector<bool>> taken(slots_.size());
    for (std::size_t worker = 0; worker < slots_.size(); ++worker)
        taken[worker].resize(slots_[worker].size());
    for (const Resumed& one : spis) {
        const WorkerId worker = spi_worker(one.spi);
        if (worker.value >= slots_.size() || spi_slot(one.spi) >= taken[worker.value].size())
            continue;
        const auto [held, fresh] = held_.emplace(one.spi, Holders{one.policy, false, false});
        held->second.engine = held->second.engine || one.engine;
        held->second.dataplane = held->second.dataplane || one.dataplane;
        taken[worker.value][spi_slot(one.spi)] = true;
        if (!fresh)
            continue;
        Home& home = homes_[one.policy];
        home.worker = worker;
        ++home.spis;
    }
    for (std::size_t worker = 0; worker < slots_.size(); ++worker)
        slots_[worker].resume(taken[worker]);
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
    const PolicyId policy = found->second.policy;
    if (--homes_.at(policy).spis == 0)
        homes_.erase(policy);
    held_.erase(found);
    slots_[spi_worker(spi).value].give_back(spi_slot(spi));
}

} // namespace adit::sa
