// SPDX-License-Identifier: Apache-2.0
#include "control/ike/address_pool.h"

#include <algorithm>

namespace adit::ike {

void AddressPools::configure(const std::map<std::string, AddressRange>& pools) {
    std::map<std::string, Pool> before = std::exchange(pools_, {});
    for (const auto& [name, range] : pools) {
        const auto known = before.find(name);
        if (known != before.end() && known->second.range == range) {
            pools_.insert(before.extract(known));
            continue;
        }
        Pool pool;
        pool.range = range;
        pool.lent.resize(range.last.value - range.first.value + 1);
        // Of whatever pool it was: an address in use must not be lent twice.
        for (const auto& [old_name, old] : before)
            for (const auto& lent : old.lent)
                if (const AddressLeasePtr lease = lent.lock();
                    lease && lease->address >= range.first && lease->address <= range.last)
                    pool.lent[lease->address.value - range.first.value] = lease;
        pools_.emplace(name, std::move(pool));
    }
}

AddressLeasePtr AddressPools::held(const Pool& pool, const Wish& wish) {
    for (const auto& lent : pool.lent) {
        AddressLeasePtr lease = lent.lock();
        if (lease && lease->user == wish.user &&
            (lease->device == wish.device || lease->address == wish.address))
            return lease;
    }
    return nullptr;
}

std::optional<std::uint32_t> AddressPools::choose(const Pool& pool, const std::string& user) {
    const auto is_free = [&](std::uint32_t offset) { return pool.lent[offset].expired(); };
    const auto mine = pool.last_of_user.find(user);
    if (mine != pool.last_of_user.end() && is_free(mine->second))
        return mine->second;
    const auto size = static_cast<std::uint32_t>(pool.lent.size());
    std::optional<std::uint32_t> anothers;
    for (std::uint32_t step = 0; step < size; ++step) {
        const std::uint32_t offset = (pool.next + step) % size;
        if (!is_free(offset))
            continue;
        if (!pool.user_of.contains(offset))
            return offset;
        if (!anothers)
            anothers = offset;
    }
    return anothers;
}

AddressLeasePtr AddressPools::take(Pool& pool, std::uint32_t offset, const Wish& wish) {
    // Who had it before has to look for another one.
    if (const auto before = pool.user_of.find(offset); before != pool.user_of.end())
        pool.last_of_user.erase(before->second);
    if (const auto before = pool.last_of_user.find(wish.user); before != pool.last_of_user.end())
        pool.user_of.erase(before->second);
    pool.user_of[offset] = wish.user;
    pool.last_of_user[wish.user] = offset;
    pool.next = (offset + 1) % static_cast<std::uint32_t>(pool.lent.size());
    const auto lease = std::make_shared<const AddressLease>(
        AddressLease{Ipv4Address{pool.range.first.value + offset},
                     wish.pool,
                     wish.group,
                     wish.user,
                     wish.device});
    pool.lent[offset] = lease;
    return lease;
}

Result<AddressLeasePtr> AddressPools::lend(const Wish& wish) {
    const auto found = pools_.find(wish.pool);
    if (found == pools_.end())
        return fail(ErrorCode::NotFound, "there is no ip local pool " + wish.pool);
    Pool& pool = found->second;
    if (AddressLeasePtr lease = held(pool, wish))
        return lease;
    const auto offset = choose(pool, wish.user);
    if (!offset) {
        ++pool.exhausted;
        return fail(ErrorCode::Exhausted,
                    "all " + std::to_string(pool.lent.size()) + " addresses of ip local pool " +
                        wish.pool + " are in use");
    }
    return take(pool, *offset, wish);
}

AddressLeasePtr AddressPools::resume(const AddressLease& lease) {
    const auto found = pools_.find(lease.pool);
    if (found == pools_.end() || lease.address < found->second.range.first ||
        lease.address > found->second.range.last)
        return std::make_shared<const AddressLease>(lease); // its pool went away meanwhile
    Pool& pool = found->second;
    const std::uint32_t offset = lease.address.value - pool.range.first.value;
    if (AddressLeasePtr known = pool.lent[offset].lock())
        return known;
    return take(pool, offset, {lease.pool, lease.group, lease.user, lease.device, {}});
}

std::vector<PoolView> AddressPools::view() const {
    std::vector<PoolView> views;
    for (const auto& [name, pool] : pools_) {
        const auto in_use =
            std::ranges::count_if(pool.lent, [](const std::weak_ptr<const AddressLease>& lent) {
                return !lent.expired();
            });
        views.push_back({name, pool.range, static_cast<std::uint32_t>(in_use), pool.exhausted});
    }
    return views;
}

std::vector<AddressLeasePtr> AddressPools::leases() const {
    std::vector<AddressLeasePtr> all;
    for (const auto& [name, pool] : pools_)
        for (const auto& lent : pool.lent)
            if (AddressLeasePtr lease = lent.lock())
                all.push_back(std::move(lease));
    return all;
}

} // namespace adit::ike
