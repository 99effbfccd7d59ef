// SPDX-License-Identifier: Apache-2.0
#include "control/runtime_policies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace adit {
namespace {

/// One dynamic entry without an access list.
Provision provision() {
    auto engine = std::make_shared<ike::EngineConfig>();
    ike::Connection connection;
    connection.name = "DYN";
    connection.dynamic = ike::DynamicEntry{"DYN", 10};
    engine->connections.push_back(connection);
    Provision made;
    made.engine = engine;
    made.dynamic_entries["DYN"] = {InterfaceIndex{1}, 7, 70};
    return made;
}

ike::AddPolicyAction claim(PolicyId policy, const char* connection = "DYN") {
    return {policy, connection, {}};
}

class RuntimePoliciesTest : public ::testing::Test {
  protected:
    RuntimePoliciesTest() { numbers.set_limit(kLimit); }

    static constexpr std::uint32_t kLimit = 20'000;

    PolicyNumbers numbers;
    std::set<PolicyId> with_sas;
    std::set<PolicyId> freed;
    RuntimePolicies policies{
        numbers,
        {.has_sas = [this](PolicyId policy) { return with_sas.contains(policy); },
         .freed = [this](PolicyId policy) { freed.insert(policy); }}};
};

TEST_F(RuntimePoliciesTest, NumberIsFreeOnceRowAndSasAreGone) {
    numbers.set_limit(1);
    const PolicyId policy = policies.allocate().value();
    ASSERT_TRUE(policies.add(claim(policy), provision()));
    with_sas.insert(policy);
    EXPECT_TRUE(policies.remove(policy));
    EXPECT_FALSE(policies.allocate()) << "the row may still be there";
    policies.acknowledged(policy);
    EXPECT_FALSE(policies.allocate()) << "an SA of it is in a worker";
    with_sas.clear();
    EXPECT_EQ(policies.allocate(), policy);
    EXPECT_TRUE(freed.contains(policy));
}

TEST_F(RuntimePoliciesTest, NumberOfALineIsNotTakenWhileItsSasAreThere) {
    numbers.set_limit(1);
    const PolicyId line = numbers.number("line");
    with_sas.insert(line);
    numbers.forget_others({});
    EXPECT_FALSE(policies.allocate());
    with_sas.clear();
    EXPECT_EQ(policies.allocate(), line);
}

TEST_F(RuntimePoliciesTest, LinesAndClaimsNeverShareANumber) {
    std::set<PolicyId> given;
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(given.insert(numbers.number("line " + std::to_string(i))).second);
        EXPECT_TRUE(given.insert(policies.allocate().value()).second);
    }
}

TEST_F(RuntimePoliciesTest, EntryThatIsGoneHasNoRow) {
    const PolicyId policy = policies.allocate().value();
    EXPECT_FALSE(policies.add(claim(policy, "OTHER"), provision()));
    EXPECT_FALSE(policies.remove(policy)) << "the dataplane never heard of it";
}

TEST_F(RuntimePoliciesTest, PublicationRepeatsWhatTheDataplaneHas) {
    const PolicyId policy = policies.allocate().value();
    ASSERT_TRUE(policies.add(claim(policy), provision()));
    ASSERT_EQ(policies.rows(provision()).size(), 1U);
    EXPECT_EQ(policies.rows(provision())[0].policy, policy.value);
    Provision without;
    without.engine = std::make_shared<ike::EngineConfig>();
    EXPECT_TRUE(policies.rows(without).empty());
    EXPECT_FALSE(policies.remove(policy)) << "it went with the publication";
}

TEST_F(RuntimePoliciesTest, AnotherDataplaneHasNoneOfThem) {
    numbers.set_limit(2);
    const PolicyId stays = policies.allocate().value();
    const PolicyId leaves = policies.allocate().value();
    ASSERT_TRUE(policies.add(claim(stays), provision()));
    ASSERT_TRUE(policies.add(claim(leaves), provision()));
    EXPECT_TRUE(policies.remove(leaves));
    policies.start_over(); // its answer will never come
    EXPECT_TRUE(policies.rows(provision()).empty());
    EXPECT_EQ(policies.allocate(), leaves);
    EXPECT_FALSE(policies.remove(stays));
    EXPECT_EQ(policies.allocate(), stays);
}

TEST_F(RuntimePoliciesTest, TenThousandComeAndGoManyTimes) {
    constexpr unsigned kPolicies = 10'000;
    for (unsigned round = 0; round < 5; ++round) {
        std::vector<PolicyId> given;
        for (unsigned i = 0; i < kPolicies; ++i) {
            given.push_back(policies.allocate().value());
            ASSERT_TRUE(policies.add(claim(given.back()), provision()));
        }
        EXPECT_EQ(policies.size(), kPolicies);
        std::ranges::sort(given);
        EXPECT_EQ(std::ranges::adjacent_find(given), given.end());
        for (const PolicyId policy : given) {
            ASSERT_TRUE(policies.remove(policy));
            policies.acknowledged(policy);
        }
        EXPECT_EQ(policies.size(), 0U);
    }
}

TEST_F(RuntimePoliciesTest, RoutesFollowThePeerAndGoWithThePolicy) {
    Provision made = provision();
    made.dynamic_entries["DYN"].reverse_route = true;
    ipc::SetRoute way_out{};
    way_out.next_hop = 1;
    made.routes = {way_out};
    const PolicyId policy = policies.allocate().value();
    ike::AddPolicyAction action = claim(policy);
    action.selector.remote = Ipv4Range::host(Ipv4Address{10, 7, 0, 1});
    ASSERT_TRUE(policies.add(action, made));
    EXPECT_TRUE(policies.take_routes(policy).empty()) << "no SA yet";

    const Ipv4Address peer{198, 51, 100, 7};
    const auto first = policies.lead_to(policy, peer, made);
    EXPECT_TRUE(first.gone.empty());
    ASSERT_EQ(first.fresh.size(), 1U);
    EXPECT_EQ(first.fresh[0].next_hop, 1U);
    EXPECT_TRUE(policies.lead_to(policy, peer, made).fresh.empty()) << "a rekey changes nothing";

    made.routes[0].next_hop = 2;
    const auto second = policies.lead_to(policy, peer, made);
    ASSERT_EQ(second.gone.size(), 1U);
    EXPECT_EQ(second.gone[0].next_hop, 1U);
    ASSERT_EQ(second.fresh.size(), 1U);
    EXPECT_EQ(policies.routes(made).size(), 1U);
    EXPECT_EQ(policies.take_routes(policy).size(), 1U);
    EXPECT_TRUE(policies.take_routes(policy).empty());
}

TEST_F(RuntimePoliciesTest, RoutesAreGoneWithTheDataplane) {
    Provision made = provision();
    made.dynamic_entries["DYN"].reverse_route = true;
    made.routes = {ipc::SetRoute{}};
    made.routes[0].next_hop = 1;
    const PolicyId policy = policies.allocate().value();
    ASSERT_TRUE(policies.add(claim(policy), made));
    ASSERT_FALSE(policies.lead_to(policy, Ipv4Address{198, 51, 100, 7}, made).fresh.empty());
    policies.start_over();
    EXPECT_TRUE(policies.routes(made).empty());
    EXPECT_TRUE(policies.take_routes(policy).empty());
}

} // namespace
} // namespace adit
