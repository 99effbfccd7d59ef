// SPDX-License-Identifier: Apache-2.0
// Leases: who gets which address, when it is free again, and what a new configuration keeps.
#include "control/ike/address_pool.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

constexpr Ipv4Address address(std::uint8_t last) {
    return {10, 9, 0, last};
}

class Pools : public ::testing::Test {
  protected:
    Pools() { pools.configure({{"P", {address(1), address(3)}}}); }

    AddressLeasePtr
    lend(const char* user, const char* device = "", std::optional<Ipv4Address> wanted = {}) {
        auto lease = pools.lend({"P", "G", user, device, wanted});
        return lease ? *lease : nullptr;
    }

    AddressPools pools;
};

TEST_F(Pools, LendsInOrderUntilNothingIsLeft) {
    const AddressLeasePtr a = lend("ann");
    const AddressLeasePtr b = lend("bob");
    const AddressLeasePtr c = lend("cid");
    EXPECT_EQ(a->address, address(1));
    EXPECT_EQ(b->address, address(2));
    EXPECT_EQ(c->address, address(3));
    const auto none = pools.lend({"P", "G", "dan", "", {}});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::Exhausted);
    EXPECT_EQ(pools.view().front().in_use, 3U);
    EXPECT_EQ(pools.view().front().exhausted, 1U);
}

TEST_F(Pools, UnknownPoolIsNamed) {
    const auto none = pools.lend({"Q", "G", "ann", "", {}});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::NotFound);
}

TEST_F(Pools, IsFreeWhenTheLastHolderLetsGo) {
    AddressLeasePtr session = lend("ann");
    AddressLeasePtr child = session;
    session.reset();
    EXPECT_EQ(pools.view().front().in_use, 1U);
    child.reset();
    EXPECT_EQ(pools.view().front().in_use, 0U);
}

TEST_F(Pools, SameUserGetsTheSameAddressAgain) {
    AddressLeasePtr a = lend("ann");
    AddressLeasePtr b = lend("bob");
    a.reset();
    b.reset();
    EXPECT_EQ(lend("bob")->address, address(2));
    EXPECT_EQ(lend("ann")->address, address(1));
}

TEST_F(Pools, AnothersAddressIsTakenOnlyWhenNoOtherIsFree) {
    lend("ann").reset();
    lend("bob").reset();
    const AddressLeasePtr c = lend("cid");
    EXPECT_EQ(c->address, address(3));
    const AddressLeasePtr d = lend("dan");
    EXPECT_EQ(d->address, address(1));
    // It was ann's, and dan has it: she gets bob's old one.
    EXPECT_EQ(lend("ann")->address, address(2));
}

TEST_F(Pools, OneDeviceHasOneLeaseAndTwoDevicesHaveTwo) {
    const AddressLeasePtr phone = lend("ann", "phone");
    EXPECT_EQ(lend("ann", "phone"), phone);
    const AddressLeasePtr laptop = lend("ann", "laptop");
    EXPECT_NE(laptop->address, phone->address);
    EXPECT_EQ(pools.leases().size(), 2U);
}

TEST_F(Pools, WhoProvesItselfAnewKeepsItsAddressFromWhereverItComes) {
    const AddressLeasePtr before = lend("ann", "192.0.2.9:4500");
    EXPECT_EQ(lend("ann", "192.0.2.9:61000", before->address), before);
    // Of another user's address nothing can be had by asking for it.
    const AddressLeasePtr bob = lend("bob", "192.0.2.9:62000", before->address);
    EXPECT_NE(bob->address, before->address);
}

TEST_F(Pools, NewRangeNeverLendsTwice) {
    const AddressLeasePtr a = lend("ann");
    const AddressLeasePtr b = lend("bob");
    pools.configure({{"Q", {address(2), address(9)}}});
    EXPECT_FALSE(pools.lend({"P", "G", "cid", "", {}}));
    EXPECT_EQ((*pools.lend({"Q", "G", "cid", "", {}}))->address, address(3));
    EXPECT_EQ(pools.view().front().in_use, 1U) << "bob's; cid's was returned at once";
}

TEST_F(Pools, SameRangeKeepsItsMemory) {
    lend("ann").reset();
    const AddressLeasePtr b = lend("bob");
    pools.configure({{"P", {address(1), address(3)}}, {"Q", {address(20), address(29)}}});
    EXPECT_EQ(lend("ann")->address, address(1));
    EXPECT_EQ(b->address, address(2));
}

TEST_F(Pools, ChurnOfManyUsersStaysBounded) {
    for (int round = 0; round < 1'000; ++round) {
        const AddressLeasePtr lease = lend(("user" + std::to_string(round)).c_str());
        ASSERT_NE(lease, nullptr);
    }
    const AddressLeasePtr a = lend("ann");
    const AddressLeasePtr b = lend("bob");
    const AddressLeasePtr c = lend("cid");
    EXPECT_NE(c, nullptr);
    EXPECT_EQ(lend("dan"), nullptr);
}

} // namespace
} // namespace adit::ike
