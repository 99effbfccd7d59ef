// SPDX-License-Identifier: Apache-2.0
// Kept passwords: the routers' own values, the way there and back, and everything damaged.
#include "control/ike/password.h"
#include "tests/support/seeded_rng.h"

#include <gtest/gtest.h>

#include <set>

namespace adit::ike {
namespace {

// Published by hashcat as its examples of modes 9200 and 9300 (https://hashcat.net/wiki).
constexpr const char* kType8 = "$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk";
constexpr const char* kType9 = "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6";

TEST(Password, KnowsWhatRoutersKept) {
    for (const char* kept : {kType8, kType9}) {
        const auto hash = parse_password_hash(kept);
        ASSERT_TRUE(hash) << kept;
        EXPECT_TRUE(is_password(*hash, as_bytes("hashcat"))) << kept;
        EXPECT_FALSE(is_password(*hash, as_bytes("hashcaT"))) << kept;
        EXPECT_FALSE(is_password(*hash, {})) << kept;
        EXPECT_EQ(to_string(*hash), kept);
    }
}

TEST(Password, MadeHereIsFoundAgain) {
    test::SeededRng rng{1};
    for (const std::string password : {"x", "correct horse", "p\xc3\xa4ss w\xc3\xb6rt"}) {
        const PasswordHash hash = hash_password(as_bytes(password), rng);
        EXPECT_EQ(hash.kind, PasswordKind::Scrypt);
        EXPECT_TRUE(is_password(hash, as_bytes(password)));
        EXPECT_FALSE(is_password(hash, as_bytes(password + " ")));
        const auto again = parse_password_hash(to_string(hash));
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, hash);
    }
}

TEST(Password, SaltsDiffer) {
    test::SeededRng rng{2};
    std::set<std::string> texts;
    for (int i = 0; i < 8; ++i)
        texts.insert(to_string(hash_password(as_bytes("same"), rng)));
    EXPECT_EQ(texts.size(), 8U);
}

TEST(Password, LongerThanAnySetIsWrong) {
    test::SeededRng rng{3};
    const std::string longest(kMaxPasswordBytes, 'a');
    const PasswordHash hash = hash_password(as_bytes(longest), rng);
    EXPECT_TRUE(is_password(hash, as_bytes(longest)));
    const std::string longer(kMaxPasswordBytes + 1, 'a');
    EXPECT_FALSE(is_password(hash_password(as_bytes(longer), rng), as_bytes(longer)));
}

TEST(Password, NothingMatchesTheUnmatchable) {
    for (const char* word : {"", "hashcat", "cisco"})
        EXPECT_FALSE(is_password(unmatchable_hash(), as_bytes(word)));
}

TEST(Password, DamagedTextIsRefused) {
    const std::string whole{kType9};
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(parse_password_hash(whole.substr(0, length))) << length;
    EXPECT_FALSE(parse_password_hash(whole + "."));
    for (const char* text : {"$5$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6",
                             "$9$2MJBozw/9R3Us-$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6",
                             "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo-",
                             // four bits of the last character have no place in 32 octets
                             "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo7",
                             "$9$2MJBozw/9R3UsUx2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6"})
        EXPECT_FALSE(parse_password_hash(text)) << text;
}

} // namespace
} // namespace adit::ike
