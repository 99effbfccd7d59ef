// SPDX-License-Identifier: Apache-2.0
#include "control/ike/keymat.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <numeric>

namespace adit::ike {
namespace {

using test::load_rsp;
using test::RspRecord;
using test::unhex;

Bytes counting(std::uint8_t first, std::size_t count) {
    Bytes bytes(count);
    std::iota(bytes.begin(), bytes.end(), first);
    return bytes;
}

// ---------------------------------------------------------------------------------------------------
// SKEYID family: NIST

HashAlgorithm hash_of(const RspRecord& record) {
    if (record.in_section("SHA-1"))
        return HashAlgorithm::Sha1;
    if (record.in_section("SHA-256"))
        return HashAlgorithm::Sha256;
    if (record.in_section("SHA-384"))
        return HashAlgorithm::Sha384;
    if (record.in_section("SHA-512"))
        return HashAlgorithm::Sha512;
    test::vector_failure("a record without its hash");
}

Cookie cookie_of(const RspRecord& record, const std::string& field) {
    return Cookie{load_be<std::uint64_t>(record.bytes(field).data())};
}

void expect_skeyids(const RspRecord& record, SecretBuffer skeyid) {
    EXPECT_EQ(to_hex(skeyid.view()), record.text("SKEYID"));
    const Skeyids keys = derive_skeyids(hash_of(record),
                                        std::move(skeyid),
                                        record.bytes("g^xy"),
                                        {cookie_of(record, "CKY_I"), cookie_of(record, "CKY_R")});
    EXPECT_EQ(to_hex(keys.skeyid.view()), record.text("SKEYID"));
    EXPECT_EQ(to_hex(keys.skeyid_d.view()), record.text("SKEYID_d"));
    EXPECT_EQ(to_hex(keys.skeyid_a.view()), record.text("SKEYID_a"));
    EXPECT_EQ(to_hex(keys.skeyid_e.view()), record.text("SKEYID_e"));
}

TEST(Skeyid, OfPreSharedKeyAgreesWithNist) {
    const auto records = load_rsp("nist-cavs/ikev1_psk.rsp");
    EXPECT_EQ(records.size(), 270U);
    for (const auto& record : records) {
        const Bytes ni = record.bytes("Ni");
        const Bytes nr = record.bytes("Nr");
        expect_skeyids(
            record,
            skeyid_of_pre_shared_key(hash_of(record), record.bytes("pre-shared-key"), {ni, nr}));
    }
}

TEST(Skeyid, OfSignaturesAgreesWithNist) {
    const auto records = load_rsp("nist-cavs/ikev1_dsa.rsp");
    EXPECT_EQ(records.size(), 240U);
    for (const auto& record : records) {
        const Bytes ni = record.bytes("Ni");
        const Bytes nr = record.bytes("Nr");
        expect_skeyids(record,
                       skeyid_of_signatures(hash_of(record), {ni, nr}, record.bytes("g^xy")));
    }
}

// ---------------------------------------------------------------------------------------------------
// Key lengths (expected values: Python's hmac module over the RFC's formulas)

TEST(EncryptionKey, IsTheBeginningOfSkeyidEWhenThatIsLongEnough) {
    const Bytes skeyid_e = counting(100, 32);
    const auto key = [&](CipherAlgorithm cipher) {
        return to_hex(encryption_key(HashAlgorithm::Sha256, cipher, skeyid_e).view());
    };
    EXPECT_EQ(key(CipherAlgorithm::AesCbc128), to_hex(counting(100, 16)));
    EXPECT_EQ(key(CipherAlgorithm::TripleDesCbc), to_hex(counting(100, 24)));
    EXPECT_EQ(key(CipherAlgorithm::AesCbc256), to_hex(counting(100, 32)));
}

TEST(EncryptionKey, IsExpandedWhenSkeyidEIsShort) {
    EXPECT_EQ(
        to_hex(encryption_key(HashAlgorithm::Sha1, CipherAlgorithm::AesCbc256, counting(100, 20))
                   .view()),
        "bf9516462098a2dabf83311070513dca179268d42cab64f5618d227b9eb21fd1");
    EXPECT_EQ(
        to_hex(encryption_key(HashAlgorithm::Md5, CipherAlgorithm::TripleDesCbc, counting(100, 16))
                   .view()),
        "ed3c938cfde995708d2708ece51dbd662d8b4f34b3107272");
}

class KeymatTest : public testing::Test {
  protected:
    Bytes skeyid_d_ = counting(0, 20);
    Bytes g_qm_xy_ = counting(0x40, 32);
    Bytes ni_ = Bytes(16, 0xa1);
    Bytes nr_ = Bytes(20, 0xb2);
    KeymatInput input_{g_qm_xy_, ProtocolId::Esp, Spi{0x11223344}, {ni_, nr_}};

    [[nodiscard]] std::string derive(std::size_t length_bytes) const {
        return to_hex(keymat(HashAlgorithm::Sha1, skeyid_d_, input_, length_bytes).view());
    }
};

constexpr const char* kWithPfs = "e5244b058f98f6b29559d1534dfe1b4f710e75683eda61a9a27e84c3273d5200e"
                                 "a65db5081e4eaafe020c7c823388e74"
                                 "c8fa2875692b2fa00f636b8d856edb4264b268c4f07efb39";
constexpr const char* kWithoutPfs = "9512da81e635c5785ecdea1debe4925d9475c1f4da20af6086e26688cab034"
                                    "cbbdec3ca9257413037d4a08967a0a0739"
                                    "4429fdeae3245618373b12e3e97a087e55410ca65f6c9dfd";

TEST_F(KeymatTest, WithPfsCoversTheNewSharedSecret) {
    EXPECT_EQ(derive(72), kWithPfs);
}

TEST_F(KeymatTest, EveryLengthIsAPrefixOfTheLongest) {
    for (std::size_t length = 0; length <= 72; ++length)
        EXPECT_EQ(derive(length), std::string{kWithPfs}.substr(0, 2 * length));
}

TEST_F(KeymatTest, EveryInputCounts) {
    const std::string reference = derive(36);
    const KeymatInput original = input_;
    const auto expect_different = [&](const char* what) {
        EXPECT_NE(derive(36), reference) << what;
        input_ = original;
    };
    input_.spi = Spi{0x11223345};
    expect_different("spi");
    input_.protocol = ProtocolId::Ah;
    expect_different("protocol");
    input_.nonces.initiator = nr_;
    expect_different("Ni_b");
    input_.nonces.responder = ni_;
    expect_different("Nr_b");
    input_.g_qm_xy = {};
    expect_different("g(qm)^xy");
    EXPECT_EQ(derive(36), reference);
}

TEST_F(KeymatTest, CutsCipherKeyThenSaltThenIntegrityKey) {
    const std::string material{kWithPfs};
    const EspKeys cbc = derive_esp_keys(
        HashAlgorithm::Sha1, skeyid_d_, input_, EspCipher::AesCbc256, EspMac::HmacSha256_128);
    EXPECT_EQ(to_hex(cbc.cipher_key.view()), material.substr(0, 64));
    EXPECT_EQ(to_hex(cbc.mac_key.view()), material.substr(64, 64));

    const EspKeys gcm =
        derive_esp_keys(HashAlgorithm::Sha1, skeyid_d_, input_, EspCipher::AesGcm256, EspMac::None);
    EXPECT_EQ(to_hex(gcm.cipher_key.view()), material.substr(0, 72))
        << "RFC 4106: 4 octets of salt";
    EXPECT_TRUE(gcm.mac_key.empty());

    const EspKeys null = derive_esp_keys(
        HashAlgorithm::Sha1, skeyid_d_, input_, EspCipher::Null, EspMac::HmacSha1_96);
    EXPECT_TRUE(null.cipher_key.empty());
    EXPECT_EQ(to_hex(null.mac_key.view()), material.substr(0, 40));
}

TEST(KeymatWithoutPfs, LeavesTheSharedSecretOut) {
    const Bytes ni(16, 0xa1);
    const Bytes nr(20, 0xb2);
    const KeymatInput input{{}, ProtocolId::Esp, Spi{0x11223344}, {ni, nr}};
    EXPECT_EQ(to_hex(keymat(HashAlgorithm::Sha1, counting(0, 20), input, 72).view()), kWithoutPfs);
}

// ---------------------------------------------------------------------------------------------------
// Authenticators

TEST(QuickModeHash, Hash3StartsWithAZeroOctet) {
    const Bytes ni(16, 0xa1);
    const Bytes nr(20, 0xb2);
    EXPECT_EQ(
        to_hex(
            hash_3(HashAlgorithm::Sha1, counting(0, 20), MessageId{0xdeadbeef}, {ni, nr}).view()),
        "4f34ab00c3979051cc6251a14fe23342fb214e34");
}

TEST(QuickModeHash, Hash1And2DifferInTheNonceOnly) {
    const Bytes key = counting(0, 20);
    const Bytes ni(16, 0xa1);
    const Bytes rest = counting(9, 50);
    Bytes both = ni;
    both.insert(both.end(), rest.begin(), rest.end());
    const MessageId id{77};
    EXPECT_TRUE(hash_2(HashAlgorithm::Sha1, key, id, ni, rest) ==
                hash_1(HashAlgorithm::Sha1, key, id, both));
    EXPECT_FALSE(hash_2(HashAlgorithm::Sha1, key, id, ni, rest) ==
                 hash_1(HashAlgorithm::Sha1, key, id, rest));
    EXPECT_FALSE(hash_1(HashAlgorithm::Sha1, key, id, rest) ==
                 hash_1(HashAlgorithm::Sha1, key, MessageId{78}, rest));
}

TEST(Phase1Hash, InitiatorsAndRespondersAreMirrored) {
    const Bytes g_xi(128, 1);
    const Bytes g_xr(128, 2);
    const Bytes sa(40, 3);
    const Bytes id(8, 4);
    const Bytes skeyid = counting(0, 20);
    const Phase1Transcript seen{{Cookie{1}, Cookie{2}}, g_xi, g_xr, sa};
    const Phase1Transcript mirrored{{Cookie{2}, Cookie{1}}, g_xr, g_xi, sa};
    const SecretBuffer initiators = hash_i(HashAlgorithm::Sha1, skeyid, seen, id);
    EXPECT_TRUE(initiators == hash_r(HashAlgorithm::Sha1, skeyid, mirrored, id));
    EXPECT_FALSE(initiators == hash_r(HashAlgorithm::Sha1, skeyid, seen, id))
        << "a reflected HASH_I must not pass for HASH_R";
}

TEST(NatDiscovery, HashesCookiesAddressAndPort) {
    const CookiePair cookies{Cookie{0x0001020304050607}, Cookie{0x08090a0b0c0d0e0f}};
    const Endpoint endpoint{Ipv4Address{192, 0, 2, 1}, 500};
    EXPECT_EQ(to_hex(nat_discovery_hash(HashAlgorithm::Sha1, cookies, endpoint)),
              "cbdb568e416b17702d6a3fd9c2b2ba148cfc6944");
    EXPECT_NE(nat_discovery_hash(HashAlgorithm::Sha1, cookies, {endpoint.address, 501}),
              nat_discovery_hash(HashAlgorithm::Sha1, cookies, endpoint));
}

// ---------------------------------------------------------------------------------------------------
// IV chain

class IvChainTest : public testing::Test {
  protected:
    Bytes key_ = Bytes(16, 7);
    IvChain chain_ = IvChain::phase1(
        HashAlgorithm::Md5, CipherAlgorithm::AesCbc128, Bytes(8, 0x11), Bytes(8, 0x22));
};

TEST_F(IvChainTest, StartsFromHashes) {
    EXPECT_EQ(to_hex(chain_.iv()), "9c72665824a8644d22fe6039d6f65603");
    EXPECT_EQ(to_hex(chain_.phase2(MessageId{0xdeadbeef}).iv()),
              "e148e168ecd74f8719e8843be962775d");
}

TEST_F(IvChainTest, IsCutToTheBlockOfTheCipher) {
    const IvChain short_blocks = IvChain::phase1(
        HashAlgorithm::Md5, CipherAlgorithm::TripleDesCbc, Bytes(8, 0x11), Bytes(8, 0x22));
    EXPECT_EQ(to_hex(short_blocks.iv()), "9c72665824a8644d");
    // hash(last block | M-ID): eight octets of last block, not sixteen.
    EXPECT_EQ(to_hex(short_blocks.phase2(MessageId{0xdeadbeef}).iv()), "f2e53b5dc62124d1");
}

TEST_F(IvChainTest, BothSidesStayInStep) {
    IvChain initiator = chain_.phase2(MessageId{5});
    IvChain responder = chain_.phase2(MessageId{5});
    for (std::uint8_t round = 0; round < 4; ++round) {
        IvChain& sender = round % 2 == 0 ? initiator : responder;
        IvChain& receiver = round % 2 == 0 ? responder : initiator;
        Bytes text(48, round);
        ASSERT_TRUE(sender.encrypt(key_, text));
        const Bytes ciphertext = text;
        EXPECT_NE(ciphertext, Bytes(48, round));
        ASSERT_TRUE(receiver.decrypt(key_, text));
        EXPECT_EQ(text, Bytes(48, round));
        ASSERT_TRUE(receiver.accept(ciphertext));
        EXPECT_EQ(to_hex(sender.iv()), to_hex(ByteView{ciphertext}.last(16)));
        EXPECT_EQ(to_hex(receiver.iv()), to_hex(sender.iv()));
    }
}

TEST_F(IvChainTest, AForgedMessageDoesNotMoveIt) {
    IvChain sender = chain_.phase2(MessageId{5});
    const IvChain receiver = chain_.phase2(MessageId{5});
    Bytes forged(32, 0xee);
    ASSERT_TRUE(receiver.decrypt(key_, forged));
    Bytes text(32, 9);
    ASSERT_TRUE(sender.encrypt(key_, text));
    ASSERT_TRUE(receiver.decrypt(key_, text));
    EXPECT_EQ(text, Bytes(32, 9));
}

TEST_F(IvChainTest, ExchangesDoNotDisturbEachOther) {
    IvChain quick = chain_.phase2(MessageId{5});
    Bytes text(32, 9);
    ASSERT_TRUE(quick.encrypt(key_, text));
    EXPECT_EQ(to_hex(chain_.phase2(MessageId{5}).iv()), to_hex(chain_.phase2(MessageId{5}).iv()));
    EXPECT_NE(to_hex(chain_.phase2(MessageId{5}).iv()), to_hex(chain_.phase2(MessageId{6}).iv()));
    EXPECT_EQ(chain_.message_id(), MessageId{});
    EXPECT_EQ(quick.message_id(), MessageId{5});
}

TEST_F(IvChainTest, RefusesNothingAndPartialBlocks) {
    const std::string before = to_hex(chain_.iv());
    for (const std::size_t length : {0U, 1U, 15U, 17U, 31U}) {
        Bytes text(length, 9);
        EXPECT_FALSE(chain_.encrypt(key_, text)) << length;
        EXPECT_FALSE(chain_.decrypt(key_, text)) << length;
        EXPECT_FALSE(chain_.accept(text)) << length;
        EXPECT_EQ(text, Bytes(length, 9));
    }
    Bytes text(16, 9);
    EXPECT_FALSE(chain_.encrypt(Bytes(15), text));
    EXPECT_EQ(to_hex(chain_.iv()), before);
}

TEST_F(IvChainTest, APhase2ChainHasNoSuccessor) {
    const IvChain quick = chain_.phase2(MessageId{5});
    EXPECT_DEATH(static_cast<void>(quick.phase2(MessageId{6})), "internal error");
    EXPECT_DEATH(static_cast<void>(chain_.phase2(MessageId{})), "internal error");
}

} // namespace
} // namespace adit::ike
