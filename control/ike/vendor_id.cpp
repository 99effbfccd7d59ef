// SPDX-License-Identifier: Apache-2.0
#include "control/ike/step.h"

#include <algorithm>
#include <array>

namespace adit::ike {

namespace {

/// An id, or how ids begin, from the hex that a packet analyser shows.
struct VendorOctets {
    static constexpr std::size_t kLongest = 28;

    std::array<std::uint8_t, kLongest> octets{};
    std::uint8_t bytes{0};

    consteval VendorOctets(const char* hex) { // NOLINT(google-explicit-constructor)
        for (; hex[0] != 0; hex += 2)
            octets.at(bytes++) = static_cast<std::uint8_t>(digit(hex[0]) * 16 + digit(hex[1]));
    }

    static consteval unsigned digit(char c) {
        if (c >= '0' && c <= '9')
            return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f')
            return static_cast<unsigned>(c - 'a') + 10;
        throw "not a hex digit"; // no value at compile time: it does not compile
    }

    [[nodiscard]] ByteView view() const { return {octets.data(), bytes}; }
};

struct KnownVendor {
    Vendor vendor;
    VendorOctets id;
    std::uint8_t total_bytes; // of the whole id; 0: any that begins so
    const char* name;
};

consteval KnownVendor exact(Vendor vendor, VendorOctets id, const char* name) {
    return {vendor, id, id.bytes, name};
}

consteval KnownVendor prefix(Vendor vendor, VendorOctets id, const char* name) {
    return {vendor, id, 0, name};
}

consteval KnownVendor
sized(Vendor vendor, VendorOctets id, std::uint8_t total_bytes, const char* name) {
    return {vendor, id, total_bytes, name};
}

/// The first row that fits counts: versions stand before what they are versions of. Of each vendor
/// we speak for ourselves, the first row is what we send.
// clang-format off
constexpr std::array kKnownVendors = {
    // RFC 3947 3.1: MD5("RFC 3947"); drafts before it: MD5 of their names, of 02 also with a line end.
    exact(Vendor::NatRfc3947, "4a131c81070358455c5728f20e95452f", "NAT-T RFC 3947"),
    exact(Vendor::NatDraft03, "7d9419a65310ca6f2c179d9215529d56", "NAT-T v3"),
    exact(Vendor::NatDraft02n, "90cb80913ebb696e086381b5ec427b1f", "NAT-T v2"),
    exact(Vendor::NatDraft02, "cd60464335df21f87cfdb2fc68b6a448", "NAT-T v2"),
    exact(Vendor::Other, "8f8d83826d246b6fc7a8a6a428c11de8", "NAT-T v8"),
    exact(Vendor::Other, "439b59f8ba676c4c7737ae22eab8f582", "NAT-T v7"),
    exact(Vendor::Other, "4d1e0e136deafa34c4f3ea9f02ec7285", "NAT-T v6"),
    exact(Vendor::Other, "80d0bb3def54565ee84645d4c85ce3ee", "NAT-T v5"),
    exact(Vendor::Other, "9909b64eed937c6573de52ace952fa6b", "NAT-T v4"),
    exact(Vendor::Other, "16f6ca16e4a4066d83821a0f0aeaa862", "NAT-T v1"),
    exact(Vendor::Other, "4485152d18b6bbcd0be8a8469579ddcc", "NAT-T v0"),
    exact(Vendor::Other, "4df37928e9fc4fd1b3262170d515c662", "NAT-T without version"),
    exact(Vendor::Other, "27bab5dc01ea0760ea4e3190ac27c0d0", "NAT-T Stenberg 01"),
    exact(Vendor::Other, "6105c422e76847e43f9684801292aecd", "NAT-T Stenberg 02"),
    exact(Vendor::Other, "6a7434c19d7e36348090a02334c9c805", "ESP in UDP Huttunen 00"),
    exact(Vendor::Other, "50760f624c63e5c53eea386c685ca083", "ESPThruNAT"),
    // RFC 3706 5.1: the last two octets are major and minor version.
    exact(Vendor::Dpd, "afcad71368a1f1c96b8696fc77570100", "DPD"),
    prefix(Vendor::Dpd, "afcad71368a1f1c96b8696fc7757", "DPD"),
    // draft-ietf-ipsec-isakmp-xauth 2.
    exact(Vendor::Xauth, "09002689dfd6b712", "XAUTH"),
    // The first 14 octets of MD5("CISCO-UNITY"), then major and minor version.
    exact(Vendor::Unity, "12f5f28c457168a9702d9fe274cc0100", "Unity"),
    prefix(Vendor::Unity, "12f5f28c457168a9702d9fe274cc", "Unity"),
    // [MS-IKEE] 2.2.2: MD5("FRAGMENTATION"). Routers say behind it for which exchanges: bit 31 for main
    // and aggressive mode, bit 30 for base mode. Without one of them the id means nothing.
    exact(Vendor::Fragmentation, "4048b7d56ebce88525e7de7f00d6c2d380000000", "IKE Fragmentation"),
    exact(Vendor::Fragmentation, "4048b7d56ebce88525e7de7f00d6c2d3", "IKE Fragmentation"),
    prefix(Vendor::Fragmentation, "4048b7d56ebce88525e7de7f00d6c2d380", "IKE Fragmentation"),
    prefix(Vendor::Fragmentation, "4048b7d56ebce88525e7de7f00d6c2d3c0", "IKE Fragmentation"),
    // Cisco.
    prefix(Vendor::Other, "1f07f70eaa6514d3b0fa96542a5003", "Cisco VPN 3000 3.x"),
    prefix(Vendor::Other, "1f07f70eaa6514d3b0fa96542a5004", "Cisco VPN 3000 4.x"),
    prefix(Vendor::Other, "1f07f70eaa6514d3b0fa96542a", "Cisco ASA or VPN 3000"),
    exact(Vendor::Other, "f6f7efc7f5aeb8cb158cb9d094ba69e7", "Cisco VPN 3000 client"),
    exact(Vendor::Other, "bdb41038a7ec5e5534dd004d0f91f927", "Cisco IOS"),
    // Windows: MD5("MS NT5 ISAKMPOAKLEY") and a version.
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000002", "Windows 2000"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000003", "Windows XP"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000004", "Windows Server 2003"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000005", "Windows Vista"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000006", "Windows Server 2008"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000007", "Windows 7"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000008", "Windows Server 2008 R2"),
    exact(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e46100000009", "Windows 8 or later"),
    prefix(Vendor::Other, "1e2b516905991c7d7c96fcbfb587e461", "Windows"),
    exact(Vendor::Other, "fb1de3cdf341b7ea16b7e5be0855f120", "MS-Negotiation Discovery Capable"),
    exact(Vendor::Other, "e3a5966a76379fe707228231e5ce8652", "IKE CGA version 1"),
    exact(Vendor::Other, "26244d38eddb61b3172a36e3d0cfb819", "Vid-Initial-Contact"),
    exact(Vendor::Other, "214ca4faffa7f32d6748e5303395ae83", "MS-MamieExists"),
    exact(Vendor::Other, "72872b95fcda2eb708efe322119b4971", "MS NLBS_PRESENT"),
    exact(Vendor::Other, "ad2c0dd0b9c32083ccba25b8861ec455", "GSS-API"),
    exact(Vendor::Other, "b46d8914f3aaa3f2fedeb7c7db2943ca", "GSS-API"),
    exact(Vendor::Other, "621b04bb09882ac1e15935fefa24aeee", "GSS-API"),
    // strongSwan: MD5 of its name; its older daemons of name and version.
    exact(Vendor::StrongSwan, "882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan"),
    exact(Vendor::StrongSwan, "9e10a0d4205edc6c90bd5381a53c2d2b", "strongSwan 5.1.1"),
    exact(Vendor::StrongSwan, "b7d8e62184049fb21b088d4232d2549c", "strongSwan 5.1.0"),
    exact(Vendor::StrongSwan, "dc3afcdda0514da394b4b36f4cb1b9a7", "strongSwan 5.0.4"),
    exact(Vendor::StrongSwan, "d398476a43b9d6c56c4045ffcc9fffb9", "strongSwan 5.0.3"),
    exact(Vendor::StrongSwan, "04d52cc5fd04aa971063b111917731d2", "strongSwan 5.0.2"),
    exact(Vendor::StrongSwan, "75aa8f69de2e44500dae842be21f5491", "strongSwan 5.0.1"),
    exact(Vendor::StrongSwan, "e154b11a96ee2b44d4954843cd3a40a3", "strongSwan 5.0.0"),
    exact(Vendor::StrongSwan, "a87680d00cbb939871eb680d18d052e2", "strongSwan 4.6.4"),
    exact(Vendor::StrongSwan, "984a7bfefb46489a5be74b64531c6753", "strongSwan 4.6.3"),
    exact(Vendor::StrongSwan, "9c73b19f5f4181aa4b269dd004608811", "strongSwan 4.6.2"),
    exact(Vendor::StrongSwan, "1d6cfa4d69d9d33c0b2244bf99de9b8b", "strongSwan 4.6.1"),
    exact(Vendor::StrongSwan, "41ef2e2f7ec8b923c98d9fa9bb7a04a5", "strongSwan 4.6.0"),
    exact(Vendor::StrongSwan, "75244ad8a5a0f48e7e3b7ad79dcab153", "strongSwan 4.5.3"),
    exact(Vendor::StrongSwan, "b149d6161fb4c7c3805beeff042d08c0", "strongSwan 4.5.2"),
    exact(Vendor::StrongSwan, "efe12e8533bbcf4e978ec874935e9972", "strongSwan 4.5.1"),
    exact(Vendor::StrongSwan, "eff89e6f406f55292807c3b8f925884a", "strongSwan 4.5.0"),
    exact(Vendor::StrongSwan, "aaa2e272c58de8f96e72c4c21ba7dd99", "strongSwan 4.4.1"),
    exact(Vendor::StrongSwan, "a5ad81e15e1c68a1be277abfeee80d94", "strongSwan 4.4.0"),
    exact(Vendor::StrongSwan, "02d7c3a0698ec33bb126b2baa70b9c2c", "strongSwan 4.3.7"),
    exact(Vendor::StrongSwan, "de5c703801952d85f6b3ed33b33784b4", "strongSwan 4.3.5"),
    exact(Vendor::StrongSwan, "e37e5d64a329a5cf1eeb8546c3b06018", "strongSwan 4.3.4"),
    exact(Vendor::StrongSwan, "f9f093629308b24388d09c3f026de0a8", "strongSwan 4.3.3"),
    exact(Vendor::StrongSwan, "d6263956ac790961a9c8409b393724bf", "strongSwan 4.3.2"),
    exact(Vendor::StrongSwan, "20b1f62b240a52a849309183960cbb64", "strongSwan 4.3.1"),
    exact(Vendor::StrongSwan, "9deb74e751f44c47905ed2fad93f9271", "strongSwan 4.3.0"),
    exact(Vendor::StrongSwan, "488c08f57afc382112f7cb396f2d4f6c", "strongSwan 4.2.9"),
    exact(Vendor::StrongSwan, "95569ee23ebb62eddedea353a575faf3", "strongSwan 4.2.8"),
    exact(Vendor::StrongSwan, "4ddc7e1f6d6cd1ae9d5dcac58fa1fe9a", "strongSwan 4.2.7"),
    exact(Vendor::StrongSwan, "a2782dd683b5edee3b777f897d2b867e", "strongSwan 4.2.6"),
    exact(Vendor::StrongSwan, "af0a05e0bd37b0aba0135a194abb5b89", "strongSwan 4.2.5"),
    exact(Vendor::StrongSwan, "cd5792d4b70f0299a6a1373de236d2ac", "strongSwan 4.2.4"),
    exact(Vendor::StrongSwan, "2d1f406118fbd5d28474791ffa00488a", "strongSwan 4.2.3"),
    exact(Vendor::StrongSwan, "2a517d0d23c37d08bce7c292a0217b39", "strongSwan 4.2.2"),
    exact(Vendor::StrongSwan, "bab253f4cb10a8108a7c927c56c87886", "strongSwan 4.2.1"),
    exact(Vendor::StrongSwan, "9f68901325a972894335302a9531ab9f", "strongSwan 4.2.0"),
    // The FreeS/WAN family: two letters and ten that digest the version; its newest child says its name.
    prefix(Vendor::Other, "4f452d4c696272657377616e2d", "libreswan"),
    sized(Vendor::Other, "4f454e", 12, "libreswan or Openswan"),
    sized(Vendor::Other, "4f5357", 12, "Openswan"),
    sized(Vendor::Other, "4f45", 12, "Openswan or FreeS/WAN"),
    prefix(Vendor::Other, "4f70656e504750", "OpenPGP"),
    // KAME.
    exact(Vendor::Other, "7003cbc1097dbe9c2600ba6983bc8b35", "racoon"),
    // Check Point: product and version behind the first 20 octets.
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100000002", "Check Point 4.1"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100000003", "Check Point 4.1"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100000fa2", "Check Point 4.1"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100001388", "Check Point NG"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100001389", "Check Point NG FP1"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138a", "Check Point NG FP2"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138b", "Check Point NG FP3"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138c", "Check Point R54"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138d", "Check Point R55 or later"),
    prefix(Vendor::Other, "f4ed19e0c114eb516faaac0ee37daf2807b4381f", "Check Point"),
    // Fortinet.
    exact(Vendor::Other, "1d6e178f6c2c0be284985465450fe9d4", "FortiGate"),
    prefix(Vendor::Other, "8299031757a36082c6a621de", "FortiGate"),
    // Juniper NetScreen: one digest for each family of devices, then a version.
    prefix(Vendor::Other, "299ee8289f40a8973bc78687e2e7226b532c3b76", "NetScreen"),
    prefix(Vendor::Other, "3a15e1f3cf2a63582e3ac82d1c64cbe3b6d779e7", "NetScreen"),
    prefix(Vendor::Other, "47d2b126bfcd83489760e2cf8c5d4d5a03497c15", "NetScreen"),
    prefix(Vendor::Other, "4a4340b543e02b84c88a8b96a8af9ebe77d9accc", "NetScreen"),
    prefix(Vendor::Other, "64405f46f03b7660a23be116a1975058e69e8387", "NetScreen"),
    prefix(Vendor::Other, "699369228741c6d4ca094c93e242c9de19e7b7c6", "NetScreen"),
    prefix(Vendor::Other, "8c0dc6cf62a0ef1b5c6eabd1b67ba69866adf16a", "NetScreen"),
    prefix(Vendor::Other, "92d27a9ecb31d99246986d3453d0c3d57a222a61", "NetScreen"),
    prefix(Vendor::Other, "9b096d9ac3275a7d6fe8b91c583111b09efed1a0", "NetScreen"),
    prefix(Vendor::Other, "bf03746108d746c904f1f3547de24f78479fed12", "NetScreen"),
    prefix(Vendor::Other, "c2e80500f4cc5fbf5daaeed3bb59abaeee56c652", "NetScreen"),
    prefix(Vendor::Other, "c8660a62b03b1b6130bf781608d32a6a8d0fb89f", "NetScreen"),
    prefix(Vendor::Other, "f885da40b1e7a9abd17655ec5bbec0f21f0ed52e", "NetScreen"),
    prefix(Vendor::Other, "2a2bcac19b8e91b426107807e02e7249569d6fd3", "NetScreen"),
    prefix(Vendor::Other, "166f932d55eb64d8e4df4fd37e2313f0d0fd8451", "NetScreen"),
    prefix(Vendor::Other, "a35bfd05ca1ac0b3d2f24e9e82bfcbff9c9e52b5", "NetScreen"),
    prefix(Vendor::Other, "9436e8d67174ef9aed068d5ad5213f187a3f8ba6", "NetScreen"),
    // ISAKMP keepalives of the time before DPD, of NetScreen and others: the text itself.
    prefix(Vendor::Other, "4865617274426561745f4e6f74696679", "HeartBeat_Notify"),
    prefix(Vendor::Other, "4865617274626561745f4e6f74696679", "HeartBeat_Notify"),
    prefix(Vendor::Other, "486561727442656174204e6f74696679", "HeartBeat_Notify"),
    // Others.
    prefix(Vendor::Other, "5b362bc820f6", "SonicWall"),
    prefix(Vendor::Other, "5b362bc820f7", "SonicWall"),
    exact(Vendor::Other, "404bf439522ca3f6", "SonicWall"),
    exact(Vendor::Other, "da8e937880010000", "SonicWall"),
    prefix(Vendor::Other, "da8e9378", "WatchGuard or SafeNet"),
    exact(Vendor::Other, "b858d1addd08c1e8adafea150608aa4497aa6cc8", "ZyXEL ZyWALL"),
    prefix(Vendor::Other, "f758f22668750f03b08df6ebe1d0", "ZyXEL ZyWALL USG"),
    exact(Vendor::Other, "625027749d5ab97f5616c1602765cf480a3b7d0b", "ZyXEL ZyWALL"),
    exact(Vendor::Other, "dbfb81eb5760b0788562067da102d755", "Netgear"),
    prefix(Vendor::Other, "424e4553000000", "Nortel Contivity"),
    prefix(Vendor::Other, "4d6163204f53582031302e78", "Mac OS X"),
    prefix(Vendor::Other, "47bbe7c993f1fc13b4e6d0db565c68e5", "SafeNet SoftRemote"),
    prefix(Vendor::Other, "54494d4553544550", "TimeStep"),
    exact(Vendor::Other, "4485152d18b6bbcc0be8a8469579ddcc", "Avaya"),
    exact(Vendor::Other, "c573b056d7faca36c2fba28374127cbf", "StoneGate"),
    exact(Vendor::Other, "baeb239037e17787d730eed9d95d48aa", "StoneGate"),
    prefix(Vendor::Other, "526170746f7220506f77657256706e20536572766572", "Symantec Raptor"),
    exact(Vendor::Other, "ba290499c24e84e53a1d83a05e5f00c9", "IKE Challenge-Response"),
    exact(Vendor::Other, "0d33611a5d521b5e3c9c03d2fc107e12", "IKE Challenge-Response"),
    exact(Vendor::Other, "ad3251042cdc4652c9e0734ce5de4c7d", "IKE Challenge-Response Revised"),
    exact(Vendor::Other, "13f11823f966fa91900f024ba66a86ba", "IKE Challenge-Response Revised"),
    exact(Vendor::Other, "054182a07c7ae206f9d2cf9d2432c482", "SSH Sentinel"),
    exact(Vendor::Other, "b91623e693ca18a54c6a2778552305e8", "SSH Sentinel 1.1"),
    exact(Vendor::Other, "5430888de01a31a6fa8f60224e449958", "SSH Sentinel 1.2"),
    exact(Vendor::Other, "7ee5cb85f71ce259c94a5c731ee4e752", "SSH Sentinel 1.3"),
    exact(Vendor::Other, "63d9a1a7009491b5a0a6fdeb2a8284f0", "SSH Sentinel 1.4"),
    exact(Vendor::Other, "eb4b0d96276b4e220ad16221a7b2a5e6", "SSH Sentinel 1.4.1"),
};
// clang-format on

static_assert(kKnownVendors.size() <= VendorSet::kMaxRows, "VendorSet holds a bit for each row");

bool fits(const KnownVendor& known, ByteView body) {
    if (known.total_bytes != 0 && body.size() != known.total_bytes)
        return false;
    return body.size() >= known.id.bytes &&
           std::ranges::equal(known.id.view(), body.first(known.id.bytes));
}

const KnownVendor* find_vendor(ByteView body) {
    const auto found = std::ranges::find_if(
        kKnownVendors, [&](const KnownVendor& known) { return fits(known, body); });
    return found == kKnownVendors.end() ? nullptr : &*found;
}

} // namespace

bool VendorSet::has(Vendor vendor) const {
    for (std::size_t row = 0; row < kKnownVendors.size(); ++row)
        if (contains(row) && kKnownVendors[row].vendor == vendor)
            return true;
    return false;
}

Bytes vendor_id(Vendor vendor) {
    const auto known = std::ranges::find(kKnownVendors, vendor, &KnownVendor::vendor);
    ENSURE(known != kKnownVendors.end());
    return to_bytes(known->id.view());
}

VendorSet known_vendors(const Message& message) {
    VendorSet vendors;
    for (const Payload& payload : message.payloads)
        if (payload.type == PayloadType::VendorId)
            if (const KnownVendor* known = find_vendor(payload.body))
                vendors.insert(static_cast<std::size_t>(known - kKnownVendors.data()));
    return vendors;
}

std::string vendor_name(ByteView body) {
    const KnownVendor* known = find_vendor(body);
    return known == nullptr ? "" : known->name;
}

std::vector<std::string> vendor_names(const VendorSet& vendors) {
    std::vector<std::string> names;
    for (std::size_t row = 0; row < kKnownVendors.size(); ++row)
        if (vendors.contains(row) &&
            std::ranges::find(names, kKnownVendors[row].name) == names.end())
            names.emplace_back(kKnownVendors[row].name);
    return names;
}

} // namespace adit::ike
