// SPDX-License-Identifier: Apache-2.0
#include "control/ike/attributes.h"
#include "control/ike/proposal.h"

namespace adit::ike {

/// RFC 4754 3: the method names curve and hash of an ECDSA signature at once.
AuthMethod method_of(const Phase1Policy& policy) {
    switch (policy.authentication) {
    case Authentication::PreSharedKey:
        return AuthMethod::PreSharedKey;
    case Authentication::RsaSignature:
        return AuthMethod::RsaSignature;
    case Authentication::EcdsaSignature:
        break;
    }
    switch (policy.hash) {
    case HashAlgorithm::Sha384:
        return AuthMethod::EcdsaSha384;
    case HashAlgorithm::Sha512:
        return AuthMethod::EcdsaSha512;
    default:
        return AuthMethod::EcdsaSha256;
    }
}

namespace {

Bytes encode(const Phase1Policy& policy) {
    Writer writer;
    const auto add = [&](IkeAttribute type, std::uint32_t value) {
        write_attribute(writer, to_wire(type), value);
    };
    const CipherInfo& cipher = info(policy.cipher);
    add(IkeAttribute::EncryptionAlgorithm, to_wire(cipher.wire));
    if (cipher.key_bits != 0)
        add(IkeAttribute::KeyLength, cipher.key_bits);
    add(IkeAttribute::HashAlgorithm, to_wire(info(policy.hash).wire));
    add(IkeAttribute::GroupDescription, to_wire(policy.group));
    add(IkeAttribute::AuthenticationMethod, to_wire(method_of(policy)));
    add(IkeAttribute::LifeType, to_wire(LifeType::Seconds));
    add(IkeAttribute::LifeDuration, whole_seconds(policy.lifetime));
    return std::move(writer).take();
}

Status set(Phase1Offer& offer, Lives& lives, const Attribute& attribute) {
    const IkeAttribute type = from_wire<IkeAttribute>(attribute.type);
    const std::uint64_t value = TRY(number(attribute, name(type)));
    switch (type) {
    case IkeAttribute::EncryptionAlgorithm:
        return set_once(offer.encryption, value, name(type));
    case IkeAttribute::HashAlgorithm:
        return set_once(offer.hash, value, name(type));
    case IkeAttribute::AuthenticationMethod:
        return set_once(offer.method, value, name(type));
    case IkeAttribute::GroupDescription:
        return set_once(offer.group, value, name(type));
    case IkeAttribute::LifeType:
        return lives.set_type(value);
    case IkeAttribute::LifeDuration:
        return lives.set_duration(value);
    case IkeAttribute::KeyLength:
        if (offer.key_bits != 0 || value == 0 || value > 0xffff)
            return fail(ErrorCode::Malformed, "key length " + std::to_string(value));
        offer.key_bits = static_cast<std::uint32_t>(value);
        return {};
    default:
        return fail(ErrorCode::Unsupported, name(type));
    }
}

} // namespace

Result<Phase1Offer> decode_phase1(const TransformView& transform) {
    if (transform.id != kTransformKeyIke)
        return fail(ErrorCode::Unsupported, "transform " + std::to_string(transform.id));
    Phase1Offer offer;
    Lives lives;
    for (const Attribute& attribute : TRY(parse_attributes(transform.attributes)))
        TRY_VOID(set(offer, lives, attribute));
    if (lives.is_pending())
        return fail(ErrorCode::Malformed, "life type without duration");
    offer.lifetime = lives.lifetime;
    return offer;
}

const char* mismatch(const Phase1Offer& offer, const Phase1Policy& policy) {
    if (offer.encryption != info(policy.cipher).wire)
        return "Encryption algorithm offered does not match policy!";
    if (offer.key_bits != info(policy.cipher).key_bits)
        return "Proposed key length does not match policy";
    if (offer.hash != info(policy.hash).wire)
        return "Hash algorithm offered does not match policy!";
    if (offer.method != method_of(policy))
        return "Authentication method offered does not match policy!";
    if (offer.group != policy.group)
        return "Diffie-Hellman group offered does not match policy!";
    return nullptr;
}

std::string describe(const Phase1Offer& offer) {
    return text(offer.encryption) + key_suffix(offer.key_bits) + "/" + text(offer.hash) + "/" +
           text(offer.group) + "/" + text(offer.method);
}

std::string describe(const Phase1Policy& policy) {
    const CipherInfo& cipher = info(policy.cipher);
    return name(cipher.wire) + key_suffix(cipher.key_bits) + "/" + name(info(policy.hash).wire) +
           "/" + name(policy.group) + "/" + name(method_of(policy));
}

namespace {

/// draft-beaulieu-ike-xauth-02 7.2: the same proof of the same key, by an initiator that expects to
/// be asked for a user name. Whether it is asked does not hang on it.
std::optional<AuthMethod> without_login(std::optional<AuthMethod> method) {
    if (method == AuthMethod::XauthInitiatorPreSharedKey)
        return AuthMethod::PreSharedKey;
    if (method == AuthMethod::XauthInitiatorRsa)
        return AuthMethod::RsaSignature;
    return method;
}

} // namespace

std::optional<Phase1Choice> choose_phase1(const SaView& sa,
                                          const std::vector<Phase1Policy>& policies) {
    for (const Phase1Policy& policy : policies)
        for (const ProposalView& proposal : sa.proposals) {
            if (proposal.protocol != ProtocolId::Isakmp)
                continue;
            for (const TransformView& transform : proposal.transforms) {
                auto offer = decode_phase1(transform);
                if (offer && policy.xauth)
                    offer->method = without_login(offer->method);
                if (!offer || mismatch(*offer, policy) != nullptr)
                    continue;
                Phase1Choice choice{policy, proposal.number, {}};
                choice.policy.lifetime =
                    std::min(policy.lifetime, offer->lifetime.value_or(policy.lifetime));
                choice.transform = {transform.number, transform.id, to_bytes(transform.attributes)};
                return choice;
            }
        }
    return std::nullopt;
}

Result<Phase1Policy> accept_phase1(const SaView& answer,
                                   const std::vector<Phase1Policy>& policies) {
    if (answer.proposals.size() != 1 || answer.proposals.front().transforms.size() != 1 ||
        answer.proposals.front().protocol != ProtocolId::Isakmp)
        return fail(ErrorCode::Denied, "answer does not choose exactly one transform");
    const Phase1Offer offer = TRY(decode_phase1(answer.proposals.front().transforms.front()));
    for (Phase1Policy policy : policies)
        if (mismatch(offer, policy) == nullptr) {
            policy.lifetime = std::min(policy.lifetime, offer.lifetime.value_or(policy.lifetime));
            return policy;
        }
    return fail(ErrorCode::Denied,
                "answered " + describe(offer) + ", offered were " + describe(policies));
}

Bytes offer_phase1(const std::vector<Phase1Policy>& policies) {
    ProposalOut proposal{1, ProtocolId::Isakmp, {}, {}};
    for (const Phase1Policy& policy : policies) {
        if (proposal.transforms.size() == kMaxTransforms)
            break;
        const auto number = static_cast<std::uint8_t>(proposal.transforms.size() + 1);
        proposal.transforms.push_back({number, kTransformKeyIke, encode(policy)});
    }
    return build_sa({std::move(proposal)});
}

Bytes answer_phase1(const Phase1Choice& choice) {
    return build_sa({{choice.proposal_number, ProtocolId::Isakmp, {}, {choice.transform}}});
}

std::string describe_phase1(const SaView& sa) {
    std::vector<std::string> offers;
    for (const ProposalView& proposal : sa.proposals)
        for (const TransformView& transform : proposal.transforms) {
            const auto offer = decode_phase1(transform);
            offers.push_back(offer ? describe(*offer) : "(" + offer.error().text + ")");
        }
    return join(offers, [](const std::string& offer) { return offer; });
}

std::string describe(const std::vector<Phase1Policy>& policies) {
    return join(policies, [](const Phase1Policy& policy) { return describe(policy); });
}

} // namespace adit::ike
