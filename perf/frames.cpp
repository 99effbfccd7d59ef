// SPDX-License-Identifier: Apache-2.0
#include "perf/frames.h"

#include "common/wire/ipv4.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/packet.h"
#include "dataplane/stages/esp_outbound.h"
#include "perf/harness.h"

#include <array>
#include <string>
#include <vector>

namespace adit::perf {

namespace {

using namespace adit::dataplane;

/// A UDP packet of `octets` at `at`; its payload is whatever lies there.
void write_inner(std::uint8_t* at,
                 std::uint16_t octets,
                 std::uint32_t source,
                 std::uint32_t destination) {
    wire::Ipv4Header{at}.write({.total_bytes = octets,
                                .protocol = wire::kProtocolUdp,
                                .source = source,
                                .destination = destination});
    wire::UdpHeader{at + wire::kIpv4Bytes}.write(
        4000, 4001, static_cast<std::uint16_t>(octets - wire::kIpv4Bytes));
}

std::uint8_t* start_frame(rte_mbuf* packet,
                          std::size_t octets,
                          const wire::MacAddress& gateway,
                          const wire::MacAddress& from) {
    std::uint8_t* frame = append(packet, wire::kEthernetBytes + octets);
    wire::EthernetHeader{frame}.write(gateway, from, wire::kEtherTypeIpv4);
    return frame + wire::kEthernetBytes;
}

class ClearFrames final : public FrameWriter {
  public:
    using FrameWriter::FrameWriter;

    void write(std::span<rte_mbuf*> packets,
               const Load& load,
               const wire::MacAddress& gateway) override {
        for (std::size_t i = 0; i < packets.size(); ++i) {
            const std::uint16_t octets = load.octets[i % kPackets];
            write_inner(start_frame(packets[i], octets, gateway, kHostMac),
                        octets,
                        kHost,
                        kFarHosts + next_tunnel());
        }
    }
};

/// The peer: its outbound SAs, and buffers to encipher in, since packets of the receiving program
/// have no room for our metadata.
class EspFrames final : public FrameWriter {
  public:
    explicit EspFrames(const FrameSpec& spec)
        : FrameWriter(spec), inbound_stats_(std::make_unique<ipc::SaStats[]>(spec.tunnels)),
          outbound_stats_(std::make_unique<ipc::SaStats[]>(spec.tunnels)),
          policy_stats_(std::make_unique<ipc::PolicyStats[]>(spec.tunnels)),
          crypto_(must(CryptoMb::create(CryptoArch::Auto))),
          table_(must(SaTable::create(
              {.worker = WorkerId{0},
               .max_sas = spec.tunnels,
               .max_policies = spec.tunnels,
               .stats = {inbound_stats_.get(), outbound_stats_.get(), policy_stats_.get()}},
              *crypto_))),
          pool_(rte_pktmbuf_pool_create(next_pool_name().c_str(),
                                        2 * kRxBurst - 1,
                                        0,
                                        kPacketMetaBytes,
                                        kHeadroomBytes + 2048 + kTailroomBytes,
                                        SOCKET_ID_ANY)),
          context_{.sas = table_,
                   .crypto = *crypto_,
                   .drops = drops_,
                   .events = *events_,
                   .notices = notices_,
                   .pool = pool_,
                   .now_ns = 1} {
        ENSURE(pool_ != nullptr);
        for (std::uint32_t slot = 0; slot < spec.tunnels; ++slot) {
            const WorkerId worker{static_cast<std::uint8_t>(slot % spec.workers)};
            ENSURE(
                table_
                    .install(make_sa(
                        spec.suite, spec.form, worker, slot, Side::Peer, ipc::Direction::Outbound))
                    .ok());
        }
        ENSURE(rte_pktmbuf_alloc_bulk(pool_, scratch_.data(), kRxBurst) == 0);
    }

    ~EspFrames() override {
        rte_pktmbuf_free_bulk(scratch_.data(), kRxBurst);
        rte_mempool_free(pool_);
    }

    EspFrames(const EspFrames&) = delete;
    EspFrames& operator=(const EspFrames&) = delete;

    void write(std::span<rte_mbuf*> packets,
               const Load& load,
               const wire::MacAddress& gateway) override {
        for (std::size_t first = 0; first < packets.size(); first += kRxBurst) {
            const auto count = std::min<std::size_t>(kRxBurst, packets.size() - first);
            Burst burst;
            for (std::size_t i = 0; i < count; ++i)
                burst.push(inner(*scratch_.at(i), load.octets[(first + i) % kPackets]));
            esp_outbound(burst, context_);
            ENSURE(burst.count == count);
            for (std::size_t i = 0; i < count; ++i) {
                const rte_mbuf* sealed = burst.packets[i];
                std::memcpy(start_frame(packets[first + i], sealed->data_len, gateway, kPeerMac),
                            rte_pktmbuf_mtod(sealed, const std::uint8_t*),
                            sealed->data_len);
            }
        }
    }

  private:
    static std::string next_pool_name() {
        static unsigned made = 0;
        return "peer" + std::to_string(made++);
    }

    rte_mbuf* inner(rte_mbuf& packet, std::uint16_t octets) {
        const std::uint32_t tunnel = next_tunnel();
        packet.data_off = kHeadroomBytes;
        packet.data_len = octets;
        packet.pkt_len = octets;
        write_inner(data(&packet), octets, kFarHosts + tunnel, kHost);
        meta(&packet) = PacketMeta{};
        meta(&packet).sa.outbound = table_.outbound_for_policy(tunnel);
        return &packet;
    }

    std::unique_ptr<ipc::SaStats[]> inbound_stats_, outbound_stats_;
    std::unique_ptr<ipc::PolicyStats[]> policy_stats_;
    std::unique_ptr<ipc::CoreStats> core_ = std::make_unique<ipc::CoreStats>();
    std::unique_ptr<EventQueue> events_ = std::make_unique<EventQueue>();
    Drops drops_{*core_};
    NoticeLimiter notices_;
    std::unique_ptr<CryptoMb> crypto_;
    SaTable table_;
    rte_mempool* pool_;
    EspContext context_;
    std::array<rte_mbuf*, kRxBurst> scratch_{};
};

} // namespace

std::unique_ptr<FrameWriter> make_frame_writer(const FrameSpec& spec) {
    if (spec.flow == Flow::Out)
        return std::make_unique<ClearFrames>(spec);
    return std::make_unique<EspFrames>(spec);
}

} // namespace adit::perf
