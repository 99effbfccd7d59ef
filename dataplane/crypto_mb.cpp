// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto_mb.h"

#include "common/random.h"
#include "common/secret.h"
#include "dataplane/crypto_known_answers.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <intel-ipsec-mb.h>
#include <string>

namespace adit::dataplane {

namespace {

// What expand() leaves in a KeyBlock. HMAC pads lie at the same place whatever the cipher, so
// hashing does not ask for it.
constexpr std::size_t kDecipherSchedule = 240; // AES: 15 round keys of 16 octets each
constexpr std::size_t kDesSchedule = 128;
constexpr std::size_t kDesPointers = 3 * kDesSchedule;
constexpr std::size_t kInnerPad = 512;
constexpr std::size_t kOuterPad = 576;
constexpr std::size_t kMaxHashState = kOuterPad - kInnerPad;
/// Without VAES the library keeps few powers of GCM's hash key, in front of here.
constexpr std::size_t kFewPowersEnd = 512;
static_assert(sizeof(gcm_key_data) <= sizeof(KeyBlock));
static_assert(2 * kDecipherSchedule <= kInnerPad);
static_assert(CryptoMb::kMaxJobs <= IMB_MAX_BURST_SIZE);

constexpr std::size_t kGcmTagBytes = 16;
constexpr std::size_t kMaxHashBlock = 128;

gcm_key_data* gcm_keys(KeyBlock& block) {
    return static_cast<gcm_key_data*>(static_cast<void*>(block.bytes));
}

using ManagerPtr = std::unique_ptr<IMB_MGR, decltype(&free_mb_mgr)>;

/// How one MAC is known to the library.
struct HashKind {
    IMB_HASH_ALG algorithm;
    std::uint8_t block_bytes;
    std::uint8_t tag_bytes;
    bool in_bursts;
};

constexpr HashKind hash_kind(EspMac mac) {
    switch (mac) {
    case EspMac::HmacSha1_96:
        return {IMB_AUTH_HMAC_SHA_1, 64, 12, true};
    case EspMac::HmacSha256_128:
        return {IMB_AUTH_HMAC_SHA_256, 64, 16, true};
    case EspMac::HmacSha384_192:
        return {IMB_AUTH_HMAC_SHA_384, 128, 24, true};
    case EspMac::HmacSha512_256:
        return {IMB_AUTH_HMAC_SHA_512, 128, 32, true};
    case EspMac::HmacMd5_96:
        return {IMB_AUTH_MD5, 64, 12, false};
    case EspMac::None:
        break;
    }
    return {IMB_AUTH_NULL, 0, 0, false};
}

enum class Step : std::uint8_t {
    Encipher,
    Decipher,
    Authenticate,
};

/// Groups of jobs that one library call can take: by cipher or by MAC.
constexpr unsigned kGroups = 8;
/// Jobs of about the same length run side by side, or lanes idle at the tail: <=128, <=640,
/// <=1,024, more.
constexpr unsigned kLengthClasses = 4;

unsigned length_class(std::uint32_t bytes) {
    return unsigned{bytes > 128} + unsigned{bytes > 640} + unsigned{bytes > 1024};
}

static_assert(kEspCiphers.size() <= kGroups && kEspMacs.size() <= kGroups);

/// Indices of the jobs a step concerns, ordered by group, then by length class: a counting sort.
class Schedule {
  public:
    Schedule(std::span<const CryptoJob> jobs, Step step) {
        std::array<std::uint8_t, CryptoMb::kMaxJobs> bucket_of;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            bucket_of[i] = bucket(jobs[i], step);
            ++begin_[bucket_of[i] + 1U];
        }
        for (unsigned i = 1; i < begin_.size(); ++i)
            begin_[i] = static_cast<std::uint8_t>(begin_[i] + begin_[i - 1]);
        auto next = begin_;
        for (std::size_t i = 0; i < jobs.size(); ++i)
            order_[next[bucket_of[i]]++] = static_cast<std::uint8_t>(i);
    }

    [[nodiscard]] std::span<const std::uint8_t> group(unsigned group) const {
        const std::size_t first = begin_[group * kLengthClasses];
        return std::span{order_}.subspan(first, begin_[(group + 1) * kLengthClasses] - first);
    }

  private:
    static constexpr std::uint8_t kSkip = kGroups * kLengthClasses;

    static std::uint8_t bucket(const CryptoJob& job, Step step) {
        const bool hash = step == Step::Authenticate;
        if (is_combined_mode(job.cipher) || (!hash && job.cipher == EspCipher::Null))
            return kSkip;
        const auto group =
            hash ? static_cast<unsigned>(job.mac) : static_cast<unsigned>(job.cipher);
        const std::uint32_t bytes = hash ? job.authenticated_bytes : job.text_bytes;
        return static_cast<std::uint8_t>(group * kLengthClasses + length_class(bytes));
    }

    std::array<std::uint8_t, kGroups * kLengthClasses + 2> begin_{};
    std::array<std::uint8_t, CryptoMb::kMaxJobs> order_;
};

static_assert(CryptoMb::kMaxJobs < 256);

Result<ManagerPtr> open_manager(CryptoArch arch) {
    ManagerPtr manager{alloc_mb_mgr(0), &free_mb_mgr};
    if (!manager)
        return fail(ErrorCode::Exhausted, "IPsec-MB: no memory for its manager");
    switch (arch) {
    case CryptoArch::Auto:
        init_mb_mgr_auto(manager.get(), nullptr);
        break;
    case CryptoArch::Sse:
        init_mb_mgr_sse(manager.get());
        break;
    case CryptoArch::Avx2:
        init_mb_mgr_avx2(manager.get());
        break;
    case CryptoArch::Avx512:
        init_mb_mgr_avx512(manager.get());
        break;
    }
    if (const int error = imb_get_errno(manager.get()); error != 0)
        return fail(ErrorCode::Unsupported,
                    std::string{"IPsec-MB: "} + imb_get_strerror(error) +
                        " (does this CPU have AES-NI? try --crypto-arch sse)");
    return manager;
}

/// The cache lines of a key block that hold these octets.
constexpr KeyLines lines_of(std::size_t first, std::size_t bytes) {
    const std::size_t last = (first + bytes - 1) / 64;
    return static_cast<KeyLines>((2U << last) - (1U << first / 64));
}

/// Round keys: one more than rounds (FIPS 197 5).
std::size_t aes_schedule_bytes(EspCipher cipher) {
    return (info(cipher).key_bytes / 4 + 7) * IMB_AES_BLOCK_SIZE;
}

} // namespace

struct CryptoMb::Engine {
    Engine(ManagerPtr for_bursts, ManagerPtr for_jobs)
        : bursts(std::move(for_bursts)), singles(std::move(for_jobs)) {
        const IMB_MGR& mgr = *bursts;
        gcm_expand = {mgr.gcm128_pre, mgr.gcm192_pre, mgr.gcm256_pre};
        std::uint8_t seed[16];
        SystemRng{}.fill(seed);
        mgr.gcm128_pre(seed, gcm_keys(pool_keys));
        wipe(seed, sizeof seed);
    }

    ~Engine() {
        wipe(&pool_keys, sizeof pool_keys);
        wipe(pool.data(), pool.size());
    }

    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    static std::size_t gcm_index(EspCipher cipher) {
        return static_cast<std::size_t>(cipher) - static_cast<std::size_t>(EspCipher::AesGcm128);
    }

    void bucketed(std::span<CryptoJob> jobs, Step step);
    void cipher_burst(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order, Step step);
    void hash_burst(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order);
    void triple_des_jobs(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order, Step step);
    void md5_jobs(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order);
    void expand_cipher(EspCipher cipher, ByteView key, KeyBlock& block);
    void expand_mac(EspMac mac, ByteView key, KeyBlock& block);
    void refill_pool();

    // A manager per interface: the library advises against mixing them in one.
    ManagerPtr bursts;
    ManagerPtr singles;
    std::array<aes_gcm_pre_t, 3> gcm_expand;
    alignas(64) std::array<IMB_JOB, kMaxJobs> scratch{};
    KeyBlock pool_keys;
    alignas(64) std::array<std::uint8_t, 4096> pool{};
    std::size_t pool_used{pool.size()};
};

// ---------------------------------------------------------------------------------------------------
// CBC, 3DES, HMAC

void CryptoMb::Engine::bucketed(std::span<CryptoJob> jobs, Step step) {
    if (jobs.empty())
        return;
    const Schedule schedule{jobs, step};
    if (step == Step::Authenticate) {
        for (const EspMacInfo& mac : kEspMacs) {
            const auto order = schedule.group(static_cast<unsigned>(mac.mac));
            if (order.empty())
                continue;
            if (hash_kind(mac.mac).in_bursts)
                hash_burst(jobs, order);
            else
                md5_jobs(jobs, order);
        }
        return;
    }
    for (const EspCipherInfo& cipher : kEspCiphers) {
        const auto order = schedule.group(static_cast<unsigned>(cipher.cipher));
        if (order.empty())
            continue;
        if (cipher.cipher == EspCipher::TripleDesCbc)
            triple_des_jobs(jobs, order, step);
        else
            cipher_burst(jobs, order, step);
    }
}

void CryptoMb::Engine::cipher_burst(std::span<CryptoJob> jobs,
                                    std::span<const std::uint8_t> order,
                                    Step step) {
    const std::size_t key_bytes = info(jobs[order.front()].cipher).key_bytes;
    const auto direction = step == Step::Encipher ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    IMB_JOB* out = scratch.data();
    for (const std::uint8_t index : order) {
        const CryptoJob& job = jobs[index];
        out->enc_keys = job.keys->bytes;
        out->dec_keys = job.keys->bytes + kDecipherSchedule;
        out->key_len_in_bytes = key_bytes;
        out->src = job.text;
        out->dst = job.text;
        out->cipher_start_src_offset_in_bytes = 0;
        out->msg_len_to_cipher_in_bytes = job.text_bytes;
        out->iv = job.iv;
        out->iv_len_in_bytes = IMB_AES_BLOCK_SIZE;
        out->cipher_mode = IMB_CIPHER_CBC;
        out->cipher_direction = direction;
        ++out;
    }
    IMB_SUBMIT_CIPHER_BURST_NOCHECK(bursts.get(),
                                    scratch.data(),
                                    static_cast<std::uint32_t>(order.size()),
                                    IMB_CIPHER_CBC,
                                    direction,
                                    static_cast<IMB_KEY_SIZE_BYTES>(key_bytes));
}

void CryptoMb::Engine::hash_burst(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order) {
    const HashKind kind = hash_kind(jobs[order.front()].mac);
    IMB_JOB* out = scratch.data();
    for (const std::uint8_t index : order) {
        const CryptoJob& job = jobs[index];
        out->src = job.authenticated;
        out->hash_start_src_offset_in_bytes = 0;
        out->msg_len_to_hash_in_bytes = job.authenticated_bytes;
        out->auth_tag_output = job.tag;
        out->auth_tag_output_len_in_bytes = kind.tag_bytes;
        out->u.HMAC._hashed_auth_key_xor_ipad = job.keys->bytes + kInnerPad;
        out->u.HMAC._hashed_auth_key_xor_opad = job.keys->bytes + kOuterPad;
        out->hash_alg = kind.algorithm;
        ++out;
    }
    IMB_SUBMIT_HASH_BURST_NOCHECK(
        bursts.get(), scratch.data(), static_cast<std::uint32_t>(order.size()), kind.algorithm);
}

void CryptoMb::Engine::triple_des_jobs(std::span<CryptoJob> jobs,
                                       std::span<const std::uint8_t> order,
                                       Step step) {
    IMB_MGR* manager = singles.get();
    for (const std::uint8_t index : order) {
        const CryptoJob& job = jobs[index];
        IMB_JOB* out = IMB_GET_NEXT_JOB(manager);
        *out = IMB_JOB{};
        out->enc_keys = job.keys->bytes + kDesPointers;
        out->dec_keys = out->enc_keys;
        out->key_len_in_bytes = info(EspCipher::TripleDesCbc).key_bytes;
        out->src = job.text;
        out->dst = job.text;
        out->msg_len_to_cipher_in_bytes = job.text_bytes;
        out->iv = job.iv;
        out->iv_len_in_bytes = IMB_DES_BLOCK_SIZE;
        out->cipher_mode = IMB_CIPHER_DES3;
        out->cipher_direction = step == Step::Encipher ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
        out->hash_alg = IMB_AUTH_NULL;
        out->chain_order = step == Step::Encipher ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
        IMB_SUBMIT_JOB_NOCHECK(manager);
    }
    while (IMB_FLUSH_JOB(manager) != nullptr) {
    }
}

void CryptoMb::Engine::md5_jobs(std::span<CryptoJob> jobs, std::span<const std::uint8_t> order) {
    IMB_MGR* manager = singles.get();
    for (const std::uint8_t index : order) {
        const CryptoJob& job = jobs[index];
        IMB_JOB* out = IMB_GET_NEXT_JOB(manager);
        *out = IMB_JOB{};
        out->src = job.authenticated;
        out->msg_len_to_hash_in_bytes = job.authenticated_bytes;
        out->auth_tag_output = job.tag;
        out->auth_tag_output_len_in_bytes = hash_kind(EspMac::HmacMd5_96).tag_bytes;
        out->u.HMAC._hashed_auth_key_xor_ipad = job.keys->bytes + kInnerPad;
        out->u.HMAC._hashed_auth_key_xor_opad = job.keys->bytes + kOuterPad;
        out->cipher_mode = IMB_CIPHER_NULL;
        out->cipher_direction = IMB_DIR_ENCRYPT;
        out->hash_alg = IMB_AUTH_MD5;
        out->chain_order = IMB_ORDER_CIPHER_HASH;
        IMB_SUBMIT_JOB_NOCHECK(manager);
    }
    while (IMB_FLUSH_JOB(manager) != nullptr) {
    }
}

// ---------------------------------------------------------------------------------------------------
// keys

void CryptoMb::Engine::expand_cipher(EspCipher cipher, ByteView key, KeyBlock& block) {
    ENSURE(key.size() == info(cipher).key_bytes);
    std::uint8_t* enc = block.bytes;
    std::uint8_t* dec = block.bytes + kDecipherSchedule;
    switch (cipher) {
    case EspCipher::Null:
        break;
    case EspCipher::AesCbc128:
        IMB_AES_KEYEXP_128(bursts.get(), key.data(), enc, dec);
        break;
    case EspCipher::AesCbc192:
        IMB_AES_KEYEXP_192(bursts.get(), key.data(), enc, dec);
        break;
    case EspCipher::AesCbc256:
        IMB_AES_KEYEXP_256(bursts.get(), key.data(), enc, dec);
        break;
    case EspCipher::AesGcm128:
    case EspCipher::AesGcm192:
    case EspCipher::AesGcm256:
        gcm_expand[gcm_index(cipher)](key.data(), gcm_keys(block));
        break;
    case EspCipher::TripleDesCbc:
        for (std::size_t i = 0; i < 3; ++i) {
            void* schedule = block.bytes + i * kDesSchedule;
            IMB_DES_KEYSCHED(bursts.get(),
                             static_cast<std::uint64_t*>(schedule),
                             key.data() + i * IMB_DES_BLOCK_SIZE);
            std::memcpy(
                block.bytes + kDesPointers + i * sizeof schedule, &schedule, sizeof schedule);
        }
        break;
    }
}

void CryptoMb::Engine::expand_mac(EspMac mac, ByteView key, KeyBlock& block) {
    const HashKind kind = hash_kind(mac);
    if (mac == EspMac::None)
        return;
    ENSURE(key.size() == info(mac).key_bytes && key.size() <= kind.block_bytes);
    const hash_one_block_t one_block = mac == EspMac::HmacSha1_96      ? bursts->sha1_one_block
                                       : mac == EspMac::HmacSha256_128 ? bursts->sha256_one_block
                                       : mac == EspMac::HmacSha384_192 ? bursts->sha384_one_block
                                       : mac == EspMac::HmacSha512_256 ? bursts->sha512_one_block
                                                                       : bursts->md5_one_block;
    // RFC 2104 2: the key, filled up with zeros to a block, xor ipad and xor opad.
    std::array<std::uint8_t, kMaxHashBlock> pad;
    for (const auto& [constant, place] : {std::pair{0x36, kInnerPad}, std::pair{0x5c, kOuterPad}}) {
        pad.fill(static_cast<std::uint8_t>(constant));
        for (std::size_t i = 0; i < key.size(); ++i)
            pad[i] = static_cast<std::uint8_t>(pad[i] ^ key[i]);
        one_block(pad.data(), block.bytes + place);
    }
    wipe(pad.data(), pad.size());
}

void CryptoMb::Engine::refill_pool() {
    // AES-128 in counter mode over zeros. The first block becomes the next key, so what was handed
    // out cannot be computed from what is in memory later.
    static constexpr std::uint8_t kNonce[12]{};
    gcm_context_data context;
    std::uint8_t tag[kGcmTagBytes];
    pool.fill(0);
    IMB_AES128_GCM_ENC(bursts.get(),
                       gcm_keys(pool_keys),
                       &context,
                       pool.data(),
                       pool.data(),
                       pool.size(),
                       kNonce,
                       kNonce,
                       0,
                       tag,
                       sizeof tag);
    gcm_expand[0](pool.data(), gcm_keys(pool_keys));
    pool_used = IMB_AES_BLOCK_SIZE;
    std::fill_n(pool.begin(), pool_used, 0);
}

// ---------------------------------------------------------------------------------------------------

CryptoMb::CryptoMb(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {
    const IMB_MGR& library = *engine_->bursts;
    gcm_.seal_ = {library.gcm128_enc, library.gcm192_enc, library.gcm256_enc};
    gcm_.open_ = {library.gcm128_dec, library.gcm192_dec, library.gcm256_dec};
    if (library.used_arch == IMB_ARCH_AVX512 && (library.features & IMB_FEATURE_VAES) != 0)
        gcm_power_lines_ = 0xffff;
    static_assert(kGcmKeyBytes == sizeof(gcm_key_data));
    static_assert(sizeof gcm_.context_ >= sizeof(gcm_context_data));
    static_assert(Gcm::kTagBytes == kGcmTagBytes);
}

CryptoMb::~CryptoMb() = default;

bool CryptoMb::supports(CryptoArch arch) {
    switch (arch) {
    case CryptoArch::Auto:
        return supports(CryptoArch::Sse);
    case CryptoArch::Sse:
        return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
               __builtin_cpu_supports("sse4.2");
    case CryptoArch::Avx2:
        return supports(CryptoArch::Sse) && __builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("bmi2");
    case CryptoArch::Avx512:
        return supports(CryptoArch::Avx2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    }
    return false;
}

Result<std::unique_ptr<CryptoMb>> CryptoMb::create(CryptoArch arch) {
    return create(arch, known_answers());
}

Result<std::unique_ptr<CryptoMb>> CryptoMb::create(CryptoArch arch, const KnownAnswers& answers) {
    if (!supports(arch))
        return fail(ErrorCode::Unsupported,
                    "this CPU lacks the instructions of the chosen crypto architecture; use auto");
    auto for_bursts = TRY(open_manager(arch));
    auto for_jobs = TRY(open_manager(arch));
    std::unique_ptr<CryptoMb> crypto{
        new CryptoMb{std::make_unique<Engine>(std::move(for_bursts), std::move(for_jobs))}};
    TRY_VOID(run_known_answers(*crypto, answers));
    return crypto;
}

void CryptoMb::expand(
    EspCipher cipher, EspMac mac, ByteView key, ByteView mac_key, KeyBlock& block) {
    engine_->expand_cipher(cipher, key, block);
    engine_->expand_mac(mac, mac_key, block);
}

KeyLines CryptoMb::key_lines(EspCipher cipher, EspMac mac, ipc::Direction direction) const {
    unsigned lines = mac == EspMac::None ? 0U : lines_of(kInnerPad, 2 * kMaxHashState);
    if (is_combined_mode(cipher)) {
        const bool all_powers = gcm_power_lines_ == 0;
        lines |= lines_of(0, all_powers ? kFewPowersEnd : aes_schedule_bytes(cipher));
    } else if (cipher == EspCipher::TripleDesCbc) {
        lines |= lines_of(0, kInnerPad);
    } else if (cipher != EspCipher::Null) {
        lines |= lines_of(direction == ipc::Direction::Outbound ? 0 : kDecipherSchedule,
                          aes_schedule_bytes(cipher));
    }
    return static_cast<KeyLines>(lines);
}

void CryptoMb::seal(std::span<CryptoJob> jobs) noexcept {
    ENSURE(jobs.size() <= kMaxJobs);
    for (const CryptoJob& job : jobs)
        if (is_combined_mode(job.cipher))
            gcm_.seal(job);
    engine_->bucketed(jobs, Step::Encipher);
    engine_->bucketed(jobs, Step::Authenticate);
}

void CryptoMb::verify(std::span<CryptoJob> jobs) noexcept {
    ENSURE(jobs.size() <= kMaxJobs);
    for (const CryptoJob& job : jobs)
        if (is_combined_mode(job.cipher))
            gcm_.open(job);
    engine_->bucketed(jobs, Step::Authenticate);
}

void CryptoMb::decipher(std::span<CryptoJob> jobs) noexcept {
    ENSURE(jobs.size() <= kMaxJobs);
    engine_->bucketed(jobs, Step::Decipher);
}

void CryptoMb::random(MutableBytes to) noexcept {
    while (!to.empty()) {
        if (engine_->pool_used == engine_->pool.size())
            engine_->refill_pool();
        const std::size_t take = std::min(to.size(), engine_->pool.size() - engine_->pool_used);
        std::memcpy(to.data(), engine_->pool.data() + engine_->pool_used, take);
        engine_->pool_used += take;
        to = to.subspan(take);
    }
}

const char* CryptoMb::arch_name() const {
    switch (engine_->bursts->used_arch) {
    case IMB_ARCH_SSE:
        return "sse";
    case IMB_ARCH_AVX:
        return "avx";
    case IMB_ARCH_AVX2:
        return "avx2";
    case IMB_ARCH_AVX512:
        return (engine_->bursts->features & IMB_FEATURE_VAES) != 0 ? "avx512+vaes" : "avx512";
    default:
        return "unknown";
    }
}

bool CryptoMb::wipes_after_use() const {
    return (engine_->bursts->features & IMB_FEATURE_SAFE_DATA) != 0;
}

} // namespace adit::dataplane
