// SPDX-License-Identifier: Apache-2.0
#include "dataplane/sa_table.h"

#include "tests/support/esp_fixture.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace adit::dataplane {
namespace {

using ipc::AckResult;
using ipc::Direction;
using ipc::InstallSa;
using test::EspWorld;
using test::Suite;

constexpr Suite kGcm{EspCipher::AesGcm128, EspMac::None};
constexpr Suite kCbc{EspCipher::AesCbc256, EspMac::HmacSha256_128};

ipc::RemoveSa removal_of(const InstallSa& sa) {
    ipc::RemoveSa removal{};
    removal.sa_id = sa.sa_id;
    removal.slot = sa.slot;
    removal.direction = sa.direction;
    return removal;
}

TEST(SaTable, InstallsEverySoundSuiteInBothDirections) {
    EspWorld world;
    std::uint32_t slot = 0;
    for (const Suite suite : test::all_suites()) {
        EXPECT_TRUE(world.table.install(EspWorld::record(Direction::Inbound, suite, slot)).ok());
        EXPECT_TRUE(world.table.install(EspWorld::record(Direction::Outbound, suite, slot)).ok());
        ++slot;
    }
    EXPECT_EQ(world.table.size(), 2 * slot);
}

TEST(SaTable, RefusesEveryUnsoundSuite) {
    EspWorld world;
    for (const auto& cipher : kEspCiphers) {
        for (const auto& mac : kEspMacs) {
            if (is_sound(cipher.cipher, mac.mac))
                continue;
            const auto outcome = world.table.install(
                EspWorld::record(Direction::Inbound, {cipher.cipher, mac.mac}, 0));
            EXPECT_EQ(outcome.result, AckResult::UnsupportedAlgorithm)
                << cipher.config_name << " " << mac.config_name;
        }
    }
    EXPECT_EQ(world.table.size(), 0U);
}

ipc::AdoptSa adoption_of(const InstallSa& sa) {
    ipc::AdoptSa adoption{};
    adoption.sa_id = sa.sa_id;
    adoption.spi = sa.spi;
    adoption.slot = sa.slot;
    adoption.direction = sa.direction;
    return adoption;
}

TEST(SaTable, SasWithoutTheirControlGoUnlessTheNextOneAdoptsThem) {
    EspWorld world;
    std::vector<InstallSa> sas;
    for (const Direction direction : {Direction::Inbound, Direction::Outbound})
        for (std::uint32_t slot = 0; slot < 3; ++slot) {
            sas.push_back(EspWorld::record(direction, kGcm, slot));
            ASSERT_TRUE(world.table.install(sas.back()).ok());
        }
    world.table.forget_control();
    ASSERT_TRUE(world.table.adopt(adoption_of(sas[1])).ok());
    ASSERT_TRUE(world.table.adopt(adoption_of(sas[4])).ok());
    const InstallSa fresh = EspWorld::record(Direction::Inbound, kCbc, 5);
    ASSERT_TRUE(world.table.install(fresh).ok());
    world.table.remove_doubtful();
    EXPECT_EQ(world.table.size(), 3U);
    for (const InstallSa& kept : {sas[1], sas[4], fresh})
        EXPECT_TRUE(world.table.remove(removal_of(kept)).ok());
}

TEST(SaTable, AdoptsNothingButWhatIsMeant) {
    EspWorld world;
    const InstallSa sa = EspWorld::record(Direction::Inbound, kGcm, 1);
    ASSERT_TRUE(world.table.install(sa).ok());
    const auto refused = [&](const std::function<void(ipc::AdoptSa&)>& change) {
        ipc::AdoptSa adoption = adoption_of(sa);
        change(adoption);
        return world.table.adopt(adoption).result;
    };
    EXPECT_EQ(refused([](auto& adopt) { ++adopt.sa_id; }), AckResult::NoSuchSa);
    EXPECT_EQ(refused([](auto& adopt) { ++adopt.spi; }), AckResult::NoSuchSa);
    EXPECT_EQ(refused([](auto& adopt) { ++adopt.slot; }), AckResult::NoSuchSa);
    EXPECT_EQ(refused([](auto& adopt) { adopt.slot = EspWorld::kMaxSas; }), AckResult::NoSuchSa);
    EXPECT_EQ(refused([](auto& adopt) { adopt.direction = 1; }), AckResult::NoSuchSa);
    EXPECT_EQ(refused([](auto& adopt) { adopt.direction = 2; }), AckResult::BadValue);
}

struct BadField {
    const char* what;
    std::size_t offset;
    AckResult result;
    Direction direction;
    std::function<void(InstallSa&)> change;
};

TEST(SaTable, NamesTheFieldAtFault) {
    constexpr std::size_t selector = offsetof(InstallSa, selector);
    const BadField cases[] = {
        {"no id",
         offsetof(InstallSa, sa_id),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.sa_id = 0; }},
        {"reserved SPI",
         offsetof(InstallSa, spi),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.spi = 255; }},
        {"another worker's SPI",
         offsetof(InstallSa, spi),
         AckResult::WrongWorker,
         Direction::Inbound,
         [](InstallSa& sa) { sa.spi ^= 1; }},
        {"another slot's SPI",
         offsetof(InstallSa, spi),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.spi ^= 1U << kSpiWorkerBits; }},
        {"slot too high",
         offsetof(InstallSa, slot),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.slot = EspWorld::kMaxSas; }},
        {"unknown policy",
         offsetof(InstallSa, policy),
         AckResult::NoSuchPolicy,
         Direction::Outbound,
         [](InstallSa& sa) { sa.policy = EspWorld::kMaxPolicies; }},
        {"unspecified address",
         offsetof(InstallSa, local_address),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.local_address = 0; }},
        {"multicast peer",
         offsetof(InstallSa, remote_address),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.remote_address = 0xe0000001; }},
        {"broadcast peer",
         offsetof(InstallSa, remote_address),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.remote_address = 0xffffffff; }},
        {"ourselves as peer",
         offsetof(InstallSa, remote_address),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.remote_address = sa.local_address; }},
        {"one port only",
         offsetof(InstallSa, remote_port),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.local_port = 4500; }},
        {"direction",
         offsetof(InstallSa, direction),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.direction = 2; }},
        {"cipher",
         offsetof(InstallSa, cipher),
         AckResult::UnsupportedAlgorithm,
         Direction::Inbound,
         [](InstallSa& sa) { sa.cipher = 200; }},
        {"mac",
         offsetof(InstallSa, mac),
         AckResult::UnsupportedAlgorithm,
         Direction::Inbound,
         [](InstallSa& sa) { sa.mac = 200; }},
        {"transport mode for a network",
         selector + offsetof(ipc::SelectorRecord, local_first),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.flags = ipc::kSaTransportMode; }},
        {"transport mode to another host",
         selector + offsetof(ipc::SelectorRecord, remote_first),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) {
             sa.flags = ipc::kSaTransportMode;
             sa.selector.local_first = sa.selector.local_last = sa.local_address;
             sa.selector.remote_first = sa.selector.remote_last = sa.remote_address + 1;
         }},
        {"original address in tunnel mode",
         offsetof(InstallSa, original_remote),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.original_remote = 1; }},
        {"unknown flag",
         offsetof(InstallSa, flags),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.flags = 0x80; }},
        {"short key",
         offsetof(InstallSa, key_bytes),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { --sa.key_bytes; }},
        {"long key",
         offsetof(InstallSa, key_bytes),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.key_bytes = 255; }},
        {"mac key with GCM",
         offsetof(InstallSa, mac_key_bytes),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.mac_key_bytes = 20; }},
        {"DF policy",
         offsetof(InstallSa, df_policy),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.df_policy = 3; }},
        {"window of 16",
         offsetof(InstallSa, replay_window),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.replay_window = 16; }},
        {"window of 65",
         offsetof(InstallSa, replay_window),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.replay_window = 65; }},
        {"window of 4128",
         offsetof(InstallSa, replay_window),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.replay_window = 4128; }},
        {"ESN without window",
         offsetof(InstallSa, replay_window),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) {
             sa.flags = ipc::kSaExtendedSequence;
             sa.replay_window = 0;
         }},
        {"tiny path",
         offsetof(InstallSa, path_mtu),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.path_mtu = 575; }},
        {"local range reversed",
         selector + offsetof(ipc::SelectorRecord, local_first),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { std::swap(sa.selector.local_first, sa.selector.local_last); }},
        {"remote range reversed",
         selector + offsetof(ipc::SelectorRecord, remote_first),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { std::swap(sa.selector.remote_first, sa.selector.remote_last); }},
        {"local ports reversed",
         selector + offsetof(ipc::SelectorRecord, local_port_first),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) {
             std::swap(sa.selector.local_port_first, sa.selector.local_port_last);
         }},
        {"remote ports reversed",
         selector + offsetof(ipc::SelectorRecord, remote_port_first),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) {
             std::swap(sa.selector.remote_port_first, sa.selector.remote_port_last);
         }},
        {"soft above hard",
         offsetof(InstallSa, soft_bytes),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) {
             sa.soft_bytes = 2;
             sa.hard_bytes = 1;
         }},
        {"sequence 0",
         offsetof(InstallSa, first_sequence),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.first_sequence = 0; }},
        {"sequence above 32 bits",
         offsetof(InstallSa, first_sequence),
         AckResult::BadValue,
         Direction::Outbound,
         [](InstallSa& sa) { sa.first_sequence = 1ULL << 32; }},
        {"inbound sequence",
         offsetof(InstallSa, first_sequence),
         AckResult::BadValue,
         Direction::Inbound,
         [](InstallSa& sa) { sa.first_sequence = 1; }},
    };
    EspWorld world;
    for (const BadField& field : cases) {
        InstallSa sa = EspWorld::record(field.direction, kGcm, 5);
        EXPECT_TRUE(world.table.install(sa).ok()) << field.what;
        EXPECT_TRUE(world.table.remove(removal_of(sa)).ok()) << field.what;
        field.change(sa);
        const auto outcome = world.table.install(sa);
        EXPECT_EQ(outcome.result, field.result) << field.what;
        EXPECT_EQ(outcome.detail, field.offset) << field.what;
        EXPECT_EQ(world.table.size(), 0U) << field.what;
    }
}

TEST(SaTable, FindsOnlyTheFullSpi) {
    EspWorld world;
    const auto sa = EspWorld::record(Direction::Inbound, kGcm, 77);
    world.install(sa);
    ASSERT_NE(world.table.find_inbound(Spi{sa.spi}), nullptr);
    EXPECT_EQ(world.table.find_inbound(Spi{sa.spi})->sa_id, sa.sa_id);
    for (unsigned bit = 0; bit < 32; ++bit)
        EXPECT_EQ(world.table.find_inbound(Spi{sa.spi ^ 1U << bit}), nullptr) << bit;
    EXPECT_EQ(world.table.find_inbound(Spi{0}), nullptr) << "an empty slot matches nothing";
}

TEST(SaTable, RefusesAnOccupiedSlot) {
    EspWorld world;
    for (const auto direction : {Direction::Inbound, Direction::Outbound}) {
        const auto sa = EspWorld::record(direction, kGcm, 1);
        world.install(sa);
        EXPECT_EQ(world.table.install(sa).result, AckResult::SlotInUse);
    }
}

TEST(SaTable, RekeySwapsTheCurrentSaAndKeepsTheOldOneUntilRemoved) {
    EspWorld world;
    const auto old_sa = EspWorld::record(Direction::Outbound, kGcm, 1);
    auto new_sa = EspWorld::record(Direction::Outbound, kCbc, 2);
    new_sa.policy = old_sa.policy;
    world.install(old_sa);
    OutboundSa* before = world.table.outbound_for_policy(old_sa.policy);
    world.install(new_sa);
    OutboundSa* after = world.table.outbound_for_policy(old_sa.policy);
    EXPECT_EQ(after->sa_id, new_sa.sa_id);
    EXPECT_EQ(before->sa_id, old_sa.sa_id);
    ASSERT_TRUE(world.table.remove(removal_of(old_sa)).ok());
    EXPECT_EQ(world.table.outbound_for_policy(old_sa.policy), after);
    ASSERT_TRUE(world.table.remove(removal_of(new_sa)).ok());
    EXPECT_EQ(world.table.outbound_for_policy(old_sa.policy), nullptr);
}

TEST(SaTable, RemovesOnlyWhatIsNamedRightly) {
    EspWorld world;
    const auto sa = EspWorld::record(Direction::Inbound, kGcm, 9);
    world.install(sa);
    auto wrong = removal_of(sa);
    wrong.sa_id += 1;
    EXPECT_EQ(world.table.remove(wrong).result, AckResult::NoSuchSa);
    wrong = removal_of(sa);
    wrong.slot = EspWorld::kMaxSas;
    EXPECT_EQ(world.table.remove(wrong).result, AckResult::NoSuchSa);
    wrong = removal_of(sa);
    wrong.direction = 1;
    EXPECT_EQ(world.table.remove(wrong).result, AckResult::NoSuchSa);
    wrong.direction = 2;
    EXPECT_EQ(world.table.remove(wrong).result, AckResult::BadValue);
    EXPECT_TRUE(world.table.remove(removal_of(sa)).ok());
    EXPECT_EQ(world.table.remove(removal_of(sa)).result, AckResult::NoSuchSa);
    EXPECT_EQ(world.table.find_inbound(Spi{sa.spi}), nullptr);
}

TEST(SaTable, WipesKeysOnRemoval) {
    EspWorld world;
    for (const Suite suite : {kGcm, kCbc}) {
        const auto in = EspWorld::record(Direction::Inbound, suite, 3);
        const auto out = EspWorld::record(Direction::Outbound, suite, 3);
        world.install(in);
        world.install(out);
        const KeyBlock& in_keys = world.inbound(3).keys;
        const KeyBlock& out_keys = world.outbound(3).keys;
        const auto is_zero = [](std::uint8_t octet) { return octet == 0; };
        ASSERT_FALSE(std::ranges::all_of(in_keys.bytes, is_zero));
        ASSERT_TRUE(world.table.remove(removal_of(in)).ok());
        ASSERT_TRUE(world.table.remove(removal_of(out)).ok());
        EXPECT_TRUE(std::ranges::all_of(in_keys.bytes, is_zero));
        EXPECT_TRUE(std::ranges::all_of(out_keys.bytes, is_zero));
    }
}

TEST(SaTable, CountersStayReadableUntilTheSlotIsUsedAgain) {
    EspWorld world;
    auto sa = EspWorld::record(Direction::Inbound, kGcm, 4);
    world.install(sa);
    world.inbound(4).packets = 10; // published by the removal
    ASSERT_TRUE(world.table.remove(removal_of(sa)).ok());
    EXPECT_EQ(ipc::read(world.inbound_stats.get()[4].packets), 10U);
    sa.sa_id = 5005;
    world.install(sa);
    EXPECT_EQ(ipc::read(world.inbound_stats.get()[4].packets), 0U);
    EXPECT_EQ(ipc::read(world.inbound_stats.get()[4].sa_id), 5005U);
}

TEST(SaTable, HoldsTheHighestOfAMillionSlots) {
    EspWorld world;
    const auto sa = EspWorld::record(Direction::Inbound, kGcm, EspWorld::kMaxSas - 1);
    world.install(sa);
    EXPECT_NE(world.table.find_inbound(Spi{sa.spi}), nullptr);
}

TEST(SaTable, RefusesImpossibleSizes) {
    EspWorld world;
    SaTableConfig config{.worker = WorkerId{0}, .max_sas = 0, .max_policies = 1, .stats = {}};
    EXPECT_FALSE(SaTable::create(config, *world.crypto).has_value());
    config.max_sas = kMaxSaSlots + 1;
    EXPECT_FALSE(SaTable::create(config, *world.crypto).has_value());
    config.max_sas = 1;
    config.max_policies = 0;
    EXPECT_FALSE(SaTable::create(config, *world.crypto).has_value());
}

} // namespace
} // namespace adit::dataplane
