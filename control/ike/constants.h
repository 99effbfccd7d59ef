// SPDX-License-Identifier: Apache-2.0
// Every number ISAKMP and IKEv1 put on the wire, as enum classes of exactly the wire's width, and
// their names. A number from the wire becomes an enumerator only through from_wire(); a value that
// has no enumerator stays representable, and name() prints it as "kind number".
//
// Sources: RFC 2407, 2408, 2409, 3706, 3947, 4304, 4754 and the IANA registries "Magic Numbers for
// ISAKMP Protocol" (isakmp-registry) and "Internet Key Exchange (IKE) Attributes" (ipsec-registry).
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

namespace adit::ike {

template <class Enum>
    requires std::is_enum_v<Enum>
constexpr Enum from_wire(std::underlying_type_t<Enum> value) {
    return static_cast<Enum>(value);
}

template <class Enum>
    requires std::is_enum_v<Enum>
constexpr std::underlying_type_t<Enum> to_wire(Enum value) {
    return static_cast<std::underlying_type_t<Enum>>(value);
}

// ---------------------------------------------------------------------------------------------------
// ISAKMP header (RFC 2408 3.1)

inline constexpr std::uint8_t kIsakmpVersion = 0x10; // major 1, minor 0

/// RFC 2408 3.1; isakmp-registry "Next Payload Types".
enum class PayloadType : std::uint8_t {
    None = 0,
    SecurityAssociation = 1,
    Proposal = 2,
    Transform = 3,
    KeyExchange = 4,
    Identification = 5,
    Certificate = 6,
    CertificateRequest = 7,
    Hash = 8,
    Signature = 9,
    Nonce = 10,
    Notification = 11,
    Delete = 12,
    VendorId = 13,
    Attributes = 14,         // draft-ietf-ipsec-isakmp-mode-cfg 3.2
    NatDiscovery = 20,       // RFC 3947 3.2
    NatOriginal = 21,        // RFC 3947 5.2
    NatDiscoveryDraft = 130, // draft-ietf-ipsec-nat-t-ike-00..03
    NatOriginalDraft = 131,
    Fragment = 132, // Cisco IKE fragmentation
};

/// RFC 2408 3.1; RFC 2409 appendix A. Transaction: draft-ietf-ipsec-isakmp-mode-cfg 3.1.
enum class ExchangeType : std::uint8_t {
    None = 0,
    Base = 1,
    IdentityProtection = 2, // main mode
    AuthenticationOnly = 3,
    Aggressive = 4,
    Informational = 5,
    Transaction = 6,
    QuickMode = 32,
    NewGroupMode = 33,
};

/// The two exchanges that make an ISAKMP SA (RFC 2409 5).
constexpr bool is_phase1(ExchangeType exchange) {
    return exchange == ExchangeType::IdentityProtection || exchange == ExchangeType::Aggressive;
}

/// RFC 2408 3.1, bits of the flags octet.
inline constexpr std::uint8_t kFlagEncryption = 1 << 0;
inline constexpr std::uint8_t kFlagCommit = 1 << 1;
inline constexpr std::uint8_t kFlagAuthenticationOnly = 1 << 2;

/// RFC 2407 4.2; isakmp-registry "Domain of Interpretation".
enum class Doi : std::uint32_t {
    Isakmp = 0,
    Ipsec = 1,
};

/// RFC 2407 4.2, a bit map.
inline constexpr std::uint32_t kSituationIdentityOnly = 1;

/// RFC 2407 4.4.1.
enum class ProtocolId : std::uint8_t {
    None = 0,
    Isakmp = 1,
    Ah = 2,
    Esp = 3,
    Ipcomp = 4,
};

// ---------------------------------------------------------------------------------------------------
// Phase 1: transform and attributes (RFC 2409 appendix A; ipsec-registry)

/// RFC 2407 4.4.2: the one transform of the ISAKMP protocol.
inline constexpr std::uint8_t kTransformKeyIke = 1;

/// RFC 2408 3.3: the bit in front of an attribute class that says its value is in place of a
/// length.
inline constexpr std::uint16_t kAttributeFormatBasic = 0x8000;

enum class IkeAttribute : std::uint16_t {
    EncryptionAlgorithm = 1,
    HashAlgorithm = 2,
    AuthenticationMethod = 3,
    GroupDescription = 4,
    GroupType = 5,
    GroupPrime = 6,
    GroupGeneratorOne = 7,
    GroupGeneratorTwo = 8,
    GroupCurveA = 9,
    GroupCurveB = 10,
    LifeType = 11,
    LifeDuration = 12,
    Prf = 13,
    KeyLength = 14,
    FieldSize = 15,
    GroupOrder = 16,
};

enum class IkeEncryption : std::uint16_t {
    DesCbc = 1,
    IdeaCbc = 2,
    BlowfishCbc = 3,
    Rc5Cbc = 4,
    TripleDesCbc = 5,
    CastCbc = 6,
    AesCbc = 7, // RFC 3602 5
    CamelliaCbc = 8,
};

enum class IkeHash : std::uint16_t {
    Md5 = 1,
    Sha1 = 2,
    Tiger = 3,
    Sha256 = 4,
    Sha384 = 5,
    Sha512 = 6,
};

enum class AuthMethod : std::uint16_t {
    PreSharedKey = 1,
    DssSignature = 2,
    RsaSignature = 3,
    RsaEncryption = 4,
    RevisedRsaEncryption = 5,
    EcdsaSha256 = 9, // RFC 4754 3
    EcdsaSha384 = 10,
    EcdsaSha512 = 11,
    // draft-ietf-ipsec-isakmp-hybrid-auth 3.2
    HybridInitiatorRsa = 64221,
    HybridResponderRsa = 64222,
    HybridInitiatorDss = 64223,
    HybridResponderDss = 64224,
    // draft-beaulieu-ike-xauth 7.2: the suffix names the side that will be asked for a password
    XauthInitiatorPreSharedKey = 65001,
    XauthResponderPreSharedKey = 65002,
    XauthInitiatorDss = 65003,
    XauthResponderDss = 65004,
    XauthInitiatorRsa = 65005,
    XauthResponderRsa = 65006,
    XauthInitiatorRsaEncryption = 65007,
    XauthResponderRsaEncryption = 65008,
    XauthInitiatorRevisedRsaEncryption = 65009,
    XauthResponderRevisedRsaEncryption = 65010,
};

/// RFC 2409 6, RFC 3526, RFC 5114, RFC 5903, RFC 6954. What we can compute is in crypto.h's table.
enum class Group : std::uint16_t {
    None = 0,
    Modp768 = 1,
    Modp1024 = 2,
    Ec2n155 = 3,
    Ec2n185 = 4,
    Modp1536 = 5,
    Modp2048 = 14,
    Modp3072 = 15,
    Modp4096 = 16,
    Modp6144 = 17,
    Modp8192 = 18,
    Ecp256 = 19,
    Ecp384 = 20,
    Ecp521 = 21,
    Modp1024Subgroup160 = 22,
    Modp2048Subgroup224 = 23,
    Modp2048Subgroup256 = 24,
    Ecp192 = 25,
    Ecp224 = 26,
    Brainpool224 = 27,
    Brainpool256 = 28,
    Brainpool384 = 29,
    Brainpool512 = 30,
};

/// The same numbers in phase 1 (RFC 2409 appendix A) and phase 2 (RFC 2407 4.5).
enum class LifeType : std::uint16_t {
    Seconds = 1,
    Kilobytes = 2,
};

// ---------------------------------------------------------------------------------------------------
// Phase 2: transforms and attributes (RFC 2407 4.4.4, 4.5; isakmp-registry)

enum class EspTransform : std::uint8_t {
    DesIv64 = 1,
    Des = 2,
    TripleDes = 3,
    Rc5 = 4,
    Idea = 5,
    Cast = 6,
    Blowfish = 7,
    TripleIdea = 8,
    DesIv32 = 9,
    Rc4 = 10,
    Null = 11,
    AesCbc = 12,
    AesCtr = 13,
    AesCcm8 = 14,
    AesCcm12 = 15,
    AesCcm16 = 16,
    AesGcm8 = 18,
    AesGcm12 = 19,
    AesGcm16 = 20,
    Seed = 21,
    Camellia = 22,
    NullAesGmac = 23,
};

enum class IpsecAttribute : std::uint16_t {
    LifeType = 1,
    LifeDuration = 2,
    GroupDescription = 3,
    EncapsulationMode = 4,
    AuthenticationAlgorithm = 5,
    KeyLength = 6,
    KeyRounds = 7,
    CompressDictionarySize = 8,
    CompressPrivateAlgorithm = 9,
    EcnTunnel = 10,
    ExtendedSequenceNumber = 11, // RFC 4304 2
    AuthenticationKeyLength = 12,
    SignatureEncodingAlgorithm = 13,
};

enum class EncapsulationMode : std::uint16_t {
    Tunnel = 1,
    Transport = 2,
    UdpTunnel = 3, // RFC 3947 5.1
    UdpTransport = 4,
    UdpTunnelDraft = 61443, // draft-ietf-ipsec-nat-t-ike-00..03
    UdpTransportDraft = 61444,
};

enum class IpsecAuthAlgorithm : std::uint16_t {
    HmacMd5 = 1,
    HmacSha1 = 2,
    DesMac = 3,
    Kpdk = 4,
    HmacSha256 = 5,
    HmacSha384 = 6,
    HmacSha512 = 7,
    HmacRipemd = 8,
    AesXcbcMac = 9,
    SignatureRsa = 10,
    AesGmac128 = 11,
    AesGmac192 = 12,
    AesGmac256 = 13,
};

enum class ExtendedSequence : std::uint16_t {
    Esn64 = 1, // RFC 4304 2: the attribute's only value; 32 bits are said by leaving it out
};

// ---------------------------------------------------------------------------------------------------
// Identification, certificates, notification

/// RFC 2407 4.6.2.1.
enum class IdType : std::uint8_t {
    None = 0,
    Ipv4Address = 1,
    Fqdn = 2,
    UserFqdn = 3,
    Ipv4Subnet = 4,
    Ipv6Address = 5,
    Ipv6Subnet = 6,
    Ipv4Range = 7,
    Ipv6Range = 8,
    DerDn = 9,
    DerGn = 10,
    KeyId = 11,
    List = 12, // RFC 3554 3
};

/// RFC 2408 3.9.
enum class CertificateEncoding : std::uint8_t {
    None = 0,
    Pkcs7X509 = 1,
    Pgp = 2,
    DnsSignedKey = 3,
    X509Signature = 4,
    X509KeyExchange = 5,
    Kerberos = 6,
    Crl = 7,
    Arl = 8,
    Spki = 9,
    X509Attribute = 10,
};

/// RFC 2408 3.14.1; RFC 2407 4.6.3; RFC 3706 5.3.
enum class NotifyType : std::uint16_t {
    InvalidPayloadType = 1,
    DoiNotSupported = 2,
    SituationNotSupported = 3,
    InvalidCookie = 4,
    InvalidMajorVersion = 5,
    InvalidMinorVersion = 6,
    InvalidExchangeType = 7,
    InvalidFlags = 8,
    InvalidMessageId = 9,
    InvalidProtocolId = 10,
    InvalidSpi = 11,
    InvalidTransformId = 12,
    AttributesNotSupported = 13,
    NoProposalChosen = 14,
    BadProposalSyntax = 15,
    PayloadMalformed = 16,
    InvalidKeyInformation = 17,
    InvalidIdInformation = 18,
    InvalidCertEncoding = 19,
    InvalidCertificate = 20,
    CertTypeUnsupported = 21,
    InvalidCertAuthority = 22,
    InvalidHashInformation = 23,
    AuthenticationFailed = 24,
    InvalidSignature = 25,
    AddressNotification = 26,
    NotifySaLifetime = 27,
    CertificateUnavailable = 28,
    UnsupportedExchangeType = 29,
    UnequalPayloadLengths = 30,
    Connected = 16384,
    ResponderLifetime = 24576,
    ReplayStatus = 24577,
    InitialContact = 24578,
    RUThere = 36136,
    RUThereAck = 36137,
};

/// RFC 2408 3.14.1: 1..16383 are errors, 16384..65535 are status.
constexpr bool is_error(NotifyType type) {
    return to_wire(type) < 16384;
}

// ---------------------------------------------------------------------------------------------------
// Transaction exchange (draft-ietf-ipsec-isakmp-mode-cfg-05, draft-beaulieu-ike-xauth-02)

/// draft-ietf-ipsec-isakmp-mode-cfg-05 3.3.
enum class ConfigMessage : std::uint8_t {
    Request = 1,
    Reply = 2,
    Set = 3,
    Ack = 4,
};

/// draft-ietf-ipsec-isakmp-mode-cfg-05 3.4; draft-beaulieu-ike-xauth-02 6.2; from 28672 on those
/// of Cisco's Unity clients, which no document defines.
enum class ConfigAttribute : std::uint16_t {
    InternalIp4Address = 1,
    InternalIp4Netmask = 2,
    InternalIp4Dns = 3,
    InternalIp4Nbns = 4,
    InternalAddressExpiry = 5,
    InternalIp4Dhcp = 6,
    ApplicationVersion = 7,
    InternalIp6Address = 8,
    InternalIp6Netmask = 9,
    InternalIp6Dns = 10,
    InternalIp6Nbns = 11,
    InternalIp6Dhcp = 12,
    InternalIp4Subnet = 13,
    SupportedAttributes = 14,
    InternalIp6Subnet = 15,
    XauthType = 16520,
    XauthUserName = 16521,
    XauthUserPassword = 16522,
    XauthPasscode = 16523,
    XauthMessage = 16524,
    XauthChallenge = 16525,
    XauthDomain = 16526,
    XauthStatus = 16527,
    XauthNextPin = 16528,
    XauthAnswer = 16529,
    UnityBanner = 28672,
    UnitySavePassword = 28673,
    UnityDefaultDomain = 28674,
    UnitySplitDns = 28675,
    UnitySplitInclude = 28676,
    UnityNatPort = 28677,
    UnityLocalLan = 28678,
    UnityPfs = 28679,
    UnityFirewall = 28680,
    UnityBackupServers = 28681,
    UnityDdnsHostname = 28682,
};

/// draft-beaulieu-ike-xauth-02 6.3.
enum class XauthType : std::uint16_t {
    Generic = 0,
    RadiusChap = 1,
    Otp = 2,
    SKey = 3,
};

// ---------------------------------------------------------------------------------------------------
// Names: the RFC's words ("NO-PROPOSAL-CHOSEN"), else the kind and the number ("notify 12345").

std::string name(PayloadType value);
std::string name(ExchangeType value);
std::string name(Doi value);
std::string name(ProtocolId value);
std::string name(IkeAttribute value);
std::string name(IkeEncryption value);
std::string name(IkeHash value);
std::string name(AuthMethod value);
std::string name(Group value);
std::string name(LifeType value);
std::string name(EspTransform value);
std::string name(IpsecAttribute value);
std::string name(EncapsulationMode value);
std::string name(IpsecAuthAlgorithm value);
std::string name(ExtendedSequence value);
std::string name(IdType value);
std::string name(CertificateEncoding value);
std::string name(NotifyType value);
std::string name(ConfigMessage value);
std::string name(ConfigAttribute value);

} // namespace adit::ike
