// SPDX-License-Identifier: Apache-2.0
#include "control/ike/phase1_proof.h"

#include "control/ike/transaction.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// HASH_I or HASH_R over an identity (RFC 2409 5).
SecretBuffer
authenticator(const Keyed& keyed, CookiePair cookies, Role whose, ByteView identity_body) {
    const Phase1Transcript transcript{cookies, keyed.g_xi, keyed.g_xr, *keyed.sai_b};
    return whose == Role::Initiator
               ? hash_i(keyed.policy.hash, keyed.keys.skeyid.view(), transcript, identity_body)
               : hash_r(keyed.policy.hash, keyed.keys.skeyid.view(), transcript, identity_body);
}

/// Rekey ahead of the end, the initiator first: two sides with one moment would collide.
Duration rekey_after(Turn& turn, Duration lifetime) {
    const std::int64_t percent = (turn.session.role == Role::Initiator ? 85 : 92) +
                                 static_cast<std::int64_t>(turn.env.rng.below(5));
    return lifetime / 100 * percent;
}

/// RFC 2407 4.6.2: protocol and port are UDP/500 or zero; with NAT traversal peers also say 4500.
bool id_ports_fit(const Identity& identity) {
    return (identity.protocol == 0 && identity.port == 0) ||
           (identity.protocol == kUdp &&
            (identity.port == 0 || identity.port == kIkePort || identity.port == kNatPort));
}

/// An address must be the one we talk to. Behind a NAT the peer names an address we cannot see, and
/// other kinds of names prove nothing that the key, chosen by address, has not proved already.
bool identity_fits(const Session& session, const Identity& identity) {
    const auto address = address_of(identity);
    return !address || session.nat.peer_behind || *address == session.remote.address;
}

Refusal identity_refusal(std::string text) {
    return Refusal{Failure::IdentityMismatch, std::move(text)}
        .telling(NotifyType::InvalidIdInformation)
        .ending();
}

/// HASH is wrong after a clean decryption, so the keys agree up to SKEYID_e and yet the proof does
/// not; or the ciphertext only looked clean. In aggressive mode it is the first sign of keys that
/// differ.
Refusal hash_refusal(const Session& session) {
    if (session.phase1 == ExchangeType::Aggressive)
        return Refusal{Failure::PresharedKeyMismatch,
                       "HASH does not verify: the pre-shared keys differ"}
            .telling(NotifyType::AuthenticationFailed)
            .ending();
    return Refusal{Failure::PresharedKeyMismatch,
                   "identity message decrypts, but HASH does not verify: pre-shared key of another "
                   "peer, or damage"}
        .telling(NotifyType::AuthenticationFailed)
        .hastening();
}

NotifyType notify_of(CertificateFault fault) {
    switch (fault) {
    case CertificateFault::UnknownCa:
        return NotifyType::InvalidCertAuthority;
    case CertificateFault::WrongIdentity:
        return NotifyType::InvalidIdInformation;
    case CertificateFault::BadSignature:
        return NotifyType::InvalidSignature;
    default:
        return NotifyType::InvalidCertificate;
    }
}

Refusal signature_refusal(Turn& turn, const Judgement& judgement) {
    const CertificateFault fault = *judgement.fault;
    ++turn.env.counters.certificates.at(static_cast<std::size_t>(fault));
    const Failure failure = fault == CertificateFault::BadSignature ? Failure::SignatureMismatch
                            : fault == CertificateFault::WrongIdentity
                                ? Failure::IdentityMismatch
                                : Failure::CertificateRefused;
    return Refusal{failure, std::string{name(fault)} + ": " + judgement.evidence}
        .telling(notify_of(fault))
        .ending();
}

/// May a peer with this key, or certificate, call itself so? Remembers the profile it falls under.
Verdict judge_identity(Turn& turn, const Identity& identity) {
    Session& session = turn.session;
    const std::string name = to_string(identity);
    if (!id_ports_fit(identity))
        return refuse(identity_refusal("peer names itself " + name + " with protocol " +
                                       std::to_string(identity.protocol) + " port " +
                                       std::to_string(identity.port)));
    const SharedKey& psk = state_data<Keyed>(turn).psk;
    const auto profile =
        choose_profile(turn.env.config, identity, session.remote.address, psk.get());
    if (!profile)
        return refuse(identity_refusal("peer names itself " + name + "; " + profile.error()));
    const std::string found = *profile == nullptr ? std::string{} : (*profile)->name;
    if (session.role == Role::Initiator && !session.profile.empty() && found != session.profile)
        return refuse(identity_refusal("peer names itself " + name + ", which profile " +
                                       session.profile + " does not match"));
    if (*profile == nullptr && !identity_fits(session, identity))
        return refuse(identity_refusal("peer names itself " + name + ", expected " +
                                       to_string(session.remote.address)));
    session.profile = found;
    return {};
}

} // namespace

Bytes body_of(const Message& message, PayloadType type) {
    return to_bytes(message.find(type)->body);
}

void note_vendors(Turn& turn) {
    turn.session.vendors |= known_vendors(*turn.message);
    if (!turn.env.debug)
        return;
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::VendorId)
            continue;
        const std::string name = vendor_name(payload.body);
        debug(turn, "processing vendor id payload");
        debug(turn,
              "vendor ID is %s",
              name.empty() ? ("not known: " + to_hex(payload.body)).c_str() : name.c_str());
    }
}

void announce_policy(Turn& turn, const Phase1Policy& policy) {
    if (turn.env.debug)
        debug(turn, "atts are acceptable. Next payload is 0 (%s)", describe(policy).c_str());
}

namespace {

/// Each offer against each policy, as `debug crypto isakmp` words it.
void debug_offers(Turn& turn, const SaView& sa, const std::vector<Phase1Policy>& ours) {
    if (!turn.env.debug)
        return;
    for (const ProposalView& proposal : sa.proposals)
        for (const TransformView& transform : proposal.transforms)
            for (const Phase1Policy& policy : ours) {
                debug(turn,
                      "Checking ISAKMP transform %u against priority %u policy",
                      transform.number,
                      policy.priority);
                const auto offer = decode_phase1(transform);
                const char* differs = offer ? mismatch(*offer, policy) : "atts are malformed";
                if (differs != nullptr) {
                    debug(turn, "%s", differs);
                    debug(turn, "atts are not acceptable. Next payload is 0");
                }
            }
    debug(turn, "no offers accepted!");
}

} // namespace

Refusal no_common_policy(Turn& turn, const SaView& theirs, const std::vector<Phase1Policy>& ours) {
    debug_offers(turn, theirs, ours);
    return Refusal{Failure::NoPhase1Proposal,
                   "they offer " + describe_phase1(theirs) + "; we accept " + describe(ours)}
        .telling(NotifyType::NoProposalChosen)
        .ending();
}

namespace {

/// False, and nothing added, when it does not fit.
bool add_if_it_fits(std::size_t question_bytes,
                    MessageBuilder& answer,
                    const MessageBuilder& more) {
    MessageBuilder longer = answer;
    longer.append(more);
    if (longer.chain().size() > question_bytes)
        return false;
    answer = std::move(longer);
    return true;
}

} // namespace

bool add_vendor_if_it_fits(std::size_t question_bytes, MessageBuilder& answer, Vendor vendor) {
    MessageBuilder id;
    return add_if_it_fits(question_bytes, answer, id.add(PayloadType::VendorId, vendor_id(vendor)));
}

namespace {

/// In main mode the profile is not known yet when the vendor ids go out.
bool may_be_client(const Turn& turn) {
    const EngineConfig& config = turn.env.config;
    return access_of(config, turn.session) != nullptr ||
           std::ranges::any_of(config.profiles, [](const IsakmpProfile& profile) {
               return profile.access.has_value();
           });
}

} // namespace

void answer_vendors(const Turn& turn, std::size_t question_bytes, MessageBuilder& answer) {
    const auto add = [&](Vendor vendor) { add_vendor_if_it_fits(question_bytes, answer, vendor); };
    add(Vendor::Dpd);
    if (turn.env.config.fragmentation_mtu && turn.session.has(Vendor::Fragmentation))
        add(Vendor::Fragmentation);
    if (may_be_client(turn)) {
        add(Vendor::Xauth);
        add(Vendor::Unity);
    }
}

void offer_vendors(const Turn& turn, MessageBuilder& message) {
    offer_nat(message);
    message.add(PayloadType::VendorId, vendor_id(Vendor::Dpd));
    if (turn.env.config.fragmentation_mtu)
        message.add(PayloadType::VendorId, vendor_id(Vendor::Fragmentation));
}

const IsakmpProfile* profile_of(const Turn& turn) {
    return find_profile(turn.env.config, turn.session.profile);
}

std::vector<Phase1Policy> offered_policies(const EngineConfig& config, const Session& session) {
    const IsakmpProfile* profile = find_profile(config, session.profile);
    return session.phase1 == ExchangeType::Aggressive
               ? aggressive_offer(config, profile, session.remote.address)
               : provable_policies(config, profile, session.remote.address);
}

Verdict derive_keys(Turn& turn, ByteView g_xy) {
    Session& session = turn.session;
    auto& exchange = state_data<Exchanging>(turn);
    const bool by_key = is_by_key(exchange.policy);
    ENSURE(by_key == (exchange.psk != nullptr) && by_key == (exchange.own == nullptr));
    const HashAlgorithm hash = exchange.policy.hash;
    const bool initiator = session.role == Role::Initiator;
    Bytes g_xi = initiator ? exchange.pair.public_value : exchange.peer_public;
    Bytes g_xr = initiator ? exchange.peer_public : exchange.pair.public_value;
    const Nonces nonces{exchange.nonce_i, exchange.nonce_r};
    SecretBuffer skeyid = by_key ? skeyid_of_pre_shared_key(hash, exchange.psk->view(), nonces)
                                 : skeyid_of_signatures(hash, nonces, g_xy);
    Skeyids keys = derive_skeyids(hash, std::move(skeyid), g_xy, session.cookies);
    SecretBuffer cipher_key = encryption_key(hash, exchange.policy.cipher, keys.skeyid_e.view());
    IvChain iv = IvChain::phase1(hash, exchange.policy.cipher, g_xi, g_xr);
    if (turn.env.export_keys) {
        Writer cookie;
        cookie.u64(session.cookies.initiator.value);
        turn.out.emplace_back(ExportKeys{"ikev1_decryption_table",
                                         to_hex(cookie.view()) + "," + to_hex(cipher_key.view())});
    }
    session.conn_id = ConnId{turn.env.ids.next_conn_id++};
    session.data = std::unique_ptr<Keyed>(new Keyed{exchange.policy,
                                                    exchange.sai_b,
                                                    exchange.psk,
                                                    exchange.own,
                                                    std::move(g_xi),
                                                    std::move(g_xr),
                                                    std::move(keys),
                                                    std::move(cipher_key),
                                                    iv,
                                                    std::move(exchange.peer_id),
                                                    std::move(exchange.peer_hash),
                                                    std::move(exchange.claim),
                                                    {},
                                                    {}});
    return {};
}

Bytes own_identity_body(Turn& turn) {
    const Session& session = turn.session;
    Identity own = own_identity(
        turn.env.config, profile_of(turn), session.local.address, session.remote.address);
    if (own.type == IdType::Ipv4Address) {
        own.protocol = kUdp; // RFC 2407 4.6.2: UDP and port 500, or zeros
        own.port = kIkePort;
    }
    debug(
        turn, "SA is doing pre-shared key authentication using id type %s", name(own.type).c_str());
    return build_identity(own);
}

Bytes own_proof(Turn& turn, ByteView identity_body) {
    const Session& session = turn.session;
    const auto& keyed = state_data<Keyed>(turn);
    return to_bytes(authenticator(keyed, session.cookies, session.role, identity_body).view());
}

Bytes peer_proof(Turn& turn, ByteView identity_body) {
    const Role peer = turn.session.role == Role::Initiator ? Role::Responder : Role::Initiator;
    const auto& keyed = state_data<Keyed>(turn);
    return to_bytes(authenticator(keyed, turn.session.cookies, peer, identity_body).view());
}

void add_initial_contact(Turn& turn, MessageBuilder& message) {
    if (!turn.session.initial_contact)
        return;
    debug(turn, "Send initial contact");
    message.add(PayloadType::Notification,
                build_notification({ProtocolId::Isakmp,
                                    NotifyType::InitialContact,
                                    cookies_as_spi(turn.session.cookies),
                                    {}}));
}

void send_identity(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    Bytes id = own_identity_body(turn);
    Bytes proof = own_proof(turn, id);
    MessageBuilder message;
    message.add(PayloadType::Identification, std::move(id));
    message.add(PayloadType::Hash, std::move(proof));
    add_initial_contact(turn, message);
    send_kept(turn,
              message.encrypted(header_of(turn, ExchangeType::IdentityProtection, MessageId{}),
                                keyed.iv,
                                keyed.cipher_key.view()));
}

std::expected<Identity, Refusal> authenticate(Turn& turn, ByteView id_body, ByteView claimed) {
    const auto& keyed = state_data<Keyed>(turn);
    const Role peer = turn.session.role == Role::Initiator ? Role::Responder : Role::Initiator;
    const SecretBuffer expected = authenticator(keyed, turn.session.cookies, peer, id_body);
    if (!equal_constant_time(claimed, expected.view()))
        return std::unexpected(hash_refusal(turn.session));
    Identity identity = TRY(parse_identity(id_body));
    TRY_VOID(judge_identity(turn, identity));
    return identity;
}

std::expected<Identity, Refusal> authenticate_signed(Turn& turn) {
    auto& keyed = state_data<Keyed>(turn);
    ENSURE(turn.judgement != nullptr && keyed.claim.has_value());
    if (turn.judgement->fault)
        return std::unexpected(signature_refusal(turn, *turn.judgement));
    TRY_VOID(judge_identity(turn, keyed.claim->identity));
    return keyed.claim->identity;
}

void become_secured(Turn& turn, const Identity& identity) {
    Session& session = turn.session;
    Keyed& keyed = state_data<Keyed>(turn);
    const Duration lifetime = keyed.policy.lifetime;
    session.data = std::unique_ptr<Secured>(new Secured{keyed.policy,
                                                        std::move(keyed.keys.skeyid_d),
                                                        std::move(keyed.keys.skeyid_a),
                                                        std::move(keyed.cipher_key),
                                                        keyed.iv,
                                                        identity,
                                                        to_string(identity),
                                                        std::move(keyed.psk),
                                                        turn.now(),
                                                        turn.now() + rekey_after(turn, lifetime),
                                                        turn.now() + lifetime});
    ++turn.env.counters.phase1_established;
    debug(turn, "SA authentication status: authenticated");
    debug(turn, "SA has been authenticated with %s", to_string(session.remote.address).c_str());
    schedule_dpd(turn);
    schedule_keepalive(turn);
    admit_peer(turn);
}

void heed_identity_notifications(Turn& turn) {
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::Notification)
            continue;
        const auto notification = parse_notification(payload.body);
        if (notification && notification->type == NotifyType::InitialContact)
            heed_initial_contact(turn);
    }
}

} // namespace adit::ike
