// SPDX-License-Identifier: Apache-2.0
// What arrives at an inbound SA, from strangers and from a peer that holds the keys: octets as they
// are, behind our SPI, sealed under the right keys (so that padding, trailer and inner packet are
// the input's), and sealed but changed on the way. Only what was sealed and not changed may come
// out, as it was sealed; a packet comes out or is dropped for one reason, and no buffer is lost.
//
// Input: kind, suite and form, sequence number (4), where to change (2), what with (1); the rest is
// the packet, or what is sealed.
#include "common/wire/esp.h"
#include "tests/support/esp_fixture.h"

#include <algorithm>
#include <array>
#include <optional>

namespace {

using namespace adit;
using namespace adit::dataplane;
using test::EspWorld;

constexpr std::size_t kMaxPacketBytes = 1600; // one buffer holds it with all that is put around it

enum class Kind : std::uint8_t {
    Raw,
    Addressed, // raw, but with SPI and sequence number of the SA
    Sealed,
    Changed, // sealed, then one octet is not what it was
};

struct Script {
    Kind kind;
    bool in_two_segments;
    test::Suite suite;
    std::uint16_t port; // 4500: in UDP
    std::uint8_t sa_flags;
    std::uint32_t sequence;
    std::uint16_t at;
    std::uint8_t change;
    ByteView octets;
};

std::optional<Script> read_script(ByteView input) {
    constexpr std::size_t kHeadBytes = 9;
    if (input.size() < kHeadBytes)
        return std::nullopt;
    const auto suites = test::all_suites();
    const std::uint8_t form = input[1];
    return Script{
        .kind = static_cast<Kind>(input[0] & 3),
        .in_two_segments = (input[0] & 4) != 0,
        .suite = suites[(form >> 2) % suites.size()],
        .port = test::kForms[form & 1],
        .sa_flags = (form & 2) != 0 ? std::uint8_t{ipc::kSaExtendedSequence} : std::uint8_t{0},
        .sequence = load_be<std::uint32_t>(input.data() + 2),
        .at = load_be<std::uint16_t>(input.data() + 6),
        .change = input[8],
        .octets = input.subspan(kHeadBytes, std::min(input.size() - kHeadBytes, kMaxPacketBytes))};
}

/// `text` as the peer would send it, with the SA's own keys; the upper half of an extended sequence
/// number is 0.
Bytes sealed(EspWorld& world, const InboundSa& sa, std::uint32_t sequence, ByteView text) {
    const EspLayout layout = sa.layout;
    const std::size_t text_at = wire::kEspBytes + layout.iv;
    Bytes esp(text_at + text.size() + layout.icv);
    ENSURE(esp.data() != nullptr); // g++ 12 cannot tell
    store_be(esp.data(), sa.spi);
    store_be(esp.data() + 4, sequence);
    std::ranges::copy(text, esp.begin() + static_cast<std::ptrdiff_t>(text_at));
    std::array<std::uint8_t, 12> nonce{}; // salt and an IV of zeros
    std::copy_n(sa.salt_be, sizeof sa.salt_be, nonce.begin());
    std::array<std::uint8_t, 12> extended_aad{};
    store_be(extended_aad.data(), sa.spi);
    store_be(extended_aad.data() + 8, sequence);
    const bool extended = sa.has(kTraitExtendedSequence);
    CryptoJob job{.keys = &sa.keys,
                  .text = esp.data() + text_at,
                  .iv = esp.data() + wire::kEspBytes,
                  .authenticated = esp.data(),
                  .tag = esp.data() + text_at + text.size(),
                  .text_bytes = static_cast<std::uint32_t>(text.size()),
                  .authenticated_bytes =
                      static_cast<std::uint32_t>(text_at + text.size() + (extended ? 4 : 0)),
                  .cipher = sa.cipher,
                  .mac = sa.mac};
    if (sa.has(kTraitCombined)) {
        job.iv = nonce.data();
        job.authenticated = extended ? extended_aad.data() : esp.data();
        job.authenticated_bytes = extended ? 12 : 8;
    }
    world.crypto->seal({&job, 1});
    return esp;
}

/// What travels, and what was sealed in it.
struct Sent {
    Bytes esp;
    Bytes text;
};

Sent make_packet(const Script& script, EspWorld& world, const InboundSa& sa) {
    Sent sent{.esp = to_bytes(script.octets), .text = {}};
    if (script.kind == Kind::Addressed && sent.esp.size() >= wire::kEspBytes) {
        store_be(sent.esp.data(), sa.spi);
        store_be(sent.esp.data() + 4, script.sequence);
    }
    if (script.kind == Kind::Sealed || script.kind == Kind::Changed) {
        sent.text = to_bytes(script.octets);
        const std::size_t over = sent.text.size() % sa.layout.block;
        if (over != 0 || sent.text.empty()) // in front of the trailer, which stays the input's
            sent.text.insert(sent.text.begin(), sa.layout.block - over, 0x45);
        sent.esp = sealed(world, sa, script.sequence, sent.text);
    }
    if (script.kind == Kind::Changed) {
        std::uint8_t& octet = sent.esp[script.at % sent.esp.size()];
        octet = static_cast<std::uint8_t>(octet ^ std::max<std::uint8_t>(script.change, 1));
    }
    return sent;
}

struct Mbufs : test::EspFixture {
    using EspFixture::arrived;
    using EspFixture::bytes_of;
    using MbufFixture::make_packet;
};

rte_mbuf* arrived(const Script& script, const Sent& sent, const InboundSa& sa) {
    const std::size_t cut = script.in_two_segments ? script.at % (sent.esp.size() + 1) : 0;
    if (cut == 0)
        return Mbufs::arrived(sent.esp, sa);
    rte_mbuf* packet = Mbufs::arrived(ByteView{sent.esp}.first(cut), sa);
    ENSURE(rte_pktmbuf_chain(packet, Mbufs::make_packet(ByteView{sent.esp}.subspan(cut))) == 0);
    return packet;
}

void check_survivor(rte_mbuf* packet, const Script& script, const Sent& sent, const InboundSa& sa) {
    ENSURE(script.kind == Kind::Sealed);
    const Bytes inner = Mbufs::bytes_of(packet);
    ENSURE(inner.size() >= wire::kIpv4Bytes && inner.size() == packet->pkt_len);
    ENSURE(inner.size() <= sent.text.size());
    ENSURE(std::equal(inner.begin(), inner.end(), sent.text.begin()));
    const PacketMeta& info = meta(packet);
    ENSURE((info.flags & kFromSa) != 0 && info.sa.inbound == &sa);
    ENSURE(info.source >= sa.selector.remote_first && info.source <= sa.selector.remote_last);
    ENSURE(info.destination >= sa.selector.local_first &&
           info.destination <= sa.selector.local_last);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    test::test_pool();
    static EspWorld world;
    const std::optional<Script> script = read_script({data, size});
    if (!script)
        return 0;
    auto record = EspWorld::record(ipc::Direction::Inbound, script->suite, 0);
    record.local_port = record.remote_port = script->port;
    record.flags = script->sa_flags;
    world.install(record);
    const InboundSa& sa = world.inbound(0);
    const unsigned free_before = rte_mempool_avail_count(test::test_pool());
    const std::uint64_t dropped_before = world.dropped_in_all();

    const Sent sent = make_packet(*script, world, sa);
    Burst burst;
    burst.push(arrived(*script, sent, sa));
    esp_inbound(burst, world.context);
    ENSURE(burst.count + (world.dropped_in_all() - dropped_before) == 1);
    if (burst.count == 1) {
        check_survivor(burst.packets[0], *script, sent, sa);
        rte_pktmbuf_free(burst.packets[0]);
    }
    ENSURE(rte_mempool_avail_count(test::test_pool()) == free_before);

    world.events->clear();
    ENSURE(world.table.remove({.sa_id = record.sa_id, .slot = record.slot}).ok());
    return 0;
}
