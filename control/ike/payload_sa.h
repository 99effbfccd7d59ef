// SPDX-License-Identifier: Apache-2.0
// The security association payload: proposals, their transforms, and the attributes of those. Views
// borrow the message; builders append to a Writer.
//
// Threading: pure functions. Errors: Truncated, Malformed; Unsupported for a foreign DOI.
// Source: RFC 2408 3.3 to 3.6, RFC 2407 4.6.1.
#pragma once

#include "common/bytes.h"
#include "control/ike/constants.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace adit::ike {

/// One attribute. Values longer than 64 bits (group primes) have none: whoever needs a number
/// refuses them.
struct Attribute {
    std::uint16_t type{}; // without the format bit
    std::optional<std::uint64_t> value;
};

/// Refuses empty values and lengths beyond the transform.
Result<std::vector<Attribute>> parse_attributes(ByteView bytes);

/// Basic form when the value fits 16 bits, else four octets: the forms every peer reads.
void write_attribute(Writer& writer, std::uint16_t type, std::uint32_t value);

struct TransformView {
    std::uint8_t number{};
    std::uint8_t id{};
    ByteView attributes;
};

struct ProposalView {
    std::uint8_t number{};
    ProtocolId protocol{};
    ByteView spi;
    std::vector<TransformView> transforms;
};

struct SaView {
    std::vector<ProposalView> proposals;
};

/// Bounds what one message can make us compare: 16 policies times a few proposals is common.
inline constexpr std::size_t kMaxProposals = 64;
inline constexpr std::size_t kMaxTransforms = 255; // of all proposals together

/// `body` starts at the DOI.
Result<SaView> parse_sa(ByteView body);

/// A transform to be written: its attributes are encoded already, so that a chosen one goes back
/// octet for octet (RFC 2408 4.2: the responder must not change it).
struct TransformOut {
    std::uint8_t number{};
    std::uint8_t id{};
    Bytes attributes;
};

struct ProposalOut {
    std::uint8_t number{};
    ProtocolId protocol{};
    Bytes spi;
    std::vector<TransformOut> transforms;
};

/// The body of an SA payload: IPsec DOI, SIT_IDENTITY_ONLY, proposals.
Bytes build_sa(const std::vector<ProposalOut>& proposals);

} // namespace adit::ike
