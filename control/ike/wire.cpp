// SPDX-License-Identifier: Apache-2.0
#include "control/ike/wire.h"

namespace adit::ike {

namespace {

constexpr std::size_t kLengthOffset = 24;
constexpr std::uint8_t kKnownFlags = kFlagEncryption | kFlagCommit | kFlagAuthenticationOnly;

Result<Payload> parse_payload(PayloadType type, Reader& reader, PayloadType& next) {
    const ByteView from = reader.rest();
    next = from_wire<PayloadType>(TRY(reader.u8()));
    // RFC 2408 3.2: RESERVED is zero. After decryption with a wrong key it hardly ever is.
    if (TRY(reader.u8()) != 0)
        return fail(ErrorCode::Malformed, "reserved octet of payload " + name(type) + " not zero");
    const std::uint16_t length = TRY(reader.u16());
    if (length < kGenericHeaderBytes)
        return fail(ErrorCode::Malformed, "payload " + name(type) + " shorter than its header");
    const ByteView body = TRY(reader.take(length - kGenericHeaderBytes));
    return Payload{type, body, from.first(length)};
}

} // namespace

Result<Header> parse_header(ByteView datagram) {
    Reader reader{datagram};
    Header header;
    header.cookies.initiator = Cookie{TRY(reader.u64())};
    header.cookies.responder = Cookie{TRY(reader.u64())};
    header.next_payload = from_wire<PayloadType>(TRY(reader.u8()));
    const std::uint8_t version = TRY(reader.u8());
    header.exchange = from_wire<ExchangeType>(TRY(reader.u8()));
    header.flags = TRY(reader.u8());
    header.message_id = MessageId{TRY(reader.u32())};
    const std::uint32_t length = TRY(reader.u32());
    if (version != kIsakmpVersion)
        return fail(ErrorCode::Unsupported,
                    "version " + std::to_string(version >> 4) + "." +
                        std::to_string(version & 0xf));
    if ((header.flags & ~kKnownFlags) != 0)
        return fail(ErrorCode::Malformed, "unknown header flags");
    if (length != datagram.size())
        return fail(ErrorCode::Malformed,
                    "header says " + std::to_string(length) + " octets, datagram has " +
                        std::to_string(datagram.size()));
    // RFC 2408 3.1: both cookies never zero but the responder's in a first message.
    if (header.cookies.initiator.value == 0)
        return fail(ErrorCode::Malformed, "initiator cookie is zero");
    return header;
}

void write_header(Writer& writer, const Header& header) {
    writer.u64(header.cookies.initiator.value);
    writer.u64(header.cookies.responder.value);
    writer.u8(to_wire(header.next_payload));
    writer.u8(kIsakmpVersion);
    writer.u8(to_wire(header.exchange));
    writer.u8(header.flags);
    writer.u32(header.message_id.value);
    writer.u32(0);
}

void patch_length(Writer& writer) {
    writer.patch_u32(kLengthOffset, static_cast<std::uint32_t>(writer.size()));
}

Result<std::vector<Payload>> parse_chain(PayloadType first, ByteView bytes, Padding padding) {
    std::vector<Payload> payloads;
    Reader reader{bytes};
    for (PayloadType type = first; type != PayloadType::None;) {
        if (payloads.size() == kMaxPayloads)
            return fail(ErrorCode::Malformed, "more payloads than any exchange has");
        PayloadType next{};
        payloads.push_back(TRY(parse_payload(type, reader, next)));
        type = next;
    }
    if (padding == Padding::Refused && !reader.empty())
        return fail(ErrorCode::Malformed,
                    std::to_string(reader.left()) + " octets behind the last payload");
    return payloads;
}

} // namespace adit::ike
