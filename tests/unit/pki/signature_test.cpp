// SPDX-License-Identifier: Apache-2.0
// RSA signatures are accepted for one encoding alone; the refused ones below are the families of
// Project Wycheproof's PKCS #1 v1.5 vectors, remade for a bare hash: each is a correct RSA
// operation over a block that is wrong in one way.
#include "control/pki/signature.h"
#include "tests/support/test_ca.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace adit::pki {
namespace {

using ike::SignatureScheme;
using test::KeyPair;

EVP_PKEY* rsa_key() {
    static const KeyPair pair = KeyPair::rsa();
    return pair.key.get();
}

const Bytes kHash(32, 0xa5);

/// The private-key operation over any block at all.
Bytes raw(EVP_PKEY* key, const Bytes& block) {
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    EXPECT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING), 1);
    Bytes signature(block.size());
    std::size_t length = signature.size();
    EXPECT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &length, block.data(), block.size()),
              1);
    return signature;
}

bool accepted(const Bytes& block) {
    return verifies(rsa_key(), SignatureScheme::RsaRaw, kHash, raw(rsa_key(), block));
}

Bytes right_block() {
    return *rsa_block(kHash, 256);
}

TEST(RsaBlock, IsBlockTypeOneAroundTheBareHash) {
    const auto block = rsa_block(Bytes{1, 2, 3}, 16);
    ASSERT_TRUE(block);
    EXPECT_EQ(*block, (Bytes{0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 2, 3}));
    EXPECT_TRUE(rsa_block(Bytes(5), 16));
    EXPECT_FALSE(rsa_block(Bytes(6), 16)) << "fewer than eight octets of padding";
    EXPECT_FALSE(rsa_block({}, 16));
}

TEST(RsaSignature, SignsWhatItVerifies) {
    for (const std::size_t length : {16U, 20U, 32U, 48U, 64U}) {
        const Bytes hash(length, 0x5a);
        const auto signature = sign(rsa_key(), SignatureScheme::RsaRaw, hash);
        ASSERT_TRUE(signature);
        EXPECT_EQ(signature->size(), 256U);
        EXPECT_EQ(*signature, raw(rsa_key(), *rsa_block(hash, 256))) << "no DigestInfo inside";
        EXPECT_TRUE(verifies(rsa_key(), SignatureScheme::RsaRaw, hash, *signature));
    }
}

TEST(RsaSignature, TheRightBlockIsAccepted) {
    EXPECT_TRUE(accepted(right_block()));
}

TEST(RsaSignature, AnyOtherOctetIsRefused) {
    for (std::size_t i = 1; i < 256; i += 5) { // octet 0 would make a number above the modulus
        Bytes block = right_block();
        block[i] ^= 0x01;
        EXPECT_FALSE(accepted(block)) << "octet " << i;
    }
}

TEST(RsaSignature, ShortPaddingWithRubbishBehindTheHashIsRefused) {
    // Bleichenbacher 2006: 00 01 FF*8 00 HASH, then whatever makes a cube root.
    Bytes block(256, 0);
    block[1] = 1;
    std::fill_n(block.begin() + 2, 8, 0xff);
    std::ranges::copy(kHash, block.begin() + 11);
    EXPECT_FALSE(accepted(block));
    std::fill(block.begin() + 43, block.end(), 0x77);
    EXPECT_FALSE(accepted(block));
}

TEST(RsaSignature, NoPaddingOrOtherBlockTypesAreRefused) {
    Bytes bare(256, 0);
    std::ranges::copy(kHash, bare.end() - 32);
    EXPECT_FALSE(accepted(bare));
    for (const char* type : {"00", "02"}) {
        Bytes block = right_block();
        block[1] = from_hex(type)->front();
        EXPECT_FALSE(accepted(block)) << "block type " << type;
    }
    Bytes zeros = right_block();
    std::fill(zeros.begin() + 2, zeros.end() - 33, 0x00);
    EXPECT_FALSE(accepted(zeros));
}

TEST(RsaSignature, ADigestInfoIsRefused) {
    // What everything but IKEv1 signs: RFC 8017 9.2, SHA-256.
    Bytes info = *from_hex("3031300d060960864801650304020105000420");
    info.insert(info.end(), kHash.begin(), kHash.end());
    EXPECT_FALSE(accepted(*rsa_block(info, 256)));
}

TEST(RsaSignature, WrongLengthsAreRefused) {
    Bytes signature = raw(rsa_key(), right_block());
    const auto refused = [&](const Bytes& changed) {
        return !verifies(rsa_key(), SignatureScheme::RsaRaw, kHash, changed);
    };
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused(Bytes(1)));
    EXPECT_TRUE(refused(Bytes(256)));
    EXPECT_TRUE(refused(Bytes(256, 0xff))) << "above the modulus";
    Bytes longer = signature;
    longer.insert(longer.begin(), 0);
    EXPECT_TRUE(refused(longer)) << "a leading zero";
    longer.erase(longer.begin());
    longer.push_back(0);
    EXPECT_TRUE(refused(longer)) << "a trailing zero";
    signature.pop_back();
    EXPECT_TRUE(refused(signature));
}

TEST(RsaSignature, AnotherHashOrKeyIsRefused) {
    const Bytes signature = raw(rsa_key(), right_block());
    Bytes other = kHash;
    other.back() ^= 1;
    EXPECT_FALSE(verifies(rsa_key(), SignatureScheme::RsaRaw, other, signature));
    other = kHash;
    other.pop_back();
    EXPECT_FALSE(verifies(rsa_key(), SignatureScheme::RsaRaw, other, signature));
    EXPECT_FALSE(verifies(rsa_key(), SignatureScheme::RsaRaw, {}, signature));
    const KeyPair stranger = KeyPair::rsa();
    EXPECT_FALSE(verifies(stranger.key.get(), SignatureScheme::RsaRaw, kHash, signature));
}

struct CurveCase {
    const char* curve;
    SignatureScheme scheme;
    std::size_t hash_bytes;
    std::size_t signature_bytes;
};

class EcdsaSignature : public testing::TestWithParam<CurveCase> {};

TEST_P(EcdsaSignature, IsTwoNumbersSideBySide) {
    const CurveCase& curve = GetParam();
    const KeyPair pair = KeyPair::ec(curve.curve);
    EXPECT_EQ(scheme_of(pair.key.get()), curve.scheme);
    const Bytes hash(curve.hash_bytes, 0x3c);
    for (int i = 0; i < 20; ++i) { // some r or s begin with zeros
        const auto signature = sign(pair.key.get(), curve.scheme, hash);
        ASSERT_TRUE(signature);
        EXPECT_EQ(signature->size(), curve.signature_bytes);
        EXPECT_TRUE(verifies(pair.key.get(), curve.scheme, hash, *signature));
    }
}

TEST_P(EcdsaSignature, RefusesAllElse) {
    const CurveCase& curve = GetParam();
    const KeyPair pair = KeyPair::ec(curve.curve);
    const Bytes hash(curve.hash_bytes, 0x3c);
    const Bytes right = *sign(pair.key.get(), curve.scheme, hash);
    const auto refused = [&](const Bytes& signature) {
        return !verifies(pair.key.get(), curve.scheme, hash, signature);
    };
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused(Bytes(right.size()))) << "r = s = 0";
    EXPECT_TRUE(refused(Bytes(right.size(), 0xff))) << "above the order";
    Bytes changed = right;
    changed.front() ^= 1;
    EXPECT_TRUE(refused(changed));
    changed = right;
    std::ranges::rotate(changed, changed.begin() + static_cast<std::ptrdiff_t>(right.size() / 2));
    EXPECT_TRUE(refused(changed)) << "s | r";
    changed = right;
    changed.push_back(0);
    EXPECT_TRUE(refused(changed));
    changed = right;
    changed.pop_back();
    EXPECT_TRUE(refused(changed));
    Bytes other = hash;
    other.front() ^= 1;
    EXPECT_FALSE(verifies(pair.key.get(), curve.scheme, other, right));
    other.pop_back();
    EXPECT_FALSE(sign(pair.key.get(), curve.scheme, other)) << "the hash of another curve";
    EXPECT_FALSE(verifies(pair.key.get(), curve.scheme, other, right));
}

INSTANTIATE_TEST_SUITE_P(Curves,
                         EcdsaSignature,
                         testing::Values(CurveCase{"P-256", SignatureScheme::EcdsaP256, 32, 64},
                                         CurveCase{"P-384", SignatureScheme::EcdsaP384, 48, 96},
                                         CurveCase{"P-521", SignatureScheme::EcdsaP521, 64, 132}));

TEST(Scheme, OnlyForKeysIkeCanUse) {
    EXPECT_EQ(scheme_of(rsa_key()), SignatureScheme::RsaRaw);
    EXPECT_EQ(scheme_of(KeyPair::rsa(1024).key.get()), std::nullopt);
    EXPECT_EQ(scheme_of(KeyPair::ec("secp256k1").key.get()), std::nullopt);
    const Key edwards{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    EXPECT_EQ(scheme_of(edwards.get()), std::nullopt);
}

TEST(Scheme, AKeyOfOneSchemeVerifiesNoOther) {
    const KeyPair pair = KeyPair::ec();
    const Bytes signature = *sign(pair.key.get(), SignatureScheme::EcdsaP256, kHash);
    EXPECT_FALSE(verifies(pair.key.get(), SignatureScheme::RsaRaw, kHash, signature));
    EXPECT_FALSE(verifies(rsa_key(), SignatureScheme::EcdsaP256, kHash, signature));
}

} // namespace
} // namespace adit::pki
