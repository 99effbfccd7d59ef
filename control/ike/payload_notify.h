// SPDX-License-Identifier: Apache-2.0
// Notification and delete payloads.
//
// Threading: pure functions. Errors: Truncated, Malformed; Unsupported for a foreign DOI.
// Source: RFC 2408 3.14, 3.15; RFC 2407 4.6.3; RFC 3706 5.3, 5.4.
#pragma once

#include "common/bytes.h"
#include "common/types.h"
#include "control/ike/constants.h"
#include "control/ike/keymat.h"

#include <optional>
#include <vector>

namespace adit::ike {

struct Notification {
    ProtocolId protocol{};
    NotifyType type{};
    Bytes spi;
    Bytes data;
};

/// `body` starts at the DOI. Some peers say DOI 0 in answers to a first message; both are read.
Result<Notification> parse_notification(ByteView body);
Bytes build_notification(const Notification& notification);

/// SPI of an ISAKMP notification: both cookies (RFC 2408 3.14).
Bytes cookies_as_spi(CookiePair cookies);
/// Inverse; nothing unless it is 16 octets.
std::optional<CookiePair> cookies_of_spi(ByteView spi);

struct DeletePayload {
    ProtocolId protocol{};
    std::vector<ByteView> spis; // borrowed
};

/// The SPI count is checked against the payload before anything is kept.
Result<DeletePayload> parse_delete(ByteView body);
Bytes build_delete(ProtocolId protocol, const std::vector<Bytes>& spis);

Bytes spi_bytes(Spi spi);

} // namespace adit::ike
