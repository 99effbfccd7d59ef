// SPDX-License-Identifier: Apache-2.0
#include "control/ike/phase1_proof.h"

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

} // namespace

Verdict derive_keys(Turn& turn, ByteView g_xy) {
    Session& session = turn.session;
    auto& exchange = state_data<Exchanging>(turn);
    const SecretBuffer* psk = find_psk(turn.env.config, session.remote.address);
    if (psk == nullptr)
        return refuse(Refusal{Failure::NoPresharedKey, "the key was removed meanwhile"}.ending());
    const HashAlgorithm hash = exchange.policy.hash;
    const bool initiator = session.role == Role::Initiator;
    Bytes g_xi = initiator ? exchange.pair.public_value : exchange.peer_public;
    Bytes g_xr = initiator ? exchange.peer_public : exchange.pair.public_value;
    SecretBuffer skeyid =
        skeyid_of_pre_shared_key(hash, psk->view(), {exchange.nonce_i, exchange.nonce_r});
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
                                                    std::move(g_xi),
                                                    std::move(g_xr),
                                                    std::move(keys),
                                                    std::move(cipher_key),
                                                    iv});
    return {};
}

void send_identity(Turn& turn) {
    Session& session = turn.session;
    auto& keyed = state_data<Keyed>(turn);
    Identity own = identity_of(session.local.address);
    own.protocol = kUdp; // RFC 2407 4.6.2: UDP and port 500, or zeros
    own.port = kIkePort;
    Bytes id = build_identity(own);
    const SecretBuffer hash = authenticator(keyed, session.cookies, session.role, id);
    MessageBuilder message;
    message.add(PayloadType::Identification, std::move(id));
    message.add(PayloadType::Hash, to_bytes(hash.view()));
    if (session.initial_contact) {
        debug(turn, "Send initial contact");
        message.add(PayloadType::Notification,
                    build_notification({ProtocolId::Isakmp,
                                        NotifyType::InitialContact,
                                        cookies_as_spi(session.cookies),
                                        {}}));
    }
    debug(turn, "SA is doing pre-shared key authentication using id type ID_IPV4_ADDR");
    send_kept(turn,
              message.encrypted(header_of(turn, ExchangeType::IdentityProtection, MessageId{}),
                                keyed.iv,
                                keyed.cipher_key.view()));
}

Result<Identity> authenticate(Turn& turn) {
    const auto& keyed = state_data<Keyed>(turn);
    const Role peer = turn.session.role == Role::Initiator ? Role::Responder : Role::Initiator;
    const ByteView id = turn.message->find(PayloadType::Identification)->body;
    const ByteView claimed = turn.message->find(PayloadType::Hash)->body;
    const SecretBuffer expected = authenticator(keyed, turn.session.cookies, peer, id);
    if (!equal_constant_time(claimed, expected.view()))
        return fail(ErrorCode::Denied, "HASH does not verify");
    return parse_identity(id);
}

bool identity_fits(const Session& session, const Identity& identity) {
    const auto address = address_of(identity);
    return !address || session.nat.peer_behind || *address == session.remote.address;
}

bool id_ports_fit(const Identity& identity) {
    return (identity.protocol == 0 && identity.port == 0) ||
           (identity.protocol == kUdp &&
            (identity.port == 0 || identity.port == kIkePort || identity.port == kNatPort));
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
                                                        to_string(identity),
                                                        turn.now(),
                                                        turn.now() + rekey_after(turn, lifetime),
                                                        turn.now() + lifetime});
    ++turn.env.counters.phase1_established;
    debug(turn, "SA authentication status: authenticated");
    debug(turn, "SA has been authenticated with %s", to_string(session.remote.address).c_str());
    schedule_dpd(turn);
    schedule_keepalive(turn);
    turn.out.emplace_back(PhaseOneUp{});
}

void heed_identity_notifications(Turn& turn) {
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::Notification)
            continue;
        const auto notification = parse_notification(payload.body);
        if (notification && notification->type == NotifyType::InitialContact)
            turn.out.emplace_back(InitialContactSeen{});
    }
}

Refusal identity_refusal(const Identity& identity, const Session& session) {
    return Refusal{Failure::IdentityMismatch,
                   "peer names itself " + to_string(identity) + ", expected " +
                       to_string(session.remote.address)}
        .telling(NotifyType::InvalidIdInformation)
        .ending();
}

Refusal hash_refusal(const Error& error) {
    return Refusal{Failure::PresharedKeyMismatch,
                   "identity message decrypts, but " + error.text +
                       ": pre-shared key of another peer, or damage"}
        .telling(NotifyType::AuthenticationFailed)
        .hastening();
}

} // namespace adit::ike
