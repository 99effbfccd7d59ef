// SPDX-License-Identifier: Apache-2.0
// Vendor ids: what they are digests of, which form of them counts, and what a peer is called.
#include "control/ike/step.h"
#include "tests/support/ike_network.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::unhex;
using namespace std::chrono_literals;

std::string name_of_digest(const std::string& text, const std::string& behind = "") {
    Bytes id = hash(HashAlgorithm::Md5, {as_bytes(text)});
    const Bytes more = unhex(behind);
    id.insert(id.end(), more.begin(), more.end());
    return vendor_name(id);
}

/// Most ids are MD5 of a text that is known: the digest must be in the table under the right name.
TEST(VendorIds, DigestsOfKnownTextsAreNamed) {
    const std::pair<const char*, const char*> kTexts[] = {
        {"RFC 3947", "NAT-T RFC 3947"},
        {"draft-ietf-ipsec-nat-t-ike-00", "NAT-T v0"},
        {"draft-ietf-ipsec-nat-t-ike-01", "NAT-T v1"},
        {"draft-ietf-ipsec-nat-t-ike-02", "NAT-T v2"},
        {"draft-ietf-ipsec-nat-t-ike-02\n", "NAT-T v2"},
        {"draft-ietf-ipsec-nat-t-ike-03", "NAT-T v3"},
        {"draft-ietf-ipsec-nat-t-ike-04", "NAT-T v4"},
        {"draft-ietf-ipsec-nat-t-ike-05", "NAT-T v5"},
        {"draft-ietf-ipsec-nat-t-ike-06", "NAT-T v6"},
        {"draft-ietf-ipsec-nat-t-ike-07", "NAT-T v7"},
        {"draft-ietf-ipsec-nat-t-ike-08", "NAT-T v8"},
        {"draft-ietf-ipsec-nat-t-ike", "NAT-T without version"},
        {"draft-stenberg-ipsec-nat-traversal-01", "NAT-T Stenberg 01"},
        {"draft-huttunen-ipsec-esp-in-udp-00.txt", "ESP in UDP Huttunen 00"},
        {"ESPThruNAT", "ESPThruNAT"},
        {"FRAGMENTATION", "IKE Fragmentation"},
        {"strongSwan", "strongSwan"},
        {"strongSwan 4.2.0", "strongSwan 4.2.0"},
        {"strongSwan 5.1.1", "strongSwan 5.1.1"},
        {"KAME/racoon", "racoon"},
        {"MS NT5 ISAKMPOAKLEY", "Windows"},
        {"MS-Negotiation Discovery Capable", "MS-Negotiation Discovery Capable"},
        {"IKE CGA version 1", "IKE CGA version 1"},
        {"Vid-Initial-Contact", "Vid-Initial-Contact"},
        {"MS-MamieExists", "MS-MamieExists"},
        {"A GSS-API Authentication Method for IKE", "GSS-API"},
        {"A GSS-API Authentication Method for IKE\n", "GSS-API"},
        {"NETGEAR", "Netgear"},
    };
    for (const auto& [text, name] : kTexts)
        EXPECT_EQ(name_of_digest(text), name) << text;
}

TEST(VendorIds, VersionsBehindTheDigestAreNamed) {
    EXPECT_EQ(name_of_digest("MS NT5 ISAKMPOAKLEY", "00000007"), "Windows 7");
    EXPECT_EQ(name_of_digest("MS NT5 ISAKMPOAKLEY", "00000002"), "Windows 2000");
    EXPECT_EQ(name_of_digest("MS NT5 ISAKMPOAKLEY", "000000ff"), "Windows");
}

TEST(VendorIds, MakersAreToldByHowTheirIdsBegin) {
    const std::pair<const char*, const char*> kIds[] = {
        {"09002689dfd6b712", "XAUTH"},
        {"12f5f28c457168a9702d9fe274cc0100", "Unity"},
        {"12f5f28c457168a9702d9fe274cc0204", "Unity"},
        {"afcad71368a1f1c96b8696fc77570100", "DPD"},
        {"afcad71368a1f1c96b8696fc77570205", "DPD"},
        {"1f07f70eaa6514d3b0fa96542a500305", "Cisco VPN 3000 3.x"},
        {"1f07f70eaa6514d3b0fa96542a500100", "Cisco ASA or VPN 3000"},
        {"f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138d5ba4ce9a0000000018380000",
         "Check Point R55 or "
         "later"},
        {"f4ed19e0c114eb516faaac0ee37daf2807b4381f", "Check Point"},
        {"8299031757a36082c6a621de00000000", "FortiGate"},
        {"166f932d55eb64d8e4df4fd37e2313f0d0fd845100000000", "NetScreen"},
        {"5b362bc820f60008", "SonicWall"},
        {"b858d1addd08c1e8adafea150608aa4497aa6cc8", "ZyXEL ZyWALL"},
        {"4865617274426561745f4e6f74696679386b0100", "HeartBeat_Notify"},
        {"4f452d4c696272657377616e2d342e3130", "libreswan"},
        {"4f454e5f52685050487b645e", "libreswan or Openswan"},
        {"4f53577b5547416f4c674b64", "Openswan"},
        {"4f4568794c64414365636661", "Openswan or FreeS/WAN"},
    };
    for (const auto& [id, name] : kIds)
        EXPECT_EQ(vendor_name(unhex(id)), name) << id;
}

TEST(VendorIds, WhatIsShortOrOtherIsNobodys) {
    for (const char* id : {"",
                           "4f45",
                           "4f4568794c644143656366",
                           "4f4568794c6441436563666162",
                           "09002689dfd6b7",
                           "09002689dfd6b71200",
                           "00112233445566778899aabbccddeeff"})
        EXPECT_EQ(vendor_name(unhex(id)), "") << id;
}

/// Bit 31 or 30 of the capabilities must be there when there are capabilities.
TEST(VendorIds, FragmentationCountsInEachFormThatPromisesIt) {
    const std::string digest = to_hex(hash(HashAlgorithm::Md5, {as_bytes("FRAGMENTATION")}));
    for (const char* flags : {"", "80000000", "c0000000", "80000001"})
        EXPECT_EQ(vendor_name(unhex(digest + flags)), "IKE Fragmentation") << flags;
    for (const char* flags : {"00000000", "00000001", "00"})
        EXPECT_EQ(vendor_name(unhex(digest + flags)), "") << flags;
}

TEST(VendorIds, OursAreWhatOthersKnow) {
    EXPECT_EQ(to_hex(vendor_id(Vendor::Dpd)), "afcad71368a1f1c96b8696fc77570100");
    EXPECT_EQ(to_hex(vendor_id(Vendor::Unity)), "12f5f28c457168a9702d9fe274cc0100");
    EXPECT_EQ(to_hex(vendor_id(Vendor::Xauth)), "09002689dfd6b712");
    EXPECT_EQ(to_hex(vendor_id(Vendor::Fragmentation)), "4048b7d56ebce88525e7de7f00d6c2d380000000");
}

TEST(VendorIds, SetRemembersEachRowAndItsVendor) {
    Message message;
    const Bytes old_strongswan = hash(HashAlgorithm::Md5, {as_bytes("strongSwan 4.4.1")});
    const Bytes windows = unhex("1e2b516905991c7d7c96fcbfb587e46100000007");
    for (const Bytes* id : {&old_strongswan, &windows})
        message.payloads.push_back({PayloadType::VendorId, *id, *id});
    const VendorSet vendors = known_vendors(message);
    EXPECT_TRUE(vendors.has(Vendor::StrongSwan));
    EXPECT_FALSE(vendors.has(Vendor::Dpd));
    EXPECT_EQ(vendor_names(vendors), (std::vector<std::string>{"Windows 7", "strongSwan 4.4.1"}));
}

TEST(VendorIds, DebugNamesThemAndShowsTheOthers) {
    test::Network network{1};
    test::Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
    test::Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
    b.engine.set_debug(true, false);
    network.give(a, test::initiate());
    network.run_for(1s);
    const auto said = [&](const char* text) {
        return std::ranges::any_of(b.debug,
                                   [&](const std::string& line) { return line.ends_with(text); });
    };
    EXPECT_TRUE(said("vendor ID is NAT-T RFC 3947"));
    EXPECT_TRUE(said("vendor ID is DPD"));
    EXPECT_TRUE(said("vendor ID is IKE Fragmentation"));
    EXPECT_EQ(b.engine.isakmp_sas().front().peer_vendors,
              (std::vector<std::string>{
                  "NAT-T RFC 3947", "NAT-T v3", "NAT-T v2", "DPD", "IKE Fragmentation"}));
}

} // namespace
} // namespace adit::ike
