// SPDX-License-Identifier: Apache-2.0
#include "common/esp_layout.h"

#include <gtest/gtest.h>

#include <vector>

namespace adit::dataplane {
namespace {

struct Named {
    EspCipher cipher;
    EspMac mac;
    EspLayout layout;
};

std::vector<Named> layouts() {
    std::vector<Named> all;
    for (const auto& cipher : kEspCiphers)
        for (const auto& mac : kEspMacs)
            if (is_sound(cipher.cipher, mac.mac))
                all.push_back({cipher.cipher, mac.mac, EspLayout::of(cipher.cipher, mac.mac)});
    return all;
}

TEST(EspLayout, PadsToTheBlockAndNoFurther) {
    for (const auto& [cipher, mac, layout] : layouts()) {
        for (std::uint32_t inner = 0; inner <= 2000; ++inner) {
            ASSERT_EQ(layout.ciphertext(inner) % layout.block, 0U) << inner;
            ASSERT_EQ(layout.ciphertext(inner) % 4, 0U) << inner;
            ASSERT_LT(layout.padding(inner), layout.block) << inner;
            ASSERT_TRUE(layout.is_whole_blocks(layout.ciphertext(inner)));
            ASSERT_FALSE(layout.is_whole_blocks(layout.ciphertext(inner) + 1));
        }
    }
}

TEST(EspLayout, PlaintextMtuIsTheLargestThatFits) {
    for (const auto& [cipher, mac, layout] : layouts()) {
        for (const auto form : {Encapsulation::Native, Encapsulation::Udp}) {
            for (std::uint32_t mtu = 0; mtu <= 9216; ++mtu) {
                const std::uint32_t inner = plaintext_mtu(layout, form, mtu);
                if (inner == 0) {
                    ASSERT_GT(outer_bytes(layout, form, 1), mtu) << mtu;
                    continue;
                }
                ASSERT_LE(outer_bytes(layout, form, inner), mtu) << mtu;
                ASSERT_GT(outer_bytes(layout, form, inner + 1), mtu) << mtu;
            }
        }
    }
}

TEST(EspLayout, KnowsWellKnownMtus) {
    // RFC 4303 arithmetic done by hand: 20 + 8 + iv + 16n + icv <= 1500.
    const auto gcm = EspLayout::of(EspCipher::AesGcm128, EspMac::None);
    EXPECT_EQ(plaintext_mtu(gcm, Encapsulation::Native, 1500), 1446U);
    EXPECT_EQ(plaintext_mtu(gcm, Encapsulation::Udp, 1500), 1438U);
    const auto cbc_sha1 = EspLayout::of(EspCipher::AesCbc256, EspMac::HmacSha1_96);
    EXPECT_EQ(plaintext_mtu(cbc_sha1, Encapsulation::Native, 1500), 1438U);
    EXPECT_EQ(plaintext_mtu(cbc_sha1, Encapsulation::Udp, 1500), 1422U);
    const auto triple_des = EspLayout::of(EspCipher::TripleDesCbc, EspMac::HmacMd5_96);
    EXPECT_EQ(plaintext_mtu(triple_des, Encapsulation::Native, 1500), 1446U);
}

TEST(EspLayout, ShortestPacketHoldsATrailerAndNothingElse) {
    for (const auto& [cipher, mac, layout] : layouts()) {
        EXPECT_EQ(layout.min_esp(), 8U + layout.iv + layout.block + layout.icv);
        EXPECT_GT(layout.min_esp(), 8U + layout.iv + layout.icv);
    }
    EXPECT_EQ(EspLayout::of(EspCipher::AesGcm256, EspMac::None).min_esp(), 36U);
    EXPECT_EQ(EspLayout::of(EspCipher::AesCbc128, EspMac::HmacSha1_96).min_esp(), 52U);
    EXPECT_EQ(EspLayout::of(EspCipher::Null, EspMac::HmacSha256_128).min_esp(), 28U);
}

} // namespace
} // namespace adit::dataplane
