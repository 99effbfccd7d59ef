// SPDX-License-Identifier: Apache-2.0
#include "control/ike/step.h"

#include <algorithm>
#include <array>

namespace adit::ike {

namespace {

/// Most vendor ids are MD5 of a text; some end in octets that vary by version, so only the fixed
/// part is compared.
struct KnownVendor {
    Vendor vendor;
    std::uint8_t fixed_bytes; // compared
    std::uint8_t length_bytes;
    std::array<std::uint8_t, 16> octets;
    const char* name;
};

// clang-format off
constexpr std::array kKnownVendors = {
    // RFC 3947 3.1: MD5("RFC 3947")
    KnownVendor{Vendor::NatRfc3947, 16, 16, {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f}, "NAT-T RFC 3947"},
    // MD5("draft-ietf-ipsec-nat-t-ike-03"), "-02\n", "-02", "-00"
    KnownVendor{Vendor::NatDraft03, 16, 16, {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56}, "NAT-T v3"},
    KnownVendor{Vendor::NatDraft02n, 16, 16, {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f}, "NAT-T v2"},
    KnownVendor{Vendor::NatDraft02, 16, 16, {0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48}, "NAT-T v2"},
    KnownVendor{Vendor::NatDraft00, 16, 16, {0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd, 0x0b, 0xe8, 0xa8, 0x46, 0x95, 0x79, 0xdd, 0xcc}, "NAT-T v0"},
    // RFC 3706 5.1: the last two octets are major and minor version
    KnownVendor{Vendor::Dpd, 14, 16, {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00}, "DPD"},
    // draft-ietf-ipsec-isakmp-xauth 2
    KnownVendor{Vendor::Xauth, 8, 8, {0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12}, "XAUTH"},
    KnownVendor{Vendor::Unity, 14, 16, {0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc, 0x01, 0x00}, "Unity"},
    // MD5("FRAGMENTATION"), often with capability bits behind it
    KnownVendor{Vendor::Fragmentation, 16, 16, {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3}, "IKE Fragmentation"},
    // MD5("strongSwan")
    KnownVendor{Vendor::StrongSwan, 16, 16, {0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb}, "strongSwan"},
};
// clang-format on

bool is(const KnownVendor& known, ByteView body) {
    return body.size() >= known.fixed_bytes &&
           std::equal(known.octets.begin(), known.octets.begin() + known.fixed_bytes, body.begin());
}

} // namespace

Bytes vendor_id(Vendor vendor) {
    const auto known = std::ranges::find(kKnownVendors, vendor, &KnownVendor::vendor);
    ENSURE(known != kKnownVendors.end());
    return {known->octets.begin(), known->octets.begin() + known->length_bytes};
}

std::uint32_t known_vendors(const Message& message) {
    std::uint32_t vendors = 0;
    for (const Payload& payload : message.payloads)
        if (payload.type == PayloadType::VendorId)
            for (const KnownVendor& known : kKnownVendors)
                if (is(known, payload.body))
                    vendors |= static_cast<std::uint32_t>(known.vendor);
    return vendors;
}

std::vector<std::string> vendor_names(std::uint32_t vendors) {
    std::vector<std::string> names;
    for (const KnownVendor& known : kKnownVendors)
        if ((vendors & static_cast<std::uint32_t>(known.vendor)) != 0)
            names.emplace_back(known.name);
    return names;
}

} // namespace adit::ike
