// SPDX-License-Identifier: Apache-2.0
// Why a packet ended in the dataplane. Every packet that is neither transmitted nor punted is
// counted under exactly one of these; control prints the names. Values cross the channel: append
// only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adit {

// clang-format off
#define ADIT_DROP_REASONS(X)                                                                       \
    X(EthUnknownType,      "eth-unknown-type",      "Ethernet type is neither IPv4 nor ARP")        \
    X(EthNotForUs,         "eth-not-for-us",        "destination MAC is not ours")                  \
    X(ArpMalformed,        "arp-malformed",         "ARP packet with wrong sizes or addresses")     \
    X(InterfaceDown,       "interface-down",        "interface is shut down or has no address")     \
    X(IpMalformed,         "ip-malformed",          "IPv4 header length, total length or version")  \
    X(IpChecksum,          "ip-checksum",           "IPv4 header checksum")                         \
    X(IpSource,            "ip-source",             "source is multicast, loopback or our own")     \
    X(IpOptions,           "ip-options",            "source-route option")                          \
    X(TtlExpired,          "ttl-expired",           "TTL reached zero; ICMP time exceeded sent")    \
    X(NoRoute,             "no-route",              "no route to the destination")                  \
    X(NeighborUnresolved,  "neighbor-unresolved",   "ARP has no answer and the queue is full")      \
    X(TooBigDf,            "too-big-df",            "larger than the MTU with DF; ICMP sent")       \
    X(FragmentTable,       "fragment-table",        "reassembly table full or fragment malformed")  \
    X(FragmentTimeout,     "fragment-timeout",      "fragments of a datagram did not all arrive")   \
    X(NotForwardable,      "not-forwardable",       "multicast, broadcast or link-local target")    \
    X(LocalUnknown,        "local-unknown",         "to our address, for no service of ours")       \
    X(PolicyDrop,          "policy-drop",           "a policy says drop")                           \
    X(PolicyCleartext,     "policy-cleartext",      "clear text where a policy asks for ESP")       \
    X(NoSa,                "no-sa",                 "policy asks for ESP, no SA yet")               \
    X(SaExpired,           "sa-expired",            "SA is past its hard limit")                    \
    X(SeqOverflow,         "seq-overflow",          "sequence number would wrap")                   \
    X(UdpMalformed,        "udp-malformed",         "UDP length or checksum")                       \
    X(NatKeepalive,        "nat-keepalive",         "NAT-T keepalive, consumed")                    \
    X(EspShort,            "esp-short",             "shorter than header, IV and ICV")              \
    X(EspInvalidSpi,       "esp-invalid-spi",       "no SA has this SPI")                           \
    X(EspWrongEndpoint,    "esp-wrong-endpoint",    "SPI is right, destination or form is not")     \
    X(EspLength,           "esp-length",            "ciphertext is no multiple of the block")       \
    X(EspReplay,           "esp-replay",            "replayed, or older than the window")           \
    X(EspIcv,              "esp-icv",               "integrity check failed")                       \
    X(EspPadding,          "esp-padding",           "padding is not 1, 2, 3 ... or too long")       \
    X(EspDummy,            "esp-dummy",             "dummy packet (next header 59), discarded")     \
    X(EspInner,            "esp-inner",             "decrypted packet is no sound IPv4 packet")     \
    X(EspSelector,         "esp-selector",          "inner packet is outside the SA's selectors")   \
    X(EspEcn,              "esp-ecn",               "CE outside on a not-ECT packet (RFC 6040)")    \
    X(NoBuffer,            "no-buffer",             "out of packet buffers")                        \
    X(PuntFull,            "punt-full",             "control does not keep up with IKE datagrams")  \
    X(PuntTooLong,         "punt-too-long",         "IKE datagram longer than a punt slot")         \
    X(TxFull,              "tx-full",               "transmit queue full")                          \
    X(HandoverFull,        "handover-full",         "ring to the owning core full")                 \
    X(CryptoError,         "crypto-error",          "the crypto library refused the job")           \
    X(InjectMalformed,     "inject-malformed",      "control asked to send something unsendable")   \
    X(PortMissing,         "port-missing",          "interface has no port")                        \
    X(EspTransport,        "esp-transport",         "transport mode is for whole packets of ours")  \
    X(TunnelRecursion,     "tunnel-recursion",      "the route to a tunnel's peer leads into a tunnel")
// clang-format on

enum class DropReason : std::uint8_t {
#define ADIT_DROP_ENUMERATOR(name, text, help) name,
    ADIT_DROP_REASONS(ADIT_DROP_ENUMERATOR)
#undef ADIT_DROP_ENUMERATOR
};

inline constexpr const char* kDropReasonNames[] = {
#define ADIT_DROP_NAME(name, text, help) text,
    ADIT_DROP_REASONS(ADIT_DROP_NAME)
#undef ADIT_DROP_NAME
};

inline constexpr const char* kDropReasonHelp[] = {
#define ADIT_DROP_HELP(name, text, help) help,
    ADIT_DROP_REASONS(ADIT_DROP_HELP)
#undef ADIT_DROP_HELP
};

inline constexpr std::size_t kDropReasonCount = sizeof kDropReasonNames / sizeof *kDropReasonNames;

} // namespace adit
