// SPDX-License-Identifier: Apache-2.0
// The crypto adapter against answers of others, and its refusal to start without them.
#include "dataplane/crypto_mb.h"

#include "common/secret.h"
#include "dataplane/crypto_known_answers.h"
#include "tests/support/esp_fixture.h"
#include "tests/support/vectors.h"

#include <array>
#include <set>

namespace adit::dataplane {
namespace {

EspCipher gcm_of(std::size_t key_bytes) {
    return key_bytes == 16   ? EspCipher::AesGcm128
           : key_bytes == 24 ? EspCipher::AesGcm192
                             : EspCipher::AesGcm256;
}

struct GcmCase {
    Bytes key, iv, aad, plaintext, ciphertext, tag;
    bool valid;
    std::string name;
};

class CryptoMbVectors : public test::OnEveryArch<::testing::Test> {
  protected:
    void SetUp() override {
        OnEveryArch::SetUp();
        if (!IsSkipped())
            crypto_ = *CryptoMb::create(GetParam());
    }

    void check(const GcmCase& answer) {
        KeyBlock keys;
        const EspCipher cipher = gcm_of(answer.key.size());
        crypto_->expand(cipher, EspMac::None, answer.key, {}, keys);
        Bytes text = answer.ciphertext;
        Bytes tag(16);
        text.reserve(1); // data() of an empty vector may be null, which the library refuses
        CryptoJob job{.keys = &keys,
                      .text = text.data(),
                      .iv = answer.iv.data(),
                      .authenticated = answer.aad.empty() ? tag.data() : answer.aad.data(),
                      .tag = tag.data(),
                      .text_bytes = static_cast<std::uint32_t>(text.size()),
                      .authenticated_bytes = static_cast<std::uint32_t>(answer.aad.size()),
                      .cipher = cipher,
                      .mac = EspMac::None};
        crypto_->verify({&job, 1});
        EXPECT_EQ(equal_constant_time(ByteView{tag}.first(answer.tag.size()), answer.tag),
                  answer.valid)
            << answer.name;
        if (!answer.valid)
            return;
        EXPECT_EQ(text, answer.plaintext) << answer.name;
        crypto_->seal({&job, 1});
        EXPECT_EQ(text, answer.ciphertext) << answer.name;
        EXPECT_TRUE(equal_constant_time(ByteView{tag}.first(answer.tag.size()), answer.tag))
            << answer.name;
    }

    /// Text and tag that come of a packet of zeros.
    Bytes one_packet(const KeyBlock& keys,
                     EspCipher cipher,
                     EspMac mac,
                     ipc::Direction direction,
                     std::uint32_t octets) {
        Bytes text(octets), tag(kMaxHashTag);
        alignas(16) const std::uint8_t iv[16]{};
        const std::uint8_t aad[8]{};
        CryptoJob job{.keys = &keys,
                      .text = text.data(),
                      .iv = iv,
                      .authenticated = is_combined_mode(cipher) ? aad : text.data(),
                      .tag = tag.data(),
                      .text_bytes = octets,
                      .authenticated_bytes = is_combined_mode(cipher)
                                                 ? static_cast<std::uint32_t>(sizeof aad)
                                                 : octets,
                      .cipher = cipher,
                      .mac = mac};
        if (direction == ipc::Direction::Outbound) {
            crypto_->seal({&job, 1});
        } else {
            crypto_->verify({&job, 1});
            crypto_->decipher({&job, 1});
        }
        text.insert(text.end(), tag.begin(), tag.end());
        return text;
    }

    static constexpr std::size_t kMaxHashTag = 64;

    std::unique_ptr<CryptoMb> crypto_;
};

TEST_P(CryptoMbVectors, AgreesWithWycheproofGcm) {
    const auto file = test::load_json("wycheproof/aes_gcm_test.json");
    unsigned cases = 0;
    for (const auto& group : file.at("testGroups")) {
        if (group.at("ivSize") != 96) // ESP knows no other (RFC 4106 4)
            continue;
        for (const auto& one : group.at("tests")) {
            check({.key = test::unhex(one, "key"),
                   .iv = test::unhex(one, "iv"),
                   .aad = test::unhex(one, "aad"),
                   .plaintext = test::unhex(one, "msg"),
                   .ciphertext = test::unhex(one, "ct"),
                   .tag = test::unhex(one, "tag"),
                   .valid = one.at("result") == "valid",
                   .name = "tcId " + one.at("tcId").dump()});
            ++cases;
        }
    }
    EXPECT_GT(cases, 190U);
}

TEST_P(CryptoMbVectors, AgreesWithNistGcm) {
    unsigned cases = 0;
    for (const char* file : {"nist-cavs/gcmDecrypt128.rsp",
                             "nist-cavs/gcmDecrypt256.rsp",
                             "nist-cavs/gcmEncryptExtIV128.rsp",
                             "nist-cavs/gcmEncryptExtIV256.rsp"}) {
        for (const auto& record : test::load_rsp(file)) {
            if (!record.fields.contains("CT") || record.bytes("IV").size() != 12)
                continue;
            const bool valid = !record.fields.contains("FAIL");
            check({.key = record.bytes("Key"),
                   .iv = record.bytes("IV"),
                   .aad = record.bytes("AAD"),
                   .plaintext = valid ? record.bytes("PT") : Bytes{},
                   .ciphertext = record.bytes("CT"),
                   .tag = record.bytes("Tag"),
                   .valid = valid,
                   .name = std::string{file} + " count " + record.text("Count")});
            ++cases;
        }
    }
    EXPECT_GT(cases, 1000U);
}

/// What is asked for ahead must be what is read, or a cold key is waited for line by line.
TEST_P(CryptoMbVectors, ReadsNoLineOfAKeyBlockThatIsNotFetched) {
    constexpr std::size_t kLine = 64;
    for (const auto& [cipher, mac] : test::all_suites())
        for (const ipc::Direction direction : {ipc::Direction::Outbound, ipc::Direction::Inbound})
            for (const std::uint32_t octets : {16U, 64U, 128U, 256U, 512U, 1408U}) {
                KeyBlock keys{};
                crypto_->expand(cipher,
                                mac,
                                Bytes(info(cipher).key_bytes, 0x5a),
                                Bytes(info(mac).key_bytes, 0xa5),
                                keys);
                unsigned lines = crypto_->key_lines(cipher, mac, direction);
                if (is_combined_mode(cipher))
                    lines |= crypto_->gcm_power_lines(octets);
                const Bytes expected = one_packet(keys, cipher, mac, direction, octets);
                for (unsigned line = 0; line < sizeof keys / kLine; ++line) {
                    if ((lines >> line & 1) != 0)
                        continue;
                    const KeyBlock before = keys;
                    for (std::size_t i = 0; i < kLine; ++i)
                        keys.bytes[line * kLine + i] ^= 0xff;
                    EXPECT_EQ(one_packet(keys, cipher, mac, direction, octets), expected)
                        << info(cipher).show_name << ' ' << info(mac).config_name << " line "
                        << line << ", " << octets << " octets";
                    keys = before;
                }
            }
}

INSTANTIATE_TEST_SUITE_P(EveryArch,
                         CryptoMbVectors,
                         ::testing::ValuesIn(test::kArchs),
                         test::arch_name);

// ---------------------------------------------------------------------------------------------------
// The self-test at start

class CryptoMbSelfTest : public test::OnEveryArch<::testing::Test> {
  protected:
    /// `hex` with its first octet changed.
    static std::string spoiled(std::string hex) {
        hex.front() = hex.front() == '0' ? '1' : '0';
        return hex;
    }

    /// create() with the answers of this test fails and says what is wrong.
    void expect_refusal(const char* algorithm, const char* operation) const {
        const auto made = CryptoMb::create(GetParam(), {ciphers, macs});
        ASSERT_FALSE(made.has_value()) << algorithm << " gave a wrong answer, and nobody minds";
        EXPECT_NE(made.error().text.find(std::string{algorithm} + " gave a wrong answer when " +
                                         operation),
                  std::string::npos)
            << made.error().text;
    }

    std::vector<CipherAnswer> ciphers{known_answers().ciphers.begin(),
                                      known_answers().ciphers.end()};
    std::vector<MacAnswer> macs{known_answers().macs.begin(), known_answers().macs.end()};
};

TEST_P(CryptoMbSelfTest, RefusesToStartOnAWrongCiphertext) {
    for (CipherAnswer& answer : ciphers) {
        const CipherAnswer good = answer;
        const std::string wrong = spoiled(good.ciphertext);
        answer.ciphertext = wrong.c_str();
        expect_refusal(good.name, "enciphering");
        answer = good;
    }
}

TEST_P(CryptoMbSelfTest, RefusesToStartOnAWrongTagOfTheCombinedMode) {
    for (CipherAnswer& answer : ciphers) {
        if (!is_combined_mode(answer.cipher))
            continue;
        const CipherAnswer good = answer;
        const std::string wrong = spoiled(good.tag);
        answer.tag = wrong.c_str();
        expect_refusal(good.name, "enciphering");
        answer = good;
    }
}

TEST_P(CryptoMbSelfTest, RefusesToStartOnAWrongMac) {
    for (MacAnswer& answer : macs) {
        const MacAnswer good = answer;
        const std::string wrong = spoiled(good.tag);
        answer.tag = wrong.c_str();
        expect_refusal(good.name, "authenticating");
        answer = good;
    }
}

INSTANTIATE_TEST_SUITE_P(EveryArch,
                         CryptoMbSelfTest,
                         ::testing::ValuesIn(test::kArchs),
                         test::arch_name);

TEST(KnownAnswers, ExistForEveryAlgorithmOfTheTable) {
    std::set<EspCipher> ciphers{EspCipher::Null}; // enciphers nothing
    for (const CipherAnswer& answer : known_answers().ciphers)
        ciphers.insert(answer.cipher);
    EXPECT_EQ(ciphers.size(), kEspCiphers.size());
    std::set<EspMac> macs{EspMac::None};
    for (const MacAnswer& answer : known_answers().macs)
        macs.insert(answer.mac);
    EXPECT_EQ(macs.size(), kEspMacs.size());
}

TEST(CryptoMb, LibraryWipesAfterUse) {
    EXPECT_TRUE((*CryptoMb::create(CryptoArch::Auto))->wipes_after_use());
}

TEST(CryptoMb, RandomNeverRepeatsABlock) {
    const auto crypto = *CryptoMb::create(CryptoArch::Auto);
    std::set<std::array<std::uint8_t, 16>> seen;
    for (unsigned i = 0; i < 20'000; ++i) {
        std::array<std::uint8_t, 16> block;
        crypto->random(block);
        ASSERT_TRUE(seen.insert(block).second);
        crypto->random({block.data(), i % 5}); // odd sizes across refills
    }
    const auto other = *CryptoMb::create(CryptoArch::Auto);
    std::array<std::uint8_t, 16> block;
    other->random(block);
    EXPECT_FALSE(seen.contains(block)) << "two workers must not share a stream";
}

TEST(CryptoMb, AcceptsAnEmptyBurst) {
    const auto crypto = *CryptoMb::create(CryptoArch::Auto);
    crypto->seal({});
    crypto->verify({});
    crypto->decipher({});
}

} // namespace
} // namespace adit::dataplane
