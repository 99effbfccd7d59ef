// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_notify.h"

namespace adit::ike {

namespace {

constexpr std::size_t kCookiesBytes = 16;
constexpr std::size_t kSpiBytes = 4;

Status check_doi(std::uint32_t wire) {
    const Doi doi = from_wire<Doi>(wire);
    if (doi != Doi::Ipsec && doi != Doi::Isakmp)
        return fail(ErrorCode::Unsupported, name(doi));
    return {};
}

/// RFC 2408 3.15: cookies for ISAKMP, four octets for ESP and AH.
std::optional<std::size_t> spi_length(ProtocolId protocol) {
    switch (protocol) {
    case ProtocolId::Isakmp:
        return kCookiesBytes;
    case ProtocolId::Ah:
    case ProtocolId::Esp:
        return kSpiBytes;
    default:
        return std::nullopt;
    }
}

} // namespace

Result<Notification> parse_notification(ByteView body) {
    Reader reader{body};
    TRY_VOID(check_doi(TRY(reader.u32())));
    Notification notification;
    notification.protocol = from_wire<ProtocolId>(TRY(reader.u8()));
    const std::uint8_t spi_bytes = TRY(reader.u8());
    notification.type = from_wire<NotifyType>(TRY(reader.u16()));
    if (spi_bytes > kCookiesBytes)
        return fail(ErrorCode::Malformed, "SPI of " + std::to_string(spi_bytes) + " octets");
    notification.spi = to_bytes(TRY(reader.take(spi_bytes)));
    notification.data = to_bytes(reader.rest());
    return notification;
}

Bytes build_notification(const Notification& notification) {
    Writer writer;
    writer.u32(to_wire(Doi::Ipsec));
    writer.u8(to_wire(notification.protocol));
    writer.u8(static_cast<std::uint8_t>(notification.spi.size()));
    writer.u16(to_wire(notification.type));
    writer.append(notification.spi);
    writer.append(notification.data);
    return std::move(writer).take();
}

Bytes cookies_as_spi(CookiePair cookies) {
    Writer writer;
    writer.u64(cookies.initiator.value);
    writer.u64(cookies.responder.value);
    return std::move(writer).take();
}

std::optional<CookiePair> cookies_of_spi(ByteView spi) {
    if (spi.size() != kCookiesBytes)
        return std::nullopt;
    return CookiePair{Cookie{load_be<std::uint64_t>(spi.data())},
                      Cookie{load_be<std::uint64_t>(spi.data() + 8)}};
}

Result<DeletePayload> parse_delete(ByteView body) {
    Reader reader{body};
    TRY_VOID(check_doi(TRY(reader.u32())));
    DeletePayload payload;
    payload.protocol = from_wire<ProtocolId>(TRY(reader.u8()));
    const std::uint8_t spi_bytes = TRY(reader.u8());
    const std::uint16_t count = TRY(reader.u16());
    const auto length = spi_length(payload.protocol);
    if (!length || *length != spi_bytes)
        return fail(ErrorCode::Malformed,
                    "delete with an SPI of " + std::to_string(spi_bytes) + " octets for " +
                        name(payload.protocol));
    if (reader.left() != std::size_t{count} * spi_bytes)
        return fail(ErrorCode::Malformed, "delete announces " + std::to_string(count) + " SPIs");
    while (!reader.empty())
        payload.spis.push_back(TRY(reader.take(spi_bytes)));
    return payload;
}

Bytes build_delete(ProtocolId protocol, const std::vector<Bytes>& spis) {
    Writer writer;
    writer.u32(to_wire(Doi::Ipsec));
    writer.u8(to_wire(protocol));
    writer.u8(static_cast<std::uint8_t>(spis.empty() ? 0 : spis.front().size()));
    writer.u16(static_cast<std::uint16_t>(spis.size()));
    for (const Bytes& spi : spis)
        writer.append(spi);
    return std::move(writer).take();
}

Bytes spi_bytes(Spi spi) {
    Writer writer;
    writer.u32(spi.value);
    return std::move(writer).take();
}

} // namespace adit::ike
