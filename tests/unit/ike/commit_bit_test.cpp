// SPDX-License-Identifier: Apache-2.0
// The commit bit (RFC 2408 3.1): an initiator whose peer sets it uses the outbound SA after
// CONNECTED, or when the peer has had time enough. Both ends are sessions that share an ISAKMP SA.
#include "control/ike/rows.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFlagsAt = 19;

Bytes key_of(std::uint8_t octet) {
    return Bytes(32, octet);
}

class CommitBit : public ::testing::Test {
  protected:
    struct End {
        EngineConfig config;
        Session session;
        test::CountingSpis spis;
        test::CountingPolicies policies;
        RuntimeFlows flows{policies};
        IdSource ids;
        EngineCounters counters;
        AddressPools pools;
        test::SeededRng rng{0};
        std::vector<Output> outputs;
    };

    void SetUp() override { use({}); }

    void use(std::optional<Group> pfs) {
        establish(initiator, test::left_config(), Role::Initiator, test::kLeft, test::kRight, pfs);
        establish(responder, test::right_config(), Role::Responder, test::kRight, test::kLeft, pfs);
    }

    static void establish(End& end,
                          EngineConfig config,
                          Role role,
                          Ipv4Address local,
                          Ipv4Address remote,
                          std::optional<Group> pfs) {
        end.config = std::move(config);
        end.config.connections.front().pfs = pfs;
        const Phase1Policy policy = end.config.phase1.front();
        Session session;
        session.role = role;
        session.cookies = {Cookie{0x1111}, Cookie{0x2222}};
        session.local = {local, kIkePort};
        session.remote = {remote, kIkePort};
        session.leg.state = State::Established;
        session.data = std::unique_ptr<Secured>(
            new Secured{.policy = policy,
                        .skeyid_d = SecretBuffer{key_of(0xd)},
                        .skeyid_a = SecretBuffer{key_of(0xa)},
                        .cipher_key = SecretBuffer{key_of(0xe)},
                        .iv = IvChain::phase1(policy.hash, policy.cipher, key_of(1), key_of(2)),
                        .identity = identity_of(remote),
                        .peer_identity = to_string(remote),
                        .psk = end.config.keys.front().key,
                        .since = Instant{},
                        .rekey_at = Instant{} + 24h,
                        .expires = Instant{} + 24h});
        end.session = std::move(session);
        end.rng = test::SeededRng{role == Role::Initiator ? 1U : 2U};
    }

    void run(End& end, SessionEvent event) {
        Environment env{
            end.config, now, end.rng, end.spis, end.flows, end.ids, end.counters, end.pools, {}};
        Step result = step(std::move(end.session), std::move(event), env);
        end.session = std::move(result.session);
        end.outputs = std::move(result.outputs);
        // Diffie-Hellman takes no time here.
        for (Output& output : end.outputs)
            if (auto* job = std::get_if<StartJob>(&output))
                return run(end, SessionEvent{ike::run(job->job, end.rng)});
    }

    void deliver(End& to, Bytes datagram) {
        run(to, Arrival{to.session.local, to.session.remote, std::move(datagram)});
    }

    static Bytes sent_by(const End& end) {
        for (const Output& output : end.outputs)
            if (const auto* send = std::get_if<SendDatagram>(&output))
                return send->payload;
        ADD_FAILURE() << "nothing was sent";
        return Bytes(28);
    }

    static bool uses_outbound(const End& end) {
        return std::ranges::any_of(end.outputs, [](const Output& output) {
            return std::holds_alternative<OutboundReady>(output);
        });
    }

    /// Up to message 3, message 2 with these flags added.
    void exchange(std::uint8_t flags) {
        run(initiator, StartQuickMode{{"VPNMAP 10", PolicyId{0}}});
        deliver(responder, sent_by(initiator));
        Bytes answer = sent_by(responder);
        answer[kFlagsAt] |= flags;
        deliver(initiator, answer);
        deliver(responder, sent_by(initiator));
        EXPECT_TRUE(uses_outbound(responder));
    }

    /// A protected notification; `chain` as the kind of exchange has it.
    Bytes notification(ExchangeType exchange, NotifyType type, IvChain chain) const {
        const Secured& keys = *responder.session.secured();
        const MessageId id = responder.session.quick_modes.front()->id;
        MessageBuilder rest;
        rest.add(PayloadType::Notification, build_notification({ProtocolId::Esp, type, {}, {}}));
        MessageBuilder message;
        message
            .add(PayloadType::Hash,
                 to_bytes(hash_1(keys.policy.hash, keys.skeyid_a.view(), id, rest.chain()).view()))
            .append(rest);
        Header header;
        header.cookies = responder.session.cookies;
        header.exchange = exchange;
        header.message_id = id;
        return message.encrypted(header, chain, keys.cipher_key.view());
    }

    Bytes as_quick_mode(NotifyType type = NotifyType::Connected) const {
        return notification(
            ExchangeType::QuickMode, type, responder.session.quick_modes.front()->iv);
    }

    Bytes as_informational(NotifyType type = NotifyType::Connected) const {
        const MessageId id = responder.session.quick_modes.front()->id;
        return notification(
            ExchangeType::Informational, type, responder.session.secured()->iv.phase2(id));
    }

    Instant now{std::chrono::hours{1}};
    End initiator;
    End responder;
};

TEST_F(CommitBit, WithoutItOutboundIsUsedAtOnce) {
    run(initiator, StartQuickMode{{"VPNMAP 10", PolicyId{0}}});
    deliver(responder, sent_by(initiator));
    deliver(initiator, sent_by(responder));
    EXPECT_TRUE(uses_outbound(initiator));
}

TEST_F(CommitBit, HoldsOutboundUntilConnected) {
    for (const auto pfs : {std::optional<Group>{}, std::optional{Group::Ecp256}})
        for (const bool informational : {false, true}) {
            use(pfs);
            exchange(kFlagCommit);
            EXPECT_FALSE(uses_outbound(initiator));
            EXPECT_EQ(initiator.session.quick_modes.front()->leg.state, State::QmInitiatorQm3);
            deliver(initiator, informational ? as_informational() : as_quick_mode());
            EXPECT_TRUE(uses_outbound(initiator)) << "informational " << informational;
            EXPECT_EQ(initiator.session.quick_modes.front()->leg.state, State::QmDone);
        }
}

TEST_F(CommitBit, OtherWordsDoNotEndTheWait) {
    exchange(kFlagCommit);
    deliver(initiator, as_quick_mode(NotifyType::ReplayStatus));
    EXPECT_FALSE(uses_outbound(initiator));
    deliver(initiator, as_informational(NotifyType::ReplayStatus));
    EXPECT_FALSE(uses_outbound(initiator));
    Bytes forged = as_quick_mode();
    forged.back() ^= 1;
    deliver(initiator, forged);
    EXPECT_FALSE(uses_outbound(initiator));
    deliver(initiator, as_informational());
    EXPECT_TRUE(uses_outbound(initiator));
}

TEST_F(CommitBit, EndsByItselfAfterAWhile) {
    exchange(kFlagCommit);
    now += kCommitLimit - 1ms;
    run(initiator, Tick{});
    EXPECT_FALSE(uses_outbound(initiator));
    now += 1ms;
    run(initiator, Tick{});
    EXPECT_TRUE(uses_outbound(initiator));
}

TEST_F(CommitBit, MessageTwoAgainIsAnsweredWithMessageThree) {
    run(initiator, StartQuickMode{{"VPNMAP 10", PolicyId{0}}});
    deliver(responder, sent_by(initiator));
    Bytes answer = sent_by(responder);
    answer[kFlagsAt] |= kFlagCommit;
    deliver(initiator, answer);
    const Bytes third = sent_by(initiator);
    now += kAnswerGap;
    deliver(initiator, answer);
    EXPECT_EQ(sent_by(initiator), third);
    EXPECT_FALSE(uses_outbound(initiator));
}

TEST_F(CommitBit, ConnectedWithoutItChangesNothing) {
    exchange(0);
    deliver(initiator, as_informational());
    EXPECT_FALSE(uses_outbound(initiator)) << "once is enough";
}

/// Headers are not authenticated: anybody on the way can set the bit everywhere.
TEST(CommitBitEverywhere, DelaysAndNothingElse) {
    test::Network network{5};
    test::Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
    test::Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
    network.tap = [&](const SendDatagram& send) {
        Bytes payload = send.payload;
        payload[kFlagsAt] |= kFlagCommit;
        network.give_datagram(
            send.remote.address == test::kLeft ? a : b, send.local, send.remote.port, payload);
        return false;
    };
    network.give(a, test::initiate());
    network.run_for(3s);
    EXPECT_EQ(b.installed.size(), 2U);
    EXPECT_EQ(a.installed.size(), 1U) << "outbound waits";
    network.run_for(kCommitLimit);
    EXPECT_EQ(a.installed.size(), 2U);
    EXPECT_EQ(a.engine.isakmp_sas().size(), 1U);
}

} // namespace
} // namespace adit::ike
