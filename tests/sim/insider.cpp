// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/insider.h"

#include <algorithm>

namespace adit::sim {

using ike::ExchangeType;
using ike::PayloadType;

void Insider::hear(const ike::SendDatagram& send) {
    const auto header = ike::parse_header(send.payload);
    const bool wanted = header && header->next_payload != PayloadType::Fragment &&
                        (header->exchange == ExchangeType::IdentityProtection ||
                         header->exchange == ExchangeType::QuickMode);
    if (!wanted)
        return;
    if (header->encrypted()) {
        std::vector<Bytes>& sealed = heard_[header->cookies].sealed[header->message_id];
        if (std::ranges::find(sealed, send.payload) == sealed.end())
            sealed.push_back(send.payload);
        return;
    }
    const auto message = ike::parse_clear(send.payload);
    if (!message || message->find(PayloadType::KeyExchange) == nullptr ||
        message->find(PayloadType::Nonce) == nullptr)
        return;
    // Message 3 comes first; copies of it say the same.
    Heard& heard = heard_[header->cookies];
    Half half{to_bytes(message->find(PayloadType::KeyExchange)->body),
              to_bytes(message->find(PayloadType::Nonce)->body)};
    if (heard.initiator.nonce.empty() || heard.initiator.nonce == half.nonce)
        heard.initiator = std::move(half);
    else
        heard.responder = std::move(half);
}

std::optional<Insider::Keys> Insider::keys_of(ike::CookiePair cookies, const Secrets& secrets) {
    const auto& [initiator, responder, sealed] = heard_[cookies];
    const auto& [policy, psk] = secrets;
    const auto g_xy = memo_.secret_of(policy.group, initiator.key_exchange, responder.key_exchange);
    if (!g_xy)
        return std::nullopt;
    ike::Skeyids skeyids = ike::derive_skeyids(
        policy.hash,
        ike::skeyid_of_pre_shared_key(policy.hash, psk->view(), {initiator.nonce, responder.nonce}),
        g_xy->view(),
        cookies);
    SecretBuffer cipher_key =
        ike::encryption_key(policy.hash, policy.cipher, skeyids.skeyid_e.view());
    return Keys{std::move(skeyids),
                std::move(cipher_key),
                ike::IvChain::phase1(
                    policy.hash, policy.cipher, initiator.key_exchange, responder.key_exchange)};
}

Bytes Insider::seal(const ike::Header& header,
                    const ike::Notification& notification,
                    const Secrets& secrets,
                    const Keys& keys,
                    ike::IvChain chain) {
    ike::MessageBuilder rest;
    rest.add(PayloadType::Notification, ike::build_notification(notification));
    const SecretBuffer hash = ike::hash_1(
        secrets.policy.hash, keys.skeyids.skeyid_a.view(), header.message_id, rest.chain());
    ike::MessageBuilder message;
    message.add(PayloadType::Hash, to_bytes(hash.view())).append(rest);
    return message.encrypted(header, chain, keys.cipher_key.view());
}

namespace {

ByteView body(const Bytes& datagram) {
    return ByteView{datagram}.subspan(ike::kHeaderBytes);
}

} // namespace

std::optional<Bytes> Insider::refuse(const ike::SendDatagram& message5,
                                     const Secrets& secrets,
                                     MessageId id,
                                     ike::NotifyType type) {
    ike::Header header = *ike::parse_header(message5.payload);
    auto keys = keys_of(header.cookies, secrets);
    if (!keys || !keys->chain.accept(body(message5.payload)))
        return std::nullopt;
    header.exchange = ExchangeType::Informational;
    header.message_id = id;
    return seal(
        header, {ike::ProtocolId::Isakmp, type, {}, {}}, secrets, *keys, keys->chain.phase2(id));
}

std::size_t Insider::place_in_quick_mode(const ike::SendDatagram& send) const {
    const auto header = ike::parse_header(send.payload);
    if (!header || header->exchange != ExchangeType::QuickMode || !heard_.contains(header->cookies))
        return 0;
    const auto& exchanges = heard_.at(header->cookies).sealed;
    const auto exchange = exchanges.find(header->message_id);
    if (exchange == exchanges.end())
        return 0;
    const auto place = std::ranges::find(exchange->second, send.payload);
    return place == exchange->second.end()
               ? 0
               : static_cast<std::size_t>(place - exchange->second.begin()) + 1;
}

std::optional<Bytes>
Insider::confirm(const ike::SendDatagram& message3, const Secrets& secrets, ExchangeType exchange) {
    ike::Header header = *ike::parse_header(message3.payload);
    auto keys = keys_of(header.cookies, secrets);
    // Phase 2 goes on from message 6, the last one of main mode.
    const std::vector<Bytes>& main_mode = heard_[header.cookies].sealed[MessageId{}];
    if (!keys || main_mode.size() != 2 || !keys->chain.accept(body(main_mode.back())))
        return std::nullopt;
    ike::IvChain chain = keys->chain.phase2(header.message_id);
    if (exchange == ExchangeType::QuickMode && !chain.accept(body(message3.payload)))
        return std::nullopt;
    header.exchange = exchange;
    return seal(
        header, {ike::ProtocolId::Esp, ike::NotifyType::Connected, {}, {}}, secrets, *keys, chain);
}

} // namespace adit::sim
