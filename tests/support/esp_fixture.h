// SPDX-License-Identifier: Apache-2.0
// One worker's ESP world: SA table, crypto, counters and queues, and short ways to make SAs and
// packets. The gateway under test is 192.0.2.1 with 10.2.0.0/16 behind it; its peer 192.0.2.2
// has 10.1.0.0/16. In loop tests the same SA pair is installed in both directions, so what goes out
// can come in.
#pragma once

#include "common/address.h"
#include "common/spi.h"
#include "common/wire/ipv4.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/stages/esp_inbound.h"
#include "dataplane/stages/esp_outbound.h"
#include "tests/support/mbuf_fixture.h"
#include "tests/support/seeded_rng.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace adit::test {

struct Suite {
    EspCipher cipher;
    EspMac mac;
};

/// Ports of native and of UDP-encapsulated ESP.
inline constexpr std::uint16_t kForms[] = {0, 4500};

/// Every sound pair of the algorithm table.
inline std::vector<Suite> all_suites() {
    std::vector<Suite> suites;
    for (const EspCipherInfo& cipher : kEspCiphers)
        for (const EspMacInfo& mac : kEspMacs)
            if (is_sound(cipher.cipher, mac.mac))
                suites.push_back({cipher.cipher, mac.mac});
    return suites;
}

inline std::string name_of(Suite suite) {
    return std::string{info(suite.cipher).config_name} + " " + info(suite.mac).config_name;
}

inline constexpr std::array kArchs = {
    dataplane::CryptoArch::Sse,
    dataplane::CryptoArch::Avx2,
    dataplane::CryptoArch::Avx512,
};

/// The last part of a test's name: the list of tests says on which instruction sets they ran.
inline std::string arch_name(const ::testing::TestParamInfo<dataplane::CryptoArch>& arch) {
    constexpr std::array kNames = {"Auto", "Sse", "Avx2", "Avx512"};
    return kNames[static_cast<std::size_t>(arch.param)];
}

/// A fixture for each of kArchs; what this CPU cannot run is skipped aloud.
template <class Fixture>
class OnEveryArch : public Fixture, public ::testing::WithParamInterface<dataplane::CryptoArch> {
  protected:
    void SetUp() override {
        Fixture::SetUp();
        if (!dataplane::CryptoMb::supports(GetParam()))
            GTEST_SKIP() << "this CPU lacks the instructions";
    }
};

class EspWorld {
  public:
    static constexpr std::uint32_t kMaxSas = kMaxSaSlots;
    static constexpr std::uint32_t kMaxPolicies = 256;
    static constexpr Ipv4Address kUs{192, 0, 2, 1};
    static constexpr Ipv4Address kPeer{192, 0, 2, 2};
    static constexpr WorkerId kWorker{3};

    explicit EspWorld(dataplane::CryptoArch arch = dataplane::CryptoArch::Auto,
                      WorkerId worker = kWorker)
        : crypto(open(arch)), table(make_table(worker)), context{.sas = table,
                                                                 .crypto = *crypto,
                                                                 .drops = drops,
                                                                 .events = *events,
                                                                 .notices = notices,
                                                                 .pool = test_pool(),
                                                                 .now_ns = 5'000'000'000} {}

    /// A record that install() accepts; tests change what they are about.
    static ipc::InstallSa record(ipc::Direction direction, Suite suite, std::uint32_t slot) {
        ipc::InstallSa sa{};
        sa.sa_id = 2001 + 2 * slot + static_cast<std::uint32_t>(direction);
        sa.spi = make_spi(kWorker, slot, 0xa5).value;
        sa.slot = slot;
        sa.policy = slot % kMaxPolicies;
        sa.local_address = kUs.value;
        sa.remote_address = kPeer.value;
        sa.direction = static_cast<std::uint8_t>(direction);
        sa.cipher = static_cast<std::uint8_t>(suite.cipher);
        sa.mac = static_cast<std::uint8_t>(suite.mac);
        sa.key_bytes =
            static_cast<std::uint8_t>(info(suite.cipher).key_bytes + info(suite.cipher).salt_bytes);
        sa.mac_key_bytes = info(suite.mac).key_bytes;
        sa.replay_window = 64;
        sa.first_sequence = direction == ipc::Direction::Outbound ? 1 : 0;
        sa.selector.local_first = Ipv4Address{10, 2, 0, 0}.value;
        sa.selector.local_last = Ipv4Address{10, 2, 255, 255}.value;
        sa.selector.remote_first = Ipv4Address{10, 1, 0, 0}.value;
        sa.selector.remote_last = Ipv4Address{10, 1, 255, 255}.value;
        sa.selector.local_port_last = 0xffff;
        sa.selector.remote_port_last = 0xffff;
        SeededRng rng{slot};
        rng.fill({sa.key, sa.key_bytes});
        rng.fill({sa.mac_key, sa.mac_key_bytes});
        return sa;
    }

    void install(const ipc::InstallSa& sa) {
        const auto outcome = table.install(sa);
        ENSURE(outcome.ok());
    }

    /// The peer's outbound SA: what it sends to us by the inbound SA of the same slot.
    static ipc::InstallSa mirrored(ipc::InstallSa inbound) {
        inbound.direction = static_cast<std::uint8_t>(ipc::Direction::Outbound);
        inbound.sa_id += 1;
        inbound.first_sequence = 1;
        std::swap(inbound.local_address, inbound.remote_address);
        std::swap(inbound.local_port, inbound.remote_port);
        return inbound;
    }

    [[nodiscard]] dataplane::InboundSa& inbound(std::uint32_t slot) const {
        dataplane::InboundSa* sa = table.find_inbound(make_spi(kWorker, slot, 0xa5));
        ENSURE(sa != nullptr);
        return *sa;
    }

    [[nodiscard]] dataplane::OutboundSa& outbound(std::uint32_t slot) const {
        dataplane::OutboundSa* sa = table.outbound_for_policy(slot % kMaxPolicies);
        ENSURE(sa != nullptr);
        return *sa;
    }

    [[nodiscard]] std::uint64_t dropped(DropReason reason) const {
        return ipc::read(core->drops[static_cast<std::size_t>(reason)]);
    }

    [[nodiscard]] std::uint64_t dropped_in_all() const {
        std::uint64_t sum = 0;
        for (const ipc::Counter& counter : core->drops)
            sum += ipc::read(counter);
        return sum;
    }

    /// Name of the only reason counted since the start; for failure texts and comparisons.
    [[nodiscard]] std::string reasons() const {
        std::string names;
        for (std::size_t i = 0; i < kDropReasonCount; ++i)
            if (ipc::read(core->drops[i]) != 0)
                names += std::string{names.empty() ? "" : " "} + kDropReasonNames[i];
        return names;
    }

    [[nodiscard]] unsigned count_events(ipc::EventType type) const {
        unsigned count = 0;
        for (const ipc::EventRecord& event : events->pending())
            count += unsigned{event.header.type == static_cast<std::uint16_t>(type)};
        return count;
    }

    /// Cells for a million slots that cost nothing until touched.
    using LazyStats = std::unique_ptr<ipc::SaStats, decltype(&std::free)>;

    static LazyStats make_lazy_stats() {
        return {static_cast<ipc::SaStats*>(std::calloc(kMaxSas, sizeof(ipc::SaStats))), &std::free};
    }

    std::unique_ptr<ipc::CoreStats> core = std::make_unique<ipc::CoreStats>();
    LazyStats inbound_stats = make_lazy_stats();
    LazyStats outbound_stats = make_lazy_stats();
    std::unique_ptr<ipc::PolicyStats[]> policy_stats =
        std::make_unique<ipc::PolicyStats[]>(kMaxPolicies);
    dataplane::Drops drops{*core};
    std::unique_ptr<dataplane::EventQueue> events = std::make_unique<dataplane::EventQueue>();
    dataplane::NoticeLimiter notices;
    std::unique_ptr<dataplane::CryptoMb> crypto;
    dataplane::SaTable table;
    dataplane::EspContext context;

  private:
    static std::unique_ptr<dataplane::CryptoMb> open(dataplane::CryptoArch arch) {
        auto crypto_or_error = dataplane::CryptoMb::create(arch);
        ENSURE(crypto_or_error.has_value());
        return std::move(*crypto_or_error);
    }

    dataplane::SaTable make_table(WorkerId worker) {
        auto made = dataplane::SaTable::create(
            {.worker = worker,
             .max_sas = kMaxSas,
             .max_policies = kMaxPolicies,
             .stats = {inbound_stats.get(), outbound_stats.get(), policy_stats.get()}},
            *crypto);
        ENSURE(made.has_value());
        return std::move(*made);
    }
};

/// An IPv4 packet of `total` octets (20 at least), from the peer's network to ours, UDP when it is
/// long enough.
inline Bytes inner_packet(std::size_t total, std::uint8_t tos = 0, std::uint16_t flags = 0) {
    Bytes packet(total);
    for (std::size_t i = wire::kIpv4Bytes; i < total; ++i)
        packet[i] = static_cast<std::uint8_t>(i * 7);
    wire::Ipv4Header{packet.data()}.write({.tos = tos,
                                           .total_bytes = static_cast<std::uint16_t>(total),
                                           .id = static_cast<std::uint16_t>(total),
                                           .flags_and_offset = flags,
                                           .ttl = 63,
                                           .protocol = wire::kProtocolUdp,
                                           .source = Ipv4Address{10, 1, 2, 3}.value,
                                           .destination = Ipv4Address{10, 2, 3, 4}.value});
    return packet;
}

class EspFixture : public MbufFixture {
  protected:
    /// As the UDP and IP input stages leave an ESP packet for us: data at the ESP header.
    static rte_mbuf*
    arrived(ByteView esp, const dataplane::InboundSa& sa, std::uint8_t outer_tos = 0) {
        rte_mbuf* packet = make_packet(esp);
        dataplane::PacketMeta& info = dataplane::meta(packet);
        info.outer_source = sa.remote_address;
        info.outer_destination = sa.local_address;
        info.outer_source_port = sa.remote_port;
        info.outer_destination_port = sa.local_port;
        info.outer_tos = outer_tos;
        if (sa.has(dataplane::kTraitUdp))
            info.flags = dataplane::kUdpEncap;
        return packet;
    }

    /// Turns an outbound packet into one that arrives at the other end.
    static void deliver(rte_mbuf* packet) {
        dataplane::PacketMeta& info = dataplane::meta(packet);
        const wire::Ipv4Header outer{dataplane::data(packet)};
        EXPECT_TRUE(outer.checksum_holds());
        EXPECT_EQ(outer.total_bytes(), packet->data_len);
        const bool udp = outer.protocol() == wire::kProtocolUdp;
        info.outer_source = outer.source();
        info.outer_destination = outer.destination();
        info.outer_tos = outer.tos();
        info.outer_source_port = 0;
        info.outer_destination_port = 0;
        info.flags = 0;
        if (udp) {
            const std::uint8_t* ports = dataplane::data(packet) + wire::kIpv4Bytes;
            info.outer_source_port = load_be<std::uint16_t>(ports);
            info.outer_destination_port = load_be<std::uint16_t>(ports + 2);
            info.flags = dataplane::kUdpEncap;
        }
        rte_pktmbuf_adj(packet, udp ? 28 : 20);
    }

    static rte_mbuf* to_protect(ByteView inner, dataplane::OutboundSa& sa) {
        rte_mbuf* packet = make_packet(inner);
        dataplane::meta(packet).sa.outbound = &sa;
        return packet;
    }

    /// The peer's ESP packet around `inner`, without outer headers, as octets.
    static Bytes sealed_by(EspWorld& peer, std::uint32_t slot, ByteView inner) {
        dataplane::Burst burst;
        burst.push(to_protect(inner, peer.outbound(slot)));
        dataplane::esp_outbound(burst, peer.context);
        ENSURE(burst.count == 1);
        deliver(burst.packets[0]);
        Bytes esp = bytes_of(burst.packets[0]);
        rte_pktmbuf_free(burst.packets[0]);
        return esp;
    }

    /// Runs one packet through esp_inbound; the inner octets, or nothing when it was dropped.
    static std::vector<Bytes> receive(EspWorld& world, rte_mbuf* packet) {
        dataplane::Burst burst;
        burst.push(packet);
        dataplane::esp_inbound(burst, world.context);
        return take(burst);
    }

    static std::vector<Bytes> take(dataplane::Burst& burst) {
        std::vector<Bytes> left;
        for (unsigned i = 0; i < burst.count; ++i) {
            left.push_back(bytes_of(burst.packets[i]));
            rte_pktmbuf_free(burst.packets[i]);
        }
        burst.count = 0;
        return left;
    }
};

} // namespace adit::test
