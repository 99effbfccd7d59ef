// SPDX-License-Identifier: Apache-2.0
// Hash, prf and CBC on OpenSSL 3, and the process-wide objects; Diffie-Hellman is in
// crypto_openssl_dh.cpp.
#include "control/ike/crypto_openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <climits>

namespace adit::ike {

using namespace openssl;

// ---------------------------------------------------------------------------------------------------
// Hash and prf

namespace {

using DigestBlock = std::array<std::uint8_t, kMaxDigestBytes>;

DigestContext start_digest(HashAlgorithm algorithm) {
    DigestContext context{EVP_MD_CTX_new()};
    ENSURE(context);
    ENSURE(EVP_DigestInit_ex2(context.get(), Library::get().digest(algorithm), nullptr) == 1);
    return context;
}

void update(const DigestContext& context, ByteView part) {
    ENSURE(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
}

/// `to` has exactly the digest's size.
void finish(const DigestContext& context, MutableBytes to) {
    ENSURE(EVP_DigestFinal_ex(context.get(), to.data(), nullptr) == 1);
}

} // namespace

Bytes hash(HashAlgorithm algorithm, Parts parts) {
    const DigestContext context = start_digest(algorithm);
    for (const ByteView part : parts)
        update(context, part);
    Bytes digest(info(algorithm).digest_bytes);
    finish(context, digest);
    return digest;
}

// RFC 2104 2: H(K ^ opad | H(K ^ ipad | text)). Written out because EVP_MAC looks its digest up by
// name in every initialisation.
SecretBuffer prf(HashAlgorithm algorithm, ByteView key, Parts parts) {
    constexpr std::uint8_t kInnerPad = 0x36;
    constexpr std::uint8_t kOuterPad = 0x5c;

    SecretBuffer pad{static_cast<std::size_t>(info(algorithm).block_bytes)};
    if (key.size() > pad.size()) {
        const SecretBuffer short_key{hash(algorithm, {key})};
        std::ranges::copy(short_key.view(), pad.writable().begin());
    } else {
        std::ranges::copy(key, pad.writable().begin());
    }

    SecretBuffer digest{static_cast<std::size_t>(info(algorithm).digest_bytes)};
    for (std::uint8_t& octet : pad.writable())
        octet ^= kInnerPad;
    const DigestContext inner = start_digest(algorithm);
    update(inner, pad.view());
    for (const ByteView part : parts)
        update(inner, part);
    finish(inner, digest.writable());

    for (std::uint8_t& octet : pad.writable())
        octet ^= kInnerPad ^ kOuterPad;
    const DigestContext outer = start_digest(algorithm);
    update(outer, pad.view());
    update(outer, digest.view());
    finish(outer, digest.writable());
    return digest;
}

const HashInfo* find_hash(IkeHash wire) {
    const auto row = std::ranges::find(kHashes, wire, &HashInfo::wire);
    return row == kHashes.end() ? nullptr : &*row;
}

// ---------------------------------------------------------------------------------------------------
// Cipher

namespace {

enum class CipherDirection {
    Decrypt = 0, // values of EVP_CipherInit_ex2
    Encrypt = 1,
};

Status cbc(CipherDirection direction,
           CipherAlgorithm algorithm,
           ByteView key,
           ByteView iv,
           MutableBytes text) {
    const CipherInfo& cipher = info(algorithm);
    if (key.size() != cipher.key_bytes || iv.size() != cipher.block_bytes)
        return fail(ErrorCode::Invalid, "key or IV of the wrong length for the cipher");
    if (text.size() % cipher.block_bytes != 0 || text.size() > INT_MAX)
        return fail(ErrorCode::Invalid,
                    std::to_string(text.size()) + " octets are not whole cipher blocks");

    const CipherContext context{EVP_CIPHER_CTX_new()};
    ENSURE(context);
    ENSURE(EVP_CipherInit_ex2(context.get(),
                              Library::get().cipher(algorithm),
                              key.data(),
                              iv.data(),
                              static_cast<int>(direction),
                              nullptr) == 1);
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    const int length = static_cast<int>(text.size());
    int done = 0;
    ENSURE(EVP_CipherUpdate(context.get(), text.data(), &done, text.data(), length) == 1);
    ENSURE(done == length);
    return {};
}

} // namespace

Status cbc_encrypt(CipherAlgorithm cipher, ByteView key, ByteView iv, MutableBytes text) {
    return cbc(CipherDirection::Encrypt, cipher, key, iv, text);
}

Status cbc_decrypt(CipherAlgorithm cipher, ByteView key, ByteView iv, MutableBytes text) {
    return cbc(CipherDirection::Decrypt, cipher, key, iv, text);
}

const CipherInfo* find_cipher(IkeEncryption wire, std::uint32_t key_bits) {
    const auto row = std::ranges::find_if(kCiphers, [&](const CipherInfo& cipher) {
        return cipher.wire == wire && cipher.key_bits == key_bits;
    });
    return row == kCiphers.end() ? nullptr : &*row;
}

// ---------------------------------------------------------------------------------------------------
// Objects made once

namespace openssl {

namespace {

constexpr std::array kDigestNames = {"MD5", "SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};
constexpr std::array kCipherNames = {"DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
static_assert(kDigestNames.size() == kHashes.size() && kCipherNames.size() == kCiphers.size());

// RFC 2409 6.1, 6.2; RFC 3526 2 to 7.
BIGNUM* new_prime(Group group) {
    switch (group) {
    case Group::Modp768:
        return BN_get_rfc2409_prime_768(nullptr);
    case Group::Modp1024:
        return BN_get_rfc2409_prime_1024(nullptr);
    case Group::Modp1536:
        return BN_get_rfc3526_prime_1536(nullptr);
    case Group::Modp2048:
        return BN_get_rfc3526_prime_2048(nullptr);
    case Group::Modp3072:
        return BN_get_rfc3526_prime_3072(nullptr);
    case Group::Modp4096:
        return BN_get_rfc3526_prime_4096(nullptr);
    case Group::Modp6144:
        return BN_get_rfc3526_prime_6144(nullptr);
    case Group::Modp8192:
        return BN_get_rfc3526_prime_8192(nullptr);
    default:
        return nullptr;
    }
}

// RFC 5903 3.1 to 3.3.
EC_GROUP* new_curve(Group group) {
    switch (group) {
    case Group::Ecp256:
        return EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    case Group::Ecp384:
        return EC_GROUP_new_by_curve_name(NID_secp384r1);
    case Group::Ecp521:
        return EC_GROUP_new_by_curve_name(NID_secp521r1);
    default:
        return nullptr;
    }
}

Number parameter(const EVP_PKEY* of, const char* name) {
    BIGNUM* value = nullptr;
    ENSURE(EVP_PKEY_get_bn_param(of, name, &value) == 1);
    return Number{value};
}

// RFC 5114 2.3.
void take_subgroup_256(GroupObjects& objects) {
    char group[] = "dh_2048_256";
    std::array params = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end(),
    };
    const ParametersContext context{EVP_PKEY_CTX_new_from_name(nullptr, "DHX", nullptr)};
    EVP_PKEY* made = nullptr;
    ENSURE(context && EVP_PKEY_fromdata_init(context.get()) == 1);
    ENSURE(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEY_PARAMETERS, params.data()) == 1);
    const Parameters parameters{made};
    objects.prime = parameter(made, OSSL_PKEY_PARAM_FFC_P);
    objects.generator = parameter(made, OSSL_PKEY_PARAM_FFC_G);
    objects.order = parameter(made, OSSL_PKEY_PARAM_FFC_Q);
}

void take_safe_prime(GroupObjects& objects, Group group) {
    objects.prime.reset(new_prime(group));
    objects.generator.reset(BN_new());
    // RFC 2409 6, RFC 3526: 2 in every group.
    ENSURE(objects.generator && BN_set_word(objects.generator.get(), 2) == 1);
}

GroupObjects make_group(const GroupInfo& info) {
    GroupObjects objects;
    if (info.kind == GroupKind::Ecp) {
        objects.curve.reset(new_curve(info.group));
        ENSURE(objects.curve);
        return objects;
    }
    const NumberContext scratch{BN_CTX_new()};
    if (info.group == Group::Modp2048Subgroup256)
        take_subgroup_256(objects);
    else
        take_safe_prime(objects, info.group);
    ENSURE(objects.prime && scratch);
    objects.prime_minus_1.reset(BN_dup(objects.prime.get()));
    ENSURE(objects.prime_minus_1 && BN_sub_word(objects.prime_minus_1.get(), 1) == 1);
    objects.reduction.reset(BN_MONT_CTX_new());
    ENSURE(objects.reduction);
    ENSURE(BN_MONT_CTX_set(objects.reduction.get(), objects.prime.get(), scratch.get()) == 1);
    return objects;
}

} // namespace

Library::Library() {
    for (std::size_t i = 0; i < digests_.size(); ++i) {
        digests_[i].reset(EVP_MD_fetch(nullptr, kDigestNames[i], nullptr));
        ENSURE(digests_[i]);
    }
    for (std::size_t i = 0; i < ciphers_.size(); ++i) {
        ciphers_[i].reset(EVP_CIPHER_fetch(nullptr, kCipherNames[i], nullptr));
        ENSURE(ciphers_[i]);
    }
    for (std::size_t i = 0; i < groups_.size(); ++i)
        groups_[i] = make_group(kGroups[i]);
}

const Library& Library::get() {
    static const Library library;
    return library;
}

const GroupObjects& Library::group(const GroupInfo& info) const {
    const auto index = static_cast<std::size_t>(&info - kGroups.data());
    ENSURE(index < groups_.size());
    return groups_[index];
}

} // namespace openssl

} // namespace adit::ike
