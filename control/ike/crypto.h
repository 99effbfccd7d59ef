// SPDX-License-Identifier: Apache-2.0
// The cryptography IKEv1 needs, free of any library's types: hash, prf, CBC, Diffie-Hellman. The
// library stands behind crypto_openssl*.cpp.
//
// Threading: pure functions, callable from any thread. Algorithms are looked up once per process,
// on first use or by self_test(), never per call. Diffie-Hellman takes from 0.05 ms (ECP-256) to 8
// ms (MODP-8192): the engine describes it as a Job (job.h) and lets somebody else run() it.
//
// Errors: what a peer can cause is a Result; a library failing on sound input aborts.
//
// Sources: RFC 2104, RFC 2409 4 and 6, RFC 3526, RFC 5903.
#pragma once

#include "common/bytes.h"
#include "common/random.h"
#include "common/secret.h"
#include "common/types.h"
#include "control/ike/constants.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace adit::ike {

/// Known answers for every algorithm below; run once at start-up.
Status self_test();

// ---------------------------------------------------------------------------------------------------
// Hash and prf

enum class HashAlgorithm : std::uint8_t {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
};

struct HashInfo {
    HashAlgorithm hash;
    IkeHash wire;
    std::uint8_t digest_bytes;
    std::uint8_t block_bytes; // of the compression function, for HMAC
    const char* name;         // as `show crypto isakmp policy` words it
};

inline constexpr std::array kHashes = {
    HashInfo{HashAlgorithm::Md5, IkeHash::Md5, 16, 64, "Message Digest 5"},
    HashInfo{HashAlgorithm::Sha1, IkeHash::Sha1, 20, 64, "Secure Hash Standard"},
    HashInfo{HashAlgorithm::Sha256, IkeHash::Sha256, 32, 64, "Secure Hash Standard 2 (256)"},
    HashInfo{HashAlgorithm::Sha384, IkeHash::Sha384, 48, 128, "Secure Hash Standard 2 (384)"},
    HashInfo{HashAlgorithm::Sha512, IkeHash::Sha512, 64, 128, "Secure Hash Standard 2 (512)"},
};

inline constexpr std::size_t kMaxDigestBytes = 64;

constexpr const HashInfo& info(HashAlgorithm hash) {
    return kHashes[static_cast<std::size_t>(hash)];
}

/// Null when we cannot compute it.
const HashInfo* find_hash(IkeHash wire);

/// What is hashed is nearly always a concatenation: hash(algorithm, {g_xi, g_xr}).
using Parts = std::initializer_list<ByteView>;

Bytes hash(HashAlgorithm algorithm, Parts parts);

/// RFC 2409 4: no other prf is negotiated, so prf is the HMAC of the negotiated hash.
SecretBuffer prf(HashAlgorithm algorithm, ByteView key, Parts parts);

// ---------------------------------------------------------------------------------------------------
// Cipher

enum class CipherAlgorithm : std::uint8_t {
    TripleDesCbc,
    AesCbc128,
    AesCbc192,
    AesCbc256,
};

struct CipherInfo {
    CipherAlgorithm cipher;
    IkeEncryption wire;
    std::uint16_t key_bits; // value of the key length attribute; 0: the attribute is not sent
    std::uint8_t key_bytes;
    std::uint8_t block_bytes;
};

inline constexpr std::array kCiphers = {
    CipherInfo{CipherAlgorithm::TripleDesCbc, IkeEncryption::TripleDesCbc, 0, 24, 8},
    CipherInfo{CipherAlgorithm::AesCbc128, IkeEncryption::AesCbc, 128, 16, 16},
    CipherInfo{CipherAlgorithm::AesCbc192, IkeEncryption::AesCbc, 192, 24, 16},
    CipherInfo{CipherAlgorithm::AesCbc256, IkeEncryption::AesCbc, 256, 32, 16},
};

inline constexpr std::size_t kMaxBlockBytes = 16;

constexpr const CipherInfo& info(CipherAlgorithm cipher) {
    return kCiphers[static_cast<std::size_t>(cipher)];
}

/// `key_bits` as the attribute says, 0 when it was left out. Null when we do not have it.
const CipherInfo* find_cipher(IkeEncryption wire, std::uint32_t key_bits);

/// In place, no padding. Invalid unless `text` is whole blocks (none is fine) and key and IV have
/// the cipher's sizes; `text` is then untouched.
Status cbc_encrypt(CipherAlgorithm cipher, ByteView key, ByteView iv, MutableBytes text);
Status cbc_decrypt(CipherAlgorithm cipher, ByteView key, ByteView iv, MutableBytes text);

// ---------------------------------------------------------------------------------------------------
// Diffie-Hellman

enum class GroupKind : std::uint8_t {
    Modp,
    Ecp,
};

struct GroupInfo {
    Group group;
    GroupKind kind;
    std::uint16_t bits;         // of the prime
    std::uint16_t public_bytes; // KE payload: MODP the prime's length; ECP x and y (RFC 5903 7)
    std::uint16_t shared_bytes; // MODP the prime's length; ECP x alone (RFC 5903 7)
    std::uint16_t private_bytes;
    const char* name;
};

/// Short MODP exponents (RFC 3526 8): at least twice the group's strength, and whole 64-bit words.
inline constexpr std::array kGroups = {
    GroupInfo{Group::Modp768, GroupKind::Modp, 768, 96, 96, 32, "MODP-768"},
    GroupInfo{Group::Modp1024, GroupKind::Modp, 1024, 128, 128, 32, "MODP-1024"},
    GroupInfo{Group::Modp1536, GroupKind::Modp, 1536, 192, 192, 32, "MODP-1536"},
    GroupInfo{Group::Modp2048, GroupKind::Modp, 2048, 256, 256, 32, "MODP-2048"},
    GroupInfo{Group::Modp3072, GroupKind::Modp, 3072, 384, 384, 40, "MODP-3072"},
    GroupInfo{Group::Modp4096, GroupKind::Modp, 4096, 512, 512, 48, "MODP-4096"},
    GroupInfo{Group::Modp6144, GroupKind::Modp, 6144, 768, 768, 56, "MODP-6144"},
    GroupInfo{Group::Modp8192, GroupKind::Modp, 8192, 1024, 1024, 64, "MODP-8192"},
    GroupInfo{Group::Ecp256, GroupKind::Ecp, 256, 64, 32, 32, "ECP-256"},
    GroupInfo{Group::Ecp384, GroupKind::Ecp, 384, 96, 48, 48, "ECP-384"},
    GroupInfo{Group::Ecp521, GroupKind::Ecp, 521, 132, 66, 66, "ECP-521"},
    GroupInfo{Group::Modp2048Subgroup256, GroupKind::Modp, 2048, 256, 256, 32, "MODP-2048-256"},
};

/// Groups that are used only where the configuration names them: the first two are within reach of
/// a precomputation, and nobody can say how the primes of RFC 5114 were chosen (RFC 8247 2.4).
constexpr bool is_weak(Group group) {
    return group == Group::Modp768 || group == Group::Modp1024 ||
           group == Group::Modp2048Subgroup256;
}

/// Null for the groups we do not compute.
const GroupInfo* find_group(Group group);

struct DhKeyPair {
    Group group{Group::None};
    SecretBuffer private_key; // big-endian
    Bytes public_value;       // as it stands in a KE payload
};

/// The private key comes from `rng` alone, so a seeded one gives the same pair again.
Result<DhKeyPair> dh_generate(Group group, Rng& rng);

/// The pair of a known private key. Invalid for zero, and for ECP when not below the order.
Result<DhKeyPair> dh_from_private(Group group, ByteView private_key);

/// Refuses what must not reach an exponentiation: a wrong length; MODP 0, 1, p-1 and above; ECP
/// coordinates not below p and points off the curve. Far cheaper than dh_agree, which asks it too.
/// Whether a value of MODP-2048-256 lies in the subgroup costs as much as agreeing, so only
/// dh_agree looks.
Status check_public_value(Group group, ByteView public_value);

/// g^xy, left-padded with zeros to the group's shared_bytes (RFC 2409 5: KEYMAT uses it that way).
Result<SecretBuffer> dh_agree(Group group, ByteView private_key, ByteView peer_public);

} // namespace adit::ike
