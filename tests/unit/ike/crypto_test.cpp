// SPDX-License-Identifier: Apache-2.0
#include "control/ike/crypto.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::load_json;
using test::load_rsp;
using test::text;
using test::unhex;

TEST(SelfTest, Passes) {
    const Status status = self_test();
    EXPECT_TRUE(status) << status.error().text;
}

// ---------------------------------------------------------------------------------------------------
// Hash and prf

TEST(Hash, PartsAreConcatenated) {
    for (const HashInfo& row : kHashes) {
        const Bytes whole = hash(row.hash, {as_bytes("one two three")});
        EXPECT_EQ(whole, hash(row.hash, {as_bytes("one "), {}, as_bytes("two three")}));
        EXPECT_NE(whole, hash(row.hash, {as_bytes("one two thre")}));
        EXPECT_EQ(whole.size(), row.digest_bytes);
    }
}

TEST(Hash, WireNumbersFindTheirRow) {
    for (const HashInfo& row : kHashes)
        EXPECT_EQ(find_hash(row.wire), &info(row.hash));
    EXPECT_EQ(find_hash(IkeHash::Tiger), nullptr);
    EXPECT_EQ(find_hash(from_wire<IkeHash>(7)), nullptr);
}

void expect_rfc_hmac(const std::string& path, HashAlgorithm algorithm) {
    for (const auto& record : load_rsp(path)) {
        const Bytes expected = record.bytes("MD");
        const SecretBuffer mac = prf(algorithm, record.bytes("Key"), {record.bytes("Msg")});
        EXPECT_EQ(to_hex(mac.view().first(expected.size())), to_hex(expected))
            << path << " key " << record.text("Key");
    }
}

TEST(Prf, AgreesWithRfc2202) {
    expect_rfc_hmac("rfc/rfc-2202-md5.txt", HashAlgorithm::Md5);
    expect_rfc_hmac("rfc/rfc-2202-sha1.txt", HashAlgorithm::Sha1);
}

TEST(Prf, AgreesWithRfc4231) {
    expect_rfc_hmac("rfc/rfc-4231-sha256.txt", HashAlgorithm::Sha256);
    expect_rfc_hmac("rfc/rfc-4231-sha384.txt", HashAlgorithm::Sha384);
    expect_rfc_hmac("rfc/rfc-4231-sha512.txt", HashAlgorithm::Sha512);
}

/// Valid tags agree in their whole length, modified ones do not.
void expect_wycheproof_hmac(const std::string& path, HashAlgorithm algorithm) {
    unsigned compared = 0;
    const nlohmann::json file = load_json(path);
    for (const auto& group : file.at("testGroups")) {
        const auto tag_bytes = group.at("tagSize").get<std::size_t>() / 8;
        for (const auto& answer : group.at("tests")) {
            const SecretBuffer mac = prf(algorithm, unhex(answer, "key"), {unhex(answer, "msg")});
            const bool valid = text(answer, "result") == "valid";
            EXPECT_EQ(to_hex(mac.view().first(tag_bytes)) == text(answer, "tag"), valid)
                << path << " tcId " << answer.at("tcId");
            ++compared;
        }
    }
    EXPECT_EQ(compared, file.at("numberOfTests").get<unsigned>());
}

TEST(Prf, AgreesWithWycheproof) {
    expect_wycheproof_hmac("wycheproof/hmac_sha1_test.json", HashAlgorithm::Sha1);
    expect_wycheproof_hmac("wycheproof/hmac_sha256_test.json", HashAlgorithm::Sha256);
    expect_wycheproof_hmac("wycheproof/hmac_sha384_test.json", HashAlgorithm::Sha384);
}

void expect_acvp_hmac(const std::string& path, HashAlgorithm algorithm) {
    unsigned compared = 0;
    const nlohmann::json file = load_json(path);
    for (const auto& group : file.at("testGroups"))
        for (const auto& answer : group.at("tests")) {
            const Bytes expected = unhex(answer, "mac");
            const SecretBuffer mac = prf(algorithm, unhex(answer, "key"), {unhex(answer, "msg")});
            EXPECT_EQ(to_hex(mac.view().first(expected.size())), to_hex(expected))
                << path << " tcId " << answer.at("tcId");
            ++compared;
        }
    EXPECT_EQ(compared, 150U);
}

TEST(Prf, AgreesWithAcvp) {
    expect_acvp_hmac("nist-acvp/HMAC-SHA2-256-2.0.internalProjection.json", HashAlgorithm::Sha256);
    expect_acvp_hmac("nist-acvp/HMAC-SHA2-512-2.0.internalProjection.json", HashAlgorithm::Sha512);
}

TEST(Prf, TakesAnEmptyKeyAndNothingToAuthenticate) {
    // Python: hmac.new(b"", b"", "sha1").hexdigest()
    EXPECT_EQ(to_hex(prf(HashAlgorithm::Sha1, {}, {}).view()),
              "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

// ---------------------------------------------------------------------------------------------------
// CBC

void expect_cbc(CipherAlgorithm cipher, const test::RspRecord& record, const Bytes& key) {
    const Bytes iv = record.bytes("IV");
    const Bytes plaintext = record.bytes("PLAINTEXT");
    const Bytes ciphertext = record.bytes("CIPHERTEXT");
    Bytes text = plaintext;
    ASSERT_TRUE(cbc_encrypt(cipher, key, iv, text));
    EXPECT_EQ(to_hex(text), to_hex(ciphertext)) << "COUNT " << record.text("COUNT");
    text = ciphertext;
    ASSERT_TRUE(cbc_decrypt(cipher, key, iv, text));
    EXPECT_EQ(to_hex(text), to_hex(plaintext)) << "COUNT " << record.text("COUNT");
}

void expect_aes_file(const std::string& path, CipherAlgorithm cipher) {
    for (const auto& record : load_rsp(path))
        expect_cbc(cipher, record, record.bytes("KEY"));
}

TEST(Cbc, AgreesWithNistForAes) {
    expect_aes_file("nist-cavs/CBCMMT128.rsp", CipherAlgorithm::AesCbc128);
    expect_aes_file("nist-cavs/CBCMMT192.rsp", CipherAlgorithm::AesCbc192);
    expect_aes_file("nist-cavs/CBCMMT256.rsp", CipherAlgorithm::AesCbc256);
    expect_aes_file("nist-cavs/CBCVarTxt128.rsp", CipherAlgorithm::AesCbc128);
}

TEST(Cbc, AgreesWithNistForTripleDes) {
    for (const auto& record : load_rsp("nist-cavs/TCBCMMT3.rsp"))
        expect_cbc(CipherAlgorithm::TripleDesCbc,
                   record,
                   unhex(record.text("KEY1") + record.text("KEY2") + record.text("KEY3")));
}

TEST(Cbc, RefusesPartialBlocksAndLeavesTheTextAlone) {
    for (const CipherInfo& row : kCiphers) {
        const Bytes key(row.key_bytes, 1);
        const Bytes iv(row.block_bytes, 2);
        for (std::size_t length = 0; length <= 3U * row.block_bytes; ++length) {
            Bytes text(length, 3);
            const bool whole = length % row.block_bytes == 0;
            EXPECT_EQ(cbc_encrypt(row.cipher, key, iv, text).has_value(), whole) << length;
            EXPECT_EQ(text == Bytes(length, 3), !whole || length == 0) << length;
            EXPECT_EQ(cbc_decrypt(row.cipher, key, iv, text).has_value(), whole) << length;
            EXPECT_EQ(text, Bytes(length, 3)) << length;
        }
    }
}

TEST(Cbc, RefusesKeysAndIvsOfTheWrongLength) {
    for (const CipherInfo& row : kCiphers) {
        const Bytes key(row.key_bytes);
        const Bytes iv(row.block_bytes);
        Bytes text(row.block_bytes);
        EXPECT_FALSE(cbc_encrypt(row.cipher, ByteView{key}.first(key.size() - 1), iv, text));
        EXPECT_FALSE(cbc_encrypt(row.cipher, Bytes(key.size() + 1), iv, text));
        EXPECT_FALSE(cbc_decrypt(row.cipher, key, ByteView{iv}.first(iv.size() - 1), text));
        EXPECT_FALSE(cbc_decrypt(row.cipher, key, Bytes(iv.size() + 1), text));
        EXPECT_FALSE(cbc_decrypt(row.cipher, {}, {}, text));
        EXPECT_TRUE(cbc_decrypt(row.cipher, key, iv, text));
    }
}

TEST(Cbc, OffersFindTheirRow) {
    EXPECT_EQ(find_cipher(IkeEncryption::AesCbc, 256), &info(CipherAlgorithm::AesCbc256));
    EXPECT_EQ(find_cipher(IkeEncryption::TripleDesCbc, 0), &info(CipherAlgorithm::TripleDesCbc));
    EXPECT_EQ(find_cipher(IkeEncryption::AesCbc, 0), nullptr) << "AES needs a key length";
    EXPECT_EQ(find_cipher(IkeEncryption::AesCbc, 257), nullptr);
    EXPECT_EQ(find_cipher(IkeEncryption::TripleDesCbc, 192), nullptr);
    EXPECT_EQ(find_cipher(IkeEncryption::DesCbc, 0), nullptr);
}

} // namespace
} // namespace adit::ike
