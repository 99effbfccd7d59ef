// SPDX-License-Identifier: Apache-2.0
#include "control/ike/constants.h"

#include <array>
#include <cstddef>

namespace adit::ike {

namespace {

template <class Enum> struct Named {
    Enum value;
    const char* name;
};

template <class Enum, std::size_t size>
std::string find_name(const std::array<Named<Enum>, size>& names, Enum value, const char* kind) {
    for (const auto& row : names)
        if (row.value == value)
            return row.name;
    return std::string{kind} + " " + std::to_string(to_wire(value));
}

constexpr std::array kPayloadTypeNames = {
    Named<PayloadType>{PayloadType::None, "NONE"},
    Named<PayloadType>{PayloadType::SecurityAssociation, "SA"},
    Named<PayloadType>{PayloadType::Proposal, "PROPOSAL"},
    Named<PayloadType>{PayloadType::Transform, "TRANSFORM"},
    Named<PayloadType>{PayloadType::KeyExchange, "KE"},
    Named<PayloadType>{PayloadType::Identification, "ID"},
    Named<PayloadType>{PayloadType::Certificate, "CERT"},
    Named<PayloadType>{PayloadType::CertificateRequest, "CR"},
    Named<PayloadType>{PayloadType::Hash, "HASH"},
    Named<PayloadType>{PayloadType::Signature, "SIG"},
    Named<PayloadType>{PayloadType::Nonce, "NONCE"},
    Named<PayloadType>{PayloadType::Notification, "NOTIFY"},
    Named<PayloadType>{PayloadType::Delete, "DELETE"},
    Named<PayloadType>{PayloadType::VendorId, "VID"},
    Named<PayloadType>{PayloadType::Attributes, "ATTR"},
    Named<PayloadType>{PayloadType::NatDiscovery, "NAT-D"},
    Named<PayloadType>{PayloadType::NatOriginal, "NAT-OA"},
    Named<PayloadType>{PayloadType::NatDiscoveryDraft, "NAT-D (draft)"},
    Named<PayloadType>{PayloadType::NatOriginalDraft, "NAT-OA (draft)"},
    Named<PayloadType>{PayloadType::Fragment, "FRAGMENT"},
};

constexpr std::array kExchangeTypeNames = {
    Named<ExchangeType>{ExchangeType::None, "NONE"},
    Named<ExchangeType>{ExchangeType::Base, "Base"},
    Named<ExchangeType>{ExchangeType::IdentityProtection, "Main mode"},
    Named<ExchangeType>{ExchangeType::AuthenticationOnly, "Authentication only"},
    Named<ExchangeType>{ExchangeType::Aggressive, "Aggressive mode"},
    Named<ExchangeType>{ExchangeType::Informational, "Informational mode"},
    Named<ExchangeType>{ExchangeType::Transaction, "Transaction"},
    Named<ExchangeType>{ExchangeType::QuickMode, "Quick mode"},
    Named<ExchangeType>{ExchangeType::NewGroupMode, "New group mode"},
};

constexpr std::array kDoiNames = {
    Named<Doi>{Doi::Isakmp, "ISAKMP"},
    Named<Doi>{Doi::Ipsec, "IPSEC"},
};

constexpr std::array kProtocolIdNames = {
    Named<ProtocolId>{ProtocolId::None, "NONE"},
    Named<ProtocolId>{ProtocolId::Isakmp, "ISAKMP"},
    Named<ProtocolId>{ProtocolId::Ah, "AH"},
    Named<ProtocolId>{ProtocolId::Esp, "ESP"},
    Named<ProtocolId>{ProtocolId::Ipcomp, "IPCOMP"},
};

constexpr std::array kIkeAttributeNames = {
    Named<IkeAttribute>{IkeAttribute::EncryptionAlgorithm, "Encryption Algorithm"},
    Named<IkeAttribute>{IkeAttribute::HashAlgorithm, "Hash Algorithm"},
    Named<IkeAttribute>{IkeAttribute::AuthenticationMethod, "Authentication Method"},
    Named<IkeAttribute>{IkeAttribute::GroupDescription, "Group Description"},
    Named<IkeAttribute>{IkeAttribute::GroupType, "Group Type"},
    Named<IkeAttribute>{IkeAttribute::GroupPrime, "Group Prime"},
    Named<IkeAttribute>{IkeAttribute::GroupGeneratorOne, "Group Generator One"},
    Named<IkeAttribute>{IkeAttribute::GroupGeneratorTwo, "Group Generator Two"},
    Named<IkeAttribute>{IkeAttribute::GroupCurveA, "Group Curve A"},
    Named<IkeAttribute>{IkeAttribute::GroupCurveB, "Group Curve B"},
    Named<IkeAttribute>{IkeAttribute::LifeType, "Life Type"},
    Named<IkeAttribute>{IkeAttribute::LifeDuration, "Life Duration"},
    Named<IkeAttribute>{IkeAttribute::Prf, "PRF"},
    Named<IkeAttribute>{IkeAttribute::KeyLength, "Key Length"},
    Named<IkeAttribute>{IkeAttribute::FieldSize, "Field Size"},
    Named<IkeAttribute>{IkeAttribute::GroupOrder, "Group Order"},
};

constexpr std::array kIkeEncryptionNames = {
    Named<IkeEncryption>{IkeEncryption::DesCbc, "DES-CBC"},
    Named<IkeEncryption>{IkeEncryption::IdeaCbc, "IDEA-CBC"},
    Named<IkeEncryption>{IkeEncryption::BlowfishCbc, "BLOWFISH-CBC"},
    Named<IkeEncryption>{IkeEncryption::Rc5Cbc, "RC5-R16-B64-CBC"},
    Named<IkeEncryption>{IkeEncryption::TripleDesCbc, "3DES-CBC"},
    Named<IkeEncryption>{IkeEncryption::CastCbc, "CAST-CBC"},
    Named<IkeEncryption>{IkeEncryption::AesCbc, "AES-CBC"},
    Named<IkeEncryption>{IkeEncryption::CamelliaCbc, "CAMELLIA-CBC"},
};

constexpr std::array kIkeHashNames = {
    Named<IkeHash>{IkeHash::Md5, "MD5"},
    Named<IkeHash>{IkeHash::Sha1, "SHA"},
    Named<IkeHash>{IkeHash::Tiger, "TIGER"},
    Named<IkeHash>{IkeHash::Sha256, "SHA2-256"},
    Named<IkeHash>{IkeHash::Sha384, "SHA2-384"},
    Named<IkeHash>{IkeHash::Sha512, "SHA2-512"},
};

constexpr std::array kAuthMethodNames = {
    Named<AuthMethod>{AuthMethod::PreSharedKey, "pre-shared key"},
    Named<AuthMethod>{AuthMethod::DssSignature, "DSS signatures"},
    Named<AuthMethod>{AuthMethod::RsaSignature, "RSA signatures"},
    Named<AuthMethod>{AuthMethod::RsaEncryption, "RSA encryption"},
    Named<AuthMethod>{AuthMethod::RevisedRsaEncryption, "revised RSA encryption"},
    Named<AuthMethod>{AuthMethod::EcdsaSha256, "ECDSA with SHA-256"},
    Named<AuthMethod>{AuthMethod::EcdsaSha384, "ECDSA with SHA-384"},
    Named<AuthMethod>{AuthMethod::EcdsaSha512, "ECDSA with SHA-512"},
    Named<AuthMethod>{AuthMethod::HybridInitiatorRsa, "HybridInitRSA"},
    Named<AuthMethod>{AuthMethod::HybridResponderRsa, "HybridRespRSA"},
    Named<AuthMethod>{AuthMethod::HybridInitiatorDss, "HybridInitDSS"},
    Named<AuthMethod>{AuthMethod::HybridResponderDss, "HybridRespDSS"},
    Named<AuthMethod>{AuthMethod::XauthInitiatorPreSharedKey, "XAUTHInitPreShared"},
    Named<AuthMethod>{AuthMethod::XauthResponderPreSharedKey, "XAUTHRespPreShared"},
    Named<AuthMethod>{AuthMethod::XauthInitiatorDss, "XAUTHInitDSS"},
    Named<AuthMethod>{AuthMethod::XauthResponderDss, "XAUTHRespDSS"},
    Named<AuthMethod>{AuthMethod::XauthInitiatorRsa, "XAUTHInitRSA"},
    Named<AuthMethod>{AuthMethod::XauthResponderRsa, "XAUTHRespRSA"},
    Named<AuthMethod>{AuthMethod::XauthInitiatorRsaEncryption, "XAUTHInitRSAEncryption"},
    Named<AuthMethod>{AuthMethod::XauthResponderRsaEncryption, "XAUTHRespRSAEncryption"},
    Named<AuthMethod>{AuthMethod::XauthInitiatorRevisedRsaEncryption,
                      "XAUTHInitRSARevisedEncryption"},
    Named<AuthMethod>{AuthMethod::XauthResponderRevisedRsaEncryption,
                      "XAUTHRespRSARevisedEncryption"},
};

constexpr std::array kGroupNames = {
    Named<Group>{Group::None, "none"},
    Named<Group>{Group::Modp768, "MODP-768"},
    Named<Group>{Group::Modp1024, "MODP-1024"},
    Named<Group>{Group::Ec2n155, "EC2N-155"},
    Named<Group>{Group::Ec2n185, "EC2N-185"},
    Named<Group>{Group::Modp1536, "MODP-1536"},
    Named<Group>{Group::Modp2048, "MODP-2048"},
    Named<Group>{Group::Modp3072, "MODP-3072"},
    Named<Group>{Group::Modp4096, "MODP-4096"},
    Named<Group>{Group::Modp6144, "MODP-6144"},
    Named<Group>{Group::Modp8192, "MODP-8192"},
    Named<Group>{Group::Ecp256, "ECP-256"},
    Named<Group>{Group::Ecp384, "ECP-384"},
    Named<Group>{Group::Ecp521, "ECP-521"},
    Named<Group>{Group::Modp1024Subgroup160, "MODP-1024-160"},
    Named<Group>{Group::Modp2048Subgroup224, "MODP-2048-224"},
    Named<Group>{Group::Modp2048Subgroup256, "MODP-2048-256"},
    Named<Group>{Group::Ecp192, "ECP-192"},
    Named<Group>{Group::Ecp224, "ECP-224"},
    Named<Group>{Group::Brainpool224, "brainpoolP224r1"},
    Named<Group>{Group::Brainpool256, "brainpoolP256r1"},
    Named<Group>{Group::Brainpool384, "brainpoolP384r1"},
    Named<Group>{Group::Brainpool512, "brainpoolP512r1"},
};

constexpr std::array kLifeTypeNames = {
    Named<LifeType>{LifeType::Seconds, "seconds"},
    Named<LifeType>{LifeType::Kilobytes, "kilobytes"},
};

constexpr std::array kEspTransformNames = {
    Named<EspTransform>{EspTransform::DesIv64, "ESP_DES_IV64"},
    Named<EspTransform>{EspTransform::Des, "ESP_DES"},
    Named<EspTransform>{EspTransform::TripleDes, "ESP_3DES"},
    Named<EspTransform>{EspTransform::Rc5, "ESP_RC5"},
    Named<EspTransform>{EspTransform::Idea, "ESP_IDEA"},
    Named<EspTransform>{EspTransform::Cast, "ESP_CAST"},
    Named<EspTransform>{EspTransform::Blowfish, "ESP_BLOWFISH"},
    Named<EspTransform>{EspTransform::TripleIdea, "ESP_3IDEA"},
    Named<EspTransform>{EspTransform::DesIv32, "ESP_DES_IV32"},
    Named<EspTransform>{EspTransform::Rc4, "ESP_RC4"},
    Named<EspTransform>{EspTransform::Null, "ESP_NULL"},
    Named<EspTransform>{EspTransform::AesCbc, "ESP_AES"},
    Named<EspTransform>{EspTransform::AesCtr, "ESP_AES-CTR"},
    Named<EspTransform>{EspTransform::AesCcm8, "ESP_AES-CCM_8"},
    Named<EspTransform>{EspTransform::AesCcm12, "ESP_AES-CCM_12"},
    Named<EspTransform>{EspTransform::AesCcm16, "ESP_AES-CCM_16"},
    Named<EspTransform>{EspTransform::AesGcm8, "ESP_AES-GCM_8"},
    Named<EspTransform>{EspTransform::AesGcm12, "ESP_AES-GCM_12"},
    Named<EspTransform>{EspTransform::AesGcm16, "ESP_AES-GCM_16"},
    Named<EspTransform>{EspTransform::Seed, "ESP_SEED_CBC"},
    Named<EspTransform>{EspTransform::Camellia, "ESP_CAMELLIA"},
    Named<EspTransform>{EspTransform::NullAesGmac, "ESP_NULL_AUTH_AES-GMAC"},
};

constexpr std::array kIpsecAttributeNames = {
    Named<IpsecAttribute>{IpsecAttribute::LifeType, "SA Life Type"},
    Named<IpsecAttribute>{IpsecAttribute::LifeDuration, "SA Life Duration"},
    Named<IpsecAttribute>{IpsecAttribute::GroupDescription, "Group Description"},
    Named<IpsecAttribute>{IpsecAttribute::EncapsulationMode, "Encapsulation Mode"},
    Named<IpsecAttribute>{IpsecAttribute::AuthenticationAlgorithm, "Authentication Algorithm"},
    Named<IpsecAttribute>{IpsecAttribute::KeyLength, "Key Length"},
    Named<IpsecAttribute>{IpsecAttribute::KeyRounds, "Key Rounds"},
    Named<IpsecAttribute>{IpsecAttribute::CompressDictionarySize, "Compress Dictionary Size"},
    Named<IpsecAttribute>{IpsecAttribute::CompressPrivateAlgorithm, "Compress Private Algorithm"},
    Named<IpsecAttribute>{IpsecAttribute::EcnTunnel, "ECN Tunnel"},
    Named<IpsecAttribute>{IpsecAttribute::ExtendedSequenceNumber,
                          "Extended (64-bit) Sequence Number"},
    Named<IpsecAttribute>{IpsecAttribute::AuthenticationKeyLength, "Authentication Key Length"},
    Named<IpsecAttribute>{IpsecAttribute::SignatureEncodingAlgorithm,
                          "Signature Encoding Algorithm"},
};

constexpr std::array kEncapsulationModeNames = {
    Named<EncapsulationMode>{EncapsulationMode::Tunnel, "Tunnel"},
    Named<EncapsulationMode>{EncapsulationMode::Transport, "Transport"},
    Named<EncapsulationMode>{EncapsulationMode::UdpTunnel, "UDP-Encapsulated-Tunnel"},
    Named<EncapsulationMode>{EncapsulationMode::UdpTransport, "UDP-Encapsulated-Transport"},
    Named<EncapsulationMode>{EncapsulationMode::UdpTunnelDraft, "UDP-Encapsulated-Tunnel (draft)"},
    Named<EncapsulationMode>{EncapsulationMode::UdpTransportDraft,
                             "UDP-Encapsulated-Transport (draft)"},
};

constexpr std::array kIpsecAuthAlgorithmNames = {
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacMd5, "HMAC-MD5"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacSha1, "HMAC-SHA"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::DesMac, "DES-MAC"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::Kpdk, "KPDK"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacSha256, "HMAC-SHA2-256"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacSha384, "HMAC-SHA2-384"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacSha512, "HMAC-SHA2-512"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::HmacRipemd, "HMAC-RIPEMD"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::AesXcbcMac, "AES-XCBC-MAC"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::SignatureRsa, "SIG-RSA"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::AesGmac128, "AES-128-GMAC"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::AesGmac192, "AES-192-GMAC"},
    Named<IpsecAuthAlgorithm>{IpsecAuthAlgorithm::AesGmac256, "AES-256-GMAC"},
};

constexpr std::array kExtendedSequenceNames = {
    Named<ExtendedSequence>{ExtendedSequence::Esn64, "64-bit Sequence Number"},
};

constexpr std::array kIdTypeNames = {
    Named<IdType>{IdType::None, "NONE"},
    Named<IdType>{IdType::Ipv4Address, "ID_IPV4_ADDR"},
    Named<IdType>{IdType::Fqdn, "ID_FQDN"},
    Named<IdType>{IdType::UserFqdn, "ID_USER_FQDN"},
    Named<IdType>{IdType::Ipv4Subnet, "ID_IPV4_ADDR_SUBNET"},
    Named<IdType>{IdType::Ipv6Address, "ID_IPV6_ADDR"},
    Named<IdType>{IdType::Ipv6Subnet, "ID_IPV6_ADDR_SUBNET"},
    Named<IdType>{IdType::Ipv4Range, "ID_IPV4_ADDR_RANGE"},
    Named<IdType>{IdType::Ipv6Range, "ID_IPV6_ADDR_RANGE"},
    Named<IdType>{IdType::DerDn, "ID_DER_ASN1_DN"},
    Named<IdType>{IdType::DerGn, "ID_DER_ASN1_GN"},
    Named<IdType>{IdType::KeyId, "ID_KEY_ID"},
    Named<IdType>{IdType::List, "ID_LIST"},
};

constexpr std::array kCertificateEncodingNames = {
    Named<CertificateEncoding>{CertificateEncoding::None, "NONE"},
    Named<CertificateEncoding>{CertificateEncoding::Pkcs7X509, "PKCS #7 wrapped X.509 certificate"},
    Named<CertificateEncoding>{CertificateEncoding::Pgp, "PGP certificate"},
    Named<CertificateEncoding>{CertificateEncoding::DnsSignedKey, "DNS signed key"},
    Named<CertificateEncoding>{CertificateEncoding::X509Signature, "X.509 certificate - signature"},
    Named<CertificateEncoding>{CertificateEncoding::X509KeyExchange,
                               "X.509 certificate - key exchange"},
    Named<CertificateEncoding>{CertificateEncoding::Kerberos, "Kerberos tokens"},
    Named<CertificateEncoding>{CertificateEncoding::Crl, "certificate revocation list"},
    Named<CertificateEncoding>{CertificateEncoding::Arl, "authority revocation list"},
    Named<CertificateEncoding>{CertificateEncoding::Spki, "SPKI certificate"},
    Named<CertificateEncoding>{CertificateEncoding::X509Attribute, "X.509 certificate - attribute"},
};

constexpr std::array kNotifyTypeNames = {
    Named<NotifyType>{NotifyType::InvalidPayloadType, "INVALID-PAYLOAD-TYPE"},
    Named<NotifyType>{NotifyType::DoiNotSupported, "DOI-NOT-SUPPORTED"},
    Named<NotifyType>{NotifyType::SituationNotSupported, "SITUATION-NOT-SUPPORTED"},
    Named<NotifyType>{NotifyType::InvalidCookie, "INVALID-COOKIE"},
    Named<NotifyType>{NotifyType::InvalidMajorVersion, "INVALID-MAJOR-VERSION"},
    Named<NotifyType>{NotifyType::InvalidMinorVersion, "INVALID-MINOR-VERSION"},
    Named<NotifyType>{NotifyType::InvalidExchangeType, "INVALID-EXCHANGE-TYPE"},
    Named<NotifyType>{NotifyType::InvalidFlags, "INVALID-FLAGS"},
    Named<NotifyType>{NotifyType::InvalidMessageId, "INVALID-MESSAGE-ID"},
    Named<NotifyType>{NotifyType::InvalidProtocolId, "INVALID-PROTOCOL-ID"},
    Named<NotifyType>{NotifyType::InvalidSpi, "INVALID-SPI"},
    Named<NotifyType>{NotifyType::InvalidTransformId, "INVALID-TRANSFORM-ID"},
    Named<NotifyType>{NotifyType::AttributesNotSupported, "ATTRIBUTES-NOT-SUPPORTED"},
    Named<NotifyType>{NotifyType::NoProposalChosen, "NO-PROPOSAL-CHOSEN"},
    Named<NotifyType>{NotifyType::BadProposalSyntax, "BAD-PROPOSAL-SYNTAX"},
    Named<NotifyType>{NotifyType::PayloadMalformed, "PAYLOAD-MALFORMED"},
    Named<NotifyType>{NotifyType::InvalidKeyInformation, "INVALID-KEY-INFORMATION"},
    Named<NotifyType>{NotifyType::InvalidIdInformation, "INVALID-ID-INFORMATION"},
    Named<NotifyType>{NotifyType::InvalidCertEncoding, "INVALID-CERT-ENCODING"},
    Named<NotifyType>{NotifyType::InvalidCertificate, "INVALID-CERTIFICATE"},
    Named<NotifyType>{NotifyType::CertTypeUnsupported, "CERT-TYPE-UNSUPPORTED"},
    Named<NotifyType>{NotifyType::InvalidCertAuthority, "INVALID-CERT-AUTHORITY"},
    Named<NotifyType>{NotifyType::InvalidHashInformation, "INVALID-HASH-INFORMATION"},
    Named<NotifyType>{NotifyType::AuthenticationFailed, "AUTHENTICATION-FAILED"},
    Named<NotifyType>{NotifyType::InvalidSignature, "INVALID-SIGNATURE"},
    Named<NotifyType>{NotifyType::AddressNotification, "ADDRESS-NOTIFICATION"},
    Named<NotifyType>{NotifyType::NotifySaLifetime, "NOTIFY-SA-LIFETIME"},
    Named<NotifyType>{NotifyType::CertificateUnavailable, "CERTIFICATE-UNAVAILABLE"},
    Named<NotifyType>{NotifyType::UnsupportedExchangeType, "UNSUPPORTED-EXCHANGE-TYPE"},
    Named<NotifyType>{NotifyType::UnequalPayloadLengths, "UNEQUAL-PAYLOAD-LENGTHS"},
    Named<NotifyType>{NotifyType::Connected, "CONNECTED"},
    Named<NotifyType>{NotifyType::ResponderLifetime, "RESPONDER-LIFETIME"},
    Named<NotifyType>{NotifyType::ReplayStatus, "REPLAY-STATUS"},
    Named<NotifyType>{NotifyType::InitialContact, "INITIAL-CONTACT"},
    Named<NotifyType>{NotifyType::RUThere, "R-U-THERE"},
    Named<NotifyType>{NotifyType::RUThereAck, "R-U-THERE-ACK"},
};

constexpr std::array kConfigMessageNames = {
    Named<ConfigMessage>{ConfigMessage::Request, "REQUEST"},
    Named<ConfigMessage>{ConfigMessage::Reply, "REPLY"},
    Named<ConfigMessage>{ConfigMessage::Set, "SET"},
    Named<ConfigMessage>{ConfigMessage::Ack, "ACK"},
};

constexpr std::array kConfigAttributeNames = {
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Address, "INTERNAL_IP4_ADDRESS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Netmask, "INTERNAL_IP4_NETMASK"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Dns, "INTERNAL_IP4_DNS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Nbns, "INTERNAL_IP4_NBNS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalAddressExpiry, "INTERNAL_ADDRESS_EXPIRY"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Dhcp, "INTERNAL_IP4_DHCP"},
    Named<ConfigAttribute>{ConfigAttribute::ApplicationVersion, "APPLICATION_VERSION"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Address, "INTERNAL_IP6_ADDRESS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Netmask, "INTERNAL_IP6_NETMASK"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Dns, "INTERNAL_IP6_DNS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Nbns, "INTERNAL_IP6_NBNS"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Dhcp, "INTERNAL_IP6_DHCP"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp4Subnet, "INTERNAL_IP4_SUBNET"},
    Named<ConfigAttribute>{ConfigAttribute::SupportedAttributes, "SUPPORTED_ATTRIBUTES"},
    Named<ConfigAttribute>{ConfigAttribute::InternalIp6Subnet, "INTERNAL_IP6_SUBNET"},
    Named<ConfigAttribute>{ConfigAttribute::XauthType, "XAUTH-TYPE"},
    Named<ConfigAttribute>{ConfigAttribute::XauthUserName, "XAUTH-USER-NAME"},
    Named<ConfigAttribute>{ConfigAttribute::XauthUserPassword, "XAUTH-USER-PASSWORD"},
    Named<ConfigAttribute>{ConfigAttribute::XauthPasscode, "XAUTH-PASSCODE"},
    Named<ConfigAttribute>{ConfigAttribute::XauthMessage, "XAUTH-MESSAGE"},
    Named<ConfigAttribute>{ConfigAttribute::XauthChallenge, "XAUTH-CHALLENGE"},
    Named<ConfigAttribute>{ConfigAttribute::XauthDomain, "XAUTH-DOMAIN"},
    Named<ConfigAttribute>{ConfigAttribute::XauthStatus, "XAUTH-STATUS"},
    Named<ConfigAttribute>{ConfigAttribute::XauthNextPin, "XAUTH-NEXT-PIN"},
    Named<ConfigAttribute>{ConfigAttribute::XauthAnswer, "XAUTH-ANSWER"},
    Named<ConfigAttribute>{ConfigAttribute::UnityBanner, "MODECFG_BANNER"},
    Named<ConfigAttribute>{ConfigAttribute::UnitySavePassword, "MODECFG_SAVEPWD"},
    Named<ConfigAttribute>{ConfigAttribute::UnityDefaultDomain, "DEFAULT_DOMAIN"},
    Named<ConfigAttribute>{ConfigAttribute::UnitySplitDns, "SPLIT_DNS"},
    Named<ConfigAttribute>{ConfigAttribute::UnitySplitInclude, "SPLIT_INCLUDE"},
    Named<ConfigAttribute>{ConfigAttribute::UnityNatPort, "NATT_PORT"},
    Named<ConfigAttribute>{ConfigAttribute::UnityLocalLan, "LOCAL_LAN"},
    Named<ConfigAttribute>{ConfigAttribute::UnityPfs, "PFS"},
    Named<ConfigAttribute>{ConfigAttribute::UnityFirewall, "FW_TYPE"},
    Named<ConfigAttribute>{ConfigAttribute::UnityBackupServers, "BACKUP_SERVERS"},
    Named<ConfigAttribute>{ConfigAttribute::UnityDdnsHostname, "DDNS_HOSTNAME"},
};

} // namespace

std::string name(PayloadType value) {
    return find_name(kPayloadTypeNames, value, "payload");
}

std::string name(ExchangeType value) {
    return find_name(kExchangeTypeNames, value, "exchange");
}

std::string name(Doi value) {
    return find_name(kDoiNames, value, "DOI");
}

std::string name(ProtocolId value) {
    return find_name(kProtocolIdNames, value, "protocol");
}

std::string name(IkeAttribute value) {
    return find_name(kIkeAttributeNames, value, "attribute");
}

std::string name(IkeEncryption value) {
    return find_name(kIkeEncryptionNames, value, "encryption");
}

std::string name(IkeHash value) {
    return find_name(kIkeHashNames, value, "hash");
}

std::string name(AuthMethod value) {
    return find_name(kAuthMethodNames, value, "authentication");
}

std::string name(Group value) {
    return find_name(kGroupNames, value, "group");
}

std::string name(LifeType value) {
    return find_name(kLifeTypeNames, value, "life type");
}

std::string name(EspTransform value) {
    return find_name(kEspTransformNames, value, "transform");
}

std::string name(IpsecAttribute value) {
    return find_name(kIpsecAttributeNames, value, "attribute");
}

std::string name(EncapsulationMode value) {
    return find_name(kEncapsulationModeNames, value, "encapsulation");
}

std::string name(IpsecAuthAlgorithm value) {
    return find_name(kIpsecAuthAlgorithmNames, value, "authentication algorithm");
}

std::string name(ExtendedSequence value) {
    return find_name(kExtendedSequenceNames, value, "extended sequence");
}

std::string name(IdType value) {
    return find_name(kIdTypeNames, value, "ID type");
}

std::string name(CertificateEncoding value) {
    return find_name(kCertificateEncodingNames, value, "certificate encoding");
}

std::string name(ConfigMessage value) {
    return find_name(kConfigMessageNames, value, "message type");
}

std::string name(ConfigAttribute value) {
    return find_name(kConfigAttributeNames, value, "attribute");
}

std::string name(NotifyType value) {
    return find_name(kNotifyTypeNames, value, "notify");
}

} // namespace adit::ike
