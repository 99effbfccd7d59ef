// SPDX-License-Identifier: Apache-2.0
#include "control/ike/password.h"

#include "common/secret.h"
#include "control/ike/crypto_openssl.h"

#include <algorithm>

namespace adit::ike {

namespace {

/// Base64 in the order of the routers' alphabet.
constexpr std::string_view kAlphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr unsigned kBitsPerCharacter = 6;
constexpr unsigned kBitsPerOctet = 8;
constexpr std::size_t kDigestCharacters =
    (kPasswordDigestBytes * kBitsPerOctet + kBitsPerCharacter - 1) / kBitsPerCharacter;

// What routers use for their types 8 and 9.
constexpr int kPbkdf2Rounds = 20'000;
constexpr std::uint64_t kScryptN = 16'384;
constexpr std::uint64_t kScryptR = 1;
constexpr std::uint64_t kScryptP = 1;
constexpr std::uint64_t kScryptMemoryBytes = 4ULL << 20; // 128 N r, and room for the rest

/// `to` has the digest's size.
void derive(PasswordKind kind, std::string_view salt, ByteView password, MutableBytes to) {
    const auto* text = reinterpret_cast<const char*>(password.data());
    const ByteView salt_bytes = as_bytes(salt);
    if (kind == PasswordKind::Pbkdf2Sha256) {
        ENSURE(PKCS5_PBKDF2_HMAC(text,
                                 static_cast<int>(password.size()),
                                 salt_bytes.data(),
                                 static_cast<int>(salt_bytes.size()),
                                 kPbkdf2Rounds,
                                 openssl::Library::get().digest(HashAlgorithm::Sha256),
                                 static_cast<int>(to.size()),
                                 to.data()) == 1);
        return;
    }
    ENSURE(EVP_PBE_scrypt(text,
                          password.size(),
                          salt_bytes.data(),
                          salt_bytes.size(),
                          kScryptN,
                          kScryptR,
                          kScryptP,
                          kScryptMemoryBytes,
                          to.data(),
                          to.size()) == 1);
}

std::string_view salt_of(const PasswordHash& hash) {
    return {hash.salt.data(), hash.salt.size()};
}

std::string encode(ByteView bytes) {
    std::string text;
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const std::uint8_t octet : bytes) {
        pending = pending << kBitsPerOctet | octet;
        bits += kBitsPerOctet;
        while (bits >= kBitsPerCharacter) {
            bits -= kBitsPerCharacter;
            text += kAlphabet[pending >> bits & 0x3f];
        }
    }
    if (bits > 0)
        text += kAlphabet[pending << (kBitsPerCharacter - bits) & 0x3f];
    return text;
}

/// Fills `to`; false for other characters, or for bits behind the last octet.
bool decode(std::string_view text, MutableBytes to) {
    std::uint32_t pending = 0;
    unsigned bits = 0;
    std::size_t filled = 0;
    for (const char character : text) {
        const std::size_t value = kAlphabet.find(character);
        if (value == std::string_view::npos)
            return false;
        pending = pending << kBitsPerCharacter | static_cast<std::uint32_t>(value);
        bits += kBitsPerCharacter;
        if (bits >= kBitsPerOctet && filled < to.size()) {
            bits -= kBitsPerOctet;
            to[filled++] = static_cast<std::uint8_t>(pending >> bits);
        }
    }
    return filled == to.size() && (pending & ((1U << bits) - 1)) == 0;
}

} // namespace

PasswordHash hash_password(ByteView password, Rng& rng) {
    PasswordHash hash;
    for (char& character : hash.salt)
        character = kAlphabet[rng.below(kAlphabet.size())];
    derive(hash.kind, salt_of(hash), password, hash.digest);
    return hash;
}

std::string to_string(const PasswordHash& hash) {
    return "$" + std::to_string(static_cast<unsigned>(hash.kind)) + "$" +
           std::string{salt_of(hash)} + "$" + encode(hash.digest);
}

Result<PasswordHash> parse_password_hash(std::string_view text) {
    constexpr std::size_t kSaltAt = std::string_view{"$9$"}.size();
    constexpr std::size_t kDigestAt = kSaltAt + kPasswordSaltCharacters + 1;
    PasswordHash hash;
    if (text.starts_with("$8$"))
        hash.kind = PasswordKind::Pbkdf2Sha256;
    else if (text.starts_with("$9$"))
        hash.kind = PasswordKind::Scrypt;
    else
        return fail(ErrorCode::Invalid, "A hashed password begins with $8$ or $9$");
    if (text.size() != kDigestAt + kDigestCharacters || text[kDigestAt - 1] != '$')
        return fail(ErrorCode::Invalid,
                    "A hashed password is $type$, 14 characters of salt, $ and 43 characters");
    std::ranges::copy(text.substr(kSaltAt, kPasswordSaltCharacters), hash.salt.begin());
    if (salt_of(hash).find_first_not_of(kAlphabet) != std::string_view::npos ||
        !decode(text.substr(kDigestAt), hash.digest))
        return fail(ErrorCode::Invalid, "The hashed password is damaged");
    return hash;
}

bool is_password(const PasswordHash& hash, ByteView password) {
    SecretBuffer tried{kPasswordDigestBytes};
    derive(hash.kind, salt_of(hash), password, tried.writable());
    return password.size() <= kMaxPasswordBytes && equal_constant_time(tried.view(), hash.digest);
}

PasswordHash unmatchable_hash() {
    PasswordHash hash;
    hash.salt.fill(kAlphabet.front());
    hash.digest.fill(0); // found by chance once in 2^256
    return hash;
}

} // namespace adit::ike
