// SPDX-License-Identifier: Apache-2.0
#include "control/ike/runtime_flows.h"

#include "control/ike/transaction.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace adit::ike {

namespace {

template <class Range> bool meet(const Range& left, const Range& right) {
    return left.first <= right.last && right.first <= left.last;
}

template <class Range> bool holds(const Range& outer, const Range& inner) {
    return outer.first <= inner.first && inner.last <= outer.last;
}

unsigned bits(const Ipv4Range& range) {
    return static_cast<unsigned>(std::bit_width(range.last.value - range.first.value));
}

unsigned bits(const PortRange& range) {
    return static_cast<unsigned>(std::bit_width(static_cast<unsigned>(range.last - range.first)));
}

} // namespace

std::string to_string(const Claimant& claimant) {
    const std::string identity =
        claimant.user.empty() ? to_string(claimant.identity) : "user " + printable(claimant.user);
    return claimant.at ? identity + " at " + to_string(*claimant.at) : identity;
}

bool overlap(const TrafficSelector& left, const TrafficSelector& right) {
    return meet(left.local, right.local) && meet(left.remote, right.remote) &&
           (left.protocol == 0 || right.protocol == 0 || left.protocol == right.protocol) &&
           meet(left.local_port, right.local_port) && meet(left.remote_port, right.remote_port);
}

bool covers(const TrafficSelector& outer, const TrafficSelector& inner) {
    return holds(outer.local, inner.local) && holds(outer.remote, inner.remote) &&
           (outer.protocol == 0 || outer.protocol == inner.protocol) &&
           holds(outer.local_port, inner.local_port) && holds(outer.remote_port, inner.remote_port);
}

std::uint8_t breadth(const TrafficSelector& selector) {
    constexpr unsigned kProtocolBits = 8;
    const unsigned sum = bits(selector.local) + bits(selector.remote) + bits(selector.local_port) +
                         bits(selector.remote_port) + (selector.protocol == 0 ? kProtocolBits : 0);
    return static_cast<std::uint8_t>(sum); // 104 at most
}

unsigned RuntimeFlows::shelf_of(const TrafficSelector& selector) {
    return bits(selector.remote);
}

template <class Visit>
void RuntimeFlows::for_each_overlapping(const TrafficSelector& wanted, const Visit& visit) const {
    for (unsigned width = 0; width < shelves_.size(); ++width) {
        const Shelf& shelf = shelves_[width];
        const std::uint64_t reach = (std::uint64_t{1} << width) - 1;
        const std::uint32_t first = wanted.remote.first.value;
        const auto from = shelf.lower_bound(
            first > reach ? static_cast<std::uint32_t>(first - reach) : std::uint32_t{0});
        const auto to = shelf.upper_bound(wanted.remote.last.value);
        for (auto entry = from; entry != to; ++entry)
            if (overlap(entry->second->selector, wanted) && !visit(*entry->second))
                return;
    }
}

std::expected<FlowLease, RuntimeFlows::Denied>
RuntimeFlows::claim(const std::string& connection,
                    const TrafficSelector& selector,
                    const std::optional<Claimant>& claimant) {
    RuntimeFlow* known = nullptr;
    const RuntimeFlow* holder = nullptr;
    for_each_overlapping(selector, [&](RuntimeFlow& flow) {
        if (flow.claimant && claimant && *flow.claimant != *claimant)
            holder = &flow;
        else if (flow.claimant == claimant && flow.selector == selector &&
                 flow.connection == connection)
            known = &flow;
        return holder == nullptr;
    });
    if (holder != nullptr)
        return std::unexpected(Denied{holder});
    if (known != nullptr)
        return known->shared_from_this();
    const auto policy = policies_.allocate();
    if (!policy)
        return std::unexpected(Denied{});
    return shelve(std::make_unique<RuntimeFlow>(*policy, connection, selector, claimant));
}

FlowLease RuntimeFlows::resume(const RuntimeFlow& flow) {
    RuntimeFlow* known = nullptr;
    for_each_overlapping(flow.selector, [&](RuntimeFlow& other) {
        if (other.policy == flow.policy)
            known = &other;
        return known == nullptr;
    });
    if (known == nullptr)
        return shelve(std::make_unique<RuntimeFlow>(flow));
    known->added = known->added || flow.added; // who wrote it down first may not have known
    return known->shared_from_this();
}

FlowLease RuntimeFlows::shelve(std::unique_ptr<RuntimeFlow> flow) {
    FlowLease lease{flow.release(), [this](RuntimeFlow* ended) { end(ended); }};
    shelves_[shelf_of(lease->selector)].emplace(lease->selector.remote.first.value, lease.get());
    ++count_;
    return lease;
}

void RuntimeFlows::end(RuntimeFlow* flow) {
    const std::unique_ptr<RuntimeFlow> owned{flow};
    Shelf& shelf = shelves_[shelf_of(flow->selector)];
    auto [from, to] = shelf.equal_range(flow->selector.remote.first.value);
    const auto entry = std::find_if(from, to, [&](const auto& e) { return e.second == flow; });
    ENSURE(entry != to);
    shelf.erase(entry);
    --count_;
    if (flow->added)
        ended_.push_back(flow->policy);
    else
        policies_.release(flow->policy);
}

std::vector<PolicyId> RuntimeFlows::take_ended() {
    return std::exchange(ended_, {});
}

} // namespace adit::ike
