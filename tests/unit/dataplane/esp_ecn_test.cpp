// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/ecn.h"
#include "tests/support/esp_fixture.h"

namespace adit::dataplane {
namespace {

using test::EspWorld;

/// RFC 6040 figure 4 in the order of its columns: inner, outer, result (-1: drop).
constexpr int kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3, kDrop = -1;

constexpr struct {
    int inner, outer, result;
} kFigure4[] = {
    {kNotEct, kNotEct, kNotEct},
    {kNotEct, kEct0, kNotEct},
    {kNotEct, kEct1, kNotEct},
    {kNotEct, kCe, kDrop},
    {kEct0, kNotEct, kEct0},
    {kEct0, kEct0, kEct0},
    {kEct0, kEct1, kEct1},
    {kEct0, kCe, kCe},
    {kEct1, kNotEct, kEct1},
    {kEct1, kEct0, kEct1},
    {kEct1, kEct1, kEct1},
    {kEct1, kCe, kCe},
    {kCe, kNotEct, kCe},
    {kCe, kEct0, kCe},
    {kCe, kEct1, kCe},
    {kCe, kCe, kCe},
};

class EspEcn : public test::EspFixture {};

TEST_F(EspEcn, DecapsulatesByTheTableOfRfc6040) {
    EspWorld world;
    const auto sa =
        EspWorld::record(ipc::Direction::Inbound, {EspCipher::AesGcm128, EspMac::None}, 0);
    world.install(sa);
    world.install(EspWorld::mirrored(sa));
    for (const auto& row : kFigure4) {
        const auto tos = static_cast<std::uint8_t>(0xb8 | row.inner); // DSCP EF stays
        const Bytes esp = sealed_by(world, 0, test::inner_packet(100, tos));
        const auto outer_tos = static_cast<std::uint8_t>(0x20 | row.outer);
        const auto got = receive(world, arrived(esp, world.inbound(0), outer_tos));
        if (row.result == kDrop) {
            EXPECT_TRUE(got.empty());
            EXPECT_EQ(world.dropped(DropReason::EspEcn), 1U);
            continue;
        }
        ASSERT_EQ(got.size(), 1U) << row.inner << " " << row.outer << world.reasons();
        Bytes inner = got[0];
        EXPECT_EQ(inner[1], 0xb8 | row.result) << row.inner << " " << row.outer;
        EXPECT_TRUE(wire::Ipv4Header{inner.data()}.checksum_holds());
    }
    EXPECT_EQ(world.dropped_in_all(), 1U);
}

TEST_F(EspEcn, CopiesDscpAndEcnOutwards) {
    EspWorld world;
    world.install(
        EspWorld::record(ipc::Direction::Outbound, {EspCipher::AesGcm128, EspMac::None}, 0));
    for (unsigned tos = 0; tos < 256; ++tos) {
        Burst burst;
        burst.push(
            to_protect(test::inner_packet(64, static_cast<std::uint8_t>(tos)), world.outbound(0)));
        esp_outbound(burst, world.context);
        const auto out = take(burst);
        ASSERT_EQ(out.size(), 1U);
        EXPECT_EQ(out[0][1], tos);
    }
}

} // namespace
} // namespace adit::dataplane
