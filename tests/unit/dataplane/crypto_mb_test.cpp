// SPDX-License-Identifier: Apache-2.0
// The crypto adapter against answers of others, and every way it calls the library against the
// library's checked job interface, with random keys and mixed lengths in one burst.
#include "dataplane/crypto_mb.h"

#include "common/secret.h"
#include "tests/support/esp_fixture.h"
#include "tests/support/vectors.h"

#include <array>
#include <intel-ipsec-mb.h>
#include <set>

namespace adit::dataplane {
namespace {

using test::Suite;

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

class CryptoMbVectors : public ::testing::TestWithParam<CryptoArch> {
  protected:
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

    std::unique_ptr<CryptoMb> crypto_ = *CryptoMb::create(GetParam());
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

INSTANTIATE_TEST_SUITE_P(EveryArch, CryptoMbVectors, ::testing::ValuesIn(test::supported_archs()));

// ---------------------------------------------------------------------------------------------------
// The reference: the library's own checked job interface, one job at a time.

class Reference {
  public:
    Reference() : manager_(alloc_mb_mgr(0)) { init_mb_mgr_auto(manager_, nullptr); }

    ~Reference() { free_mb_mgr(manager_); }

    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;

    /// Enciphers and authenticates a copy of what `job` describes; returns text, then tag.
    Bytes seal(const CryptoJob& job) {
        Bytes text{job.text, job.text + job.text_bytes};
        Bytes tag(icv_bytes(job.cipher, job.mac));
        IMB_JOB* out = IMB_GET_NEXT_JOB(manager_);
        *out = IMB_JOB{};
        Bytes buffer;
        std::size_t offset = 0;
        if (job.mac != EspMac::None) { // one buffer from the ESP header on
            offset = static_cast<std::size_t>(job.text - job.authenticated);
            buffer.assign(job.authenticated, job.authenticated + job.authenticated_bytes);
        } else {
            buffer = text;
        }
        out->src = buffer.data();
        out->dst = buffer.data() + offset;
        out->cipher_start_src_offset_in_bytes = offset;
        out->msg_len_to_cipher_in_bytes = job.text_bytes;
        out->msg_len_to_hash_in_bytes = job.mac == EspMac::None ? 0 : job.authenticated_bytes;
        out->auth_tag_output = tag.data();
        out->auth_tag_output_len_in_bytes = tag.size();
        out->iv = job.iv;
        out->cipher_direction = IMB_DIR_ENCRYPT;
        out->chain_order = IMB_ORDER_CIPHER_HASH;
        set_cipher(*out, job);
        set_hash(*out, job);
        const IMB_JOB* done = IMB_SUBMIT_JOB(manager_);
        if (done == nullptr)
            done = IMB_FLUSH_JOB(manager_);
        EXPECT_NE(done, nullptr);
        EXPECT_EQ(done->status, IMB_STATUS_COMPLETED);
        Bytes result{buffer.begin() + static_cast<std::ptrdiff_t>(offset),
                     buffer.begin() + static_cast<std::ptrdiff_t>(offset + job.text_bytes)};
        result.insert(result.end(), tag.begin(), tag.end());
        return result;
    }

  private:
    static void set_cipher(IMB_JOB& out, const CryptoJob& job) {
        const std::uint8_t* keys = job.keys->bytes;
        out.enc_keys = keys;
        out.dec_keys = keys + 240;
        out.key_len_in_bytes = info(job.cipher).key_bytes;
        out.iv_len_in_bytes = info(job.cipher).block_bytes;
        if (is_combined_mode(job.cipher)) {
            out.cipher_mode = IMB_CIPHER_GCM;
            out.dec_keys = keys;
            out.iv_len_in_bytes = 12;
        } else if (job.cipher == EspCipher::Null) {
            out.cipher_mode = IMB_CIPHER_NULL;
        } else if (job.cipher == EspCipher::TripleDesCbc) {
            out.cipher_mode = IMB_CIPHER_DES3;
            out.enc_keys = keys + 384;
            out.dec_keys = keys + 384;
        } else {
            out.cipher_mode = IMB_CIPHER_CBC;
        }
    }

    static void set_hash(IMB_JOB& out, const CryptoJob& job) {
        if (is_combined_mode(job.cipher)) {
            out.hash_alg = IMB_AUTH_AES_GMAC;
            out.u.GCM.aad = job.authenticated;
            out.u.GCM.aad_len_in_bytes = job.authenticated_bytes;
            return;
        }
        constexpr IMB_HASH_ALG kAlgorithms[] = {IMB_AUTH_NULL,
                                                IMB_AUTH_HMAC_SHA_1,
                                                IMB_AUTH_HMAC_SHA_256,
                                                IMB_AUTH_HMAC_SHA_384,
                                                IMB_AUTH_HMAC_SHA_512,
                                                IMB_AUTH_MD5};
        out.hash_alg = kAlgorithms[static_cast<std::size_t>(job.mac)];
        out.u.HMAC._hashed_auth_key_xor_ipad = job.keys->bytes + 512;
        out.u.HMAC._hashed_auth_key_xor_opad = job.keys->bytes + 576;
    }

    IMB_MGR* manager_;
};

struct Sample {
    KeyBlock keys;
    alignas(16) std::array<std::uint8_t, 1600> packet; // ESP header, IV, text, room for the tag
    std::array<std::uint8_t, 16> iv;
    std::array<std::uint8_t, 64> tag;
};

/// A random key, header, IV and text, of a random whole number of blocks.
CryptoJob random_job(Suite suite, Sample& sample, CryptoMb& crypto, test::SeededRng& rng) {
    Bytes key(info(suite.cipher).key_bytes);
    Bytes mac_key(info(suite.mac).key_bytes);
    rng.fill(key);
    rng.fill(mac_key);
    rng.fill(sample.packet);
    rng.fill(sample.iv);
    sample.tag.fill(0);
    crypto.expand(suite.cipher, suite.mac, key, mac_key, sample.keys);
    const EspLayout layout = EspLayout::of(suite.cipher, suite.mac);
    const std::uint32_t text_bytes = layout.block * (1 + rng.below(1440U / layout.block));
    const std::uint32_t text_offset = 8U + layout.iv;
    const bool combined = is_combined_mode(suite.cipher);
    return {.keys = &sample.keys,
            .text = sample.packet.data() + text_offset,
            .iv = sample.iv.data(),
            .authenticated = sample.packet.data(),
            .tag = sample.tag.data(),
            .text_bytes = text_bytes,
            .authenticated_bytes = combined ? 8 : text_offset + text_bytes,
            .cipher = suite.cipher,
            .mac = suite.mac};
}

class CryptoMbDifferential : public ::testing::TestWithParam<CryptoArch> {};

TEST_P(CryptoMbDifferential, AgreesWithTheCheckedJobApiOnMixedBursts) {
    // The schedules of one architecture differ from another's only for GCM, so the reference
    // expands with its own; both run the best architecture here, and others were compared by known
    // answers.
    const auto crypto = *CryptoMb::create(GetParam());
    const auto best = *CryptoMb::create(CryptoArch::Auto);
    Reference reference;
    test::SeededRng rng{42};
    const auto suites = test::all_suites();
    const auto samples = std::make_unique<std::array<Sample, CryptoMb::kMaxJobs>>();
    std::vector<CryptoJob> jobs;
    for (unsigned round = 0; round < 40; ++round) {
        jobs.clear();
        std::vector<Bytes> expected, plaintexts;
        const unsigned count = 1 + rng.below(CryptoMb::kMaxJobs);
        for (unsigned i = 0; i < count; ++i) {
            const Suite suite = suites[rng.below(static_cast<std::uint32_t>(suites.size()))];
            test::SeededRng for_reference{round * 1000 + i};
            jobs.push_back(random_job(suite, (*samples)[i], *best, for_reference));
            expected.push_back(reference.seal(jobs[i]));
            plaintexts.emplace_back(jobs[i].text, jobs[i].text + jobs[i].text_bytes);
            test::SeededRng again{round * 1000 + i};
            jobs[i] = random_job(suite, (*samples)[i], *crypto, again);
        }
        crypto->seal(jobs);
        for (unsigned i = 0; i < count; ++i) {
            Bytes got{jobs[i].text, jobs[i].text + jobs[i].text_bytes};
            got.insert(
                got.end(), jobs[i].tag, jobs[i].tag + icv_bytes(jobs[i].cipher, jobs[i].mac));
            ASSERT_EQ(got, expected[i]) << "round " << round << " job " << i << " "
                                        << test::name_of({jobs[i].cipher, jobs[i].mac});
            std::fill_n(jobs[i].tag, 64, std::uint8_t{0});
        }
        crypto->verify(jobs);
        crypto->decipher(jobs);
        for (unsigned i = 0; i < count; ++i) {
            ASSERT_EQ(Bytes(jobs[i].text, jobs[i].text + jobs[i].text_bytes), plaintexts[i]);
            const Bytes tag{jobs[i].tag, jobs[i].tag + icv_bytes(jobs[i].cipher, jobs[i].mac)};
            ASSERT_EQ(tag,
                      Bytes(expected[i].end() - static_cast<std::ptrdiff_t>(tag.size()),
                            expected[i].end()));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryArch,
                         CryptoMbDifferential,
                         ::testing::ValuesIn(test::supported_archs()));

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
