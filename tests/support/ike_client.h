// SPDX-License-Identifier: Apache-2.0
// A remote-access client that does what a test tells it, message by message: main mode with a
// pre-shared key, answers to a login, requests for an address, quick mode. It shares the keys' pure
// functions with the engine and nothing of its state machine, so it can also do what no decent
// client does.
//
// Threading: one thread; values.
#pragma once

#include "control/ike/message.h"
#include "control/ike/payload_attributes.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/proposal.h"
#include "control/ike/step.h"
#include "tests/support/ike_network.h"

#include <deque>
#include <map>
#include <set>

namespace adit::test {

/// A message of the transaction exchange as it arrived.
struct ConfigMessageReceived {
    MessageId id;
    ike::ConfigMessage message{};
    std::uint16_t identifier{};
    std::multimap<ike::ConfigAttribute, Bytes> attributes;

    [[nodiscard]] bool has(ike::ConfigAttribute type) const { return attributes.contains(type); }

    [[nodiscard]] Bytes value(ike::ConfigAttribute type) const {
        const auto found = attributes.find(type);
        return found == attributes.end() ? Bytes{} : found->second;
    }

    [[nodiscard]] Ipv4Address address() const {
        const Bytes octets = value(ike::ConfigAttribute::InternalIp4Address);
        return octets.size() == 4 ? Ipv4Address{load_be<std::uint32_t>(octets.data())}
                                  : Ipv4Address{};
    }
};

class ScriptedClient {
  public:
    struct Options {
        ike::AuthMethod method{ike::AuthMethod::XauthInitiatorPreSharedKey};
        bool behind_nat{false};
        bool initial_contact{false};
        std::uint64_t seed{0}; // 0: another one for each client
    };

    ScriptedClient(
        Network& network, Gateway& gateway, Endpoint own, const char* psk, Options options)
        : network_(network), gateway_(gateway), own_(own), psk_(psk), options_(options),
          rng_(options.seed != 0 ? options.seed : ++made_) {}

    [[nodiscard]] Endpoint endpoint() const { return own_; }

    /// For the network's tap: what the gateway sends here.
    void deliver(const Bytes& datagram) { inbox_.push_back(datagram); }

    /// HDR, SA --> ... <-- HDR*, IDir, HASH_R. False when the gateway does not go along.
    bool main_mode() {
        cookies_.initiator = Cookie{rng_.u64() | 1};
        ike::MessageBuilder first;
        first.add(ike::PayloadType::SecurityAssociation, offer());
        if (options_.behind_nat)
            first.add(ike::PayloadType::VendorId, ike::vendor_id(ike::Vendor::NatRfc3947));
        sai_b_ = offer();
        const auto second = exchange(first.clear(header(ike::ExchangeType::IdentityProtection)));
        if (!second)
            return false;
        cookies_.responder = ike::parse_header(*second)->cookies.responder;
        pair_ = *ike::dh_generate(kGroup, rng_);
        nonce_i_ = Bytes(16, 0x11);
        ike::MessageBuilder third;
        third.add(ike::PayloadType::KeyExchange, pair_.public_value);
        third.add(ike::PayloadType::Nonce, nonce_i_);
        if (options_.behind_nat) {
            third.add(ike::PayloadType::NatDiscovery,
                      ike::nat_discovery_hash(kHash, cookies_, {gateway_.address, port_}));
            third.add(ike::PayloadType::NatDiscovery, Bytes(32, 0xaa));
        }
        const auto fourth = exchange(third.clear(header(ike::ExchangeType::IdentityProtection)));
        if (!fourth)
            return false;
        const auto message = ike::parse_clear(*fourth); // borrows
        if (!message || message->find(ike::PayloadType::KeyExchange) == nullptr)
            return false;
        derive(*message);
        if (options_.behind_nat)
            port_ = 4500;
        return prove();
    }

    /// The next message of a transaction that waits here; nothing when none does.
    std::optional<ConfigMessageReceived> config() {
        settle();
        while (true) {
            const auto next = std::ranges::find_if(inbox_, [](const Bytes& datagram) {
                return ike::parse_header(datagram)->exchange == ike::ExchangeType::Transaction;
            });
            if (next == inbox_.end())
                return std::nullopt;
            const Bytes datagram = *next;
            inbox_.erase(next);
            if (opened_.insert(datagram).second)
                return open(datagram);
        }
    }

    /// Answers with what `writer` holds, in the exchange of `question`.
    void answer(const ConfigMessageReceived& question, ike::ConfigWriter writer) {
        send_config(question.id, writer.take());
    }

    void log_in(const ConfigMessageReceived& question, const char* user, const char* password) {
        answer(question,
               ike::ConfigWriter{ike::ConfigMessage::Reply, question.identifier}
                   .add_short(ike::ConfigAttribute::XauthType, 0)
                   .add(ike::ConfigAttribute::XauthUserName, user)
                   .add(ike::ConfigAttribute::XauthUserPassword, password));
    }

    void acknowledge(const ConfigMessageReceived& set) {
        answer(set,
               ike::ConfigWriter{ike::ConfigMessage::Ack, set.identifier}.add_short(
                   ike::ConfigAttribute::XauthStatus, 1));
    }

    /// The whole login, with one try. True when the gateway lets us in.
    bool log_in(const char* user, const char* password) {
        const auto question = config();
        if (!question || !question->has(ike::ConfigAttribute::XauthUserName))
            return false;
        log_in(*question, user, password);
        const auto status = config();
        if (!status || status->value(ike::ConfigAttribute::XauthStatus) != Bytes{0, 1})
            return false;
        acknowledge(*status);
        settle();
        return true;
    }

    /// Asks for these; the answer, when there is one.
    std::optional<ConfigMessageReceived> request(std::initializer_list<ike::ConfigAttribute> types,
                                                 std::optional<Ipv4Address> wanted = {}) {
        ike::ConfigWriter question{ike::ConfigMessage::Request, 7};
        for (const ike::ConfigAttribute type : types)
            if (type == ike::ConfigAttribute::InternalIp4Address && wanted)
                question.add(type, *wanted);
            else
                question.add(type, ByteView{});
        send_config(MessageId{rng_.u32() | 1}, question.take());
        return config();
    }

    /// Message 1 of quick mode from `inner` to everything. Its id.
    MessageId quick_mode(Ipv4Address inner) {
        const MessageId id{rng_.u32() | 1};
        const std::vector<ike::Phase2Transform> transforms = {
            {"TS", EspCipher::AesCbc256, EspMac::HmacSha256_128, false}};
        const ike::Phase2Terms terms{transforms,
                                     std::nullopt,
                                     std::chrono::seconds{3'600},
                                     0,
                                     options_.behind_nat ? ike::NatVersion::Rfc3947
                                                         : ike::NatVersion::None};
        ike::MessageBuilder message;
        message.add(ike::PayloadType::Hash, {});
        message.add(ike::PayloadType::SecurityAssociation,
                    ike::offer_phase2(terms, Spi{rng_.u32() | 0x100}));
        message.add(ike::PayloadType::Nonce, kQuickNonce);
        message.add(ike::PayloadType::Identification,
                    ike::build_identity(ike::client_identity({Ipv4Range::host(inner), 0, {}})));
        message.add(
            ike::PayloadType::Identification,
            ike::build_identity(ike::client_identity({Ipv4Range::of({Ipv4Address{}, 0}), 0, {}})));
        send_sealed(ike::ExchangeType::QuickMode, id, std::move(message));
        return id;
    }

    /// Message 3, when message 2 has come; false when it has not.
    bool finish_quick_mode(MessageId id) {
        settle();
        const auto second = std::ranges::find_if(inbox_, [&](const Bytes& datagram) {
            const auto head = ike::parse_header(datagram);
            return head->exchange == ike::ExchangeType::QuickMode && head->message_id == id;
        });
        if (second == inbox_.end())
            return false;
        Bytes datagram = *second;
        const Bytes ciphertext(datagram.begin() + ike::kHeaderBytes, datagram.end());
        const auto message = ike::parse_encrypted(datagram, chain_of(id), key_.view());
        if (!message || message->find(ike::PayloadType::Nonce) == nullptr ||
            !chain_of(id).accept(ciphertext))
            return false;
        const Bytes nonce_r = to_bytes(message->find(ike::PayloadType::Nonce)->body);
        ike::MessageBuilder third;
        third.add(
            ike::PayloadType::Hash,
            to_bytes(ike::hash_3(kHash, keys_.skeyid_a.view(), id, {kQuickNonce, nonce_r}).view()));
        send(third.encrypted(header(ike::ExchangeType::QuickMode, id), chain_of(id), key_.view()));
        return true;
    }

    /// Datagrams of an exchange that wait here.
    std::size_t waiting(ike::ExchangeType exchange) {
        settle();
        return static_cast<std::size_t>(std::ranges::count_if(inbox_, [&](const Bytes& datagram) {
            return ike::parse_header(datagram)->exchange == exchange;
        }));
    }

    /// DELETE of the ISAKMP SA.
    void leave() {
        ike::MessageBuilder message;
        message.add(ike::PayloadType::Hash, {});
        message.add(ike::PayloadType::Delete,
                    ike::build_delete(ike::ProtocolId::Isakmp, {ike::cookies_as_spi(cookies_)}));
        send_sealed(
            ike::ExchangeType::Informational, MessageId{rng_.u32() | 1}, std::move(message));
        settle();
    }

    void forget_inbox() { inbox_.clear(); }

    /// For replays: the last datagram sent.
    [[nodiscard]] const Bytes& last_sent() const { return last_sent_; }

    void send(const Bytes& datagram) {
        last_sent_ = datagram;
        network_.give_datagram(gateway_, own_, port_, datagram);
    }

  private:
    static inline std::uint64_t made_{0};
    static inline const Bytes kQuickNonce = Bytes(16, 0x22);
    static constexpr ike::HashAlgorithm kHash = ike::HashAlgorithm::Sha256;
    static constexpr ike::CipherAlgorithm kCipher = ike::CipherAlgorithm::AesCbc256;
    static constexpr ike::Group kGroup = ike::Group::Ecp256;

    void settle() { network_.run_for(std::chrono::milliseconds{20}); }

    std::optional<Bytes> exchange(const Bytes& datagram) {
        inbox_.clear();
        send(datagram);
        settle();
        if (inbox_.empty())
            return std::nullopt;
        const Bytes answer = inbox_.front();
        inbox_.pop_front();
        return answer;
    }

    [[nodiscard]] ike::Header header(ike::ExchangeType exchange, MessageId id = {}) const {
        ike::Header head;
        head.cookies = cookies_;
        head.exchange = exchange;
        head.message_id = id;
        return head;
    }

    [[nodiscard]] Bytes offer() const {
        Writer attributes;
        ike::write_attribute(attributes, 1, 7); // AES-CBC
        ike::write_attribute(attributes, 14, 256);
        ike::write_attribute(attributes, 2, 4);  // SHA2-256
        ike::write_attribute(attributes, 4, 19); // ECP-256
        ike::write_attribute(attributes, 3, ike::to_wire(options_.method));
        return ike::build_sa(
            {{1, ike::ProtocolId::Isakmp, {}, {{1, 1, std::move(attributes).take()}}}});
    }

    void derive(const ike::Message& fourth) {
        const Bytes g_xr = to_bytes(fourth.find(ike::PayloadType::KeyExchange)->body);
        nonce_r_ = to_bytes(fourth.find(ike::PayloadType::Nonce)->body);
        const SecretBuffer g_xy = std::move(*ike::dh_agree(kGroup, pair_.private_key.view(), g_xr));
        keys_ = ike::derive_skeyids(
            kHash,
            ike::skeyid_of_pre_shared_key(kHash, as_bytes(psk_), {nonce_i_, nonce_r_}),
            g_xy.view(),
            cookies_);
        key_ = ike::encryption_key(kHash, kCipher, keys_.skeyid_e.view());
        chain_.emplace(ike::IvChain::phase1(kHash, kCipher, pair_.public_value, g_xr));
        g_xr_ = g_xr;
    }

    bool prove() {
        const Bytes identity = ike::build_identity(ike::identity_of(own_.address));
        ike::MessageBuilder fifth;
        fifth.add(ike::PayloadType::Identification, identity);
        const ike::Phase1Transcript transcript{cookies_, pair_.public_value, g_xr_, sai_b_};
        fifth.add(ike::PayloadType::Hash,
                  to_bytes(ike::hash_i(kHash, keys_.skeyid.view(), transcript, identity).view()));
        if (options_.initial_contact)
            fifth.add(ike::PayloadType::Notification,
                      ike::build_notification({ike::ProtocolId::Isakmp,
                                               ike::NotifyType::InitialContact,
                                               ike::cookies_as_spi(cookies_),
                                               {}}));
        auto sixth = exchange(
            fifth.encrypted(header(ike::ExchangeType::IdentityProtection), *chain_, key_.view()));
        if (!sixth || ike::parse_header(*sixth)->exchange != ike::ExchangeType::IdentityProtection)
            return false;
        const Bytes ciphertext(sixth->begin() + ike::kHeaderBytes, sixth->end());
        const auto message = ike::parse_encrypted(*sixth, *chain_, key_.view());
        if (!message || message->find(ike::PayloadType::Hash) == nullptr)
            return false;
        return chain_->accept(ciphertext).has_value();
    }

    ike::IvChain& chain_of(MessageId id) {
        const auto known = chains_.find(id);
        return known != chains_.end() ? known->second
                                      : chains_.emplace(id, chain_->phase2(id)).first->second;
    }

    std::optional<ConfigMessageReceived> open(Bytes datagram) {
        const ike::Header head = *ike::parse_header(datagram);
        const Bytes ciphertext(datagram.begin() + ike::kHeaderBytes, datagram.end());
        ike::IvChain& chain = chain_of(head.message_id);
        const auto message = ike::parse_encrypted(datagram, chain, key_.view());
        if (!message || message->find(ike::PayloadType::Attributes) == nullptr ||
            !chain.accept(ciphertext))
            return std::nullopt;
        const auto payload =
            ike::parse_config_payload(message->find(ike::PayloadType::Attributes)->body);
        if (!payload)
            return std::nullopt;
        ConfigMessageReceived received{head.message_id, payload->message, payload->identifier, {}};
        for (const ike::ConfigAttributeView& attribute : payload->attributes)
            received.attributes.emplace(attribute.type, to_bytes(attribute.value));
        return received;
    }

    void send_config(MessageId id, Bytes attributes) {
        ike::MessageBuilder message;
        message.add(ike::PayloadType::Hash, {});
        message.add(ike::PayloadType::Attributes, std::move(attributes));
        send_sealed(ike::ExchangeType::Transaction, id, std::move(message));
    }

    /// Element 0 is the HASH to be made.
    void send_sealed(ike::ExchangeType exchange, MessageId id, ike::MessageBuilder message) {
        message.set(
            0, to_bytes(ike::hash_1(kHash, keys_.skeyid_a.view(), id, message.chain(1)).view()));
        send(message.encrypted(header(exchange, id), chain_of(id), key_.view()));
    }

    Network& network_;
    Gateway& gateway_;
    Endpoint own_;
    std::string psk_;
    Options options_;
    SeededRng rng_;
    std::uint16_t port_{500};
    ike::CookiePair cookies_;
    Bytes sai_b_, nonce_i_, nonce_r_, g_xr_;
    ike::DhKeyPair pair_;
    ike::Skeyids keys_;
    SecretBuffer key_;
    std::optional<ike::IvChain> chain_;
    std::map<MessageId, ike::IvChain> chains_;
    std::deque<Bytes> inbox_;
    std::set<Bytes> opened_; // what comes again is a retransmission
    Bytes last_sent_;
};

} // namespace adit::test
