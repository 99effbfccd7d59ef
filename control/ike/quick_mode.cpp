// SPDX-License-Identifier: Apache-2.0
// Quick mode (RFC 2409 5.5), both sides. Each permit line of an ACL is its own exchange and its own
// pair of SAs. The inbound SA is installed before the message that lets the peer use it.
#include "control/ike/step.h"

#include "control/ike/attributes.h"
#include "control/ike/esp_install.h"
#include "control/ike/flow_choice.h"
#include "control/ike/phase2_terms.h"

#include <algorithm>

namespace adit::ike {

namespace {

QuickMode& quick_of(Turn& turn) {
    ENSURE(turn.quick != nullptr);
    return *turn.quick;
}

Verdict check_hash(Turn& turn, const SecretBuffer& expected, const char* which) {
    if (!equal_constant_time(turn.message->find(PayloadType::Hash)->body, expected.view()))
        return refuse({Failure::BadHash, std::string{which} + " does not verify"});
    TRY_VOID(quick_of(turn).iv.accept(turn.ciphertext));
    return {};
}

bool has_key_exchange(const Turn& turn) {
    return turn.message->find(PayloadType::KeyExchange) != nullptr;
}

Bytes public_value_of(const Turn& turn) {
    return to_bytes(turn.message->find(PayloadType::KeyExchange)->body);
}

/// The peer's public value, before anything is computed with it.
Verdict check_key_exchange(Turn& turn) {
    const Status sound = check_public_value(*quick_of(turn).choice->pfs, public_value_of(turn));
    if (!sound)
        return refuse(
            ending(Failure::BadKeyExchange, sound.error().text, NotifyType::InvalidKeyInformation));
    return {};
}

/// SPI and SA numbers of a pair; nothing when the dataplane's table is full.
Verdict reserve_pair(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    auto spi = turn.env.spis.allocate(quick.policy);
    // RFC 2409 5.5: KEYMAT tells the directions apart by their SPIs alone. With equal ones both
    // would have one key, and AES-GCM would use each IV twice.
    if (spi && quick.choice && *spi == quick.choice->spi) {
        const Spi taken = *spi;
        spi = turn.env.spis.allocate(quick.policy);
        turn.env.spis.release(taken);
    }
    if (!spi)
        return refuse(Refusal{Failure::InstallRefused, "no free SPI"}.ending());
    quick.inbound_spi = *spi;
    quick.inbound_sa = SaId{turn.env.ids.next_sa_id++};
    quick.outbound_sa = SaId{turn.env.ids.next_sa_id++};
    return {};
}

void send_sealed(Turn& turn, const MessageBuilder& message) {
    QuickMode& quick = quick_of(turn);
    send_kept(turn,
              message.encrypted(header_of(turn, ExchangeType::QuickMode, quick.id),
                                quick.iv,
                                secured(turn).cipher_key.view()));
}

ChildSa child_of(Turn& turn) {
    const QuickMode& quick = *turn.quick;
    const Session& session = turn.session;
    ChildSa child;
    child.inbound_sa = quick.inbound_sa;
    child.outbound_sa = quick.outbound_sa;
    child.inbound_spi = quick.inbound_spi;
    child.outbound_spi = quick.choice->spi;
    child.policy = quick.policy;
    child.lease = quick.lease;
    child.connection = quick.connection;
    child.role = quick.role;
    child.local = session.local;
    child.remote = session.remote;
    child.udp_encapsulated = session.nat.detected();
    child.algorithms = quick.choice->algorithms;
    child.pfs = quick.choice->pfs;
    child.replay_window = quick.replay_window;
    child.selector = quick.selector;
    if (child.algorithms.transport) {
        child.original_local = quick.original_local;
        child.original_remote = quick.original_remote;
    }
    child.lifetime = quick.choice->lifetime;
    child.kilobytes = quick.choice->kilobytes;
    child.isakmp = session.conn_id;
    child.peer_identity = secured(turn).peer_identity;
    child.profile = session.profile;
    child.user = session.user();
    child.assigned = session.assigned;
    child.started = quick.started;
    return child;
}

struct Pair {
    InstallSaAction inbound;
    InstallSaAction outbound;
};

/// KEYMAT of both directions (RFC 2409 5.5): each from the SPI its receiver chose.
Pair derive_pair(Turn& turn, const ChildSa& child) {
    const QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    const auto keys_of = [&](Spi spi) {
        const KeymatInput input{
            quick.g_xy.view(), ProtocolId::Esp, spi, {quick.nonce_i, quick.nonce_r}};
        return derive_esp_keys(keys.policy.hash,
                               keys.skeyid_d.view(),
                               input,
                               child.algorithms.cipher,
                               child.algorithms.mac);
    };
    Pair pair{make_install(child, Direction::Inbound, keys_of(child.inbound_spi)),
              make_install(child, Direction::Outbound, keys_of(child.outbound_spi))};
    if (turn.env.export_keys)
        for (const InstallSaAction* install : {&pair.inbound, &pair.outbound})
            turn.out.emplace_back(ExportKeys{"esp_sa", esp_sa_line(*install)});
    return pair;
}

void install_inbound(Turn& turn, const ChildSa& child, InstallSaAction install) {
    if (is_claimed(child.lease) && !child.lease->added) {
        child.lease->added = true;
        turn.out.emplace_back(AddPolicyAction{child.policy, child.connection, child.selector});
    }
    turn.out.emplace_back(std::move(install));
    turn.out.emplace_back(InboundReady{child});
    quick_of(turn).inbound_installed = true;
}

void forget_secrets(QuickMode& quick) {
    quick.g_xy.clear();
    quick.pair = {};
    quick.peer_public.clear();
}

void heed_notifications(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::Notification)
            continue;
        const auto notification = parse_notification(payload.body);
        if (!notification || notification->type != NotifyType::ResponderLifetime)
            continue;
        const Status done =
            shorten_lifetime(*notification, quick.choice->lifetime, &quick.choice->kilobytes);
        if (!done)
            debug(turn, "%s", done.error().text.c_str());
    }
}

} // namespace

// --- message 1 ----------------------------------------------------------------------------------

Verdict start_qm_dh(Turn& turn) {
    start_job(turn, DhJob{.kind = DhJobKind::Generate, .group = *quick_of(turn).pfs});
    return {};
}

Verdict send_qm1(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    const Connection* connection = find_connection(turn.env.config, quick.connection);
    if (connection == nullptr)
        return refuse(Refusal{Failure::Phase2Timeout, "crypto map entry removed"}.ending());
    const Phase2Terms terms = terms_of(turn.session, *connection, quick);
    if (terms.transforms.empty())
        return refuse(Refusal{Failure::NoPhase2Proposal,
                              connection->name +
                                  ": its transform sets require transport mode, but " +
                                  describe(quick.selector) + " is not between the gateways"}
                          .ending());
    TRY_VOID(reserve_pair(turn));
    debug(turn, "beginning Quick Mode exchange, M-ID of %u", quick.id.value);
    debug(turn, "QM Initiator gets spi");
    quick.nonce_i = random_nonce(turn);
    MessageBuilder message;
    message.add(PayloadType::Hash, {});
    message.add(PayloadType::SecurityAssociation, offer_phase2(terms, quick.inbound_spi));
    message.add(PayloadType::Nonce, quick.nonce_i);
    if (turn.dh != nullptr) {
        quick.pair = std::move(turn.dh->pair);
        message.add(PayloadType::KeyExchange, quick.pair.public_value);
    }
    const TrafficSelector& ours = quick.selector;
    const Identity idci = client_identity({ours.local, ours.protocol, ours.local_port});
    const Identity idcr = client_identity({ours.remote, ours.protocol, ours.remote_port});
    message.add(PayloadType::Identification, build_identity(idci));
    message.add(PayloadType::Identification, build_identity(idcr));
    if (turn.session.nat.detected() &&
        std::ranges::any_of(terms.transforms, &Phase2Transform::transport))
        add_nat_originals(turn, message);
    const Bytes rest = message.chain(1);
    message.set(0, to_bytes(hash_1(keys.policy.hash, keys.skeyid_a.view(), quick.id, rest).view()));
    send_sealed(turn, message);
    return {};
}

namespace {

Verdict choose_transform(Turn& turn, const Connection& connection, const SaView& sa) {
    const Phase2Terms terms = terms_of(turn.session, connection, quick_of(turn));
    const auto choice = choose_phase2(sa, terms);
    if (!choice) {
        debug(turn, "IPSec policy invalidated proposal with error 256");
        const bool group = choice.error().group_at_fault;
        return refuse(ending(group ? Failure::PfsMismatch : Failure::NoPhase2Proposal,
                             connection.name + ": they offer " + describe_phase2(sa) +
                                 "; we accept " + describe(terms),
                             NotifyType::NoProposalChosen));
    }
    // RFC 2409 5.5: the group attribute and the KE payload go together.
    if (choice->pfs.has_value() != has_key_exchange(turn))
        return refuse(ending(Failure::PfsMismatch,
                             connection.name + ": group " +
                                 (choice->pfs ? name(*choice->pfs) : "none") +
                                 (has_key_exchange(turn) ? " with" : " without") + " a KE payload",
                             NotifyType::NoProposalChosen));
    quick_of(turn).choice = std::make_unique<Phase2Choice>(*choice);
    return {};
}

/// Message 1 up to the point where Diffie-Hellman may be needed.
Verdict judge_qm1(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    TRY_VOID(check_hash(
        turn,
        hash_1(keys.policy.hash, keys.skeyid_a.view(), quick.id, turn.message->behind_first()),
        "HASH(1) of quick mode"));
    const auto sa = parse_sa(turn.message->find(PayloadType::SecurityAssociation)->body);
    if (!sa)
        return refuse(ending(Failure::Malformed, sa.error().text, NotifyType::BadProposalSyntax));
    auto nonce = nonce_of(*turn.message);
    if (!nonce)
        return refuse(ending(Failure::Malformed, nonce.error().text, NotifyType::PayloadMalformed));
    const Connection* connection = nullptr;
    TRY_VOID(choose_flow(turn, *sa, connection));
    TRY_VOID(choose_transform(turn, *connection, *sa));
    if (const Status read = read_nat_originals(turn); !read)
        return refuse(ending(Failure::Malformed, read.error().text, NotifyType::PayloadMalformed));
    quick.nonce_i = std::move(*nonce);
    quick.nonce_r = random_nonce(turn);
    // Fresh and authentic: a NAT that chose another port is followed.
    if (turn.session.floated())
        turn.session.remote.port = turn.from_remote.port;
    return reserve_pair(turn);
}

} // namespace

Verdict accept_qm1(Turn& turn) {
    TRY_VOID(judge_qm1(turn));
    return send_qm2(turn);
}

Verdict accept_qm1_pfs(Turn& turn) {
    TRY_VOID(judge_qm1(turn));
    QuickMode& quick = quick_of(turn);
    TRY_VOID(check_key_exchange(turn));
    start_job(turn,
              DhJob{.kind = DhJobKind::GenerateAndAgree,
                    .group = *quick.choice->pfs,
                    .peer_public = public_value_of(turn)});
    return {};
}

// --- message 2 ----------------------------------------------------------------------------------

namespace {

/// RFC 2407 4.6.3.1: what of our lifetime is shorter than the offer, which goes back unchanged.
void add_responder_lifetime(const QuickMode& quick, MessageBuilder& message) {
    const Phase2Choice& choice = *quick.choice;
    if (!choice.seconds_shortened && !choice.kilobytes_shortened)
        return;
    Writer data;
    const auto add = [&](LifeType type, std::uint32_t duration) {
        write_attribute(data, to_wire(IpsecAttribute::LifeType), to_wire(type));
        write_attribute(data, to_wire(IpsecAttribute::LifeDuration), duration);
    };
    if (choice.seconds_shortened)
        add(LifeType::Seconds, whole_seconds(choice.lifetime));
    if (choice.kilobytes_shortened)
        add(LifeType::Kilobytes, static_cast<std::uint32_t>(choice.kilobytes));
    message.add(PayloadType::Notification,
                build_notification({ProtocolId::Esp,
                                    NotifyType::ResponderLifetime,
                                    spi_bytes(quick.inbound_spi),
                                    std::move(data).take()}));
}

} // namespace

Verdict send_qm2(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    MessageBuilder message;
    message.add(PayloadType::Hash, {});
    message.add(PayloadType::SecurityAssociation, answer_phase2(*quick.choice, quick.inbound_spi));
    message.add(PayloadType::Nonce, quick.nonce_r);
    if (turn.dh != nullptr) {
        message.add(PayloadType::KeyExchange, turn.dh->pair.public_value);
        quick.g_xy = std::move(turn.dh->shared);
    }
    if (!quick.answer_idci.empty()) {
        message.add(PayloadType::Identification, quick.answer_idci);
        message.add(PayloadType::Identification, quick.answer_idcr);
    }
    if (turn.session.nat.detected() && quick.choice->algorithms.transport)
        add_nat_originals(turn, message);
    add_responder_lifetime(quick, message);
    const Bytes rest = message.chain(1);
    message.set(
        0,
        to_bytes(
            hash_2(keys.policy.hash, keys.skeyid_a.view(), quick.id, quick.nonce_i, rest).view()));
    const ChildSa child = child_of(turn);
    Pair pair = derive_pair(turn, child);
    install_inbound(turn, child, std::move(pair.inbound));
    quick.outbound = std::make_unique<InstallSaAction>(std::move(pair.outbound));
    forget_secrets(quick);
    send_sealed(turn, message);
    return {};
}

namespace {

/// RFC 2409 5.5: the responder sends the identities back; some leave them out.
bool identities_match(const Turn& turn) {
    const TrafficSelector& ours = turn.quick->selector;
    const std::array expected = {ClientRange{ours.local, ours.protocol, ours.local_port},
                                 ClientRange{ours.remote, ours.protocol, ours.remote_port}};
    std::size_t index = 0;
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != PayloadType::Identification)
            continue;
        const auto identity = parse_identity(payload.body);
        const auto client = identity ? client_range(*identity)
                                     : Result<ClientRange>{std::unexpected(identity.error())};
        if (!client || *client != expected.at(index++))
            return false;
    }
    return true;
}

/// Message 2 up to the point where Diffie-Hellman may be needed.
Verdict judge_qm2(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    TRY_VOID(check_hash(turn,
                        hash_2(keys.policy.hash,
                               keys.skeyid_a.view(),
                               quick.id,
                               quick.nonce_i,
                               turn.message->behind_first()),
                        "HASH(2) of quick mode"));
    const Connection* connection = find_connection(turn.env.config, quick.connection);
    const auto sa = parse_sa(turn.message->find(PayloadType::SecurityAssociation)->body);
    auto nonce = nonce_of(*turn.message);
    if (connection == nullptr || !sa || !nonce)
        return refuse(
            ending(Failure::Malformed, "unusable message 2", NotifyType::PayloadMalformed));
    const auto choice = accept_phase2(*sa, terms_of(turn.session, *connection, quick));
    if (!choice)
        return refuse(ending(Failure::Phase2Refused,
                             connection->name + ": " + choice.error().text,
                             NotifyType::NoProposalChosen));
    if (choice->pfs.has_value() != has_key_exchange(turn))
        return refuse(ending(Failure::PfsMismatch,
                             connection->name + ": KE payload does not fit the agreed group",
                             NotifyType::InvalidKeyInformation));
    // See reserve_pair(): both directions would have one key.
    if (choice->spi == quick.inbound_spi)
        return refuse(ending(Failure::BadKeyExchange,
                             connection->name + ": peer chose our own SPI for its side",
                             NotifyType::InvalidSpi));
    quick.choice = std::make_unique<Phase2Choice>(*choice);
    quick.nonce_r = std::move(*nonce);
    if (!identities_match(turn))
        return refuse(ending(Failure::ProxyRefused,
                             connection->name + ": peer changed the proxy identities; ours are " +
                                 describe(quick.selector),
                             NotifyType::InvalidIdInformation));
    if (const Status read = read_nat_originals(turn); !read)
        return refuse(ending(Failure::Malformed, read.error().text, NotifyType::PayloadMalformed));
    heed_notifications(turn);
    quick.commit = (turn.message->header.flags & kFlagCommit) != 0;
    return {};
}

} // namespace

Verdict accept_qm2(Turn& turn) {
    TRY_VOID(judge_qm2(turn));
    return send_qm3(turn);
}

Verdict accept_qm2_pfs(Turn& turn) {
    TRY_VOID(judge_qm2(turn));
    QuickMode& quick = quick_of(turn);
    TRY_VOID(check_key_exchange(turn));
    start_job(turn,
              DhJob{.kind = DhJobKind::Agree,
                    .group = *quick.choice->pfs,
                    .private_key = quick.pair.private_key.clone(),
                    .peer_public = public_value_of(turn)});
    return {};
}

// --- message 3 ----------------------------------------------------------------------------------

Verdict send_qm3(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    if (turn.dh != nullptr)
        quick.g_xy = std::move(turn.dh->shared);
    const ChildSa child = child_of(turn);
    Pair pair = derive_pair(turn, child);
    install_inbound(turn, child, std::move(pair.inbound));
    MessageBuilder message;
    message.add(
        PayloadType::Hash,
        to_bytes(
            hash_3(keys.policy.hash, keys.skeyid_a.view(), quick.id, {quick.nonce_i, quick.nonce_r})
                .view()));
    send_sealed(turn, message);
    forget_secrets(quick);
    ++turn.env.counters.phase2_established;
    quick.outbound = std::make_unique<InstallSaAction>(std::move(pair.outbound));
    return quick.commit ? Verdict{} : use_outbound(turn);
}

/// The peer listens, as far as anybody can know.
Verdict use_outbound(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    turn.out.emplace_back(
        OutboundReady{quick.inbound_sa, quick.inbound_spi, std::move(*quick.outbound)});
    quick.outbound.reset();
    quick.lease.reset(); // the child has its own
    quick.choice.reset();
    // All that is left to do is to answer copies.
    for (Bytes* spent : {&quick.nonce_i,
                         &quick.nonce_r,
                         &quick.peer_public,
                         &quick.answer_idci,
                         &quick.answer_idcr})
        *spent = {};
    return {};
}

/// RFC 2408 3.1: CONNECTED as a fourth message of quick mode, protected like HASH(1). Other words
/// change nothing: the wait goes on.
Verdict accept_qm4(Turn& turn) {
    const QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    TRY_VOID(check_hash(
        turn,
        hash_1(keys.policy.hash, keys.skeyid_a.view(), quick.id, turn.message->behind_first()),
        "HASH(4) of quick mode"));
    const auto notification =
        parse_notification(turn.message->find(PayloadType::Notification)->body);
    if (!notification || notification->type != NotifyType::Connected)
        return refuse({Failure::UnexpectedMessage, "message 4 of quick mode without CONNECTED"});
    return use_outbound(turn);
}

Verdict accept_qm3(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    const Secured& keys = secured(turn);
    TRY_VOID(check_hash(
        turn,
        hash_3(keys.policy.hash, keys.skeyid_a.view(), quick.id, {quick.nonce_i, quick.nonce_r}),
        "HASH(3) of quick mode"));
    ++turn.env.counters.phase2_established;
    return use_outbound(turn);
}

// --- endings ------------------------------------------------------------------------------------

Verdict give_up_quick_mode(Turn& turn) {
    QuickMode& quick = quick_of(turn);
    report(turn,
           {Failure::Phase2Timeout,
            quick.connection + ": no answer to " + name(quick.leg.state) + " after " +
                std::to_string(quick.leg.sends) + " transmissions; phase 1 is up"});
    // The initiator may think the pair stands: its message 3 is what was lost.
    if (quick.inbound_installed && turn.session.secured() != nullptr) {
        ++turn.env.counters.deletes_out;
        MessageBuilder message;
        message.add(PayloadType::Delete,
                    build_delete(ProtocolId::Esp, {spi_bytes(quick.inbound_spi)}));
        send_protected(turn, std::move(message));
    }
    const bool unheard = quick.leg.state == State::QmInitiatorQm1;
    end_quick_mode(turn);
    // A peer that cannot be asked whether it still knows this ISAKMP SA does so by answering.
    if (unheard && !turn.session.has(Vendor::Dpd))
        close_session(turn);
    return {};
}

Verdict forget_quick_mode(Turn& turn) {
    end_quick_mode(turn);
    return {};
}

} // namespace adit::ike
