// SPDX-License-Identifier: Apache-2.0
#include "common/address.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(Ipv4Address, PrintsAndParsesBack) {
    for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "10.0.0.100"})
        EXPECT_EQ(to_string(*parse_ipv4(text)), text);
}

TEST(Ipv4Address, RefusesWhatIsNoDottedQuad) {
    for (const char* text : {"",
                             "1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.256",
                             "01.2.3.4",
                             "1.2.3.4 ",
                             " 1.2.3.4",
                             "1..2.3",
                             "a.b.c.d",
                             "-1.2.3.4",
                             "1.2.3.",
                             "99999999999.1.1.1"})
        EXPECT_FALSE(parse_ipv4(text)) << text;
}

TEST(Ipv4Prefix, ContainsItsFirstAndLastAddressOnly) {
    const Ipv4Prefix prefix = *parse_ipv4_prefix("10.1.2.0/23");
    EXPECT_TRUE(prefix.contains(Ipv4Address(10, 1, 2, 0)));
    EXPECT_TRUE(prefix.contains(Ipv4Address(10, 1, 3, 255)));
    EXPECT_FALSE(prefix.contains(Ipv4Address(10, 1, 4, 0)));
    EXPECT_FALSE(prefix.contains(Ipv4Address(10, 1, 1, 255)));
    EXPECT_EQ(to_string(prefix.mask()), "255.255.254.0");
}

TEST(Ipv4Prefix, RefusesHostBitsAndBadLengths) {
    for (const char* text : {"10.1.2.1/23", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/", "10.0.0.0/8x"})
        EXPECT_FALSE(parse_ipv4_prefix(text)) << text;
    EXPECT_TRUE(parse_ipv4_prefix("0.0.0.0/0"));
}

TEST(MaskLength, RefusesMasksWithHoles) {
    EXPECT_EQ(*mask_length(Ipv4Address(255, 255, 0, 0)), 16);
    EXPECT_EQ(*mask_length(Ipv4Address(0, 0, 0, 0)), 0);
    EXPECT_FALSE(mask_length(Ipv4Address(255, 0, 255, 0)));
}

TEST(IdentString, PrintsPrefixesAsRoutersDo) {
    const Ipv4Range net = Ipv4Range::of(*parse_ipv4_prefix("10.1.0.0/16"));
    EXPECT_EQ(ident_string(net, 0, {}), "10.1.0.0/255.255.0.0/0/0");
    EXPECT_EQ(ident_string(Ipv4Range::host(Ipv4Address(10, 1, 1, 4)), 6, {80, 80}),
              "10.1.1.4/255.255.255.255/6/80");
    EXPECT_EQ(ident_string({}, 0, {}), "0.0.0.0/0.0.0.0/0/0");
    EXPECT_EQ(ident_string({Ipv4Address(10, 1, 0, 1), Ipv4Address(10, 1, 0, 4)}, 17, {}),
              "10.1.0.1-10.1.0.4/17/0");
}

} // namespace
} // namespace adit
