// SPDX-License-Identifier: Apache-2.0
#include "control/ike/phase1_signature.h"

#include "control/ike/payload_cert.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// CAs the peer asks for; requests we cannot read ask for nothing.
std::vector<Bytes> requested_authorities(const Message& message) {
    std::vector<Bytes> authorities;
    for (const Payload& payload : message.payloads) {
        if (payload.type != PayloadType::CertificateRequest || authorities.size() == kMaxRequests)
            continue;
        if (auto authority = parse_certificate_request(payload.body); authority)
            authorities.push_back(std::move(*authority));
    }
    return authorities;
}

/// RFC 4945 3.3.1: payloads of kinds we do not use are passed over, the others belong to a chain.
std::expected<std::vector<CertificateBody>, Refusal> certificates_in(Turn& turn) {
    std::vector<CertificateBody> certificates;
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::Certificate)
            continue;
        auto certificate = parse_certificate(payload.body);
        if (!certificate && certificate.error().code == ErrorCode::Unsupported) {
            debug(turn, "%s", certificate.error().text.c_str());
            continue;
        }
        if (!certificate)
            return std::unexpected(Refusal{std::move(certificate).error()});
        certificates.push_back(std::move(*certificate));
    }
    return certificates;
}

bool says_initial_contact(const Message& message) {
    return std::ranges::any_of(message.payloads, [](const Payload& payload) {
        if (payload.type != PayloadType::Notification)
            return false;
        const auto notification = parse_notification(payload.body);
        return notification && notification->type == NotifyType::InitialContact;
    });
}

} // namespace

void add_certificate_requests(Turn& turn, const Phase1Policy& policy, MessageBuilder& message) {
    if (is_by_key(policy))
        return;
    const std::vector<Bytes>& authorities = turn.env.config.credentials.authorities;
    for (std::size_t i = 0; i < std::min(authorities.size(), kMaxRequests); ++i)
        message.add(PayloadType::CertificateRequest, build_certificate_request(authorities[i]));
}

SharedCertificate own_certificate(const Turn& turn, const Phase1Policy& policy) {
    const auto scheme = scheme_of(method_of(policy));
    if (!scheme)
        return nullptr;
    const std::vector<Bytes> wanted =
        turn.message == nullptr ? std::vector<Bytes>{} : requested_authorities(*turn.message);
    return choose_own(turn.env.config.credentials, *scheme, wanted);
}

Verdict take_credentials(const Turn& turn, Exchanging& exchange) {
    if (!is_by_key(exchange.policy)) {
        exchange.own = own_certificate(turn, exchange.policy);
        if (exchange.own == nullptr)
            return refuse(
                Refusal{Failure::NoCertificate, "our certificate was removed meanwhile"}.ending());
        return {};
    }
    exchange.psk = key_for_address(turn.env.config, profile_of(turn), turn.session.remote.address);
    if (exchange.psk == nullptr)
        return refuse(Refusal{Failure::NoPresharedKey, "the key was removed meanwhile"}.ending());
    return {};
}

// What we call ourselves must stand in our certificate. An address that does not gives way to the
// certificate's own name; a name the administrator chose stays.
Bytes own_signed_identity(Turn& turn, const OwnCertificate& own) {
    const Session& session = turn.session;
    Identity identity = own_identity(
        turn.env.config, profile_of(turn), session.local.address, session.remote.address);
    const bool by_subject =
        own_self(turn.env.config, profile_of(turn), session.remote.address).type == IdType::DerDn;
    const bool is_address = identity.type == IdType::Ipv4Address;
    const bool held =
        is_address && !by_subject &&
        std::ranges::find(own.addresses, session.local.address) != own.addresses.end();
    if (is_address && !held)
        identity = {IdType::DerDn, 0, 0, own.subject};
    if (held) {
        identity.protocol = kUdp; // RFC 2407 4.6.2: UDP and port 500, or zeros
        identity.port = kIkePort;
    }
    debug(turn,
          "SA is doing %s signature authentication using id type %s",
          name(own.key->scheme()),
          name(identity.type).c_str());
    return build_identity(identity);
}

void start_signing(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    keyed.own_id = own_signed_identity(turn, *keyed.own);
    start_job(turn, SignJob{keyed.own->key, own_proof(turn, keyed.own_id)});
}

void add_signature(Turn& turn, MessageBuilder& message) {
    const auto& keyed = state_data<Keyed>(turn);
    // Whether the peer asked or not, as routers do: one that has it already loses nothing.
    for (const Bytes& der : keyed.own->chain)
        message.add(PayloadType::Certificate,
                    build_certificate({CertificateEncoding::X509Signature, der}));
    debug(turn, "constructing CERT payload for %s", keyed.own->trustpoint.c_str());
    message.add(PayloadType::Signature, std::move(turn.signature->octets));
}

std::expected<Claim, Refusal> take_claim(Turn& turn, const Phase1Policy& policy, ByteView id_body) {
    const auto scheme = scheme_of(method_of(policy));
    ENSURE(scheme.has_value());
    debug(turn, "processing CERT and SIG payloads. message ID = 0");
    Claim claim;
    claim.identity = TRY(parse_identity(id_body));
    claim.id_body = to_bytes(id_body);
    claim.proof.scheme = *scheme;
    claim.proof.identity = claim.identity;
    claim.proof.certificates = TRY(certificates_in(turn));
    claim.proof.signature = TRY(parse_signature(turn.message->find(PayloadType::Signature)->body));
    claim.ciphertext = to_bytes(turn.ciphertext);
    claim.local = turn.from_local;
    claim.remote = turn.from_remote;
    claim.initial_contact = says_initial_contact(*turn.message);
    return claim;
}

Verdict start_judging(Turn& turn) {
    Claim& claim = *state_data<Keyed>(turn).claim;
    claim.proof.hash = peer_proof(turn, claim.id_body);
    const auto& judge = turn.env.config.credentials.judge;
    if (judge == nullptr)
        return refuse(
            Refusal{Failure::NoCertificate, "our CA certificates were removed meanwhile"}.ending());
    start_job(turn, JudgeJob{judge, std::move(claim.proof)});
    return {};
}

Verdict heed_claim(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    ENSURE(keyed.claim.has_value());
    if (!keyed.claim->ciphertext.empty())
        TRY_VOID(keyed.iv.accept(keyed.claim->ciphertext));
    if (keyed.claim->initial_contact)
        turn.out.emplace_back(InitialContactSeen{});
    return {};
}

void follow_claim(Turn& turn) {
    const Claim& claim = *state_data<Keyed>(turn).claim;
    follow_initiator(turn.session, claim.local, claim.remote);
}

} // namespace adit::ike
