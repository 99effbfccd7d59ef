// SPDX-License-Identifier: Apache-2.0
// The attributes payload: octets a client of another make sends, and everything malformed.
#include "control/ike/payload_attributes.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace adit::ike {
namespace {

Bytes octets(const char* hex) {
    return *from_hex(hex);
}

/// REPLY, identifier 0x1234: XAUTH-TYPE generic in the basic form, user "ann", password "pw".
constexpr const char* kReply = "02001234"
                               "c0880000"
                               "40890003616e6e"
                               "408a00027077";

TEST(ConfigPayload, ReadsBothForms) {
    const Bytes body = octets(kReply);
    const auto payload = parse_config_payload(body);
    ASSERT_TRUE(payload) << payload.error().text;
    EXPECT_EQ(payload->message, ConfigMessage::Reply);
    EXPECT_EQ(payload->identifier, 0x1234);
    ASSERT_EQ(payload->attributes.size(), 3U);
    EXPECT_EQ(*short_value(*payload->find(ConfigAttribute::XauthType)), 0);
    EXPECT_EQ(to_text(payload->find(ConfigAttribute::XauthUserName)->value), "ann");
    EXPECT_EQ(to_text(payload->find(ConfigAttribute::XauthUserPassword)->value), "pw");
    EXPECT_TRUE(payload->is_xauth());
    EXPECT_FALSE(payload->has(ConfigAttribute::XauthStatus));
}

TEST(ConfigPayload, ReadsEmptyAttributesOfARequest) {
    const Bytes body = octets("010000010001000000020000700c0000");
    const auto payload = parse_config_payload(body);
    ASSERT_TRUE(payload);
    EXPECT_EQ(payload->message, ConfigMessage::Request);
    EXPECT_TRUE(payload->has(ConfigAttribute::InternalIp4Address));
    EXPECT_TRUE(payload->find(ConfigAttribute::InternalIp4Netmask)->value.empty());
    EXPECT_EQ(name(payload->attributes.back().type), "attribute 28684");
    EXPECT_FALSE(payload->is_xauth());
}

TEST(ConfigPayload, WritesWhatItReads) {
    const Bytes body = ConfigWriter{ConfigMessage::Reply, 0x1234}
                           .add_short(ConfigAttribute::XauthType, 0)
                           .add(ConfigAttribute::XauthUserName, "ann")
                           .add(ConfigAttribute::XauthUserPassword, "pw")
                           .take();
    EXPECT_EQ(to_hex(body), kReply);
    const Bytes address = ConfigWriter{ConfigMessage::Reply, 1}
                              .add(ConfigAttribute::InternalIp4Address, Ipv4Address{10, 9, 8, 7})
                              .take();
    EXPECT_EQ(to_hex(address), "02000001000100040a090807");
}

TEST(ConfigPayload, EveryTruncationIsRefusedOrEndsAtAnAttribute) {
    const Bytes body = octets(kReply);
    const std::vector<std::size_t> whole = {4, 8, 15, 21};
    for (std::size_t length = 0; length <= body.size(); ++length) {
        const bool parses = parse_config_payload(ByteView{body}.first(length)).has_value();
        EXPECT_EQ(parses, std::ranges::find(whole, length) != whole.end()) << length;
    }
}

TEST(ConfigPayload, LengthsBeyondThePayloadAreRefused) {
    Bytes body = octets("0200000140890003616e6e");
    for (const unsigned length : {4U, 5U, 255U, 1024U, 1025U, 0xffffU}) {
        store_be(body.data() + 6, static_cast<std::uint16_t>(length));
        EXPECT_FALSE(parse_config_payload(body)) << length;
    }
}

TEST(ConfigPayload, MoreAttributesThanAnybodySendsAreRefused) {
    ConfigWriter most{ConfigMessage::Request, 1};
    for (std::size_t i = 0; i < kMaxConfigAttributes; ++i)
        most.add(ConfigAttribute::UnityBanner, ByteView{});
    Bytes body = std::move(most).take();
    EXPECT_TRUE(parse_config_payload(body));
    body.insert(body.end(), {0x70, 0x00, 0x00, 0x00});
    EXPECT_FALSE(parse_config_payload(body));
}

TEST(ConfigPayload, NumbersHaveOneOrTwoOctets) {
    const Bytes one = octets("07");
    const Bytes three = octets("000007");
    EXPECT_EQ(*short_value({ConfigAttribute::XauthStatus, one}), 7);
    EXPECT_FALSE(short_value({ConfigAttribute::XauthStatus, three}));
    EXPECT_FALSE(short_value({ConfigAttribute::XauthStatus, {}}));
}

TEST(ConfigPayload, SplitNetworkHasFourteenOctets) {
    EXPECT_EQ(to_hex(split_network({Ipv4Address{10, 1, 0, 0}, 16})),
              "0a010000ffff0000000000000000");
}

} // namespace
} // namespace adit::ike
