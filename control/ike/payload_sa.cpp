// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_sa.h"

#include "control/ike/wire.h"

namespace adit::ike {

namespace {

constexpr std::size_t kMaxSpiBytes = 16; // RFC 2408 3.5: an ISAKMP proposal may carry the cookies

Result<Attribute> parse_attribute(Reader& reader) {
    const std::uint16_t type = TRY(reader.u16());
    if ((type & kAttributeFormatBasic) != 0)
        return Attribute{static_cast<std::uint16_t>(type & ~kAttributeFormatBasic),
                         TRY(reader.u16())};
    const std::uint16_t length = TRY(reader.u16());
    const ByteView bytes = TRY(reader.take(length));
    if (bytes.empty())
        return fail(ErrorCode::Malformed, "attribute " + std::to_string(type) + " is empty");
    if (bytes.size() > sizeof(std::uint64_t))
        return Attribute{type, std::nullopt};
    std::uint64_t value = 0;
    for (const std::uint8_t octet : bytes)
        value = value << 8 | octet;
    return Attribute{type, value};
}

/// What stands in front of each proposal and transform: type of the next one, reserved, length.
/// Returns a reader of this one alone.
Result<Reader> take_substructure(Reader& reader, PayloadType own, bool& more) {
    const PayloadType next = from_wire<PayloadType>(TRY(reader.u8()));
    if (next != own && next != PayloadType::None)
        return fail(ErrorCode::Malformed, "payload " + name(next) + " inside an SA payload");
    if (TRY(reader.u8()) != 0)
        return fail(ErrorCode::Malformed, "reserved octet inside an SA payload not zero");
    const std::uint16_t length = TRY(reader.u16());
    if (length < kGenericHeaderBytes)
        return fail(ErrorCode::Malformed, name(own) + " shorter than its header");
    more = next == own;
    return Reader{TRY(reader.take(length - kGenericHeaderBytes))};
}

Result<TransformView> parse_transform(Reader transform) {
    TransformView view;
    view.number = TRY(transform.u8());
    view.id = TRY(transform.u8());
    if (TRY(transform.u16()) != 0)
        return fail(ErrorCode::Malformed, "reserved octets of a transform not zero");
    view.attributes = transform.rest();
    return view;
}

Result<ProposalView> parse_proposal(Reader proposal) {
    ProposalView view;
    view.number = TRY(proposal.u8());
    view.protocol = from_wire<ProtocolId>(TRY(proposal.u8()));
    const std::uint8_t spi_bytes = TRY(proposal.u8());
    const std::uint8_t transforms = TRY(proposal.u8());
    if (spi_bytes > kMaxSpiBytes)
        return fail(ErrorCode::Malformed, "SPI of " + std::to_string(spi_bytes) + " octets");
    view.spi = TRY(proposal.take(spi_bytes));
    bool more = !proposal.empty();
    while (more) {
        const Reader transform = TRY(take_substructure(proposal, PayloadType::Transform, more));
        view.transforms.push_back(TRY(parse_transform(transform)));
    }
    if (!proposal.empty() || view.transforms.size() != transforms)
        return fail(ErrorCode::Malformed, "number of transforms is not as announced");
    return view;
}

template <class Body>
void write_substructure(Writer& writer, PayloadType own, bool more, const Body& body) {
    const std::size_t start = writer.size();
    writer.u8(more ? to_wire(own) : to_wire(PayloadType::None));
    writer.u8(0);
    writer.u16(0);
    body();
    writer.patch_u16(start + 2, static_cast<std::uint16_t>(writer.size() - start));
}

void write_transform(Writer& writer, const TransformOut& transform, bool more) {
    write_substructure(writer, PayloadType::Transform, more, [&] {
        writer.u8(transform.number);
        writer.u8(transform.id);
        writer.u16(0);
        writer.append(transform.attributes);
    });
}

void write_proposal(Writer& writer, const ProposalOut& proposal, bool more) {
    write_substructure(writer, PayloadType::Proposal, more, [&] {
        writer.u8(proposal.number);
        writer.u8(to_wire(proposal.protocol));
        writer.u8(static_cast<std::uint8_t>(proposal.spi.size()));
        writer.u8(static_cast<std::uint8_t>(proposal.transforms.size()));
        writer.append(proposal.spi);
        for (const TransformOut& transform : proposal.transforms)
            write_transform(writer, transform, &transform != &proposal.transforms.back());
    });
}

} // namespace

Result<std::vector<Attribute>> parse_attributes(ByteView bytes) {
    std::vector<Attribute> attributes;
    Reader reader{bytes};
    while (!reader.empty())
        attributes.push_back(TRY(parse_attribute(reader)));
    return attributes;
}

void write_attribute(Writer& writer, std::uint16_t type, std::uint32_t value) {
    if (value <= 0xffff) {
        writer.u16(type | kAttributeFormatBasic);
        writer.u16(static_cast<std::uint16_t>(value));
        return;
    }
    writer.u16(type);
    writer.u16(sizeof value);
    writer.u32(value);
}

Result<SaView> parse_sa(ByteView body) {
    Reader reader{body};
    const Doi doi = from_wire<Doi>(TRY(reader.u32()));
    if (doi != Doi::Ipsec)
        return fail(ErrorCode::Unsupported, name(doi));
    if (TRY(reader.u32()) != kSituationIdentityOnly)
        return fail(ErrorCode::Unsupported, "situation other than SIT_IDENTITY_ONLY");
    SaView view;
    std::size_t transforms = 0;
    bool more = true;
    while (more) {
        if (view.proposals.size() == kMaxProposals)
            return fail(ErrorCode::Malformed, "too many proposals");
        const Reader proposal = TRY(take_substructure(reader, PayloadType::Proposal, more));
        view.proposals.push_back(TRY(parse_proposal(proposal)));
        transforms += view.proposals.back().transforms.size();
        if (transforms > kMaxTransforms)
            return fail(ErrorCode::Malformed, "too many transforms");
    }
    if (!reader.empty())
        return fail(ErrorCode::Malformed, "octets behind the last proposal");
    return view;
}

Bytes build_sa(const std::vector<ProposalOut>& proposals) {
    Writer writer;
    writer.u32(to_wire(Doi::Ipsec));
    writer.u32(kSituationIdentityOnly);
    for (const ProposalOut& proposal : proposals)
        write_proposal(writer, proposal, &proposal != &proposals.back());
    return std::move(writer).take();
}

} // namespace adit::ike
