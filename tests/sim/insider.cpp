// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/insider.h"

#include "control/ike/keymat.h"
#include "control/ike/payload_notify.h"

namespace adit::sim {

using ike::PayloadType;

void Insider::hear(const ike::SendDatagram& send) {
    const auto header = ike::parse_header(send.payload);
    if (!header || header->exchange != ike::ExchangeType::IdentityProtection || header->encrypted())
        return;
    const auto message = ike::parse_clear(send.payload);
    if (!message || message->find(PayloadType::KeyExchange) == nullptr ||
        message->find(PayloadType::Nonce) == nullptr)
        return;
    // Message 3 comes first; copies of it say the same.
    auto& [initiator, responder] = heard_[header->cookies];
    Half half{to_bytes(message->find(PayloadType::KeyExchange)->body),
              to_bytes(message->find(PayloadType::Nonce)->body)};
    if (initiator.nonce.empty() || initiator.nonce == half.nonce)
        initiator = std::move(half);
    else
        responder = std::move(half);
}

std::optional<Bytes> Insider::refuse(const ike::Header& message5,
                                     const ike::Phase1Policy& policy,
                                     ByteView psk,
                                     MessageId id,
                                     ike::NotifyType type) {
    const auto heard = heard_.find(message5.cookies);
    if (heard == heard_.end())
        return std::nullopt;
    const auto& [initiator, responder] = heard->second;
    const auto g_xy = memo_.secret_of(policy.group, initiator.key_exchange, responder.key_exchange);
    if (!g_xy)
        return std::nullopt;
    const ike::Skeyids keys = ike::derive_skeyids(
        policy.hash,
        ike::skeyid_of_pre_shared_key(policy.hash, psk, {initiator.nonce, responder.nonce}),
        g_xy->view(),
        message5.cookies);
    ike::MessageBuilder notification;
    notification.add(PayloadType::Notification,
                     ike::build_notification({ike::ProtocolId::Isakmp, type, {}, {}}));
    const SecretBuffer hash =
        ike::hash_1(policy.hash, keys.skeyid_a.view(), id, notification.chain());
    ike::MessageBuilder message;
    message.add(PayloadType::Hash, to_bytes(hash.view())).append(notification);
    ike::IvChain iv =
        ike::IvChain::phase1(
            policy.hash, policy.cipher, initiator.key_exchange, responder.key_exchange)
            .phase2(id);
    ike::Header header = message5;
    header.exchange = ike::ExchangeType::Informational;
    header.message_id = id;
    return message.encrypted(
        header, iv, ike::encryption_key(policy.hash, policy.cipher, keys.skeyid_e.view()).view());
}

} // namespace adit::sim
