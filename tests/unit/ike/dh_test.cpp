// SPDX-License-Identifier: Apache-2.0
#include "control/ike/crypto.h"
#include "tests/support/seeded_rng.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace adit::ike {
namespace {

using test::load_json;
using test::load_rsp;
using test::SeededRng;
using test::text;
using test::unhex;

std::string agreed(Group group, ByteView private_key, ByteView peer_public) {
    const auto shared = dh_agree(group, private_key, peer_public);
    return shared ? to_hex(shared->view()) : "refused: " + shared.error().text;
}

// ---------------------------------------------------------------------------------------------------
// Known answers

/// Secrets are written as plain numbers: a leading zero digit may be missing.
Bytes exponent(const nlohmann::json& answer, const char* field) {
    std::string text = answer.at(field).get<std::string>();
    if (text.size() % 2 != 0)
        text.insert(text.begin(), '0');
    return unhex(text);
}

TEST(Modp, AgreesWithKnownExchanges) {
    const nlohmann::json file = load_json("own/modp_groups.json");
    for (const auto& row : file.at("groups")) {
        const auto group = from_wire<Group>(row.at("group").get<std::uint16_t>());
        for (const auto& answer : row.at("kat")) {
            const Bytes a = exponent(answer, "a");
            const Bytes b = exponent(answer, "b");
            const auto pair_a = dh_from_private(group, a);
            const auto pair_b = dh_from_private(group, b);
            ASSERT_TRUE(pair_a && pair_b);
            EXPECT_EQ(to_hex(pair_a->public_value), text(answer, "A")) << name(group);
            EXPECT_EQ(to_hex(pair_b->public_value), text(answer, "B")) << name(group);
            // Some start with a zero octet, which must stay.
            EXPECT_EQ(agreed(group, a, unhex(answer, "B")), text(answer, "Z")) << name(group);
            EXPECT_EQ(agreed(group, b, unhex(answer, "A")), text(answer, "Z")) << name(group);
        }
    }
}

TEST(Modp, RefusesPublicValuesThatMustBeRefused) {
    const nlohmann::json file = load_json("own/modp_groups.json");
    for (const auto& row : file.at("groups")) {
        const auto group = from_wire<Group>(row.at("group").get<std::uint16_t>());
        const Bytes private_key = exponent(row.at("kat").at(0), "a");
        for (const auto& answer : row.at("reject_public")) {
            const Bytes value = unhex(answer, "pub");
            EXPECT_FALSE(check_public_value(group, value)) << name(group) << answer.at("why");
            EXPECT_FALSE(dh_agree(group, private_key, value)) << name(group) << answer.at("why");
        }
        const Bytes sound = unhex(row.at("kat").at(0), "A");
        EXPECT_TRUE(check_public_value(group, sound)) << name(group);
    }
}

TEST(Modp, TakesTheSmallestAndLargestSoundPublicValue) {
    const nlohmann::json file = load_json("own/modp_groups.json");
    for (const auto& row : file.at("groups")) {
        const auto group = from_wire<Group>(row.at("group").get<std::uint16_t>());
        Bytes two(find_group(group)->public_bytes);
        two.back() = 2;
        EXPECT_TRUE(check_public_value(group, two));
        Bytes p_minus_2 = unhex(row, "p");
        p_minus_2.back() =
            static_cast<std::uint8_t>(p_minus_2.back() - 2); // p is odd and ends in ff
        EXPECT_TRUE(check_public_value(group, p_minus_2));
    }
}

TEST(Modp, PrimesAreThoseOfRfc3526) {
    // p itself is refused and p - 2 is not: only the right prime draws the line there.
    for (const auto& record : load_rsp("rfc/rfc3526.txt")) {
        const Bytes prime = record.bytes("P");
        const auto row = std::ranges::find_if(kGroups, [&](const GroupInfo& info) {
            return info.kind == GroupKind::Modp && info.public_bytes == prime.size();
        });
        ASSERT_NE(row, kGroups.end());
        EXPECT_FALSE(check_public_value(row->group, prime)) << row->name;
        Bytes below = prime;
        below.back() = static_cast<std::uint8_t>(below.back() - 1);
        EXPECT_FALSE(check_public_value(row->group, below)) << row->name;
        below.back() = static_cast<std::uint8_t>(below.back() - 1);
        EXPECT_TRUE(check_public_value(row->group, below)) << row->name;
    }
}

TEST(Modp, AgreesWithRfc5114) {
    for (const auto& record : load_rsp("rfc/rfc5114.txt")) {
        const auto group =
            from_wire<Group>(static_cast<std::uint16_t>(std::stoi(record.text("Group"))));
        const Bytes a = record.bytes("xA");
        const Bytes b = record.bytes("xB");
        EXPECT_EQ(to_hex(dh_from_private(group, a)->public_value), record.text("yA"));
        EXPECT_EQ(to_hex(dh_from_private(group, b)->public_value), record.text("yB"));
        EXPECT_EQ(agreed(group, a, record.bytes("yB")), record.text("Z"));
        EXPECT_EQ(agreed(group, b, record.bytes("yA")), record.text("Z"));
    }
}

TEST(Modp, RefusesValuesOutsideTheSubgroup) {
    constexpr Group kGroup = Group::Modp2048Subgroup256;
    SeededRng rng{24};
    const auto pair = dh_generate(kGroup, rng);
    ASSERT_TRUE(pair);
    // In range, but no power of the generator: the secret would leak through its remainders.
    for (const std::uint8_t last : {2, 3, 4, 9}) {
        Bytes outside(256);
        outside.back() = last;
        EXPECT_TRUE(check_public_value(kGroup, outside)) << "cheap checks do not see it";
        EXPECT_FALSE(dh_agree(kGroup, pair->private_key.view(), outside)) << unsigned{last};
    }
    const auto other = dh_generate(kGroup, rng);
    EXPECT_TRUE(dh_agree(kGroup, pair->private_key.view(), other->public_value));
}

TEST(Ecp, AgreesWithRfc5903) {
    for (const auto& record : load_rsp("rfc/rfc-5903.txt")) {
        const auto group =
            from_wire<Group>(static_cast<std::uint16_t>(std::stoi(record.text("Group"))));
        const auto ours = dh_from_private(group, record.bytes("I"));
        const auto theirs = dh_from_private(group, record.bytes("R"));
        ASSERT_TRUE(ours && theirs);
        EXPECT_EQ(to_hex(ours->public_value), record.text("Gi"));
        EXPECT_EQ(to_hex(theirs->public_value), record.text("Gr"));
        EXPECT_EQ(agreed(group, record.bytes("I"), record.bytes("Gr")), record.text("Z"));
        EXPECT_EQ(agreed(group, record.bytes("R"), record.bytes("Gi")), record.text("Z"));
    }
}

/// Wycheproof's keys may carry a leading zero octet or lack some; ours have the group's length.
Bytes to_private(Bytes key, std::size_t length_bytes) {
    while (key.size() > length_bytes && key.front() == 0)
        key.erase(key.begin());
    return key;
}

TEST(Ecp, AgreesWithWycheproof) {
    unsigned valid = 0;
    unsigned invalid = 0;
    const nlohmann::json file = load_json("wycheproof/ecdh_secp256r1_ecpoint_test.json");
    for (const auto& group : file.at("testGroups"))
        for (const auto& answer : group.at("tests")) {
            const Bytes encoded = unhex(answer, "public");
            const Bytes key = to_private(unhex(answer, "private"), 32);
            // RFC 5903 7: no format octet in front. Other formats and lengths go in as they are.
            const bool plain = encoded.size() == 65 && encoded.front() == 4;
            const ByteView value = plain ? ByteView{encoded}.subspan(1) : ByteView{encoded};
            if (text(answer, "result") == "valid") {
                ++valid;
                EXPECT_EQ(agreed(Group::Ecp256, key, value), text(answer, "shared"))
                    << "tcId " << answer.at("tcId");
            } else {
                ++invalid;
                EXPECT_FALSE(check_public_value(Group::Ecp256, value)) << answer.at("tcId");
                EXPECT_FALSE(dh_agree(Group::Ecp256, key, value)) << answer.at("tcId");
            }
        }
    EXPECT_EQ(valid, 330U);
    EXPECT_EQ(invalid, 25U);
}

// ---------------------------------------------------------------------------------------------------
// What peers may send

TEST(Ecp, RefusesACoordinateNotBelowThePrime) {
    // x = 5 lies on P-256; p + 5 fits in 32 octets and names the same point.
    const Bytes y = unhex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    Bytes value = unhex("0000000000000000000000000000000000000000000000000000000000000005");
    value.insert(value.end(), y.begin(), y.end());
    ASSERT_TRUE(check_public_value(Group::Ecp256, value));
    Bytes aliased = unhex("ffffffff00000001000000000000000000000001000000000000000000000004");
    aliased.insert(aliased.end(), y.begin(), y.end());
    EXPECT_FALSE(check_public_value(Group::Ecp256, aliased));
}

TEST(DiffieHellman, RefusesEveryOtherLength) {
    SeededRng rng{1};
    for (const GroupInfo& info : kGroups) {
        const auto pair = dh_generate(info.group, rng);
        ASSERT_TRUE(pair);
        const ByteView value = pair->public_value;
        ASSERT_TRUE(check_public_value(info.group, value)) << info.name;
        EXPECT_FALSE(check_public_value(info.group, value.first(value.size() - 1))) << info.name;
        EXPECT_FALSE(check_public_value(info.group, value.subspan(1))) << info.name;
        EXPECT_FALSE(check_public_value(info.group, {})) << info.name;
        Bytes longer(value.begin(), value.end());
        longer.insert(longer.begin(), 0);
        EXPECT_FALSE(check_public_value(info.group, longer)) << info.name;
    }
}

TEST(Ecp, RefusesAPointWithOneBitChanged) {
    SeededRng rng{2};
    for (const Group group : {Group::Ecp256, Group::Ecp384, Group::Ecp521}) {
        const auto pair = dh_generate(group, rng);
        ASSERT_TRUE(pair);
        for (std::size_t i = 0; i < pair->public_value.size(); ++i) {
            Bytes value = pair->public_value;
            value[i] ^= 1;
            EXPECT_FALSE(check_public_value(group, value)) << name(group) << " octet " << i;
        }
        EXPECT_FALSE(check_public_value(group, Bytes(pair->public_value.size())))
            << "the origin is on none of the curves";
    }
}

TEST(DiffieHellman, GroupsWeDoNotComputeAreUnsupported) {
    SeededRng rng{3};
    for (const int number : {0, 3, 4, 22, 23, 25, 26, 27, 31, 65535}) {
        const auto group = from_wire<Group>(static_cast<std::uint16_t>(number));
        EXPECT_EQ(find_group(group), nullptr);
        const auto pair = dh_generate(group, rng);
        ASSERT_FALSE(pair);
        EXPECT_EQ(pair.error().code, ErrorCode::Unsupported);
        EXPECT_FALSE(check_public_value(group, Bytes(256, 1)));
        EXPECT_FALSE(dh_agree(group, Bytes(32, 1), Bytes(256, 1)));
    }
}

// ---------------------------------------------------------------------------------------------------
// Our own keys

TEST(DiffieHellman, TwoSidesAgreeAndASeedRepeatsThem) {
    for (const GroupInfo& info : kGroups) {
        SeededRng rng{4};
        const auto ours = dh_generate(info.group, rng);
        const auto theirs = dh_generate(info.group, rng);
        ASSERT_TRUE(ours && theirs) << info.name;
        EXPECT_EQ(ours->public_value.size(), info.public_bytes);
        EXPECT_EQ(ours->private_key.size(), info.private_bytes);
        EXPECT_NE(ours->public_value, theirs->public_value);
        const std::string shared =
            agreed(info.group, ours->private_key.view(), theirs->public_value);
        EXPECT_EQ(shared.size(), 2U * info.shared_bytes) << shared;
        EXPECT_EQ(shared, agreed(info.group, theirs->private_key.view(), ours->public_value));

        SeededRng same_seed{4};
        EXPECT_EQ(dh_generate(info.group, same_seed)->public_value, ours->public_value);
    }
}

/// Padded with zeros an exponent is longer than our own ever are, and goes the way of any base.
TEST(DiffieHellman, PowersOfTheGeneratorAreThoseOfAnyBase) {
    SeededRng rng{9};
    for (const GroupInfo& info : kGroups) {
        if (info.kind != GroupKind::Modp)
            continue;
        const std::size_t length = info.private_bytes;
        Bytes highest(length);
        highest.front() = 0x80;
        Bytes lowest(length);
        lowest.back() = 1;
        std::vector<Bytes> exponents{highest, lowest, Bytes(length, 0xff), Bytes{3}};
        for (int i = 0; i < 20; ++i)
            rng.fill(exponents.emplace_back(length));
        for (const Bytes& exponent : exponents) {
            Bytes padded(info.public_bytes);
            std::ranges::copy_backward(exponent, padded.end());
            const auto pair = dh_from_private(info.group, exponent);
            const auto slow = dh_from_private(info.group, padded);
            // The generator to the power of one is a public value too.
            ASSERT_TRUE(pair && slow) << info.name << ' ' << to_hex(exponent);
            EXPECT_EQ(pair->public_value, slow->public_value)
                << info.name << ' ' << to_hex(exponent);
        }
    }
}

TEST(DiffieHellman, RefusesPrivateKeysOutOfRange) {
    EXPECT_FALSE(dh_from_private(Group::Modp1024, Bytes(32)));
    EXPECT_FALSE(dh_from_private(Group::Modp1024, Bytes(129, 1)));
    EXPECT_FALSE(dh_from_private(Group::Ecp256, Bytes(32)));
    EXPECT_FALSE(dh_from_private(Group::Ecp256, {}));
    Bytes order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    EXPECT_FALSE(dh_from_private(Group::Ecp256, order));
    order.back() = 0x50;
    EXPECT_TRUE(dh_from_private(Group::Ecp256, order));
}

class StuckRng final : public Rng {
  public:
    explicit StuckRng(std::uint8_t octet) : octet_(octet) {}

    void fill(MutableBytes to) override { std::ranges::fill(to, octet_); }

  private:
    std::uint8_t octet_;
};

TEST(DiffieHellman, AStuckRandomSourceIsAnErrorNotALoop) {
    StuckRng zeros{0};
    StuckRng ones{0xff};
    for (const GroupInfo& info : kGroups) {
        const auto pair = dh_generate(info.group, zeros);
        ASSERT_FALSE(pair) << info.name;
        EXPECT_EQ(pair.error().code, ErrorCode::Exhausted);
        EXPECT_EQ(dh_generate(info.group, ones).has_value(), info.kind == GroupKind::Modp)
            << info.name << ": all ones are above every order";
    }
}

} // namespace
} // namespace adit::ike
