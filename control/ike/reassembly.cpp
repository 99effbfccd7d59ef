// SPDX-License-Identifier: Apache-2.0
#include "control/ike/reassembly.h"

namespace adit::ike {

namespace {

/// Does the fragment's place go with what is known of the message's end?
bool contradicts(const Fragment& fragment, std::uint8_t last, std::uint8_t highest) {
    if (last == 0)
        return fragment.last && fragment.number < highest;
    return fragment.last ? fragment.number != last : fragment.number >= last;
}

Bytes joined(const std::map<std::uint8_t, Bytes>& pieces, std::size_t bytes) {
    Bytes message;
    message.reserve(bytes);
    for (const auto& [number, data] : pieces)
        message.insert(message.end(), data.begin(), data.end());
    return message;
}

} // namespace

Result<std::optional<Bytes>>
Reassembly::add(const FragmentSource& source, const Fragment& fragment, From from, Instant now) {
    auto message = messages_.find(source);
    const std::size_t cost =
        kFragmentCost + fragment.data.size() + (message == messages_.end() ? kMessageCost : 0);
    if (message != messages_.end()) {
        const Partial& partial = message->second;
        if (partial.pieces.contains(fragment.number))
            return std::nullopt; // a copy: the first counts
        if (contradicts(fragment, partial.last, partial.pieces.rbegin()->first)) {
            // [MS-IKEE] 3.3.5.3: none of them can be trusted to belong together.
            forget(message);
            return fail(ErrorCode::Malformed,
                        "fragment " + std::to_string(fragment.number) +
                            " contradicts where the message ends");
        }
        if (partial.data_bytes + fragment.data.size() > kMaxMessageBytes) {
            forget(message);
            return fail(ErrorCode::Exhausted,
                        "fragments make more than " + std::to_string(kMaxMessageBytes) + " octets");
        }
    }
    TRY_VOID(check_room(source, from, cost));
    if (message == messages_.end())
        message = begin(source, from, now);
    Partial& partial = message->second;
    charge(source, partial, kFragmentCost + fragment.data.size());
    partial.data_bytes += fragment.data.size();
    partial.pieces.emplace(fragment.number, to_bytes(fragment.data));
    if (fragment.last)
        partial.last = fragment.number;
    if (partial.last == 0 || partial.pieces.size() != partial.last)
        return std::nullopt;
    Bytes whole = joined(partial.pieces, partial.data_bytes);
    forget(message);
    return whole;
}

Reassembly::Messages::iterator
Reassembly::begin(const FragmentSource& source, From from, Instant now) {
    Partial partial;
    partial.from = from;
    partial.deadline = now + kReassemblyTime;
    by_deadline_.emplace(partial.deadline, source);
    const auto message = messages_.emplace(source, std::move(partial)).first;
    charge(source, message->second, kMessageCost);
    return message;
}

Status Reassembly::check_room(const FragmentSource& source, From from, std::size_t cost) {
    const auto peer = peer_bytes_.find(source.remote.address);
    const std::size_t of_peer = peer == peer_bytes_.end() ? 0 : peer->second;
    if (of_peer + cost > kMaxPeerBytes)
        return fail(ErrorCode::Exhausted, "too much waits from this address");
    if (bytes_ + cost > kMaxBytes ||
        (from == From::Stranger && strangers_bytes_ + cost > kMaxStrangersBytes))
        return fail(ErrorCode::Exhausted, "too many incomplete messages");
    return {};
}

void Reassembly::charge(const FragmentSource& source, Partial& partial, std::size_t cost) {
    partial.cost += cost;
    bytes_ += cost;
    peer_bytes_[source.remote.address] += cost;
    if (partial.from == From::Stranger)
        strangers_bytes_ += cost;
}

void Reassembly::forget(Messages::iterator message) {
    const auto& [source, partial] = *message;
    bytes_ -= partial.cost;
    if (partial.from == From::Stranger)
        strangers_bytes_ -= partial.cost;
    const auto peer = peer_bytes_.find(source.remote.address);
    peer->second -= partial.cost;
    if (peer->second == 0)
        peer_bytes_.erase(peer);
    by_deadline_.erase({partial.deadline, source});
    messages_.erase(message);
}

std::vector<Reassembly::Expired> Reassembly::expire(Instant now) {
    std::vector<Expired> expired;
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
        const auto message = messages_.find(by_deadline_.begin()->second);
        expired.push_back({message->first.remote.address, message->second.pieces.size()});
        forget(message);
    }
    return expired;
}

std::optional<Instant> Reassembly::next_deadline() const {
    if (by_deadline_.empty())
        return std::nullopt;
    return by_deadline_.begin()->first;
}

} // namespace adit::ike
