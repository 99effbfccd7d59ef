// SPDX-License-Identifier: Apache-2.0
#include "control/ike/distinguished_name.h"
#include "control/ike/payload_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

std::string der(std::uint8_t tag, const std::string& content) {
    std::string element{static_cast<char>(tag)};
    if (content.size() >= 128)
        element += "\x82"s + static_cast<char>(content.size() >> 8);
    return element + static_cast<char>(content.size()) + content;
}

constexpr std::uint8_t kUtf8 = 0x0c, kPrintable = 0x13, kT61 = 0x14, kUniversal = 0x1c, kBmp = 0x1e;

std::string attribute(const std::string& oid, const std::string& value, std::uint8_t tag = kUtf8) {
    return der(0x30, der(0x06, oid) + der(tag, value));
}

std::string cn(const std::string& value, std::uint8_t tag = kUtf8) {
    return attribute("\x55\x04\x03", value, tag);
}

std::string name_of(std::initializer_list<std::string> rdns) {
    std::string sets;
    for (const std::string& rdn : rdns)
        sets += der(0x31, rdn);
    return der(0x30, sets);
}

std::string text_of(const std::string& name) {
    const auto text = name_text(as_bytes(name));
    return text ? *text : "fault: " + text.error().text;
}

const std::string kCountry = attribute("\x55\x04\x06", "DE", kPrintable);
const std::string kOrganisation = attribute("\x55\x04\x0a", "Example");

TEST(DistinguishedName, HasItsLastPartFirst) {
    const std::string name = name_of({kCountry, kOrganisation, cn("gw-b")});
    EXPECT_EQ(text_of(name), "cn=gw-b,o=Example,c=DE");
    EXPECT_THAT(*name_attributes(as_bytes(name)), ElementsAre("cn=gw-b", "o=Example", "c=DE"));
    EXPECT_EQ(text_of(name_of({})), "(no name)");
}

TEST(DistinguishedName, IsWhatAnIdentityOfThatTypeShows) {
    const std::string name = name_of({kCountry, cn("gw-b")});
    EXPECT_EQ(to_string(Identity{IdType::DerDn, 0, 0, to_bytes(as_bytes(name))}), "cn=gw-b,c=DE");
    EXPECT_EQ(to_string(Identity{IdType::DerDn, 0, 0, to_bytes(as_bytes("rubbish"))}),
              "ID_DER_ASN1_DN 0x72756262697368");
}

TEST(DistinguishedName, NamesAttributesAsRoutersDo) {
    const std::string pkcs9 = "\x2a\x86\x48\x86\xf7\x0d\x01\x09"s;
    EXPECT_EQ(text_of(name_of({attribute(pkcs9 + "\x01"s, "a@example.com"),
                               attribute(pkcs9 + "\x02"s, "gw.example.com")})),
              "hostname=gw.example.com,e=a@example.com");
    EXPECT_EQ(text_of(name_of({attribute("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "example")})),
              "dc=example");
    EXPECT_EQ(text_of(name_of({attribute("\x2a\x86\x48\x86\xf7\x0d", "x")})), "1.2.840.113549=x");
    EXPECT_EQ(text_of(name_of({attribute("\x88\x37\x03", "x")})), "2.999.3=x");
}

TEST(DistinguishedName, ShowsBothAttributesOfOnePart) {
    EXPECT_EQ(text_of(name_of({cn("a") + kOrganisation})), "o=Example,cn=a");
}

TEST(DistinguishedName, EscapesWhatSeparates) {
    EXPECT_EQ(text_of(name_of({cn("Smith, J + \"x\" <y>; \\")})),
              R"(cn=Smith\, J \+ \"x\" \<y\>\; \\)");
    EXPECT_EQ(text_of(name_of({cn("#1")})), R"(cn=\#1)");
    EXPECT_EQ(text_of(name_of({cn(" a # b ")})), R"(cn=\ a # b\ )");
}

TEST(DistinguishedName, ReplacesWhatATerminalMightObey) {
    EXPECT_EQ(text_of(name_of({cn("a\x1b[2Jb\nc\x7f")})), "cn=a?[2Jb?c?");
    EXPECT_EQ(text_of(name_of({cn("\xc2\x9b")})), "cn=?") << "CSI of eight bits";
}

TEST(DistinguishedName, ReadsEveryKindOfString) {
    const std::string umlaut = "\xc3\xa4";
    EXPECT_EQ(text_of(name_of({cn(umlaut)})), "cn=" + umlaut);
    EXPECT_EQ(text_of(name_of({cn("\xe4", kT61)})), "cn=" + umlaut);
    EXPECT_EQ(text_of(name_of({cn("\0\xe4"s, kBmp)})), "cn=" + umlaut);
    EXPECT_EQ(text_of(name_of({cn("\x20\xac"s, kBmp)})), "cn=\xe2\x82\xac");
    EXPECT_EQ(text_of(name_of({cn("\0\1\xf6\0"s, kUniversal)})), "cn=\xf0\x9f\x98\x80");
    EXPECT_EQ(text_of(name_of({cn("\xf0\x9f\x98\x80")})), "cn=\xf0\x9f\x98\x80");
}

TEST(DistinguishedName, HasAQuestionMarkForAValueThatIsNoText) {
    EXPECT_EQ(text_of(name_of({cn("\xe4")})), "cn=?") << "no UTF-8";
    EXPECT_EQ(text_of(name_of({cn("\xc0\x80")})), "cn=?") << "longer than need be";
    EXPECT_EQ(text_of(name_of({cn("\xe2\x82")})), "cn=?") << "cut off";
    EXPECT_EQ(text_of(name_of({cn("abc", kBmp)})), "cn=?") << "half a character";
    EXPECT_EQ(text_of(name_of({cn("\x01", 0x02)})), "cn=?") << "a number";
    EXPECT_EQ(text_of(name_of({cn("\xed\xa0\x80")})), "cn=?") << "half a surrogate pair";
}

TEST(DistinguishedName, ShowsTheBeginningOfALongValue) {
    EXPECT_EQ(text_of(name_of({cn(std::string(500, 'a'))})), "cn=" + std::string(128, 'a'));
}

TEST(DistinguishedName, RefusesWhatIsCutOffOrHasSomethingBehind) {
    const std::string name = name_of({kCountry, cn("gw-b")});
    for (std::size_t length = 0; length < name.size(); ++length)
        EXPECT_FALSE(name_attributes(as_bytes(name).first(length))) << length;
    EXPECT_FALSE(name_attributes(as_bytes(name + "x")));
    EXPECT_FALSE(name_attributes(as_bytes(name_of({der(0x30, der(0x06, "\x55\x04\x03"))}))));
    EXPECT_FALSE(name_attributes(as_bytes(name_of({cn("a") + "\x30"}))));
    EXPECT_FALSE(name_attributes(as_bytes(der(0x31, der(0x31, cn("a"))))));
    EXPECT_FALSE(name_attributes(as_bytes("\x30\x84\xff\xff\xff\xff"s)));
}

/// Whatever a peer sends: no octet out of bounds, and something to show.
TEST(DistinguishedName, BearsEveryOctetChanged) {
    const std::string name = name_of({kCountry, kOrganisation, cn("gw-b")});
    for (std::size_t place = 0; place < name.size(); ++place)
        for (unsigned value = 0; value < 256; ++value) {
            std::string changed = name;
            changed[place] = static_cast<char>(value);
            EXPECT_FALSE(
                to_string(Identity{IdType::DerDn, 0, 0, to_bytes(as_bytes(changed))}).empty());
        }
}

} // namespace
} // namespace adit::ike
