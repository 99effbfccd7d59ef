// SPDX-License-Identifier: Apache-2.0
#include "perf/raw_library.h"

#include "common/error.h"
#include "common/prefetch.h"
#include "dataplane/crypto_mb.h"
#include "perf/harness.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <intel-ipsec-mb.h>
#include <new>
#include <numeric>
#include <random>
#include <span>
#include <sys/mman.h>

namespace adit::perf {

namespace {

constexpr unsigned kBurst = 128;
constexpr unsigned kPrefetchAhead = 4;
constexpr std::uint32_t kColdKeys = 1000;

struct alignas(64) Buffer { // as far apart as mbufs of a pool
    std::uint8_t octets[2368];
};

union alignas(64) Keys {
    gcm_key_data gcm;
    std::uint8_t cbc[1088];
};

constexpr std::size_t kDecipherSchedule = 240;
constexpr std::size_t kInnerPad = 512;
constexpr std::size_t kOuterPad = 576;

/// Huge pages where the system gives them, as the SAs of a worker.
template <class T> class BigArray {
  public:
    explicit BigArray(std::size_t count) : bytes_(count * sizeof(T)) {
        void* memory =
            mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ENSURE(memory != MAP_FAILED);
        madvise(memory, bytes_, MADV_HUGEPAGE);
        items_ = static_cast<T*>(memory);
    }

    ~BigArray() { munmap(items_, bytes_); }

    BigArray(const BigArray&) = delete;
    BigArray& operator=(const BigArray&) = delete;

    T& operator[](std::size_t index) { return items_[index]; }

  private:
    std::size_t bytes_;
    T* items_;
};

} // namespace

class RawLibrary::Impl {
  public:
    Impl(const Suite& suite, std::uint32_t keys)
        : suite_(suite), layout_(EspLayout::of(suite.cipher, suite.mac)), manager_(alloc_mb_mgr(0)),
          crypto_(must(dataplane::CryptoMb::create(dataplane::CryptoArch::Auto))),
          schedule_lines_(crypto_->key_lines(suite.cipher, suite.mac, ipc::Direction::Outbound)),
          cold_(keys > kColdKeys), keys_count_(keys), keys_(keys), buffers_(kPackets) {
        init_mb_mgr_auto(manager_, nullptr);
        const std::uint8_t zeros[64]{};
        for (std::uint32_t i = 0; i < keys; ++i) {
            if (is_combined_mode(suite.cipher))
                (wide() ? manager_->gcm256_pre : manager_->gcm128_pre)(zeros, &keys_[i].gcm);
            else
                (wide() ? manager_->keyexp_256 : manager_->keyexp_128)(
                    zeros, keys_[i].cbc, keys_[i].cbc + kDecipherSchedule);
        }
        draw_keys();
    }

    ~Impl() { free_mb_mgr(manager_); }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    double run(const Load& load, Flow flow, std::uint64_t ticks_wanted) {
        std::iota(order_.begin(), order_.end(), 0U);
        for (unsigned first = 0; first < kPackets; first += kBurst)
            std::stable_sort(
                order_.begin() + first,
                order_.begin() + first + kBurst,
                [&](unsigned a, unsigned b) { return load.octets[a] < load.octets[b]; });
        spend(load, flow, ticks_wanted / 4);
        return spend(load, flow, ticks_wanted);
    }

  private:
    /// Others for each round, or 512 of them would soon be warm.
    void draw_keys() {
        for (std::uint32_t& slot : slots_)
            slot = static_cast<std::uint32_t>(random_() % keys_count_);
    }

    [[nodiscard]] bool wide() const { return info(suite_.cipher).key_bytes == 32; }

    double spend(const Load& load, Flow flow, std::uint64_t wanted) {
        std::uint64_t spent = 0;
        std::uint64_t packets = 0;
        while (spent < wanted) {
            const std::uint64_t start = ticks();
            if (is_combined_mode(suite_.cipher))
                gcm(load, flow);
            else
                cbc(load, flow);
            spent += ticks() - start;
            packets += kPackets;
            if (keys_count_ > 1)
                draw_keys();
        }
        return static_cast<double>(spent) / static_cast<double>(packets);
    }

    void gcm(const Load& load, Flow flow) {
        const aes_gcm_enc_dec_t function =
            flow == Flow::Out ? (wide() ? manager_->gcm256_enc : manager_->gcm128_enc)
                              : (wide() ? manager_->gcm256_dec : manager_->gcm128_dec);
        gcm_context_data context;
        for (unsigned i = 0; i < kPackets; ++i) {
            if (cold_)
                prefetch(load, (i + kPrefetchAhead) % kPackets);
            std::uint8_t* at = buffers_[i].octets;
            const std::uint32_t length = layout_.ciphertext(load.octets[i]);
            std::uint8_t* text = at + 16;
            function(
                &keys_[slots_[i]].gcm, &context, text, text, length, at, at, 8, text + length, 16);
        }
    }

    void prefetch(const Load& load, unsigned packet) {
        unsigned lines =
            schedule_lines_ | crypto_->gcm_power_lines(layout_.ciphertext(load.octets[packet]));
        for (; lines != 0; lines &= lines - 1)
            adit::prefetch(keys_[slots_[packet]].cbc + std::countr_zero(lines) * 64);
    }

    void cbc(const Load& load, Flow flow) {
        for (unsigned first = 0; first < kPackets; first += kBurst) {
            fill(load, std::span{order_}.subspan(first, kBurst), flow);
            if (flow == Flow::In)
                hash();
            IMB_SUBMIT_CIPHER_BURST_NOCHECK(
                manager_,
                jobs_.data(),
                kBurst,
                IMB_CIPHER_CBC,
                flow == Flow::Out ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT,
                static_cast<IMB_KEY_SIZE_BYTES>(info(suite_.cipher).key_bytes));
            if (flow == Flow::Out)
                hash();
        }
    }

    void fill(const Load& load, std::span<const unsigned> packets, Flow flow) {
        IMB_JOB* job = jobs_.data();
        for (const unsigned packet : packets) {
            std::uint8_t* at = buffers_[packet].octets;
            const std::uint8_t* keys = keys_[slots_[packet]].cbc;
            const std::uint32_t length = layout_.ciphertext(load.octets[packet]);
            job->enc_keys = keys;
            job->dec_keys = keys + kDecipherSchedule;
            job->key_len_in_bytes = info(suite_.cipher).key_bytes;
            job->src = at;
            job->dst = at + 24;
            job->cipher_start_src_offset_in_bytes = 24;
            job->msg_len_to_cipher_in_bytes = length;
            job->hash_start_src_offset_in_bytes = 0;
            job->msg_len_to_hash_in_bytes = length + 24;
            job->iv = at + 8;
            job->iv_len_in_bytes = 16;
            job->auth_tag_output = at + 24 + length;
            job->auth_tag_output_len_in_bytes = layout_.icv;
            job->u.HMAC._hashed_auth_key_xor_ipad = keys + kInnerPad;
            job->u.HMAC._hashed_auth_key_xor_opad = keys + kOuterPad;
            job->cipher_mode = IMB_CIPHER_CBC;
            job->cipher_direction = flow == Flow::Out ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
            job->hash_alg = algorithm();
            ++job;
        }
    }

    void hash() { IMB_SUBMIT_HASH_BURST_NOCHECK(manager_, jobs_.data(), kBurst, algorithm()); }

    [[nodiscard]] IMB_HASH_ALG algorithm() const {
        return suite_.mac == EspMac::HmacSha1_96 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_HMAC_SHA_256;
    }

    Suite suite_;
    EspLayout layout_;
    IMB_MGR* manager_;
    std::unique_ptr<dataplane::CryptoMb> crypto_; // knows what to prefetch
    unsigned schedule_lines_;
    bool cold_;
    std::uint32_t keys_count_;
    std::minstd_rand random_{7};
    BigArray<Keys> keys_;
    BigArray<Buffer> buffers_;
    std::array<IMB_JOB, kBurst> jobs_{};
    std::array<std::uint32_t, kPackets> slots_;
    std::array<unsigned, kPackets> order_;
};

RawLibrary::RawLibrary(const Suite& suite, std::uint32_t keys)
    : impl_(std::make_unique<Impl>(suite, keys)) {}

RawLibrary::~RawLibrary() = default;

double RawLibrary::run(const Load& load, Flow flow, std::uint64_t ticks) {
    return impl_->run(load, flow, ticks);
}

} // namespace adit::perf
