// SPDX-License-Identifier: Apache-2.0
// IPsec-MB as its manual begins: the checked job interface, one packet at a time, flushed at once,
// with managers and key schedules of its own. Slow and plain, for comparison.
//
// The SSE code serves as reference for every instruction set; only 3DES, whose tables are looked up
// in constant time there (2 us an octet), runs on the best the CPU has.
#pragma once

#include "common/bytes.h"
#include "common/error.h"
#include "dataplane/crypto_mb.h"

#include <array>
#include <intel-ipsec-mb.h>
#include <memory>

namespace adit::test {

class CryptoReference {
  public:
    struct Keys {
        ByteView cipher, mac;
    };

    /// Enciphers job.text in place, then authenticates: job.tag. Takes no keys from job.keys.
    void seal(const dataplane::CryptoJob& job, const Keys& keys) {
        run(job, keys, IMB_DIR_ENCRYPT, IMB_ORDER_CIPHER_HASH);
    }

    /// Authenticates what was received, then deciphers.
    void open(const dataplane::CryptoJob& job, const Keys& keys) {
        run(job, keys, IMB_DIR_DECRYPT, IMB_ORDER_HASH_CIPHER);
    }

  private:
    using ManagerPtr = std::unique_ptr<IMB_MGR, decltype(&free_mb_mgr)>;

    /// What the library wants to see of keys.
    struct Schedules {
        alignas(64) gcm_key_data gcm;
        alignas(16) std::array<std::uint32_t, 60> encipher, decipher; // AES: 15 round keys
        std::array<std::array<std::uint64_t, 16>, 3> des;
        std::array<const void*, 3> des_in_order;
        alignas(16) std::array<std::uint8_t, 64> inner, outer; // of HMAC
    };

    template <class Init> static ManagerPtr open_manager(Init init) {
        ManagerPtr manager{alloc_mb_mgr(0), &free_mb_mgr};
        ENSURE(manager != nullptr);
        init(manager.get());
        ENSURE(imb_get_errno(manager.get()) == 0);
        return manager;
    }

    void run(const dataplane::CryptoJob& job,
             const Keys& keys,
             IMB_CIPHER_DIRECTION direction,
             IMB_CHAIN_ORDER order) {
        IMB_MGR* manager = job.cipher == EspCipher::TripleDesCbc ? best_.get() : sse_.get();
        Schedules schedules;
        IMB_JOB* submitted = IMB_GET_NEXT_JOB(manager);
        *submitted = IMB_JOB{};
        // One source for both steps: authentication begins in front of the text.
        const std::uint8_t* from = job.mac == EspMac::None ? job.text : job.authenticated;
        submitted->src = from;
        submitted->dst = job.text;
        submitted->cipher_start_src_offset_in_bytes = static_cast<std::size_t>(job.text - from);
        submitted->msg_len_to_cipher_in_bytes = job.text_bytes;
        submitted->iv = job.iv;
        submitted->auth_tag_output = job.tag;
        submitted->auth_tag_output_len_in_bytes = icv_bytes(job.cipher, job.mac);
        submitted->cipher_direction = direction;
        submitted->chain_order = order;
        set_cipher(*manager, job.cipher, keys.cipher, schedules, *submitted);
        if (job.mac != EspMac::None) {
            submitted->msg_len_to_hash_in_bytes = job.authenticated_bytes;
            set_mac(*manager, job.mac, keys.mac, schedules, *submitted);
        } else {
            submitted->hash_alg = IMB_AUTH_AES_GMAC;
            submitted->u.GCM.aad = job.authenticated;
            submitted->u.GCM.aad_len_in_bytes = job.authenticated_bytes;
        }
        const IMB_JOB* done = IMB_SUBMIT_JOB(manager);
        if (done == nullptr)
            done = IMB_FLUSH_JOB(manager);
        ENSURE(done != nullptr && done->status == IMB_STATUS_COMPLETED);
    }

    static void set_cipher(
        IMB_MGR& manager, EspCipher cipher, ByteView key, Schedules& schedules, IMB_JOB& job) {
        job.key_len_in_bytes = key.size();
        job.iv_len_in_bytes = info(cipher).block_bytes;
        job.cipher_mode = IMB_CIPHER_CBC;
        job.enc_keys = schedules.encipher.data();
        job.dec_keys = schedules.decipher.data();
        switch (cipher) {
        case EspCipher::Null:
            job.cipher_mode = IMB_CIPHER_NULL;
            return;
        case EspCipher::AesCbc128:
            return manager.keyexp_128(
                key.data(), schedules.encipher.data(), schedules.decipher.data());
        case EspCipher::AesCbc192:
            return manager.keyexp_192(
                key.data(), schedules.encipher.data(), schedules.decipher.data());
        case EspCipher::AesCbc256:
            return manager.keyexp_256(
                key.data(), schedules.encipher.data(), schedules.decipher.data());
        case EspCipher::TripleDesCbc:
            return set_triple_des(manager, key, schedules, job);
        case EspCipher::AesGcm128:
            manager.gcm128_pre(key.data(), &schedules.gcm);
            break;
        case EspCipher::AesGcm192:
            manager.gcm192_pre(key.data(), &schedules.gcm);
            break;
        case EspCipher::AesGcm256:
            manager.gcm256_pre(key.data(), &schedules.gcm);
            break;
        }
        job.cipher_mode = IMB_CIPHER_GCM;
        job.iv_len_in_bytes = 12;
        job.enc_keys = &schedules.gcm;
        job.dec_keys = &schedules.gcm;
    }

    static void set_triple_des(IMB_MGR& manager, ByteView key, Schedules& schedules, IMB_JOB& job) {
        for (std::size_t i = 0; i < schedules.des.size(); ++i) {
            manager.des_key_sched(schedules.des[i].data(),
                                  key.subspan(i * IMB_DES_BLOCK_SIZE).data());
            schedules.des_in_order[i] = schedules.des[i].data();
        }
        job.cipher_mode = IMB_CIPHER_DES3;
        job.enc_keys = schedules.des_in_order.data();
        job.dec_keys = schedules.des_in_order.data();
    }

    static void
    set_mac(IMB_MGR& manager, EspMac mac, ByteView key, Schedules& schedules, IMB_JOB& job) {
        struct Known {
            IMB_HASH_ALG algorithm;
            hash_one_block_t one_block;
            std::size_t block_bytes;
        };

        const std::array<Known, kEspMacs.size()> known = {
            Known{IMB_AUTH_NULL, nullptr, 0},
            Known{IMB_AUTH_HMAC_SHA_1, manager.sha1_one_block, 64},
            Known{IMB_AUTH_HMAC_SHA_256, manager.sha256_one_block, 64},
            Known{IMB_AUTH_HMAC_SHA_384, manager.sha384_one_block, 128},
            Known{IMB_AUTH_HMAC_SHA_512, manager.sha512_one_block, 128},
            Known{IMB_AUTH_MD5, manager.md5_one_block, 64},
        };
        const Known& wanted = known[static_cast<std::size_t>(mac)];
        // RFC 2104 2: the key, filled up with zeros to a block, xor ipad and xor opad.
        Bytes inner(wanted.block_bytes, 0x36);
        Bytes outer(wanted.block_bytes, 0x5c);
        for (std::size_t i = 0; i < key.size(); ++i) {
            inner[i] = static_cast<std::uint8_t>(inner[i] ^ key[i]);
            outer[i] = static_cast<std::uint8_t>(outer[i] ^ key[i]);
        }
        wanted.one_block(inner.data(), schedules.inner.data());
        wanted.one_block(outer.data(), schedules.outer.data());
        job.hash_alg = wanted.algorithm;
        job.u.HMAC._hashed_auth_key_xor_ipad = schedules.inner.data();
        job.u.HMAC._hashed_auth_key_xor_opad = schedules.outer.data();
    }

    ManagerPtr sse_ = open_manager(init_mb_mgr_sse);
    ManagerPtr best_ = open_manager([](IMB_MGR* manager) { init_mb_mgr_auto(manager, nullptr); });
};

} // namespace adit::test
