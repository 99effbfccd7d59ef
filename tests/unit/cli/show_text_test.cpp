// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_text.h"

#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using std::chrono::seconds;

TEST(ShowText, FormatsIntoAStringOfAnyLength) {
    const std::string lengthy(5000, 'x');
    EXPECT_EQ(text("%s|%u", lengthy.c_str(), 7U), lengthy + "|7");
    std::string to = "a";
    append(to, "%05d", 42);
    EXPECT_EQ(to, "a00042");
}

TEST(ShowText, CountsSecondsForwardOnly) {
    const Instant now{seconds{100}};
    EXPECT_EQ(seconds_between(now, now + seconds{5}), 5U);
    EXPECT_EQ(seconds_between(now, now), 0U);
    EXPECT_EQ(seconds_between(now, now - seconds{5}), 0U);
}

TEST(ShowText, ShowsAgesInTwoUnits) {
    EXPECT_EQ(age(0), "00:00:00");
    EXPECT_EQ(age(1131), "00:18:51");
    EXPECT_EQ(age(86'399), "23:59:59");
    EXPECT_EQ(age(86'400), "1d00h");
    EXPECT_EQ(age(5 * 86'400 + 23 * 3'600), "5d23h");
    EXPECT_EQ(age(49 * 86'400), "7w0d");
    EXPECT_EQ(age(365 * 86'400 + 84 * 86'400), "1y12w");
}

TEST(ShowText, SpellsUptimeWithItsUnits) {
    EXPECT_EQ(long_age(12), "0 minutes");
    EXPECT_EQ(long_age(60), "1 minute");
    EXPECT_EQ(long_age(26 * 3'600 + 5 * 60), "1 day, 2 hours, 5 minutes");
    EXPECT_EQ(long_age((365 + 14 + 1) * 86'400ULL), "1 year, 2 weeks, 1 day");
}

TEST(ShowText, NamesTransformsAsShowDoes) {
    EXPECT_EQ(transform_words(EspCipher::AesCbc128, EspMac::HmacSha1_96), "esp-aes esp-sha-hmac ");
    EXPECT_EQ(transform_words(EspCipher::AesGcm256, EspMac::None), "esp-gcm 256 ");
}

TEST(ShowText, ShortensInterfaceNamesThatHaveNumbers) {
    EXPECT_EQ(short_interface("GigabitEthernet0/0"), "Gi0/0");
    EXPECT_EQ(short_interface("Tunnel10"), "Tu10");
    EXPECT_EQ(short_interface("Null"), "Null");
}

TEST(ShowText, VolumeLeftNeverGoesBelowZero) {
    ike::ChildSaView sa;
    sa.lifetime_kilobytes = 10;
    EXPECT_EQ(kilobytes_left(sa, {.bytes = 0}), 10U);
    EXPECT_EQ(kilobytes_left(sa, {.bytes = 4 * 1024}), 6U);
    EXPECT_EQ(kilobytes_left(sa, {.bytes = 11 * 1024}), 0U);
}

TEST(ShowText, LifetimeComesFromTheFirstLevelThatSaysIt) {
    EXPECT_EQ(lifetime_words({}, {}), "4608000 kilobytes/3600 seconds");
    EXPECT_EQ(
        lifetime_words({.seconds = 120, .kilobytes = {}}, {.seconds = 900, .kilobytes = 2560}),
        "2560 kilobytes/120 seconds");
}

} // namespace
} // namespace adit::cli
