// SPDX-License-Identifier: Apache-2.0
// One worker's world without a worker: a context with two ports, tables, queues and SAs, and short
// ways to make frames and packets.
//
//   10.2.0.2 host -- [0] 10.2.0.1/24  gateway  192.0.2.1/24 [1] -- 192.0.2.2 peer -- 10.1.0.0/16
//
// Both neighbours are known; nothing is transmitted, frames lie in context.ports[i].out.
#pragma once

#include "common/wire/icmp.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/worker_context.h"
#include "tests/support/esp_fixture.h"

#include <memory>
#include <vector>

namespace adit::test {

inline constexpr std::uint32_t kHost = Ipv4Address{10, 2, 0, 2}.value;
inline constexpr std::uint32_t kLanAddress = Ipv4Address{10, 2, 0, 1}.value;
inline constexpr std::uint32_t kWanAddress = Ipv4Address{192, 0, 2, 1}.value;
inline constexpr std::uint32_t kPeerAddress = Ipv4Address{192, 0, 2, 2}.value;
inline constexpr std::uint32_t kFarHost = Ipv4Address{10, 1, 0, 2}.value;
inline constexpr std::uint16_t kLan = 0;
inline constexpr std::uint16_t kWan = 1;
inline constexpr wire::MacAddress kLanMac{{2, 0, 0, 0, 0, 1}};
inline constexpr wire::MacAddress kWanMac{{2, 0, 0, 0, 0, 2}};
inline constexpr wire::MacAddress kHostMac{{2, 0, 0, 0, 1, 1}};
inline constexpr wire::MacAddress kPeerMac{{2, 0, 0, 0, 1, 2}};

/// An IPv4 packet around `payload`.
inline Bytes ip_packet(std::uint32_t source,
                       std::uint32_t destination,
                       std::uint8_t protocol,
                       ByteView payload,
                       std::uint16_t flags_and_offset = 0,
                       std::uint8_t ttl = 64) {
    Bytes packet(wire::kIpv4Bytes + payload.size());
    std::copy(payload.begin(), payload.end(), packet.begin() + wire::kIpv4Bytes);
    wire::Ipv4Header{packet.data()}.write({.total_bytes = static_cast<std::uint16_t>(packet.size()),
                                           .id = 0x1234,
                                           .flags_and_offset = flags_and_offset,
                                           .ttl = ttl,
                                           .protocol = protocol,
                                           .source = source,
                                           .destination = destination});
    return packet;
}

inline Bytes udp_packet(std::uint32_t source,
                        std::uint32_t destination,
                        std::uint16_t source_port,
                        std::uint16_t destination_port,
                        ByteView payload,
                        std::uint16_t flags_and_offset = 0,
                        std::uint8_t ttl = 64) {
    Bytes datagram(wire::kUdpBytes + payload.size());
    std::copy(payload.begin(), payload.end(), datagram.begin() + wire::kUdpBytes);
    wire::UdpHeader udp{datagram.data()};
    udp.write(source_port, destination_port, static_cast<std::uint16_t>(datagram.size()));
    udp.update_checksum(source, destination);
    return ip_packet(source, destination, wire::kProtocolUdp, datagram, flags_and_offset, ttl);
}

inline Bytes echo_request(std::uint32_t source, std::uint32_t destination, std::size_t data_bytes) {
    Bytes message(wire::kIcmpBytes + data_bytes, 0x5a);
    ENSURE(message.data() != nullptr); // g++ 12 cannot tell
    wire::IcmpHeader icmp{message.data()};
    icmp.write(wire::IcmpType::Echo, 0, 0x00010001);
    icmp.update_checksum(message.size());
    return ip_packet(source, destination, wire::kProtocolIcmp, message);
}

/// Addresses and routes of the picture above; no policies.
inline dataplane::Tables gateway_tables() {
    dataplane::Tables tables;
    namespace dp = dataplane;
    tables.interfaces[kLan] = {true, 24, kLanAddress, 1500};
    tables.interfaces[kWan] = {true, 24, kWanAddress, 1500};
    tables.routes.add({Ipv4Address{10, 1, 0, 0}, 16}, {dp::RouteKind::Gateway, kWan, kPeerAddress});
    tables.routes.add({Ipv4Address{10, 2, 0, 0}, 24}, {dp::RouteKind::Connected, kLan, 0});
    tables.routes.add({Ipv4Address{192, 0, 2, 0}, 24}, {dp::RouteKind::Connected, kWan, 0});
    tables.routes.add({Ipv4Address{10, 2, 0, 255}, 32}, {dp::RouteKind::Broadcast, kLan, 0});
    tables.routes.add({Ipv4Address{kLanAddress}, 32}, {dp::RouteKind::Local, kLan, 0});
    tables.routes.add({Ipv4Address{kWanAddress}, 32}, {dp::RouteKind::Local, kWan, 0});
    return tables;
}

/// Protects 10.2.0.0/16 <-> 10.1.0.0/16 on the wan as policy 0.
inline dataplane::PolicyLine protect_line() {
    return {.order = 10,
            .policy = PolicyId{0},
            .action = ipc::PolicyAction::Protect,
            .entry = 1,
            .selector = {{Ipv4Address{10, 2, 0, 0}, Ipv4Address{10, 2, 255, 255}},
                         {Ipv4Address{10, 1, 0, 0}, Ipv4Address{10, 1, 255, 255}}}};
}

class WorkerFixture : public MbufFixture {
  protected:
    WorkerFixture() {
        neighbors.store(kLan, kHost, ipc::NeighborState::Reachable, kHostMac, 1);
        neighbors.store(kWan, kPeerAddress, ipc::NeighborState::Reachable, kPeerMac, 1);
    }

    void TearDown() override {
        for (auto& port : context->ports)
            free_all(port.out);
        for (dataplane::Burst* burst :
             {&context->local, &context->esp_in, &context->protect, &context->made})
            free_all(*burst);
        context.reset();
        queues.reset();
        MbufFixture::TearDown();
    }

    static void free_all(dataplane::Burst& burst) {
        rte_pktmbuf_free_bulk(burst.packets, burst.count);
        burst.count = 0;
    }

    void protect_wan() { tables.policies[kWan] = dataplane::PolicyTable{{protect_line()}}; }

    /// The LAN's port was asked to check IPv4 checksums.
    void ask_nic_for_checksums() {
        context->ports[kLan].offloads.rx_ipv4_checksum = true;
        context->faces = dataplane::faces_of(context->ports);
    }

    static dataplane::Burst burst_of(rte_mbuf* packet) {
        dataplane::Burst burst;
        burst.push(packet);
        return burst;
    }

    /// As reception would leave it.
    static rte_mbuf* received(std::uint16_t interface, ByteView content) {
        rte_mbuf* packet = make_packet(content);
        dataplane::meta(packet).in_interface = interface;
        dataplane::meta(packet).policy = kNoPolicy.value;
        return packet;
    }

    static rte_mbuf* pop(dataplane::MbufRing& ring) {
        rte_mbuf* packet = nullptr;
        return ring.pop({&packet, 1}) == 1 ? packet : nullptr;
    }

    EspWorld world{dataplane::CryptoArch::Auto};
    dataplane::Tables tables = gateway_tables();
    dataplane::NeighborTable neighbors{{}};
    std::unique_ptr<dataplane::HousekeeperQueues> queues = [] {
        auto made = dataplane::HousekeeperQueues::create(0);
        ENSURE(made.has_value());
        return std::make_unique<dataplane::HousekeeperQueues>(std::move(*made));
    }();
    const std::vector<dataplane::WorkerPort> ports{{.dpdk_port = kLan, .mac = kLanMac},
                                                   {.dpdk_port = kWan, .mac = kWanMac}};
    std::unique_ptr<dataplane::WorkerContext> context{
        new dataplane::WorkerContext{.esp = world.context,
                                     .tables = &tables,
                                     .neighbors = neighbors,
                                     .queues = *queues,
                                     .policy_stats = world.policy_stats.get(),
                                     .ports = ports,
                                     .faces = dataplane::faces_of(ports),
                                     .held = dataplane::HoldQueue{EspWorld::kMaxPolicies},
                                     .reassembly = dataplane::Reassembly{world.drops},
                                     .icmp_errors = dataplane::IcmpErrors{test_pool()}}};
};

} // namespace adit::test
