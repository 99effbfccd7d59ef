// SPDX-License-Identifier: Apache-2.0
#include "control/ike/constants.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

TEST(Constants, KnownNotifyTypesPrintTheRfcsWords) {
    EXPECT_EQ(name(from_wire<NotifyType>(14)), "NO-PROPOSAL-CHOSEN");
    EXPECT_EQ(name(from_wire<NotifyType>(18)), "INVALID-ID-INFORMATION");
    EXPECT_EQ(name(from_wire<NotifyType>(24)), "AUTHENTICATION-FAILED");
    EXPECT_EQ(name(from_wire<NotifyType>(27)), "NOTIFY-SA-LIFETIME");
    EXPECT_EQ(name(from_wire<NotifyType>(24576)), "RESPONDER-LIFETIME");
    EXPECT_EQ(name(from_wire<NotifyType>(24578)), "INITIAL-CONTACT");
    EXPECT_EQ(name(from_wire<NotifyType>(36136)), "R-U-THERE");
    EXPECT_EQ(name(from_wire<NotifyType>(36137)), "R-U-THERE-ACK");
}

TEST(Constants, UnknownNumbersPrintKindAndNumber) {
    EXPECT_EQ(name(from_wire<NotifyType>(12345)), "notify 12345");
    EXPECT_EQ(name(from_wire<PayloadType>(200)), "payload 200");
    EXPECT_EQ(name(from_wire<ExchangeType>(255)), "exchange 255");
    EXPECT_EQ(name(from_wire<Group>(65535)), "group 65535");
    EXPECT_EQ(name(from_wire<IdType>(99)), "ID type 99");
    EXPECT_EQ(name(from_wire<EspTransform>(17)), "transform 17");
    EXPECT_EQ(name(from_wire<Doi>(0xffffffff)), "DOI 4294967295");
}

TEST(Constants, EveryNumberSurvivesTheWay) {
    for (unsigned value = 0; value <= 0xffff; ++value) {
        const auto wire = static_cast<std::uint16_t>(value);
        EXPECT_EQ(to_wire(from_wire<NotifyType>(wire)), wire);
        EXPECT_FALSE(name(from_wire<NotifyType>(wire)).empty());
        EXPECT_FALSE(name(from_wire<AuthMethod>(wire)).empty());
    }
}

TEST(Constants, NotifyTypesBelow16384AreErrors) {
    EXPECT_TRUE(is_error(NotifyType::NoProposalChosen));
    EXPECT_TRUE(is_error(from_wire<NotifyType>(16383)));
    EXPECT_FALSE(is_error(NotifyType::Connected));
    EXPECT_FALSE(is_error(NotifyType::RUThere));
}

TEST(Constants, NamesOfTheOtherKinds) {
    EXPECT_EQ(name(PayloadType::NatDiscovery), "NAT-D");
    EXPECT_EQ(name(ExchangeType::QuickMode), "Quick mode");
    EXPECT_EQ(name(ProtocolId::Esp), "ESP");
    EXPECT_EQ(name(IkeAttribute::LifeDuration), "Life Duration");
    EXPECT_EQ(name(IkeEncryption::AesCbc), "AES-CBC");
    EXPECT_EQ(name(IkeHash::Sha256), "SHA2-256");
    EXPECT_EQ(name(AuthMethod::PreSharedKey), "pre-shared key");
    EXPECT_EQ(name(Group::Modp2048), "MODP-2048");
    EXPECT_EQ(name(LifeType::Kilobytes), "kilobytes");
    EXPECT_EQ(name(EspTransform::AesGcm16), "ESP_AES-GCM_16");
    EXPECT_EQ(name(IpsecAttribute::EncapsulationMode), "Encapsulation Mode");
    EXPECT_EQ(name(from_wire<EncapsulationMode>(61443)), "UDP-Encapsulated-Tunnel (draft)");
    EXPECT_EQ(name(IpsecAuthAlgorithm::HmacSha256), "HMAC-SHA2-256");
    EXPECT_EQ(name(ExtendedSequence::Esn64), "64-bit Sequence Number");
    EXPECT_EQ(name(IdType::Ipv4Subnet), "ID_IPV4_ADDR_SUBNET");
    EXPECT_EQ(name(CertificateEncoding::X509Signature), "X.509 certificate - signature");
    EXPECT_EQ(name(Doi::Ipsec), "IPSEC");
}

} // namespace
} // namespace adit::ike
