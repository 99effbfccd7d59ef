// SPDX-License-Identifier: Apache-2.0
// What a responder keeps for a first message of main mode, and that it is enough to go on.
#include "control/ike/half_open.h"
#include "tests/support/ike_network.h"
#include "tests/support/work_meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

/// Of a session that was answered at second 100.
Session answered() {
    Session session;
    session.id = SessionId{7};
    session.role = Role::Responder;
    session.cookies = {Cookie{1}, Cookie{2}};
    session.local = {test::kRight, 500};
    session.remote = {test::kLeft, 1025};
    session.configured = true;
    session.vendors.insert(3);
    session.nat.version = NatVersion::Rfc3947;
    session.evidence.heard = true;
    session.created = Instant{100s};
    session.data = Agreed{{.priority = 10, .hash = HashAlgorithm::Sha384, .lifetime = 5'000s},
                          std::make_shared<const Bytes>(Bytes{1, 2, 3})};
    session.leg.state = State::ResponderMm2;
    session.leg.timer = TimerRule::Wait;
    session.leg.due = Instant{100s + kWaitLimit};
    session.leg.sent_at = Instant{103s};
    session.leg.sent = {4, 5, 6};
    session.leg.answered.front() = 99;
    return session;
}

TEST(HalfOpen, GivesTheSameSessionBack) {
    ASSERT_TRUE(HalfOpen::fits(answered()));
    const Session back = HalfOpen{answered()}.session(SessionId{7});
    const Session before = answered();
    EXPECT_TRUE(HalfOpen::fits(back));
    EXPECT_EQ(back.id, before.id);
    EXPECT_EQ(back.role, before.role);
    EXPECT_EQ(back.cookies, before.cookies);
    EXPECT_EQ(back.local, before.local);
    EXPECT_EQ(back.remote, before.remote);
    EXPECT_TRUE(back.configured);
    EXPECT_TRUE(back.vendors.contains(3));
    EXPECT_EQ(back.nat.version, before.nat.version);
    EXPECT_EQ(back.created, before.created);
    EXPECT_EQ(back.leg.sent_at, before.leg.sent_at);
    EXPECT_EQ(back.leg.sent, before.leg.sent);
    EXPECT_EQ(back.leg.answered, before.leg.answered);
    EXPECT_EQ(deadline(back), deadline(before));
    const auto& agreed = std::get<Agreed>(back.data);
    EXPECT_EQ(agreed.policy.hash, HashAlgorithm::Sha384);
    EXPECT_EQ(agreed.policy.lifetime, 5'000s);
    EXPECT_EQ(*agreed.sai_b, (Bytes{1, 2, 3}));
}

TEST(HalfOpen, IsForNothingThatHasGoneOnOrIsInDoubt) {
    const auto unfit = [](const auto& change) {
        Session session = answered();
        change(session);
        return !HalfOpen::fits(session);
    };
    EXPECT_TRUE(unfit([](Session& s) { s.leg.state = State::ResponderMm3Dh; }));
    EXPECT_TRUE(unfit([](Session& s) { s.leg.due -= 1s; })) << "hastened";
    EXPECT_TRUE(unfit([](Session& s) { s.leg.answered.back() = 5; })) << "a refused message";
    EXPECT_TRUE(unfit([](Session& s) { s.evidence.judged = true; }));
    EXPECT_TRUE(unfit([](Session& s) { s.evidence.refused = NotifyType::NoProposalChosen; }));
    EXPECT_TRUE(unfit([](Session& s) { s.data = std::monostate{}; }));
}

class HalfOpenTable : public ::testing::Test {
  protected:
    HalfOpenTable() {
        EngineConfig theirs = test::right_config();
        theirs.keys.push_back({*parse_ipv4_prefix("0.0.0.0/0"), test::secret("anyone")});
        b = &network.add("right", test::kRight, theirs, 2);
        network.tap = [&](const SendDatagram& send) {
            if (first.empty() && send.local.address == test::kLeft)
                first = send.payload;
            return false;
        };
        Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
        network.give(a, test::initiate());
    }

    /// A first message as a gateway sends it, under a cookie of its own.
    void begin(std::uint32_t number, Ipv4Address from = test::kLeft) {
        store_be(first.data(), std::uint64_t{number} + 1);
        network.give_datagram(*b, {from, 500}, 500, first);
    }

    /// Octets of memory for each.
    std::size_t cost(std::uint32_t count, const std::function<void(std::uint32_t)>& prepare) {
        begin(count); // what is made once is not theirs
        const test::WorkMeter meter;
        for (std::uint32_t i = 0; i < count; ++i) {
            prepare(i);
            begin(i);
        }
        EXPECT_EQ(b->engine.isakmp_sas().size(), count + 1);
        return meter.done().held / count;
    }

    Network network{5};
    Gateway* b{nullptr};
    Bytes first;
};

constexpr std::uint32_t kMany = 20'000;

TEST_F(HalfOpenTable, CostsNoMoreThanHalfAKilobyteEach) {
    const std::size_t octets = cost(kMany, [](std::uint32_t) {});
    EXPECT_LE(octets, 512U) << octets << " octets; message 1 has " << first.size();
    RecordProperty("octets", static_cast<int>(octets));
}

/// Nothing is shared when each asks for another lifetime.
TEST_F(HalfOpenTable, CostsLittleMoreWhenNoTwoOffersAreAlike) {
    const auto lifetime = std::ranges::search(first, std::array<std::uint8_t, 4>{0, 1, 0x51, 0x80});
    ASSERT_FALSE(lifetime.empty()) << "86400 seconds";
    const auto place = lifetime.begin() - first.begin();
    const std::size_t octets = cost(
        kMany, [&](std::uint32_t number) { store_be(first.data() + place, 0x10000 + number); });
    EXPECT_LE(octets, 768U) << octets << " octets";
}

TEST_F(HalfOpenTable, IsEmptyWhenTheirTimeIsUp) {
    for (std::uint32_t i = 0; i < 100; ++i) {
        begin(i);
        network.run_for(100ms);
    }
    EXPECT_EQ(b->engine.isakmp_sas().size(), 100U);
    network.run_for(kWaitLimit - 5s);
    EXPECT_EQ(b->engine.isakmp_sas().size(), 50U) << "the oldest go first";
    network.run_for(10s);
    EXPECT_TRUE(b->is_empty());
}

TEST_F(HalfOpenTable, OperatorAndConfigurationEndThem) {
    begin(0);
    begin(1, {198, 51, 100, 7});
    network.give(*b, ClearPhase1{test::kLeft, std::nullopt});
    EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
    EngineConfig other = b->config;
    other.phase1.front().cipher = CipherAlgorithm::AesCbc128;
    network.give(*b, Reconfigure{std::make_shared<const EngineConfig>(other)});
    EXPECT_TRUE(b->is_empty());
}

} // namespace
} // namespace adit::ike
