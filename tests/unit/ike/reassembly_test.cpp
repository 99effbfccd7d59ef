// SPDX-License-Identifier: Apache-2.0
// Fragments of IKE: their form, putting them together, and every way of abusing that.
#include "control/ike/message.h"
#include "control/ike/proposal.h"
#include "control/ike/reassembly.h"
#include "tests/support/ike_network.h"
#include "tests/support/seeded_rng.h"
#include "tests/support/vectors.h"
#include "tests/support/work_meter.h"

#include <gtest/gtest.h>

#include <numeric>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using test::unhex;
using namespace std::chrono_literals;

constexpr Instant kStart{1h};

Bytes counting_bytes(std::size_t count) {
    Bytes bytes(count);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return bytes;
}

// --- form ---------------------------------------------------------------------------------------

Header phase1_header() {
    Header header;
    header.cookies = {Cookie{0x1111111111111111}, Cookie{0x2222222222222222}};
    header.exchange = ExchangeType::IdentityProtection;
    return header;
}

TEST(FragmentForm, IsWhatThePictureSays) {
    const auto datagrams = fragments_of(unhex("a0a1a2a3a4"), phase1_header(), 0x0107, 36 + 3);
    ASSERT_EQ(datagrams.size(), 2U);
    EXPECT_EQ(to_hex(datagrams[0]),
              "11111111111111112222222222222222" // cookies
              "84100200"
              "00000000"
              "00000027" // fragment, 1.0, main mode, no flags; id; length
              "0000000b"
              "01070100"
              "a0a1a2"); // length; id, number 1, not the last; data
    EXPECT_EQ(to_hex(datagrams[1]),
              "11111111111111112222222222222222"
              "84100200"
              "00000000"
              "00000026"
              "0000000a"
              "01070201"
              "a3a4");
}

TEST(FragmentForm, ReadsWhatItWrites) {
    const Bytes message = counting_bytes(1000);
    Bytes joined;
    std::uint8_t number = 0;
    const auto datagrams = fragments_of(message, phase1_header(), 9, 136);
    ASSERT_EQ(datagrams.size(), 10U);
    for (const Bytes& datagram : datagrams) {
        EXPECT_LE(datagram.size(), 136U);
        const auto fragment = parse_fragment(datagram);
        ASSERT_TRUE(fragment) << fragment.error().text;
        EXPECT_EQ(fragment->id, 9);
        EXPECT_EQ(fragment->number, ++number);
        EXPECT_EQ(fragment->last, number == 10);
        joined.insert(joined.end(), fragment->data.begin(), fragment->data.end());
    }
    EXPECT_EQ(joined, message);
}

TEST(FragmentForm, OnlyTheLastFlagIsLookedAt) {
    Bytes datagram = fragments_of(counting_bytes(10), phase1_header(), 1, 100).front();
    datagram[35] = 0xfe;
    EXPECT_FALSE(parse_fragment(datagram)->last);
    datagram[35] = 0xff;
    EXPECT_TRUE(parse_fragment(datagram)->last);
}

TEST(FragmentForm, MoreThanNumbersReachIsNotCut) {
    EXPECT_EQ(fragments_of(counting_bytes(255), phase1_header(), 1, 37).size(), 255U);
    EXPECT_TRUE(fragments_of(counting_bytes(256), phase1_header(), 1, 37).empty());
}

struct BadForm {
    const char* name;
    const char* payload; // behind the header, in hex
};

class FragmentRefusal : public ::testing::TestWithParam<BadForm> {};

TEST_P(FragmentRefusal, IsRefused) {
    Writer writer;
    Header header = phase1_header();
    header.next_payload = PayloadType::Fragment;
    write_header(writer, header);
    writer.append(unhex(GetParam().payload));
    patch_length(writer);
    EXPECT_FALSE(parse_fragment(writer.view()));
}

INSTANTIATE_TEST_SUITE_P(
    Forms,
    FragmentRefusal,
    ::testing::Values(BadForm{"nothing", ""},
                      BadForm{"length_0", "000000000001010161"},
                      BadForm{"length_1", "000000010001010161"},
                      BadForm{"length_2", "000000020001010161"},
                      BadForm{"length_3", "000000030001010161"},
                      BadForm{"length_4", "0000000400010101"},
                      BadForm{"only_a_generic_header", "00000004"},
                      BadForm{"length_5", "0000000500"},
                      BadForm{"length_6", "000000060001"},
                      BadForm{"length_7", "00000007000101"},
                      BadForm{"length_8_no_data", "0000000800010101"},
                      BadForm{"length_beyond_datagram", "0000000a0001010161"},
                      BadForm{"length_short_of_datagram", "00000009000101016162"},
                      BadForm{"length_65535", "0000ffff0001010161"},
                      BadForm{"number_0", "000000090001000161"},
                      BadForm{"reserved_octet", "000100090001010161"},
                      BadForm{"another_payload_behind", "0d000009000101016100000004"},
                      BadForm{"a_fragment_behind", "84000009000101016100000009000102016a"}),
    [](const auto& form) { return std::string{form.param.name}; });

// --- putting together ---------------------------------------------------------------------------

class Reassembling : public ::testing::Test {
  protected:
    using From = Reassembly::From;

    static FragmentSource source(std::uint16_t id = 1, std::uint32_t peer = 0xc0000214) {
        return {{test::kLeft, 500}, {Ipv4Address{peer}, 500}, phase1_header().cookies, id};
    }

    Result<std::optional<Bytes>>
    add(std::uint8_t number, bool last, ByteView data, const FragmentSource& from = source()) {
        return table.add(from, {from.id, number, last, data}, From::Configured, kStart);
    }

    Reassembly table;
};

TEST_F(Reassembling, AnyOrderMakesTheMessage) {
    test::SeededRng rng{3};
    const Bytes message = counting_bytes(997);
    for (int round = 0; round < 50; ++round) {
        auto datagrams = fragments_of(message, phase1_header(), 1, 36 + 8 + rng.below(200));
        ASSERT_FALSE(datagrams.empty());
        for (std::size_t i = datagrams.size() - 1; i > 0; --i)
            std::swap(datagrams[i], datagrams[rng.below(static_cast<std::uint32_t>(i + 1))]);
        std::optional<Bytes> whole;
        for (const Bytes& datagram : datagrams) {
            EXPECT_FALSE(whole);
            auto added = table.add(source(), *parse_fragment(datagram), From::Configured, kStart);
            ASSERT_TRUE(added) << added.error().text;
            whole = std::move(*added);
        }
        ASSERT_TRUE(whole);
        EXPECT_EQ(*whole, message);
        EXPECT_EQ(table.bytes(), 0U);
        EXPECT_FALSE(table.next_deadline());
    }
}

TEST_F(Reassembling, OfTwoWithOneNumberTheFirstCounts) {
    EXPECT_FALSE(*add(1, false, as_bytes("first")));
    EXPECT_FALSE(*add(1, false, as_bytes("other")));
    EXPECT_EQ(to_text(**add(2, true, as_bytes("-end"))), "first-end");
}

TEST_F(Reassembling, WithoutTheLastItEndsByTheClock) {
    for (std::uint8_t number = 1; number <= 5; ++number)
        EXPECT_FALSE(*add(number, false, as_bytes("x")));
    EXPECT_EQ(table.next_deadline(), kStart + 10s);
    EXPECT_TRUE(table.expire(kStart + 9s).empty());
    const auto expired = table.expire(kStart + 10s);
    ASSERT_EQ(expired.size(), 1U);
    EXPECT_EQ(expired.front().fragments, 5U);
    EXPECT_EQ(table.bytes(), 0U);
    EXPECT_EQ(table.messages(), 0U);
}

TEST_F(Reassembling, LateFragmentsDoNotStretchTheClock) {
    EXPECT_FALSE(*add(1, false, as_bytes("x")));
    ASSERT_TRUE(table.add(source(), {1, 2, false, as_bytes("y")}, From::Configured, kStart + 9s));
    EXPECT_EQ(table.expire(kStart + 10s).size(), 1U);
}

TEST_F(Reassembling, Number255AloneKeepsOneFragment) {
    EXPECT_FALSE(*add(255, true, as_bytes("x")));
    EXPECT_LT(table.bytes(), 1024U);
}

TEST_F(Reassembling, TwoEndsTakeBothAway) {
    EXPECT_FALSE(*add(3, true, as_bytes("x")));
    EXPECT_FALSE(add(5, true, as_bytes("x")));
    EXPECT_EQ(table.messages(), 0U);
}

TEST_F(Reassembling, NumbersBehindTheEndTakeAllAway) {
    EXPECT_FALSE(*add(3, true, as_bytes("x")));
    EXPECT_FALSE(add(4, false, as_bytes("x")));
    EXPECT_EQ(table.messages(), 0U);
    EXPECT_FALSE(*add(9, false, as_bytes("x")));
    EXPECT_FALSE(add(2, true, as_bytes("x")));
    EXPECT_EQ(table.messages(), 0U);
}

TEST_F(Reassembling, MessagesOfOtherNumbersCookiesAndPeersAreOthers) {
    FragmentSource other_cookies = source();
    other_cookies.cookies.responder = Cookie{3};
    EXPECT_FALSE(*add(1, false, as_bytes("a")));
    EXPECT_FALSE(*add(1, false, as_bytes("b"), source(2)));
    EXPECT_FALSE(*add(1, false, as_bytes("c"), source(1, 0xc0000215)));
    EXPECT_FALSE(*add(1, false, as_bytes("d"), other_cookies));
    EXPECT_EQ(to_text(**add(2, true, as_bytes("2"))), "a2");
    EXPECT_EQ(to_text(**add(2, true, as_bytes("2"), source(2))), "b2");
    EXPECT_EQ(to_text(**add(2, true, as_bytes("2"), source(1, 0xc0000215))), "c2");
    EXPECT_EQ(to_text(**add(2, true, as_bytes("2"), other_cookies)), "d2");
}

// --- bounds -------------------------------------------------------------------------------------

TEST_F(Reassembling, MessageHasAnEnd) {
    const Bytes data = counting_bytes(500);
    bool refused = false;
    for (unsigned number = 1; number <= 255; ++number)
        refused |= !add(static_cast<std::uint8_t>(number), number == 255, data);
    EXPECT_TRUE(refused);
    EXPECT_LE(table.bytes(), Reassembly::kMaxPeerBytes);
}

TEST_F(Reassembling, OnePeerHasAnEndHoweverItsFragmentsAreCut) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{500}, std::size_t{10'000}}) {
        Reassembly fresh;
        const Bytes data = counting_bytes(size);
        for (unsigned id = 0; id < 2000; ++id)
            for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{200}})
                (void)fresh.add(source(static_cast<std::uint16_t>(id)),
                                {static_cast<std::uint16_t>(id), number, false, data},
                                From::Configured,
                                kStart);
        EXPECT_GT(fresh.bytes(), Reassembly::kMaxPeerBytes / 2);
        EXPECT_LE(fresh.bytes(), Reassembly::kMaxPeerBytes) << size;
    }
}

TEST_F(Reassembling, StrangersLeaveHalfForThoseTheConfigurationNames) {
    const Bytes data = counting_bytes(8'000);
    for (std::uint32_t peer = 1; peer < 3000; ++peer)
        (void)table.add(source(1, peer), {1, 1, false, data}, From::Stranger, kStart);
    EXPECT_LE(table.bytes(), Reassembly::kMaxStrangersBytes);
    EXPECT_TRUE(table.add(source(1, 5000), {1, 1, false, data}, From::Configured, kStart));
    for (std::uint32_t peer = 10'000; peer < 13'000; ++peer)
        (void)table.add(source(1, peer), {1, 1, false, data}, From::Configured, kStart);
    EXPECT_LE(table.bytes(), Reassembly::kMaxBytes);
    (void)table.expire(kStart + 10s);
    EXPECT_EQ(table.bytes(), 0U);
    EXPECT_TRUE(table.add(source(), {1, 1, false, data}, From::Stranger, kStart))
        << "everything given back";
}

/// Twice the fragments, twice the work: counted in allocations, so that a slow machine does not
/// matter.
TEST_F(Reassembling, WorkGrowsWithWhatCame) {
    const auto work_of = [](unsigned fragments) {
        Reassembly fresh;
        const Bytes data = counting_bytes(100);
        const test::WorkMeter meter;
        for (unsigned number = fragments; number >= 1; --number)
            EXPECT_TRUE(fresh.add(source(),
                                  {1, static_cast<std::uint8_t>(number), number == fragments, data},
                                  From::Configured,
                                  kStart));
        return meter.done();
    };
    const test::Work few = work_of(60);
    const test::Work many = work_of(240);
    EXPECT_LE(many.allocations, few.allocations * 4 + 16);
    EXPECT_LE(many.bytes, few.bytes * 4 + 4096);
}

// --- in an engine -------------------------------------------------------------------------------

class FragmentedExchange : public ::testing::Test {
  protected:
    void make(std::optional<std::uint32_t> ours, std::optional<std::uint32_t> theirs) {
        EngineConfig left = test::left_config();
        EngineConfig right = test::right_config();
        left.fragmentation_mtu = ours;
        right.fragmentation_mtu = theirs;
        a = &network.add("left", test::kLeft, left, 1);
        b = &network.add("right", test::kRight, right, 2);
    }

    void expect_tunnel() {
        EXPECT_EQ(a->installed.size(), 2U);
        EXPECT_EQ(b->installed.size(), 2U);
    }

    Network network{5};
    Gateway* a{nullptr};
    Gateway* b{nullptr};
};

TEST_F(FragmentedExchange, TunnelComesUpInSmallPackets) {
    make(200, 200);
    std::size_t largest = 0;
    std::size_t firsts = 0;
    network.tap = [&](const SendDatagram& send) {
        // Messages 1 and 2 go before both know of each other.
        if (++firsts > 2)
            largest = std::max(largest, send.payload.size() + 28);
        return true;
    };
    network.give(*a, test::initiate());
    network.run_for(1s);
    expect_tunnel();
    EXPECT_LE(largest, 200U);
    EXPECT_GT(a->engine.counters().fragments_out, 0U);
    EXPECT_EQ(a->engine.counters().fragments_out, b->engine.counters().fragments_in);
    EXPECT_EQ(a->engine.counters().fragments_in, b->engine.counters().fragments_out);
    EXPECT_GT(b->engine.counters().reassembled, 1U);
    EXPECT_TRUE(a->engine.isakmp_sas().front().fragmentation);
}

TEST_F(FragmentedExchange, NobodyFragmentsForAPeerThatDidNotOffer) {
    make(200, std::nullopt);
    network.give(*a, test::initiate());
    network.run_for(1s);
    expect_tunnel();
    EXPECT_EQ(a->engine.counters().fragments_out, 0U);
    EXPECT_EQ(b->engine.counters().fragments_out, 0U);
    EXPECT_FALSE(a->engine.isakmp_sas().front().fragmentation);
    EXPECT_FALSE(b->engine.isakmp_sas().front().fragmentation) << "switched off, whatever it heard";
}

TEST_F(FragmentedExchange, WhatFitsIsNotCut) {
    make(1280, 1280);
    network.give(*a, test::initiate());
    network.run_for(1s);
    expect_tunnel();
    EXPECT_EQ(a->engine.counters().fragments_out, 0U);
}

/// A fragment lost on the first transmission comes with the second; copies of a message in
/// fragments are answered from store, never run twice.
TEST_F(FragmentedExchange, LossAndCopiesAreSurvived) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        Network stormy{seed, {.loss_percent = 20, .double_percent = 20, .jitter_ms = 30}};
        EngineConfig left = test::left_config();
        EngineConfig right = test::right_config();
        left.fragmentation_mtu = right.fragmentation_mtu = 220;
        Gateway& x = stormy.add("left", test::kLeft, left, seed * 2 + 1);
        Gateway& y = stormy.add("right", test::kRight, right, seed * 2 + 2);
        stormy.give(x, test::initiate());
        stormy.run_for(60s);
        EXPECT_EQ(x.engine.child_sas().size(), 1U) << "seed " << seed;
        EXPECT_EQ(y.engine.child_sas().size(), 1U) << "seed " << seed;
        EXPECT_EQ(y.engine.counters().phase1_established, 1U) << "seed " << seed;
    }
}

TEST_F(FragmentedExchange, ReassembledCopyIsAnsweredFromStore) {
    make(200, 200);
    std::vector<Bytes> third; // message 3, in its fragments
    network.tap = [&](const SendDatagram& send) {
        if (send.local.address == test::kLeft && third.size() < 2 &&
            parse_header(send.payload)->next_payload == PayloadType::Fragment)
            third.push_back(send.payload);
        return parse_header(send.payload)->cookies.responder.value == 0 ||
               send.local.address == test::kLeft || third.empty();
    };
    network.give(*a, test::initiate());
    network.run_for(500ms);
    ASSERT_EQ(third.size(), 2U);
    network.tap = [&](const SendDatagram&) { return false; };
    network.run_for(2s); // a copy is answered once a second
    const std::uint64_t again = b->engine.counters().retransmits;
    const std::uint64_t doubles = b->engine.counters().duplicates_in;
    for (const Bytes& fragment : third)
        network.give_datagram(*b, {test::kLeft, 500}, 500, fragment);
    EXPECT_EQ(b->engine.counters().duplicates_in, doubles + 1);
    EXPECT_EQ(b->engine.counters().retransmits, again + 1);
}

/// A first message in fragments: of a peer the configuration names, and of nobody else.
TEST_F(FragmentedExchange, FirstMessageInFragmentsOnlyOfConfiguredPeers) {
    EngineConfig right = test::right_config();
    right.keys.push_back({*parse_ipv4_prefix("0.0.0.0/0"), test::secret("anyone")});
    b = &network.add("right", test::kRight, right, 2);
    Header header;
    header.cookies.initiator = Cookie{77};
    header.exchange = ExchangeType::IdentityProtection;
    MessageBuilder builder;
    builder.add(PayloadType::SecurityAssociation, offer_phase1(right.phase1));
    const Bytes first = builder.clear(header);
    for (const Bytes& fragment : fragments_of(first, header, 1, 60))
        network.give_datagram(*b, {Ipv4Address{203, 0, 113, 5}, 500}, 500, fragment);
    EXPECT_TRUE(b->engine.isakmp_sas().empty());
    EXPECT_FALSE(b->engine.next_deadline()) << "nothing is kept";
    EXPECT_GT(b->failures(Failure::UnknownCookies), 0U);
    for (const Bytes& fragment : fragments_of(first, header, 1, 60))
        network.give_datagram(*b, {test::kLeft, 500}, 500, fragment);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
}

TEST_F(FragmentedExchange, FragmentsOfAFragmentAndOfAnotherExchangeAreRefused) {
    make(1280, 1280);
    network.give(*a, test::initiate());
    network.run_for(1s);
    expect_tunnel();
    Header header;
    header.cookies = {b->engine.isakmp_sas().front().initiator_cookie,
                      b->engine.isakmp_sas().front().responder_cookie};
    header.exchange = ExchangeType::IdentityProtection;
    const Bytes nested = fragments_of(counting_bytes(100), header, 5, 200).front();
    for (const Bytes& fragment : fragments_of(nested, header, 6, 100))
        network.give_datagram(*b, {test::kLeft, 500}, 500, fragment);
    EXPECT_EQ(b->failures(Failure::FragmentRefused), 1U);
    Header foreign = header;
    foreign.cookies = {Cookie{99}, Cookie{}};
    MessageBuilder builder;
    builder.add(PayloadType::SecurityAssociation, offer_phase1(b->config.phase1));
    for (const Bytes& fragment : fragments_of(builder.clear(foreign), header, 7, 60))
        network.give_datagram(*b, {test::kLeft, 500}, 500, fragment);
    EXPECT_EQ(b->failures(Failure::FragmentRefused), 2U);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
}

TEST_F(FragmentedExchange, WhatStaysIncompleteIsNamedAndForgotten) {
    make(1280, 1280);
    network.give(*a, test::initiate());
    network.run_for(1s);
    Header header;
    header.cookies = {b->engine.isakmp_sas().front().initiator_cookie,
                      b->engine.isakmp_sas().front().responder_cookie};
    header.exchange = ExchangeType::IdentityProtection;
    network.give_datagram(
        *b, {test::kLeft, 500}, 500, fragments_of(counting_bytes(100), header, 5, 60).front());
    network.run_for(11s);
    EXPECT_EQ(b->failures(Failure::FragmentRefused), 1U);
    EXPECT_TRUE(b->logged({"fragment", "message incomplete, 1 of its fragments came"}));
    expect_tunnel();
}

TEST_F(FragmentedExchange, SwitchedOffTakesNone) {
    make(std::nullopt, std::nullopt);
    network.give(*a, test::initiate());
    network.run_for(1s);
    Header header;
    header.cookies = {b->engine.isakmp_sas().front().initiator_cookie,
                      b->engine.isakmp_sas().front().responder_cookie};
    header.exchange = ExchangeType::IdentityProtection;
    network.give_datagram(
        *b, {test::kLeft, 500}, 500, fragments_of(counting_bytes(100), header, 5, 60).front());
    EXPECT_EQ(b->failures(Failure::FragmentRefused), 1U);
}

} // namespace
} // namespace adit::ike
