// SPDX-License-Identifier: Apache-2.0
#include "control/ike/attributes.h"
#include "control/ike/proposal.h"

namespace adit::ike {

namespace {

/// RFC 2407 4.5: what an offer without a lifetime means.
constexpr Duration kDefaultLifetime = std::chrono::seconds{28'800};

EncapsulationMode mode_of(const Phase2Transform& ours, NatVersion encapsulation) {
    switch (encapsulation) {
    case NatVersion::None:
        return ours.transport ? EncapsulationMode::Transport : EncapsulationMode::Tunnel;
    case NatVersion::Draft02:
        return ours.transport ? EncapsulationMode::UdpTransportDraft
                              : EncapsulationMode::UdpTunnelDraft;
    case NatVersion::Rfc3947:
        return ours.transport ? EncapsulationMode::UdpTransport : EncapsulationMode::UdpTunnel;
    }
    return EncapsulationMode::Tunnel;
}

Bytes encode(const Phase2Transform& ours, const Phase2Terms& terms) {
    Writer writer;
    const auto add = [&](IpsecAttribute type, std::uint32_t value) {
        write_attribute(writer, to_wire(type), value);
    };
    add(IpsecAttribute::EncapsulationMode, to_wire(mode_of(ours, terms.encapsulation)));
    add(IpsecAttribute::LifeType, to_wire(LifeType::Seconds));
    add(IpsecAttribute::LifeDuration, whole_seconds(terms.lifetime));
    if (terms.kilobytes != 0) {
        const std::uint64_t kilobytes = std::min<std::uint64_t>(terms.kilobytes, 0xffffffff);
        add(IpsecAttribute::LifeType, to_wire(LifeType::Kilobytes));
        add(IpsecAttribute::LifeDuration, static_cast<std::uint32_t>(kilobytes));
    }
    if (ours.mac != EspMac::None)
        add(IpsecAttribute::AuthenticationAlgorithm, info(ours.mac).authentication_id);
    if (info(ours.cipher).key_length_attribute)
        add(IpsecAttribute::KeyLength, info(ours.cipher).key_bytes * 8U);
    if (terms.pfs)
        add(IpsecAttribute::GroupDescription, to_wire(*terms.pfs));
    if (ours.esn)
        add(IpsecAttribute::ExtendedSequenceNumber, to_wire(ExtendedSequence::Esn64));
    return std::move(writer).take();
}

bool algorithms_match(const Phase2Offer& offer, const Phase2Transform& ours) {
    const EspCipherInfo& cipher = info(ours.cipher);
    const std::uint32_t key_bits = cipher.key_length_attribute ? cipher.key_bytes * 8U : 0;
    const std::uint16_t authentication =
        offer.authentication ? to_wire(*offer.authentication) : std::uint16_t{0};
    return to_wire(offer.transform) == cipher.transform_id && offer.key_bits == key_bits &&
           authentication == info(ours.mac).authentication_id && offer.esn == ours.esn;
}

bool group_matches(const Phase2Offer& offer, const Phase2Terms& terms) {
    // Without `set pfs` the peer may still ask for it; every sound group we can compute will do.
    if (!terms.pfs)
        return !offer.group || (find_group(*offer.group) != nullptr && !is_weak(*offer.group));
    return offer.group == terms.pfs;
}

/// RFC 2408 4.2: proposals with one number belong together (ESP and IPCOMP, say); we agree only to
/// ESP alone.
bool stands_alone(const SaView& sa, const ProposalView& proposal) {
    const auto same = std::ranges::count(sa.proposals, proposal.number, &ProposalView::number);
    return same == 1 && proposal.protocol == ProtocolId::Esp && proposal.spi.size() == 4;
}

/// RFC 4303 2.1: 0 to 255 are reserved.
bool usable_spi(const ProposalView& proposal) {
    return load_be<std::uint32_t>(proposal.spi.data()) > 255;
}

Phase2Choice make_choice(const ProposalView& proposal,
                         const TransformView& transform,
                         const Phase2Offer& offer,
                         const Phase2Transform& ours,
                         const Phase2Terms& terms) {
    Phase2Choice choice;
    choice.algorithms = ours;
    choice.spi = Spi{load_be<std::uint32_t>(proposal.spi.data())};
    choice.pfs = offer.group;
    choice.lifetime = std::min(terms.lifetime, offer.lifetime.value_or(terms.lifetime));
    choice.seconds_shortened = terms.lifetime < offer.lifetime.value_or(kDefaultLifetime);
    choice.kilobytes_shortened =
        terms.kilobytes != 0 && offer.kilobytes && terms.kilobytes < *offer.kilobytes;
    choice.kilobytes = terms.kilobytes;
    if (offer.kilobytes)
        choice.kilobytes =
            terms.kilobytes == 0 ? *offer.kilobytes : std::min(terms.kilobytes, *offer.kilobytes);
    choice.proposal_number = proposal.number;
    choice.transform = {transform.number, transform.id, to_bytes(transform.attributes)};
    return choice;
}

Status set(Phase2Offer& offer, Lives& lives, const Attribute& attribute) {
    const IpsecAttribute type = from_wire<IpsecAttribute>(attribute.type);
    const std::uint64_t value = TRY(number(attribute, name(type)));
    switch (type) {
    case IpsecAttribute::LifeType:
        return lives.set_type(value);
    case IpsecAttribute::LifeDuration:
        return lives.set_duration(value);
    case IpsecAttribute::GroupDescription:
        return set_once(offer.group, value, name(type));
    case IpsecAttribute::EncapsulationMode:
        return set_once(offer.mode, value, name(type));
    case IpsecAttribute::AuthenticationAlgorithm:
        return set_once(offer.authentication, value, name(type));
    case IpsecAttribute::KeyLength:
        if (offer.key_bits != 0 || value == 0 || value > 0xffff)
            return fail(ErrorCode::Malformed, "key length " + std::to_string(value));
        offer.key_bits = static_cast<std::uint32_t>(value);
        return {};
    case IpsecAttribute::ExtendedSequenceNumber:
        // RFC 4304 2: one value, and it stands once like all others.
        if (offer.esn || value != to_wire(ExtendedSequence::Esn64))
            return fail(ErrorCode::Malformed, name(type) + " " + std::to_string(value));
        offer.esn = true;
        return {};
    default:
        return fail(ErrorCode::Unsupported, name(type));
    }
}

} // namespace

Result<Phase2Offer> decode_phase2(const TransformView& transform) {
    Phase2Offer offer;
    offer.transform = from_wire<EspTransform>(transform.id);
    Lives lives;
    for (const Attribute& attribute : TRY(parse_attributes(transform.attributes)))
        TRY_VOID(set(offer, lives, attribute));
    if (lives.is_pending())
        return fail(ErrorCode::Malformed, "life type without duration");
    offer.lifetime = lives.lifetime;
    offer.kilobytes = lives.kilobytes;
    return offer;
}

std::string describe(const Phase2Offer& offer) {
    return name(offer.transform) + key_suffix(offer.key_bits) +
           (offer.authentication ? "/" + name(*offer.authentication) : "") + "/" +
           text(offer.mode) + "/pfs " + text(offer.group) + (offer.esn ? "/ESN" : "");
}

Phase2Mismatch
mismatch(const Phase2Offer& offer, const Phase2Transform& ours, const Phase2Terms& terms) {
    if (!algorithms_match(offer, ours))
        return Phase2Mismatch::Transform;
    if (offer.mode != mode_of(ours, terms.encapsulation))
        return Phase2Mismatch::Mode;
    return group_matches(offer, terms) ? Phase2Mismatch::None : Phase2Mismatch::Group;
}

std::expected<Phase2Choice, Phase2Refusal> choose_phase2(const SaView& sa,
                                                         const Phase2Terms& terms) {
    Phase2Refusal refusal;
    for (const Phase2Transform& ours : terms.transforms)
        for (const ProposalView& proposal : sa.proposals) {
            if (!stands_alone(sa, proposal) || !usable_spi(proposal))
                continue;
            for (const TransformView& transform : proposal.transforms) {
                const auto offer = decode_phase2(transform);
                if (!offer)
                    continue;
                const Phase2Mismatch differs = mismatch(*offer, ours, terms);
                if (differs == Phase2Mismatch::None)
                    return make_choice(proposal, transform, *offer, ours, terms);
                refusal.group_at_fault |= differs == Phase2Mismatch::Group;
            }
        }
    return std::unexpected(refusal);
}

Result<Phase2Choice> accept_phase2(const SaView& answer, const Phase2Terms& terms) {
    if (answer.proposals.size() != 1 || answer.proposals.front().transforms.size() != 1)
        return fail(ErrorCode::Denied, "answer does not choose exactly one transform");
    const ProposalView& proposal = answer.proposals.front();
    if (!stands_alone(answer, proposal) || !usable_spi(proposal))
        return fail(ErrorCode::Denied, "answer is not ESP with a usable SPI");
    const TransformView& transform = proposal.transforms.front();
    const Phase2Offer offer = TRY(decode_phase2(transform));
    for (const Phase2Transform& ours : terms.transforms)
        // Stricter than as responder: a group we did not offer must not come back.
        if (mismatch(offer, ours, terms) == Phase2Mismatch::None && offer.group == terms.pfs)
            return make_choice(proposal, transform, offer, ours, terms);
    return fail(ErrorCode::Denied,
                "answered " + describe(offer) + ", offered were " + describe(terms));
}

bool offers_only_transport(const SaView& sa) {
    const auto wants_transport = [](const TransformView& transform) {
        const auto offer = decode_phase2(transform);
        return offer && (offer->mode == EncapsulationMode::Transport ||
                         offer->mode == EncapsulationMode::UdpTransport ||
                         offer->mode == EncapsulationMode::UdpTransportDraft);
    };
    return std::ranges::all_of(sa.proposals, [&](const ProposalView& proposal) {
        return std::ranges::all_of(proposal.transforms, wants_transport);
    });
}

Bytes offer_phase2(const Phase2Terms& terms, Spi spi) {
    Writer spi_octets;
    spi_octets.u32(spi.value);
    const Bytes octets = std::move(spi_octets).take();
    std::vector<ProposalOut> proposals;
    for (const Phase2Transform& ours : terms.transforms) {
        if (proposals.size() == kMaxProposals)
            break;
        const auto number = static_cast<std::uint8_t>(proposals.size() + 1);
        proposals.push_back({number,
                             ProtocolId::Esp,
                             octets,
                             {{1, info(ours.cipher).transform_id, encode(ours, terms)}}});
    }
    return build_sa(proposals);
}

Bytes answer_phase2(const Phase2Choice& choice, Spi spi) {
    Writer octets;
    octets.u32(spi.value);
    return build_sa(
        {{choice.proposal_number, ProtocolId::Esp, std::move(octets).take(), {choice.transform}}});
}

std::string describe_phase2(const SaView& sa) {
    std::vector<std::string> offers;
    for (const ProposalView& proposal : sa.proposals)
        for (const TransformView& transform : proposal.transforms) {
            const auto offer = decode_phase2(transform);
            const std::string protocol =
                proposal.protocol == ProtocolId::Esp ? "" : name(proposal.protocol) + " ";
            offers.push_back(protocol +
                             (offer ? describe(*offer) : "(" + offer.error().text + ")"));
        }
    return join(offers, [](const std::string& offer) { return offer; });
}

std::string describe(const Phase2Terms& terms) {
    return join(terms.transforms, [&](const Phase2Transform& ours) {
        Phase2Offer offer;
        offer.transform = from_wire<EspTransform>(info(ours.cipher).transform_id);
        offer.key_bits =
            info(ours.cipher).key_length_attribute ? info(ours.cipher).key_bytes * 8U : 0;
        if (ours.mac != EspMac::None)
            offer.authentication = from_wire<IpsecAuthAlgorithm>(info(ours.mac).authentication_id);
        offer.mode = mode_of(ours, terms.encapsulation);
        offer.group = terms.pfs;
        offer.esn = ours.esn;
        return describe(offer);
    });
}

} // namespace adit::ike
