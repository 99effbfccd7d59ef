// SPDX-License-Identifier: Apache-2.0
// Every way CryptoMb calls the library against the library's checked job interface, which takes one
// packet at a time, with keys that it expanded itself. Equal means bit for bit, and whole buffers
// are compared: an octet written beside text and ICV shows too.
//
// A burst is a function of its seed and its size; both are printed when it fails.
#include "tests/support/crypto_reference.h"
#include "tests/support/esp_fixture.h"

#include <algorithm>
#include <set>
#include <string>

namespace adit::dataplane {
namespace {

using test::Suite;

constexpr std::size_t kGuardBytes = 64; // a vector register and then some, on both sides
constexpr std::uint32_t kJumboBytes = 9000;
/// Without AVX512, 3DES takes 2 us an octet: long ones are left to the bursts of one suite.
constexpr std::uint32_t kLongTripleDesBytes = 256;

enum class Numbers : std::uint8_t {
    Short,
    Extended, // RFC 4303 2.2.1: four octets more are authenticated
};

/// One packet and all that goes into it, at a random alignment:
///
///   guard | ESP header, IV, text | room for the ICV | guard
struct Sample {
    Suite suite;
    Numbers numbers;
    std::size_t esp_at, text_at;
    std::uint32_t text_bytes;
    Bytes key, mac_key;
    std::array<std::uint8_t, 12> nonce, extended_aad;
    Bytes octets;
    KeyBlock keys; // of 3DES it points into itself: a Sample stays where it is

    void draw(Suite its_suite, std::uint32_t its_text_bytes, CryptoMb& crypto, Rng& rng) {
        suite = its_suite;
        text_bytes = its_text_bytes;
        numbers = rng.below(2) == 0 ? Numbers::Short : Numbers::Extended;
        const EspLayout layout = EspLayout::of(suite.cipher, suite.mac);
        esp_at = kGuardBytes + rng.below(kGuardBytes);
        text_at = esp_at + kEspHeaderBytes + layout.iv;
        key.resize(info(suite.cipher).key_bytes);
        mac_key.resize(info(suite.mac).key_bytes);
        octets.resize(text_at + text_bytes + layout.icv + kGuardBytes);
        for (const MutableBytes part : {MutableBytes{key},
                                        MutableBytes{mac_key},
                                        MutableBytes{nonce},
                                        MutableBytes{extended_aad},
                                        MutableBytes{octets}})
            rng.fill(part);
        crypto.expand(suite.cipher, suite.mac, key, mac_key, keys);
    }

    [[nodiscard]] std::size_t icv_at() const { return text_at + text_bytes; }

    /// As the ESP stages fill it, on a copy of `octets`.
    [[nodiscard]] CryptoJob job(Bytes& copy, std::uint8_t* tag) const {
        const bool extended = numbers == Numbers::Extended;
        std::uint8_t* esp = copy.data() + esp_at;
        CryptoJob made{.keys = &keys,
                       .text = copy.data() + text_at,
                       .iv = esp + kEspHeaderBytes,
                       .authenticated = esp,
                       .tag = tag,
                       .text_bytes = text_bytes,
                       .authenticated_bytes = static_cast<std::uint32_t>(icv_at() - esp_at),
                       .cipher = suite.cipher,
                       .mac = suite.mac};
        if (is_combined_mode(suite.cipher)) {
            made.iv = nonce.data();
            made.authenticated = extended ? extended_aad.data() : esp;
            made.authenticated_bytes = extended ? 12 : 8;
        } else if (extended) {
            made.authenticated_bytes += 4;
        }
        return made;
    }

    [[nodiscard]] std::string name() const {
        return test::name_of(suite) + (numbers == Numbers::Extended ? " ESN" : "") + ", " +
               std::to_string(text_bytes) + " octets at " + std::to_string(text_at);
    }
};

/// Says where octets differ; a jumbo packet in full helps nobody.
::testing::AssertionResult same(ByteView got, ByteView expected) {
    const auto [left, right] = std::ranges::mismatch(got, expected);
    if (left == got.end() && right == expected.end())
        return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "octet " << left - got.begin() << " of " << got.size()
                                         << " is the first that differs";
}

/// Lengths at which something changes: blocks of ciphers and hashes, the length classes of the
/// scheduler (which count text, or all that is authenticated), and the longest frames.
std::vector<std::uint32_t> lengths_at_edges(Suite suite) {
    const EspLayout layout = EspLayout::of(suite.cipher, suite.mac);
    std::set<std::uint32_t> lengths;
    for (const std::uint32_t edge : {64U, 128U, 640U, 1024U, 1400U, 4096U, kJumboBytes})
        for (const std::uint32_t in_front : {0U, kEspHeaderBytes + layout.iv})
            for (const int step : {-1, 0, 1})
                lengths.insert(((edge - in_front) / layout.block + static_cast<unsigned>(step)) *
                               layout.block);
    for (std::uint32_t blocks = 1; blocks <= 8; ++blocks)
        lengths.insert(blocks * layout.block);
    // Block modes have no empty message: the checked interface refuses it.
    if (is_combined_mode(suite.cipher) || suite.cipher == EspCipher::Null)
        lengths.insert(0);
    return {lengths.begin(), lengths.end()};
}

/// Every second one at an edge.
std::uint32_t random_length(Suite suite, Rng& rng) {
    const auto edges = lengths_at_edges(suite);
    const std::uint32_t block = EspLayout::of(suite.cipher, suite.mac).block;
    const std::uint32_t length = rng.below(2) == 0
                                     ? edges[rng.below(static_cast<std::uint32_t>(edges.size()))]
                                     : block * (1 + rng.below(1500 / block));
    const bool slow = suite.cipher == EspCipher::TripleDesCbc;
    return slow ? std::min(length, kLongTripleDesBytes) : length;
}

class CryptoDifferential : public test::OnEveryArch<::testing::Test> {
  protected:
    void SetUp() override {
        OnEveryArch::SetUp();
        if (IsSkipped())
            return;
        auto made = CryptoMb::create(GetParam());
        ASSERT_TRUE(made.has_value()) << made.error().text;
        crypto_ = std::move(*made);
    }

    /// What the reference makes of every sample, then one burst each of ours, both directions.
    void compare(std::span<const Sample> samples) {
        std::vector<Bytes> sealed(samples.size());
        std::vector<Bytes> ours(samples.size());
        std::vector<CryptoJob> jobs;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Sample& sample = samples[i];
            sealed[i] = sample.octets;
            reference_.seal(sample.job(sealed[i], sealed[i].data() + sample.icv_at()),
                            {sample.key, sample.mac_key});
            ours[i] = sample.octets;
            jobs.push_back(sample.job(ours[i], ours[i].data() + sample.icv_at()));
        }
        crypto_->seal(jobs);
        for (std::size_t i = 0; i < samples.size(); ++i)
            ASSERT_TRUE(same(ours[i], sealed[i]))
                << "sealing job " << i << ": " << samples[i].name();
        compare_opening(samples, sealed);
    }

  private:
    struct alignas(16) Icv {
        std::array<std::uint8_t, kGuardBytes + 32 + kGuardBytes> octets;

        [[nodiscard]] std::uint8_t* place() { return octets.data() + kGuardBytes; }
    };

    /// `sealed` as a receiver finds it: the ICV is put aside, and octets that are authenticated
    /// but not sent stand in its place. What comes out is what was sealed.
    void compare_opening(std::span<const Sample> samples, std::vector<Bytes> sealed) {
        std::vector<Bytes> by_reference;
        std::vector<Icv> expected(samples.size());
        std::vector<Icv> icvs(samples.size());
        std::vector<CryptoJob> jobs;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const Sample& sample = samples[i];
            const auto icv = MutableBytes{sealed[i]}.subspan(
                sample.icv_at(), icv_bytes(sample.suite.cipher, sample.suite.mac));
            std::ranges::copy(icv, expected[i].place());
            std::copy_n(sample.octets.data() + sample.icv_at(), icv.size(), icv.data());
            Icv by_reference_icv{};
            Bytes opened = sealed[i];
            reference_.open(sample.job(opened, by_reference_icv.place()),
                            {sample.key, sample.mac_key});
            ASSERT_TRUE(same(by_reference_icv.octets, expected[i].octets)) << sample.name();
            ASSERT_TRUE(same(opened, sample.octets)) << sample.name();
            jobs.push_back(sample.job(sealed[i], icvs[i].place()));
        }
        crypto_->verify(jobs);
        for (std::size_t i = 0; i < samples.size(); ++i)
            ASSERT_TRUE(same(icvs[i].octets, expected[i].octets))
                << "verifying job " << i << ": " << samples[i].name();
        crypto_->decipher(jobs);
        for (std::size_t i = 0; i < samples.size(); ++i)
            ASSERT_TRUE(same(sealed[i], samples[i].octets))
                << "deciphering job " << i << ": " << samples[i].name();
    }

  protected:
    std::unique_ptr<CryptoMb> crypto_;
    test::CryptoReference reference_;
};

TEST_P(CryptoDifferential, AgreesOnEverySuiteAtTheEdgesOfLengths) {
    for (const Suite suite : test::all_suites()) {
        const std::uint64_t seed = 1;
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::SeededRng rng{seed};
        const auto lengths = lengths_at_edges(suite);
        ASSERT_LE(lengths.size(), CryptoMb::kMaxJobs);
        std::vector<Sample> samples(lengths.size());
        for (std::size_t i = 0; i < lengths.size(); ++i)
            samples[i].draw(suite, lengths[i], *crypto_, rng);
        compare(samples);
        if (HasFatalFailure())
            return;
    }
}

TEST_P(CryptoDifferential, AgreesOnMixedBurstsOfEverySize) {
    const auto suites = test::all_suites();
    for (std::size_t size = 1; size <= CryptoMb::kMaxJobs; ++size) {
        SCOPED_TRACE("seed and size of the burst: " + std::to_string(size));
        test::SeededRng rng{size};
        std::vector<Sample> samples(size);
        for (Sample& sample : samples) {
            const Suite suite = suites[rng.below(static_cast<std::uint32_t>(suites.size()))];
            sample.draw(suite, random_length(suite, rng), *crypto_, rng);
        }
        compare(samples);
        if (HasFatalFailure())
            return;
    }
}

INSTANTIATE_TEST_SUITE_P(EveryArch,
                         CryptoDifferential,
                         ::testing::ValuesIn(test::kArchs),
                         test::arch_name);

} // namespace
} // namespace adit::dataplane
