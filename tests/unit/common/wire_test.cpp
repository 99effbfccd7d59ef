// SPDX-License-Identifier: Apache-2.0
// Checksums by short ways against the plain sum.
#include "common/wire/checksum.h"
#include "common/wire/ipv4.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>

namespace adit::wire {
namespace {

using Header = std::array<std::uint8_t, kIpv4Bytes>;

constexpr unsigned kRandomHeaders = 100'000;

/// Nobody's shortcut: RFC 1071 1 word by word.
std::uint16_t plain_sum(const Header& header) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < header.size(); i += 2) {
        sum += static_cast<std::uint32_t>(header[i] << 8 | header[i + 1]);
        if (sum > 0xffff)
            sum -= 0xffff; // the carry comes round
    }
    return static_cast<std::uint16_t>(sum);
}

void expect_agreement(const Header& header) {
    const bool holds = plain_sum(header) == 0xffff;
    ASSERT_EQ(checksum_holds_20(header.data()), holds) << to_hex(header);
    ASSERT_EQ(checksum(header) == 0, holds) << to_hex(header);
}

TEST(Fold32, IsTheSixteenBitSum) {
    std::mt19937 random{1};
    const auto expect = [](std::uint32_t sum) {
        const std::uint32_t folded = sum == 0 ? 0 : (sum - 1) % 0xffff + 1;
        ASSERT_EQ(fold_32(sum), folded) << sum;
    };
    for (const std::uint32_t sum : {0U,
                                    1U,
                                    0xfffeU,
                                    0xffffU,
                                    0x10000U,
                                    0x1fffeU,
                                    0x1ffffU,
                                    0xfffeffffU,
                                    0xffff0000U,
                                    0xffff0001U,
                                    0xfffffffeU,
                                    0xffffffffU})
        expect(sum);
    for (unsigned i = 0; i < kRandomHeaders; ++i)
        expect(static_cast<std::uint32_t>(random()));
}

TEST(ChecksumHolds20, AgreesForRandomHeadersMendedOrNot) {
    std::mt19937 random{2};
    for (unsigned i = 0; i < kRandomHeaders; ++i) {
        Header header;
        std::ranges::generate(header, [&] { return static_cast<std::uint8_t>(random()); });
        expect_agreement(header);
        header[0] = 0x45;
        Ipv4Header{header.data()}.update_checksum();
        ASSERT_TRUE(checksum_holds_20(header.data())) << to_hex(header);
    }
}

TEST(ChecksumHolds20, AgreesWhereCarriesMeet) {
    constexpr std::uint16_t kWords[] = {0, 1, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff};
    std::mt19937 random{3};
    unsigned held = 0;
    for (unsigned i = 0; i < kRandomHeaders; ++i) {
        Header header;
        for (std::size_t at = 0; at < header.size(); at += 2)
            store_be(header.data() + at, kWords[random() % std::size(kWords)]);
        expect_agreement(header);
        held += unsigned{checksum_holds_20(header.data())};
    }
    EXPECT_GT(held, 0U);
}

TEST(ChecksumHolds20, TellsTheTwoZerosApart) {
    Header header{};
    expect_agreement(header);
    EXPECT_FALSE(checksum_holds_20(header.data())) << "a sum of 0: nothing was summed";
    header.fill(0xff);
    expect_agreement(header);
    EXPECT_TRUE(checksum_holds_20(header.data())) << "a sum of 0xffff";
}

TEST(ChecksumHolds20, SeesEveryFlippedBit) {
    Header header{};
    Ipv4Header{header.data()}.write({.total_bytes = 1500, .source = 0x0a020002, .destination = 1});
    for (std::size_t bit = 0; bit < 8 * header.size(); ++bit) {
        Header wrong = header;
        wrong[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        expect_agreement(wrong);
        EXPECT_FALSE(checksum_holds_20(wrong.data())) << bit;
    }
}

/// A header with this TTL and any checksum, by way of the identification.
Header header_with(std::uint8_t ttl, std::uint16_t id) {
    Header header{};
    Ipv4Header{header.data()}.write({.total_bytes = 60,
                                     .id = id,
                                     .ttl = ttl,
                                     .protocol = 17,
                                     .source = 0x0a020002,
                                     .destination = 0x0a010002});
    return header;
}

void expect_decrement_like_recomputation(Header header) {
    Header expected = header;
    Ipv4Header{expected.data()}.set_ttl(static_cast<std::uint8_t>(expected[8] - 1));
    Ipv4Header{expected.data()}.update_checksum();
    Ipv4Header{header.data()}.decrement_ttl();
    ASSERT_EQ(header, expected) << to_hex(header);
    ASSERT_TRUE(checksum_holds_20(header.data())) << to_hex(header);
}

TEST(DecrementTtl, IsARecomputationForEveryTtl) {
    for (unsigned ttl = 1; ttl <= 0xff; ++ttl)
        for (unsigned id = 0; id <= 0xffff; id += 251)
            ASSERT_NO_FATAL_FAILURE(expect_decrement_like_recomputation(
                header_with(static_cast<std::uint8_t>(ttl), static_cast<std::uint16_t>(id))));
}

TEST(DecrementTtl, IsARecomputationForEveryChecksum) {
    unsigned became_zero = 0, came_round = 0;
    for (const std::uint8_t ttl : {std::uint8_t{1}, std::uint8_t{64}, std::uint8_t{255}})
        for (unsigned id = 0; id <= 0xffff; ++id) {
            const Header header = header_with(ttl, static_cast<std::uint16_t>(id));
            const auto before = load_be<std::uint16_t>(header.data() + 10);
            became_zero += unsigned{before == 0xfeff};
            came_round += unsigned{before > 0xfeff};
            ASSERT_NO_FATAL_FAILURE(expect_decrement_like_recomputation(header));
        }
    EXPECT_GT(became_zero, 0U);
    EXPECT_GT(came_round, 0U);
}

TEST(DecrementTtl, TakesEitherFormOfZero) {
    Header header{};
    for (unsigned id = 0; load_be<std::uint16_t>(header.data() + 10) != 0 || id == 0; ++id)
        header = header_with(64, static_cast<std::uint16_t>(id));
    store_be(header.data() + 10, std::uint16_t{0xffff});
    ASSERT_TRUE(checksum_holds_20(header.data()));
    expect_decrement_like_recomputation(header);
}

} // namespace
} // namespace adit::wire
