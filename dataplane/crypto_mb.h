// SPDX-License-Identifier: Apache-2.0
// Enciphering through IPsec-MB, called directly: one manager per worker, a whole burst
// at a time.
//
//   GCM          one-shot calls, function pointers taken once; one packet fills the pipes
//   CBC + HMAC   bucketed by suite and length across SAs, then the library's synchronous bursts,
//                one for ciphers and one for hashes: the lanes want company, whatever its SA
//   3DES, MD5    not known to the bursts: job interface, submitted and flushed as a whole
//
// 3DES costs about 10 ns an octet in full bursts with AVX512, but 2,000 ns without: the library
// looks its tables up in constant time.
//
// The asynchronous burst of the library is not used: with mixed lengths it handed out packets that
// were not finished. Every call goes unchecked by the library, so callers pass lengths that
// EspLayout::is_whole_blocks accepted.
//
// Threading: one CryptoMb per worker. Nothing here allocates after create().
#pragma once

#include "common/algorithms.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/prefetch.h"
#include "dataplane/sa.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

// The library's, named here so that GCM is called without a detour.
struct gcm_key_data;
struct gcm_context_data;

namespace adit::dataplane {

struct KnownAnswers;

enum class CryptoArch : std::uint8_t {
    Auto, // the best that the CPU has
    Sse,
    Avx2,
    Avx512,
};

/// What one packet wants done; all pointers stay valid during the call. In place.
struct alignas(64) CryptoJob {
    const KeyBlock* keys;
    std::uint8_t* text;     // first octet to encipher, behind the IV
    const std::uint8_t* iv; // GCM: 12 octets, salt and IV (RFC 4106 4); CBC: one block; else unused
    const std::uint8_t* authenticated; // GCM: the AAD; HMAC: from the ESP header on
    std::uint8_t* tag;        // seal: where the ICV goes; open: where the computed ICV goes
    std::uint32_t text_bytes; // a multiple of the cipher's block
    std::uint32_t authenticated_bytes; // HMAC: what it covers; GCM: 8 or 12
    EspCipher cipher;
    EspMac mac;
};

/// AES-GCM, one packet at a time, so that a core works on the headers of the next one while the
/// cipher of this one waits for its own results. Pointers as in CryptoJob.
class Gcm {
  public:
    void seal(const CryptoJob& job) noexcept { call(seal_, job); }

    /// Deciphers and computes the ICV that should have come; nothing is compared.
    void open(const CryptoJob& job) noexcept { call(open_, job); }

  private:
    friend class CryptoMb;
    using Call = void (*)(const gcm_key_data*,
                          gcm_context_data*,
                          std::uint8_t* out,
                          const std::uint8_t* in,
                          std::uint64_t bytes,
                          const std::uint8_t* iv,
                          const std::uint8_t* aad,
                          std::uint64_t aad_bytes,
                          std::uint8_t* tag,
                          std::uint64_t tag_bytes);
    using Calls = std::array<Call, 3>; // AES-128, 192, 256

    [[gnu::always_inline]] void call(const Calls& calls, const CryptoJob& job) noexcept {
        constexpr auto kFirst = static_cast<std::size_t>(EspCipher::AesGcm128);
        calls[static_cast<std::size_t>(job.cipher) - kFirst](
            static_cast<const gcm_key_data*>(static_cast<const void*>(job.keys)),
            static_cast<gcm_context_data*>(static_cast<void*>(context_.data())),
            job.text,
            job.text,
            job.text_bytes,
            job.iv,
            job.authenticated,
            job.authenticated_bytes,
            job.tag,
            kTagBytes);
    }

    static constexpr std::uint64_t kTagBytes = 16;

    Calls seal_{};
    Calls open_{};
    alignas(64) std::array<std::uint8_t, 128> context_{}; // the library's scratch
};

class CryptoMb {
  public:
    static constexpr std::size_t kMaxJobs = 128;
    /// One SA's keys are 1 kB: about this many are what L2 holds.
    static constexpr std::uint32_t kColdKeys = 1000;

    /// Opens the library for this CPU and runs known answers through every algorithm in every
    /// direction: a wrong answer is an error, and the process must not start.
    static Result<std::unique_ptr<CryptoMb>> create(CryptoArch arch);
    /// The same with other answers, for tests of the refusal.
    static Result<std::unique_ptr<CryptoMb>> create(CryptoArch arch, const KnownAnswers& answers);
    /// Whether this CPU can run `arch`.
    static bool supports(CryptoArch arch);

    ~CryptoMb();
    CryptoMb(const CryptoMb&) = delete;
    CryptoMb& operator=(const CryptoMb&) = delete;

    /// Expands keys into `block`. Sizes must be those of the algorithm table (key without salt).
    void expand(EspCipher cipher, EspMac mac, ByteView key, ByteView mac_key, KeyBlock& block);

    /// Encipher, then compute ICVs. At most kMaxJobs.
    void seal(std::span<CryptoJob> jobs) noexcept;
    /// Compute the ICVs of what was received. GCM jobs are deciphered by the same pass.
    void verify(std::span<CryptoJob> jobs) noexcept;
    /// Decipher what verified; GCM jobs are left alone.
    void decipher(std::span<CryptoJob> jobs) noexcept;

    /// Unpredictable octets (CBC IVs, IP identifications), produced in bulk without a system call.
    void random(MutableBytes to) noexcept;

    [[nodiscard]] Gcm& gcm() { return gcm_; }

    /// How many SAs share the caches; above kColdKeys their keys are to be fetched ahead of use.
    void expect_keys(std::uint32_t count) { keys_are_cold_ = count > kColdKeys; }

    [[nodiscard]] bool keys_are_cold() const { return keys_are_cold_; }

    /// The lines of a key block that the library reads whatever the text; found by trying.
    [[nodiscard]] KeyLines key_lines(EspCipher cipher, EspMac mac, ipc::Direction direction) const;

    /// And those for a text of so many octets under AES-GCM: with VAES the library multiplies with
    /// up to 48 powers of the hash key at once, which stand at the end, the highest first.
    [[nodiscard]] KeyLines gcm_power_lines(std::uint32_t text_bytes) const {
        const std::uint32_t powers = (text_bytes + 15) / 16 + 2; // and blocks of AAD and lengths
        return static_cast<KeyLines>(gcm_power_lines_
                                     << (kGcmKeyBytes - 16 * std::min(powers, kMostPowers)) / 64);
    }

    [[nodiscard]] const char* arch_name() const;

    /// Whether the library was built to wipe registers and stack after each call.
    [[nodiscard]] bool wipes_after_use() const;

  private:
    struct Engine;
    explicit CryptoMb(std::unique_ptr<Engine> engine);

    static constexpr std::uint32_t kMostPowers = 48;
    static constexpr std::uint32_t kGcmKeyBytes = 1008;

    std::unique_ptr<Engine> engine_;
    Gcm gcm_;
    KeyLines gcm_power_lines_{0}; // all, or none where they are few and any text needs them
    bool keys_are_cold_{false};
};

inline void prefetch_keys(const KeyBlock& keys, KeyLines lines) {
    for (unsigned left = lines; left != 0; left &= left - 1)
        prefetch(keys.bytes + std::countr_zero(left) * 64);
}

} // namespace adit::dataplane
