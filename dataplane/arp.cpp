// SPDX-License-Identifier: Apache-2.0
#include "dataplane/arp.h"

#include "common/address.h"
#include "dataplane/packet.h"

#include <utility>

namespace adit::dataplane {

Arp::Arp(NeighborTable& published,
         std::vector<wire::MacAddress> macs,
         rte_mempool* pool,
         Drops& drops,
         Logger& log)
    : published_(&published), macs_(std::move(macs)), pool_(pool), drops_(&drops), log_(&log) {}

Arp::~Arp() {
    for (auto& [key, neighbor] : neighbors_)
        for (rte_mbuf* packet : neighbor.queue)
            rte_pktmbuf_free(packet);
    for (rte_mbuf* frame : frames_)
        rte_pktmbuf_free(frame);
}

void Arp::set_interfaces(const Interfaces& interfaces) {
    std::array<bool, Interfaces{}.size()> changed{};
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        const Interface& before = interfaces_[i];
        const Interface& after = interfaces[i];
        changed[i] = before.carries_ip() != after.carries_ip() || before.address != after.address ||
                     before.prefix_length != after.prefix_length;
    }
    interfaces_ = interfaces;
    for (auto at = neighbors_.begin(); at != neighbors_.end();)
        at = changed[at->first.interface] ? forget(at) : std::next(at);
    for (std::uint16_t i = 0; i < macs_.size(); ++i)
        if (changed[i] && interfaces_[i].carries_ip())
            announce(i);
}

bool Arp::is_plausible(std::uint16_t interface, const wire::ArpPacket& arp) const {
    const Interface& own = interfaces_[interface];
    // RFC 5227 2.1.1: a probe has no sender address yet.
    const bool probe = arp.sender_address == 0 && arp.operation == wire::ArpOperation::Request;
    return !arp.sender_mac.is_group() && !arp.sender_mac.is_zero() &&
           (probe || own.on_link(arp.sender_address));
}

void Arp::input(rte_mbuf* packet, Instant now) {
    const std::uint16_t interface = meta(packet).in_interface;
    if (!interfaces_[interface].carries_ip()) {
        drops_->drop(packet, DropReason::InterfaceDown);
        return;
    }
    const auto arp = wire::ArpPacket::parse({data(packet), rte_pktmbuf_data_len(packet)});
    if (!arp || !is_plausible(interface, *arp)) {
        drops_->drop(packet, DropReason::ArpMalformed);
        return;
    }
    rte_pktmbuf_free(packet);
    const std::uint32_t own = interfaces_[interface].address;
    const Key sender{interface, arp->sender_address};
    if (arp->sender_address == own) {
        // RFC 5227 2.4 (b): defend the address, and tell the operator.
        log_->write({Severity::Error,
                     "IP",
                     "DUPADDR",
                     "Duplicate address " + to_string(Ipv4Address{own}) + ", sourced by " +
                         to_string(arp->sender_mac),
                     to_string(Ipv4Address{own})},
                    now);
        announce(interface);
        return;
    }
    const auto known = neighbors_.find(sender);
    const bool asked = known != neighbors_.end() && known->second.unanswered > 0;
    const bool to_us = arp->target_address == own;
    if (arp->operation == wire::ArpOperation::Request && to_us) {
        send(interface,
             arp->sender_mac,
             {wire::ArpOperation::Reply,
              macs_[interface],
              own,
              arp->sender_mac,
              arp->sender_address});
        if (arp->sender_address != 0)
            learn(sender, arp->sender_mac, now);
    } else if (arp->operation == wire::ArpOperation::Reply && to_us && asked) {
        learn(sender, arp->sender_mac, now);
    } else if (known != neighbors_.end() && known->second.mac != arp->sender_mac) {
        suspect(sender, now);
    }
}

void Arp::learn(const Key& key, const wire::MacAddress& mac, Instant now) {
    if (!neighbors_.contains(key) && neighbors_.size() >= kMaxNeighbors)
        return;
    Neighbor& neighbor = neighbors_[key];
    neighbor.state = ipc::NeighborState::Reachable;
    neighbor.mac = mac;
    neighbor.unanswered = 0;
    neighbor.next = now + kReachable;
    publish(key, neighbor, now);
    queued_ -= neighbor.queue.size();
    for (rte_mbuf* packet : std::exchange(neighbor.queue, {}))
        send_ip(packet, mac);
}

void Arp::suspect(const Key& key, Instant now) {
    Neighbor& neighbor = neighbors_.at(key);
    if (neighbor.state != ipc::NeighborState::Reachable)
        return;
    neighbor.state = ipc::NeighborState::Stale;
    publish(key, neighbor, now);
    ask(key, neighbor, now);
}

void Arp::resolve(rte_mbuf* packet, Instant now) {
    const PacketMeta& m = meta(packet);
    const Key key{m.out_interface, m.next_hop};
    auto at = neighbors_.find(key);
    if (at != neighbors_.end() && at->second.state != ipc::NeighborState::Incomplete) {
        send_ip(packet, at->second.mac);
        return;
    }
    const bool can_ask = interfaces_[key.interface].carries_ip() &&
                         (at != neighbors_.end() || neighbors_.size() < kMaxNeighbors);
    if (!can_ask) {
        drops_->drop(packet, DropReason::NeighborUnresolved);
        return;
    }
    if (at == neighbors_.end()) {
        at = neighbors_.emplace(key, Neighbor{}).first;
        ask(key, at->second, now);
        publish(key, at->second, now);
    }
    if (at->second.queue.size() == kMaxQueuePerNeighbor || queued_ == kMaxQueued) {
        drops_->drop(packet, DropReason::NeighborUnresolved);
        return;
    }
    at->second.queue.push_back(packet);
    ++queued_;
}

void Arp::tick(Instant now) {
    for (auto at = neighbors_.begin(); at != neighbors_.end();) {
        auto& [key, neighbor] = *at;
        if (neighbor.next > now) {
            ++at;
            continue;
        }
        if (neighbor.state == ipc::NeighborState::Reachable) {
            neighbor.state = ipc::NeighborState::Stale;
            publish(key, neighbor, now);
        }
        if (neighbor.unanswered == kTries) {
            at = forget(at);
            continue;
        }
        ask(key, neighbor, now);
        ++at;
    }
}

void Arp::flush() {
    for (auto at = neighbors_.begin(); at != neighbors_.end();)
        at = forget(at);
}

void Arp::ask(const Key& key, Neighbor& neighbor, Instant now) {
    ++neighbor.unanswered;
    neighbor.next = now + kRetry;
    const wire::ArpPacket request{wire::ArpOperation::Request,
                                  macs_[key.interface],
                                  interfaces_[key.interface].address,
                                  {},
                                  key.address};
    send(key.interface, wire::kBroadcastMac, request);
}

/// RFC 5227 2.3: a request for our own address, so that others renew what they know of it.
void Arp::announce(std::uint16_t interface) {
    const std::uint32_t own = interfaces_[interface].address;
    send(interface,
         wire::kBroadcastMac,
         {wire::ArpOperation::Request, macs_[interface], own, {}, own});
}

void Arp::send(std::uint16_t interface, const wire::MacAddress& to, const wire::ArpPacket& arp) {
    rte_mbuf* frame = rte_pktmbuf_alloc(pool_);
    if (frame == nullptr) {
        drops_->count(DropReason::NoBuffer);
        return;
    }
    std::uint8_t* at = append(frame, wire::kEthernetBytes + wire::kArpBytes);
    wire::EthernetHeader{at}.write(to, macs_[interface], wire::kEtherTypeArp);
    arp.write(at + wire::kEthernetBytes);
    meta(frame) = PacketMeta{};
    meta(frame).out_interface = interface;
    meta(frame).flags = kFromUs;
    frames_.push_back(frame);
}

void Arp::send_ip(rte_mbuf* packet, const wire::MacAddress& to) {
    char* header = rte_pktmbuf_prepend(packet, wire::kEthernetBytes);
    if (header == nullptr) {
        drops_->drop(packet, DropReason::NoBuffer);
        return;
    }
    wire::EthernetHeader{reinterpret_cast<std::uint8_t*>(header)}.write(
        to, macs_[meta(packet).out_interface], wire::kEtherTypeIpv4);
    frames_.push_back(packet);
}

void Arp::drop_queue(Neighbor& neighbor) {
    queued_ -= neighbor.queue.size();
    for (rte_mbuf* packet : std::exchange(neighbor.queue, {}))
        drops_->drop(packet, DropReason::NeighborUnresolved);
}

Arp::Neighbors::iterator Arp::forget(Neighbors::iterator at) {
    drop_queue(at->second);
    published_->remove(at->first.interface, at->first.address);
    return neighbors_.erase(at);
}

void Arp::publish(const Key& key, const Neighbor& neighbor, Instant now) {
    const auto now_ns = static_cast<std::uint64_t>(now.time_since_epoch().count());
    if (!published_->store(key.interface, key.address, neighbor.state, neighbor.mac, now_ns))
        drops_->count(DropReason::NeighborUnresolved);
}

} // namespace adit::dataplane
