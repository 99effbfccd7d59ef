// SPDX-License-Identifier: Apache-2.0
// Passwords as they are kept: never themselves, only what a slow function made of them, in the two
// forms routers print ("secret 8 $8$...", "secret 9 $9$..."), so that a router's lines can be moved
// here and back.
//
// Threading: pure functions. Deriving takes some milliseconds by intent: the configuration may
// wait for it, IKE leaves it to the crypto pool. Errors: Invalid names what is wrong with a text.
// Source: RFC 8018 5.2 (PBKDF2), RFC 7914 (scrypt).
#pragma once

#include "common/bytes.h"
#include "common/random.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace adit::ike {

/// The numbers are the types a router writes in front.
enum class PasswordKind : std::uint8_t {
    Pbkdf2Sha256 = 8, // 20,000 rounds
    Scrypt = 9,       // N = 16384, r = 1, p = 1: 2 MB
};

inline constexpr std::size_t kPasswordSaltCharacters = 14;
inline constexpr std::size_t kPasswordDigestBytes = 32;
/// Longer ones are refused where they are set; where they are tried they are wrong.
inline constexpr std::size_t kMaxPasswordBytes = 127;

struct PasswordHash {
    PasswordKind kind{PasswordKind::Scrypt};
    std::array<char, kPasswordSaltCharacters> salt{}; // characters as printed
    std::array<std::uint8_t, kPasswordDigestBytes> digest{};

    friend bool operator==(const PasswordHash&, const PasswordHash&) = default;
};

/// With a new salt, by scrypt.
PasswordHash hash_password(ByteView password, Rng& rng);

/// "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6".
std::string to_string(const PasswordHash& hash);
Result<PasswordHash> parse_password_hash(std::string_view text);

/// Takes as long for a wrong password as for the right one.
[[nodiscard]] bool is_password(const PasswordHash& hash, ByteView password);

/// What nobody's password gives; checked in place of the hash of a user who does not exist, so
/// that time does not tell who does.
PasswordHash unmatchable_hash();

} // namespace adit::ike
